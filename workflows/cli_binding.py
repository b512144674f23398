"""Signature of `superionic binding`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_options import Json, Progress, Seed, Workers


def binding(
    surface: Annotated[
        str, typer.Option("--surface", metavar="FILE", help="A slab with a vacuum.")
    ],
    molecule: Annotated[
        str,
        typer.Option("--molecule", "-m", metavar="NAME|SMILES|FILE", help="What binds to it."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything computed.")],
    theory: Annotated[
        str, typer.Option(help="Level of theory; see `superionic theories`.")
    ] = "chgnet-0.3.0+d3bj",
    level: Annotated[
        list[str] | None,
        typer.Option(help="Another level, at the same geometries; may be repeated."),
    ] = None,
    charge: Annotated[
        int | None, typer.Option(help="Charge of the molecule in e.", show_default="found")
    ] = None,
    settle: Annotated[
        str,
        typer.Option(
            metavar="ION",
            help="Try ions of this element on the face in other places first, as Li of LATP.",
            show_default="none",
        ),
    ] = "",
    conformers: Annotated[
        int, typer.Option(min=0, help="Other shapes of the molecule that are tried by themselves.")
    ] = 3,
    starts: Annotated[int, typer.Option(min=1, help="Places times orientations.")] = 12,
    screen_steps: Annotated[int, typer.Option(min=0, help="Steps before the best are kept.")] = 15,
    keep: Annotated[int, typer.Option(min=1, help="Starts relaxed to the end.")] = 3,
    fmax: Annotated[float, typer.Option(min=1e-5, help="Residual force in eV/A.")] = 0.05,
    max_steps: Annotated[int, typer.Option(min=1, help="Limit; reaching it is no result.")] = 300,
    vacuum: Annotated[float, typer.Option(help="Vacuum above the molecule in angstrom.")] = 15.0,
    held: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the slab that is held.")
    ] = 0.4,
    min_image: Annotated[
        float, typer.Option(help="Least distance of the molecule to its images in angstrom.")
    ] = 3.0,
    side: Annotated[Literal["top", "bottom"], typer.Option(help="Which face.")] = "top",
    mirror: Annotated[
        bool, typer.Option(help="Start from both hands of the molecule's shape.")
    ] = True,
    seed: Seed = 0,
    workers: Workers = None,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Find the binding energy of a molecule on a surface.

    E_b = E(complex) - E(surface) - E(molecule), negative when bound; the three terms share one
    level of theory and one convergence. The exit code is 0 only when there is a value with its
    evidence. Run the same command again to resume.
    """
    from superionic.workflows.commands.binding import BindingRequest, run_binding

    request = BindingRequest(
        surface, molecule, theory, tuple(level or ()), charge, conformers, starts, screen_steps,
        keep, max_steps, fmax, vacuum, held, min_image, side, mirror, seed, settle,
    )  # fmt: skip
    run_binding(request, out=out, workers=workers, progress=progress, as_json=as_json)
