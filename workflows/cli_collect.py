"""The commands around runs of DFT codes: how they are called. See `superionic.workflows.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_options import Json

Folder = Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")]


def collect(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run, a path with 00, 01, ..., or many.")
    ],
    ends: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="FIRST LAST", help="Runs of a path's ends, if made elsewhere."),
    ] = None,
    end_decks: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write decks for ends without energy.")
    ] = None,
    charges: Annotated[
        bool, typer.Option("--charges", help="Bader (VASP) or Mulliken (CASTEP) charges too.")
    ] = False,
    quiet: Annotated[
        float, typer.Option(min=0.0, help="Minutes of silence after which a run is dead.")
    ] = 60.0,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="STEM", help="Draw it: STEM.png, STEM.svg and STEM.csv."),
    ] = None,
    as_json: Json = False,
    arrays: Annotated[bool, typer.Option("--arrays", help="With --json: the arrays too.")] = False,
) -> None:
    """Read runs of VASP, CASTEP or GPAW back.

    Each is finished, unconverged, crashed, truncated or still running, and only a finished one has
    an energy. A folder of `superionic handover` is compared with its local path; of one of
    `superionic submit` the commands whose tasks are done write their tables, and nothing is
    submitted. The exit code is 0 only when all of it finished.
    """
    from superionic.workflows.commands.collect import CollectRequest, show_collected

    request = CollectRequest(tuple(ends or ()), quiet * 60.0, charges, end_decks, arrays, figure)
    show_collected(folder, request, as_json=as_json)


def handover(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Of `superionic barrier`.")],
    hop: Annotated[str, typer.Option(metavar="N|KEY", help="Which hop.")],
    protocol: Annotated[str, typer.Option(help="DFT settings, packaged or a .toml file.")],
    out: Folder,
    code: Annotated[
        Literal["vasp", "castep", "both"], typer.Option(help="For which code.")
    ] = "both",
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write DFT decks for the images of a converged hop.

    When their outputs are there, `superionic collect OUT` shows the difference at each image and
    what it does to the barrier.
    """
    from superionic.workflows.commands.handover import hand_over_hop

    hand_over_hop(
        folder, hop, protocol=protocol, codes=("vasp", "castep") if code == "both" else (code,),
        changes=change or (), out=out, as_json=as_json,
    )  # fmt: skip
