"""Signatures of `superionic reproduce` and `superionic report`. See `superionic.workflows.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from superionic.workflows.cli_options import Json, Progress, Workers


def _known_fidelity(name: str) -> str:
    if name not in ("quick", "standard") and not name.endswith(".toml"):
        raise typer.BadParameter(f"expected quick, standard or a .toml file; got {name!r}.")
    return name


def reproduce(
    papers: Annotated[
        list[str] | None, typer.Argument(metavar="PAPERS", help="Which; all by default.")
    ] = None,
    fidelity: Annotated[
        str,
        typer.Option(
            callback=_known_fidelity,
            metavar="quick|standard|FILE",
            help="Minutes on two cores, hours on a workstation, or a protocol (.toml) of your own.",
        ),
    ] = "quick",
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for everything computed.")
    ] = Path("results"),
    from_archive: Annotated[
        bool,
        typer.Option(
            "--from-archive", help="Draw from an archive of finished results; compute nothing."
        ),
    ] = False,
    archive: Annotated[
        Path | None,
        typer.Option(
            help="Archive to write at the end, or to draw from.", show_default="that of the package"
        ),
    ] = None,
    workers: Workers = None,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Redraw the figures of papers in a report.

    Finished tasks are never done twice: run the same command again to resume.
    """
    from superionic.workflows.commands import results

    results.reproduce(
        papers or (), fidelity=fidelity, out=out, workers=workers, progress=progress,
        as_json=as_json, from_archive=from_archive, archive=archive,
    )  # fmt: skip


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Of `reproduce`, `barrier` or `binding`.")
    ],
    as_json: Json = False,
) -> None:
    """Write the report of a folder again.

    Nothing is computed: it shows what the folder holds.
    """
    from superionic.workflows.commands import results

    results.rebuild(folder, as_json=as_json)
