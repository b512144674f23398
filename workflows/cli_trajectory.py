"""Options of commands that read a trajectory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[
    Path, typer.Argument(metavar="TRAJ", help="XTC, DCD, LAMMPS, extended XYZ, XDATCAR, ASE, ...")
]
Topology = Annotated[
    Path | None,
    typer.Option("--top", help="What its atoms are: PDB, GRO, ...; extended XYZ needs none."),
]
Selection = Annotated[str, typer.Option("--sel", help="Atoms, in MDAnalysis' words: 'element Na'.")]
Cations = Annotated[str, typer.Option(help="Atoms, in MDAnalysis' words: 'element Na'.")]
Contact = Annotated[
    float | None,
    typer.Option(help="Distance of a contact in angstrom.", show_default="first minimum"),
]
Molecules = Annotated[
    bool, typer.Option("--molecules", help="Centres of mass of the molecules selected.")
]
Atoms = Annotated[
    bool, typer.Option("--atoms", help="Each atom selected by itself, not its molecule.")
]
Drift = Annotated[
    bool, typer.Option("--subtract-drift/--keep-drift", help="Motion of the centre of all mass.")
]
Dt = Annotated[
    float | None, typer.Option("--dt", help="Time between frames in ps.", show_default="the file's")
]
Start = Annotated[int, typer.Option(min=0, help="First frame.")]
Stop = Annotated[int | None, typer.Option(min=1, help="Frame to stop before.")]
Step = Annotated[int, typer.Option(min=1, help="Take every so many frames.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for figure, table, result.")]
Plot = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Figure (.png or .svg), with its table."),
]
