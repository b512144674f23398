"""Signatures of `superionic structure molecule` and `superionic structure adsorb`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_options import Json, Seed

Source = Annotated[
    str,
    typer.Argument(
        metavar="NAME|SMILES|FILE", help="A packaged molecule, a SMILES, or .xyz, .sdf, .mol."
    ),
]
Charge = Annotated[
    int | None, typer.Option(help="Total charge in e, of a file or to check.", show_default="found")
]


def molecule(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|SMILES|FILE", help="A packaged molecule, a SMILES, or .xyz, .sdf, .mol."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write: .xyz, .sdf or .mol, or a box (--box)."),
    ] = None,
    box: Annotated[
        float | None,
        typer.Option(min=1.0, help="Put it in a periodic box with this distance to its images."),
    ] = None,
    conformer: Annotated[
        int, typer.Option(min=0, help="Which conformer of a SMILES, 0 for the lowest.")
    ] = 0,
    attempts: Annotated[int, typer.Option(min=1, help="Embeddings of a SMILES to try.")] = 60,
    charge: Charge = None,
    seed: Seed = 0,
    list_names: Annotated[
        bool, typer.Option("--list", help="List the packaged molecules and stop.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a molecule by name, from its SMILES, or from a file.

    A SMILES is embedded and relaxed with a force field: a start for relaxation, not a result. The
    ions of a salt, [Na+].[O-]Cl(=O)(=O)=O, are put in contact.
    """
    from superionic.workflows.commands import molecules

    if list_names:
        molecules.show_packaged(as_json=as_json)
        return
    if source is None:
        raise typer.BadParameter("name a molecule, or use --list.", param_hint="NAME|SMILES|FILE")
    request = molecules.MoleculeRequest(source, charge, conformer, attempts, seed)
    molecules.write(request, out=out, box_ang=box, as_json=as_json)


def adsorb(
    slab: Annotated[str, typer.Argument(metavar="SLAB", help="File with the slab.")],
    molecule: Annotated[
        str,
        typer.Option(
            "--molecule", "-m", metavar="NAME|SMILES|FILE", help="What to put on the slab."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the starts.")],
    count: Annotated[int, typer.Option(min=1, help="How many starts.")] = 12,
    side: Annotated[Literal["top", "bottom"], typer.Option(help="Which face.")] = "top",
    vacuum: Annotated[float, typer.Option(help="Vacuum above the molecule in angstrom.")] = 15.0,
    height: Annotated[
        float | None,
        typer.Option(help="Lowest atom above the slab in angstrom.", show_default="in contact"),
    ] = None,
    orientations: Annotated[
        Literal["mixed", "uniform"],
        typer.Option(help="Half of them with a donor atom or ion down, or all spread evenly."),
    ] = "mixed",
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Take the mirror image in every other pair.")
    ] = False,
    min_image: Annotated[
        float, typer.Option(help="Least distance of the molecule to its images in angstrom.")
    ] = 3.0,
    charge: Charge = None,
    file_format: Annotated[
        Literal["extxyz", "cif", "vasp"], typer.Option("--format", help="Of the structure files.")
    ] = "extxyz",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Write clash-free starts of a molecule on a slab: places times orientations.

    All starts share one cell; the bare slab in that cell is written beside them as the reference.
    """
    from superionic.workflows.commands import adsorb as command

    request = command.AdsorbRequest(
        molecule, charge, count, side, vacuum, height, orientations, mirror, min_image, seed
    )
    command.adsorb(slab, request, out=out, suffix=file_format, as_json=as_json)
