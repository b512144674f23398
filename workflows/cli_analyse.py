"""Signatures of `superionic analyse rdf` and `analyse msd`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

analyse_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Structure and motion from any trajectory."
)

File = Annotated[
    Path, typer.Argument(metavar="TRAJ", help="XTC, DCD, LAMMPS, extended XYZ, XDATCAR, ...")
]
Topology = Annotated[
    Path | None,
    typer.Option("--top", help="What its atoms are: PDB, GRO, ...; extended XYZ needs none."),
]
Selection = Annotated[str, typer.Option("--sel", help="Atoms, in MDAnalysis' words: 'element Na'.")]
Dt = Annotated[
    float | None, typer.Option("--dt", help="Time between frames in ps.", show_default="the file's")
]
Start = Annotated[int, typer.Option(min=0, help="First frame.")]
Stop = Annotated[int | None, typer.Option(min=1, help="Frame to stop before.")]
Step = Annotated[int, typer.Option(min=1, help="Take every so many frames.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for figure, table, result.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]


@analyse_app.command("rdf")
def analyse_rdf(
    trajectory: File,
    sel: Selection,
    to: Annotated[str, typer.Option("--to", help="Their neighbours, in the same words.")],
    top: Topology = None,
    r_max: Annotated[
        float | None, typer.Option(help="Largest distance in angstrom.", show_default="half a cell")
    ] = None,
    bin_width: Annotated[float, typer.Option("--bin", help="Shells in angstrom.")] = 0.05,
    own_molecule: Annotated[
        bool, typer.Option("--own-molecule", help="Count neighbours in the same molecule too.")
    ] = False,
    cutoff: Annotated[
        float | None,
        typer.Option(help="End of the first shell in angstrom.", show_default="first minimum"),
    ] = None,
    blocks: Annotated[int, typer.Option(min=1, help="Stretches of frames for intervals.")] = 10,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Count the neighbours of ions: g(r), n(r), first shell."""
    from superionic.workflows.commands import analyse

    analyse.show_rdf(
        analyse.TrajectoryRequest(trajectory, top, dt, start, stop, step),
        analyse.PairRequest(sel, to, r_max, bin_width, own_molecule, cutoff, blocks),
        out=out, as_json=as_json,
    )  # fmt: skip


@analyse_app.command("msd")
def analyse_msd(
    trajectory: File,
    sel: Selection,
    top: Topology = None,
    molecules: Annotated[
        bool, typer.Option("--molecules", help="Centres of mass of the molecules selected.")
    ] = False,
    drift: Annotated[
        bool,
        typer.Option("--subtract-drift/--keep-drift", help="Motion of the centre of all mass."),
    ] = True,
    precision: Annotated[
        float, typer.Option(help="Relative precision to say the needed length for.")
    ] = 0.1,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Measure how ions spread: D with its interval, or why there is none."""
    from superionic.workflows.commands import analyse

    analyse.show_msd(
        analyse.TrajectoryRequest(trajectory, top, dt, start, stop, step), sel,
        molecules=molecules, drift=drift, precision=precision, out=out, as_json=as_json,
    )  # fmt: skip
