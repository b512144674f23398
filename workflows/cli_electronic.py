"""Signature of `superionic electronic`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_options import Json, Progress


def electronic(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|RUN",
            help="A molecule or node (.xyz, .sdf, a packaged name), or the folder of a finished "
            "VASP, CASTEP or GPAW run.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything.")],
    theory: Annotated[
        str, typer.Option(help="Level of theory for a FILE; one with orbitals.")
    ] = "pyscf-pbe",
    charge: Annotated[
        int | None, typer.Option(help="Total charge in e.", show_default="of the file, or 0")
    ] = None,
    multiplicity: Annotated[
        int | None,
        typer.Option(
            min=1, help="2S + 1.", show_default="of the file, or parallel high spins of its metals"
        ),
    ] = None,
    moment: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ATOM=N",
            help="Unpaired electrons of an atom (counted from 0) at the start, negative for spin "
            "down; may recur.",
            show_default="shared among the metals",
        ),
    ] = None,
    basis: Annotated[str, typer.Option(help="Basis set.")] = "def2-svp",
    grid: Annotated[
        int,
        typer.Option(min=0, max=9, help="Integration grid of PySCF; 0 gives no total energy."),
    ] = 1,
    smearing: Annotated[
        float, typer.Option(min=1e-4, help="kT of the Fermi-Dirac filling in eV.")
    ] = 0.1,
    projection: Annotated[
        Literal["loewdin", "mulliken"], typer.Option(help="How levels are shared among atoms.")
    ] = "loewdin",
    width: Annotated[float, typer.Option(min=0.01, help="Gaussian width of a level in eV.")] = 0.1,
    window: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH",
            help="Energies about the Fermi level that d band centres average.",
            show_default="all",
        ),
    ] = None,
    surface: Annotated[
        bool, typer.Option(help="Potential on the 0.001 e/bohr^3 surface too.")
    ] = True,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Show the electronic structure of a molecule, a node or a finished run.

    Projected densities of states with d band centres by several definitions side by side, charges,
    d electrons and spins of metals, and the potential on the outside. A field that does not become
    self-consistent by any of several stated ways gives no numbers and exit code 1. Run the same
    command again to resume.
    """
    from superionic.workflows.commands.electronic import ElectronicRequest, show_electronic

    request = ElectronicRequest(
        source, theory, charge, multiplicity, tuple(moment or ()), basis, grid, smearing,
        projection, width, window, surface,
    )  # fmt: skip
    show_electronic(request, out=out, progress=progress, as_json=as_json)
