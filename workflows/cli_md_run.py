"""Signatures of `superionic md run`, `md extend` and `md status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

md_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Molecular dynamics that survives anything.",
)

Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
Progress = Annotated[bool, typer.Option(help="Show progress on standard error.")]
PlatformName = Annotated[
    Literal["auto", "CUDA", "HIP", "OpenCL", "CPU", "Reference"],
    typer.Option(help="Platform of OpenMM."),
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A run, or the box with a run in it.")
]


@md_app.command("run")
def md_run(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="With system.xml and topology.pdb of a box."),
    ],
    steps: Annotated[int, typer.Option(min=1, help="Steps of production in all.")],
    temperature: Annotated[float, typer.Option(help="Temperature in K.")] = 400.0,
    pressure: Annotated[float, typer.Option(help="Pressure in bar.")] = 1.0,
    fixed_box: Annotated[
        bool, typer.Option("--fixed-box", help="No pressure: the box stays as it is.")
    ] = False,
    timestep: Annotated[
        float | None,
        typer.Option(
            help="Time step in fs.", show_default="4 with heavy hydrogens, 2 with fixed bonds, 1"
        ),
    ] = None,
    anneal_temperature: Annotated[
        float | None,
        typer.Option(help="Where annealing begins, in K.", show_default="1.5 x temperature"),
    ] = None,
    anneal_steps: Annotated[int, typer.Option(min=0, help="Steps of annealing.")] = 50_000,
    equilibrate_steps: Annotated[
        int, typer.Option(min=0, help="Steps of equilibration.")
    ] = 250_000,
    production: Annotated[
        Literal["nvt", "npt"],
        typer.Option(help="nvt: at the mean volume of the equilibration."),
    ] = "nvt",
    frame_steps: Annotated[int, typer.Option(min=1, help="Steps between frames and rows.")] = 500,
    chunk_steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps between saves.", show_default="minutes of work"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of every random number.")] = 0,
    platform: PlatformName = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the run.", show_default="DIR/md")
    ] = None,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Minimise, anneal, equilibrate and produce.

    Killed at any time, the same command goes on from the last save, with no frame lost or doubled.
    SIGTERM and SIGUSR1 make it save and leave with exit code 75. A larger --steps extends it.
    """
    from superionic.workflows.commands import md

    request = md.MDRequest(
        steps, temperature, None if fixed_box else pressure, timestep, anneal_temperature,
        anneal_steps, equilibrate_steps, production, frame_steps, chunk_steps, seed, platform,
    )  # fmt: skip
    md.run(folder, request, out=out, progress=progress, as_json=as_json)


@md_app.command("extend")
def md_extend(
    folder: RunFolder,
    steps: Annotated[int, typer.Option(min=1, help="Steps to add to the production.")],
    platform: PlatformName = "auto",
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Make the production of a run longer.

    If it is stopped, `md run` with the new total, or `md extend` of what is missing, goes on.
    """
    from superionic.workflows.commands import md

    md.extend(folder, steps, platform=platform, progress=progress, as_json=as_json)


@md_app.command("status")
def md_status(folder: RunFolder, as_json: Json = False) -> None:
    """Say where a run is, and whether it is equilibrated."""
    from superionic.workflows.commands import md

    md.status(folder, as_json=as_json)
