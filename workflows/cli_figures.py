"""Signatures of `superionic figures` and `superionic doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]


def figures(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Of `reproduce`, `barrier` or `binding`.")
    ],
    style: Annotated[
        Literal["paper", "slides"],
        typer.Option(help="As wide as columns of print, or as a slide."),
    ] = "paper",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to.", show_default="figures-STYLE in DIR"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw every figure of a folder again.

    Nothing is computed. Each figure is written as SVG, PDF and 300 dpi PNG, its numbers as CSV.
    """
    from superionic.workflows.commands.figures import redraw_figures

    redraw_figures(folder, style=style, out=out, as_json=as_json)


def doctor(as_json: Json = False) -> None:
    """Say what is installed and what each level of theory needs, and test it for some seconds.

    The exit code is 1 if the test fails.
    """
    from superionic.workflows.commands.doctor import examine

    examine(as_json=as_json)
