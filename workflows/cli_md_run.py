"""Signatures of `superionic md run`, `md extend` and `md status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_options import Json, Progress, Seed

md_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Molecular dynamics that survives anything.",
)

PlatformName = Annotated[
    Literal["auto", "CUDA", "HIP", "OpenCL", "CPU", "Reference"],
    typer.Option(help="Platform of OpenMM."),
]
RunnerName = Annotated[
    Literal["auto", "openmm", "gromacs"],
    typer.Option(help="Which program moves the atoms.", show_default="what DIR holds inputs for"),
]
NOT_OF_THE_FILES = ("steps", "folder", "runner", "out", "progress", "as_json")
"""Options of `md run` that GROMACS takes; its .mdp files hold the others."""
RunFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A run, or the box with a run in it.")
]


@md_app.command("run")
def md_run(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Of `superionic inputs openmm`, or of `superionic inputs gromacs`."
        ),
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
    seed: Seed = 0,
    runner: RunnerName = "auto",
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

    GROMACS runs the files of `superionic inputs gromacs`, which hold all settings but --steps.
    """
    from superionic.workflows.commands import md

    if md.choose_runner(folder, runner, _given(context)) == "gromacs":
        md.run_gromacs(folder, steps, out=out, progress=progress, as_json=as_json)
        return
    request = md.MDRequest(
        steps, temperature, None if fixed_box else pressure, timestep, anneal_temperature,
        anneal_steps, equilibrate_steps, production, frame_steps, chunk_steps, seed, platform,
    )  # fmt: skip
    md.run(folder, request, out=out, progress=progress, as_json=as_json)


def _given(context: typer.Context) -> list[str]:
    """Return the options on the command line that the files of GROMACS hold."""
    names = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        told = source is not None and source.name not in ("DEFAULT", "DEFAULT_MAP")
        if told and parameter.name not in NOT_OF_THE_FILES:
            names.append(parameter.opts[0])
    return names


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
