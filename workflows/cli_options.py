"""Options that commands share."""

from __future__ import annotations

from typing import Annotated

import typer

DEFAULT_THEORY = "chgnet-0.3.0"
LARGEST_SEED = 800_000_000
"""Generators of LAMMPS take none above 900 000 000, and scripts add a little to the one given."""

Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of every random choice.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Worker processes.", show_default="one a core")
]
Progress = Annotated[bool, typer.Option(help="Show progress on standard error.")]

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="CIF, POSCAR, extended XYZ, ..., or the name of a packaged crystal."
    ),
]
TheoryName = Annotated[str, typer.Option(help="Level of theory; see `superionic theories`.")]
MinAtoms = Annotated[int, typer.Option(min=1, help="Least size of the cell in atoms.")]
