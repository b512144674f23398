"""Signature of `superionic structure cluster`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_options import Json, Seed


def cluster(
    metals: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="METAL...", help="Three for M3O(O2CR)6, two for a paddlewheel: Fe Fe Ni."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="File to write: .xyz, .sdf or .mol; with --adsorbate a folder."
        ),
    ] = None,
    cap: Annotated[
        str,
        typer.Option(
            help="What ends the carboxylates: formate, acetate, benzoate, trimesate; with --from "
            "also linker, the whole one."
        ),
    ] = "formate",
    water: Annotated[bool, typer.Option("--water", help="Close the open metals with water.")] = (
        False
    ),
    states: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,N", help="Oxidation states, one a metal.", show_default="from the charge"
        ),
    ] = None,
    charge: Annotated[
        int | None,
        typer.Option(help="Total charge in e.", show_default="from --states, or 0"),
    ] = None,
    multiplicity: Annotated[
        int | None, typer.Option(help="2S + 1.", show_default="parallel high spins")
    ] = None,
    distance: Annotated[
        list[str] | None,
        typer.Option(
            "--metal-oxygen",
            metavar="METAL=ANG",
            help="M-O distance in angstrom instead of the sum of radii; may recur.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FILE", help="Cut the node out of a framework instead of building it."
        ),
    ] = None,
    metal: Annotated[
        int | None,
        typer.Option(
            help="With --from: index of a metal of the wanted node, counted from 0.",
            show_default="the first",
        ),
    ] = None,
    terminal: Annotated[
        Literal["remove", "keep"],
        typer.Option(help="With --from: what becomes of ligands at one metal only."),
    ] = "remove",
    adsorbate: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|SMILES|FILE", help="Write starts of this at the open metals: tfsi, na+."
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Starts for each metal and mode.")] = 2,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            help="Donors that hold on, such as O or O,O; may recur.",
            show_default="all but pairs with a halogen",
        ),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Build a metal node of a carboxylate framework, or cut it out of one.

    Distances are sums of Shannon radii: a start for relaxation. Oxidation states, charge and
    multiplicity are checked against each other; without any of them the node is neutral, for three
    metals M(II)M(III)2.
    """
    from superionic.workflows.commands import clusters

    request = clusters.ClusterRequest(
        tuple(metals or ()), cap, water, clusters.parse_states(states), charge, multiplicity,
        clusters.parse_distances(distance or ()), source, metal, terminal,
    )  # fmt: skip
    if adsorbate is None:
        clusters.write(request, out=out, as_json=as_json)
        return
    starts = clusters.StartsRequest(adsorbate, count, tuple(mode or ()), seed)
    clusters.write_starts(request, starts, out=out, as_json=as_json)
