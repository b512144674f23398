"""Signatures of `superionic mof`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from superionic.workflows.cli_options import Json, Progress, Seed, Workers

mof_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Metal nodes of carboxylate frameworks: one node, or a screen of metals.",
)

Cap = Annotated[
    str, typer.Option(help="What ends the carboxylates: formate, acetate, benzoate, trimesate.")
]


@mof_app.command()
def node(
    metals: Annotated[
        list[str],
        typer.Option(
            "--metals",
            metavar="METAL METAL [METAL]",
            help="Three for M3O(O2CR)6, two for a paddlewheel: Fe Fe Ni, or FeFeNi, or Fe2Ni.",
        ),
    ],
    others: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    cap: Cap = "formate",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write: .xyz, .sdf or .mol.")
    ] = None,
    states: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,N", help="Oxidation states, one a metal.", show_default="from the charge"
        ),
    ] = None,
    charge: Annotated[
        int | None, typer.Option(help="Total charge in e.", show_default="from --states, or 0")
    ] = None,
    multiplicity: Annotated[
        int | None, typer.Option(help="2S + 1.", show_default="parallel high spins")
    ] = None,
    water: Annotated[bool, typer.Option("--water", help="Close the open metals with water.")] = (
        False
    ),
    as_json: Json = False,
) -> None:
    """Build a metal node; `superionic structure cluster` has every option."""
    from superionic.workflows.commands import mof

    mof.write_node(
        (*metals, *(others or ())), cap=cap, water=water, states=states, charge=charge,
        multiplicity=multiplicity, out=out, as_json=as_json,
    )  # fmt: skip


@mof_app.command()
def screen(
    metals: Annotated[
        str, typer.Option(metavar="LIST", help='Nodes: "FeFeFe,NiNiNi,FeFeNi" or "Fe3,Ni3,Fe2Ni".')
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything computed.")],
    cap: Cap = "formate",
    charge: Annotated[int, typer.Option(help="Of every bare node in e.")] = 0,
    adsorbate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|SMILES|FILE",
            help="What adsorbs: tfsi, natfsi, na+, clo4, ...; may be repeated.",
            show_default="tfsi",
        ),
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            help="Donors that hold on, such as O or O,O; may be repeated.",
            show_default="O and O,O where there are any",
        ),
    ] = None,
    theory: Annotated[
        str, typer.Option(help="Level of the geometries; GFN2 overbinds alkali ions.")
    ] = "gfn1-xtb",
    level: Annotated[
        list[str] | None,
        typer.Option(
            help="Single points at another level, such as gfn1-xtb@eps7.5 or pyscf-pbe+d3bj; may "
            "be repeated."
        ),
    ] = None,
    starts: Annotated[int, typer.Option(min=1, help="Seeded starts for each site and mode.")] = 2,
    keep: Annotated[int, typer.Option(min=1, help="Of each site and mode relaxed to the end.")] = 1,
    every_ion: Annotated[
        bool,
        typer.Option("--every-ion", help="Also at metals that differ in oxidation state only."),
    ] = False,
    fmax: Annotated[float, typer.Option(min=1e-5, help="Residual force in eV/A.")] = 0.03,
    max_steps: Annotated[int, typer.Option(min=1, help="Limit; reaching it is no result.")] = 400,
    seed: Seed = 0,
    workers: Workers = None,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Find adsorption energies at the nodes of many metals.

    All nodes have one charge and parallel high spins; each value names its way of holding on, and
    only equal ways compare like with like. The exit code is 0 only when every node has a value.
    Run the same command again to resume.
    """
    from superionic.workflows.commands import mof

    request = mof.ScreenRequest(
        metals=metals, cap=cap, charge=charge, adsorbates=tuple(adsorbate or ("tfsi",)),
        modes=tuple(mode or ()), theory=theory, levels=tuple(level or ()), starts=starts,
        keep=keep, every_ion=every_ion, fmax_eV_per_A=fmax, max_steps=max_steps, seed=seed,
    )  # fmt: skip
    mof.run(request, out=out, workers=workers, progress=progress, as_json=as_json)
