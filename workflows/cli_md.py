"""Signature of `superionic box`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_options import Json, Seed


def box(
    polymer: Annotated[
        str,
        typer.Option(
            metavar="PEO:UNITSxCHAINS", help="PEO:50x10 is ten chains of fifty EO units each."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the box.")],
    salt: Annotated[
        str | None,
        typer.Option(help="NaTFSI, LiTFSI, NaClO4, LiClO4, NaPF6 or LiPF6.", show_default="none"),
    ] = None,
    ratio: Annotated[
        float | None, typer.Option(help="EO units per cation, met exactly.", show_default="none")
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|SMILES|FILE=COUNT",
            help="Further small molecules, such as succinonitrile=20; may recur.",
        ),
    ] = None,
    filler: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|NAME|SMILES",
            help="Molecule of a filler, such as a node of `superionic structure cluster`.",
        ),
    ] = None,
    wt: Annotated[
        float | None,
        typer.Option(
            help="Weight percent of the filler in the whole box; nearest whole number of molecules."
        ),
    ] = None,
    charge: Annotated[
        int | None, typer.Option(help="Charge of one filler in e.", show_default="of the file")
    ] = None,
    flexible: Annotated[
        bool, typer.Option("--flexible-filler", help="The filler is not kept rigid in simulations.")
    ] = False,
    ends: Annotated[
        Literal["methyl", "hydroxyl"], typer.Option(help="Ends of the chains.")
    ] = "methyl",
    density: Annotated[
        float | None,
        typer.Option(
            help="Packing density in g/cm3; simulation at constant pressure brings that of a melt.",
            show_default="0.9",
        ),
    ] = None,
    temperature: Annotated[
        float, typer.Option(help="Of the rotational states of the chains, in K.")
    ] = 400.0,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Pack a polymer electrolyte into a periodic box.

    Chains are grown into the cell among ions, small molecules and filler, and all are pushed apart
    until nothing overlaps. Written are box.json, which other commands read, and box.pdb,
    box.extxyz and box.png to look at.
    """
    from superionic.workflows.commands import box as command

    request = command.BoxRequest(
        polymer, salt, ratio, tuple(add or ()), filler, wt, charge, flexible, ends, density,
        temperature, seed,
    )  # fmt: skip
    command.pack(request, out=out, as_json=as_json)
