"""Signatures of `superionic hops` and `superionic barrier`. See `superionic.workflows.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_options import (
    DEFAULT_THEORY,
    File,
    Json,
    MinAtoms,
    Progress,
    Seed,
    TheoryName,
    Workers,
)

Ion = Annotated[str, typer.Option(help="Chemical symbol of the mobile ion.")]
MaxLength = Annotated[float, typer.Option(min=0.5, help="Longest hop in angstrom.")]
MechanismName = Annotated[
    Literal["vacancy", "hole", "interstitial"],
    typer.Option(help="To a removed ion's site, to an empty site, or between empty sites."),
]
Voids = Annotated[bool, typer.Option("--voids", help="Take the largest voids as empty sites.")]


def hops(
    file: File,
    ion: Ion,
    max_length: MaxLength = 4.5,
    mechanism: MechanismName = "vacancy",
    voids: Voids = False,
    min_atoms: MinAtoms = 1,
    as_json: Json = False,
) -> None:
    """List the symmetry-distinct hops of an ion."""
    from superionic.workflows.commands.hops import HopQuery, show_hops

    show_hops(file, HopQuery(ion, max_length, mechanism, min_atoms, voids), as_json=as_json)


def barrier(
    file: File,
    ion: Ion,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything computed.")],
    theory: TheoryName = DEFAULT_THEORY,
    hop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N|KEY",
            help="Hop by its place or key in `superionic hops`; may be repeated.",
            show_default="all",
        ),
    ] = None,
    mechanism: MechanismName = "vacancy",
    voids: Voids = False,
    max_length: MaxLength = 4.5,
    min_atoms: MinAtoms = 1,
    relax_cell: Annotated[
        bool | None,
        typer.Option(
            "--relax-cell/--fixed-cell",
            help="Relax the cell of the host as well.",
            show_default="crystals yes, slabs no",
        ),
    ] = None,
    fmax: Annotated[float, typer.Option(min=1e-4, help="Residual force of a band in eV/A.")] = 0.05,
    images: Annotated[int, typer.Option(min=1, help="Moving images of a band.")] = 5,
    seed: Seed = 0,
    workers: Workers = None,
    progress: Progress = True,
    as_json: Json = False,
    arrays: Annotated[bool, typer.Option("--arrays", help="With --json: the paths too.")] = False,
) -> None:
    """Compute the barriers of hops.

    The structure is relaxed, its hops are found in it, the ends of each are relaxed and judged,
    and climbing bands join them. The exit code is 0 only when every hop asked for has a converged
    barrier. Run the same command again to resume.
    """
    from superionic.workflows.commands.barrier import BarrierRequest, run_barriers
    from superionic.workflows.commands.hops import HopQuery

    request = BarrierRequest(
        query=HopQuery(ion, max_length, mechanism, min_atoms, voids),
        wanted=tuple(hop or ()),
        theory=theory,
        relax_cell=relax_cell,
        fmax_eV_per_A=fmax,
        images=images,
        seed=seed,
    )
    run_barriers(
        file, request, out=out, workers=workers, progress=progress, as_json=as_json, arrays=arrays
    )
