"""Signatures of `superionic inputs`. See `superionic.workflows.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from superionic.workflows import cli_md_inputs
from superionic.workflows.cli_options import Json

inputs_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Inputs of DFT codes from one specification, and of molecular dynamics codes for a box.",
)

Source = Annotated[
    str,
    typer.Argument(
        metavar="STRUCT", help="CIF, POSCAR, extended XYZ, ..., or the name of a packaged crystal."
    ),
]
ProtocolName = Annotated[
    str, typer.Option(help="DFT settings: a packaged protocol, or a .toml file.")
]
Folder = Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated."),
]
End = Annotated[
    str | None,
    typer.Option(metavar="STRUCT", help="The other end of a band; same atoms, same order."),
]
Images = Annotated[
    int | None,
    typer.Option(min=1, help="Moving images of a band.", show_default="as the protocol says"),
]
Bottom = Annotated[
    float,
    typer.Option(
        "--fix-bottom", min=0.0, max=1.0, help="Hold this part of a slab's height at its bottom."
    ),
]
Title = Annotated[str, typer.Option(help="One line for the files.", show_default="the formula")]


@inputs_app.command()
def vasp(
    source: Source,
    protocol: ProtocolName,
    out: Folder,
    end: End = None,
    images: Images = None,
    change: Changes = None,
    fix_bottom: Bottom = 0.0,
    title: Title = "",
    potentials: Annotated[
        Path | None,
        typer.Option(
            help="Folder of your own potentials, to join a POTCAR from.",
            show_default="$SUPERIONIC_VASP_POTENTIALS, $PMG_VASP_PSP_DIR or $VASP_PP_PATH",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write INCAR, KPOINTS, POSCAR and POTCAR (or POTCAR.spec).

    With --end, a band in folders 00, 01, ...
    """
    from superionic.workflows.commands.inputs import DeckRequest, make_deck

    request = DeckRequest("vasp", protocol, end, images, tuple(change or ()), fix_bottom, title)
    make_deck(source, request, out=out, potentials=potentials, as_json=as_json)


@inputs_app.command()
def castep(
    source: Source,
    protocol: ProtocolName,
    out: Folder,
    end: End = None,
    images: Images = None,
    change: Changes = None,
    fix_bottom: Bottom = 0.0,
    title: Title = "",
    as_json: Json = False,
) -> None:
    """Write a .cell and a .param file.

    With --end, a transition-state search, and a deck of each image in folders 00, 01, ...
    """
    from superionic.workflows.commands.inputs import DeckRequest, make_deck

    request = DeckRequest("castep", protocol, end, images, tuple(change or ()), fix_bottom, title)
    make_deck(source, request, out=out, as_json=as_json)


@inputs_app.command()
def gpaw(
    source: Source,
    protocol: ProtocolName,
    out: Folder,
    end: End = None,
    images: Images = None,
    change: Changes = None,
    fix_bottom: Bottom = 0.0,
    title: Title = "",
    as_json: Json = False,
) -> None:
    """Write a script that runs with GPAW."""
    from superionic.workflows.commands.inputs import DeckRequest, make_deck

    request = DeckRequest("gpaw", protocol, end, images, tuple(change or ()), fix_bottom, title)
    make_deck(source, request, out=out, as_json=as_json)


@inputs_app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="DIR1", help="A deck of VASP or CASTEP.")],
    second: Annotated[Path, typer.Argument(metavar="DIR2", help="Another one.")],
    as_json: Json = False,
) -> None:
    """Name each difference between two decks, of one code or of two.

    The exit code is 0 only when both ask for the same physics.
    """
    from superionic.workflows.commands.inputs import compare_decks

    compare_decks(first, second, as_json=as_json)


cli_md_inputs.add_codes(inputs_app)
