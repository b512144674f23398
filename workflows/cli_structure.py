"""Signatures of `superionic structure`. See `superionic.workflows.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from superionic.workflows import cli_clusters, cli_molecules
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

structure_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Crystals, slabs, molecules, and molecules on slabs.",
)

AnyIon = Annotated[
    str, typer.Option(help="Mobile ion.", show_default="the only alkali metal or Ag")
]
Charges = Annotated[
    list[str] | None,
    typer.Option(
        "--oxidation-state", metavar="SYMBOL=CHARGE", help="Formal charge; others are guessed."
    ),
]
EmptySites = Annotated[
    bool,
    typer.Option("--empty-sites", help="Keep empty sites in a CIF, with occupancy 0."),
]


@structure_app.command("list")
def structure_list(as_json: Json = False) -> None:
    """List the packaged crystals and their sources."""
    from superionic.workflows.commands import structures

    structures.show_packaged(as_json=as_json)


@structure_app.command("check")
def structure_check(file: File, oxidation_state: Charges = None, as_json: Json = False) -> None:
    """Check a structure as a chemist would.

    Bond-valence sums, shortest distances, charge and density; the exit code is 1 if one is off.
    """
    from superionic.workflows.commands import structures

    structures.check(file, charges=oxidation_state or (), as_json=as_json)


@structure_app.command("order")
def structure_order(
    file: File,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; its suffix decides.")],
    theory: TheoryName = DEFAULT_THEORY,
    ion: AnyIon = "",
    min_atoms: MinAtoms = 1,
    candidates: Annotated[int, typer.Option(min=1, help="Ewald candidates to relax.")] = 3,
    moves: Annotated[int, typer.Option(min=0, help="Single-ion moves to try at most.")] = 30,
    seed: Seed = 0,
    empty_sites: EmptySites = False,
    workers: Workers = None,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Make an ordered cell of a disordered crystal.

    The cells of lowest Ewald energy are relaxed with a potential, and in the best of them mobile
    ions are moved until no move that was tried lowers the energy. The evidence is kept in a folder
    beside the file, from which the same command resumes.
    """
    from superionic.workflows.commands.order import OrderRequest, order

    order(
        file, OrderRequest(ion, theory, min_atoms, candidates, moves, seed), out=out,
        empty_sites=empty_sites, workers=workers, progress=progress, as_json=as_json,
    )  # fmt: skip


@structure_app.command("slab")
def structure_slab(
    file: File,
    miller: Annotated[
        tuple[int, int, int], typer.Option(metavar="H K L", help="Plane, in conventional axes.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; its suffix decides.")
    ] = None,
    repeat: Annotated[tuple[int, int], typer.Option(metavar="N M", help="Cells in the plane.")] = (
        1,
        1,
    ),
    vacuum: Annotated[float, typer.Option(help="Vacuum in angstrom.")] = 20.0,
    layers: Annotated[
        int | None, typer.Option(min=1, help="Thickness in slices between equivalent cuts.")
    ] = None,
    thickness: Annotated[
        float | None, typer.Option(help="Least thickness in angstrom.", show_default="10")
    ] = None,
    termination: Annotated[
        str | None, typer.Option(help="Index or name of a cut.", show_default="the easiest")
    ] = None,
    list_terminations: Annotated[
        bool, typer.Option("--list-terminations", help="List the cuts and stop.")
    ] = False,
    compensate: Annotated[
        bool, typer.Option(help="Move ions between the faces of a polar slab until it is none.")
    ] = True,
    allow_polar: Annotated[bool, typer.Option("--allow-polar", help="Declare it.")] = False,
    allow_nonstoichiometric: Annotated[
        bool, typer.Option("--allow-nonstoichiometric", help="Declare it.")
    ] = False,
    oxidation_state: Charges = None,
    empty_sites: EmptySites = False,
    ion: AnyIon = "",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Cut a slab along a plane.

    Polyanions stay whole. A slab that is polar or not stoichiometric is refused unless it is
    declared.
    """
    from superionic.workflows.commands.slab import SlabRequest, cut, show_terminations

    request = SlabRequest(
        miller, repeat, vacuum, layers, thickness, termination, compensate, allow_polar,
        allow_nonstoichiometric, tuple(oxidation_state or ()), seed,
    )  # fmt: skip
    if list_terminations:
        show_terminations(file, request, as_json=as_json)
        return
    if out is None:
        raise typer.BadParameter("name the file to write.", param_hint="--out / -o")
    cut(file, request, out=out, empty_sites=empty_sites, ion=ion, as_json=as_json)


structure_app.command("molecule")(cli_molecules.molecule)
structure_app.command("adsorb")(cli_molecules.adsorb)
structure_app.command("cluster")(cli_clusters.cluster)
