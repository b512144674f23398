"""The commands around clusters: how they are called. See `superionic.workflows.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_options import Json, Progress, Seed, Workers

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A results folder, or that of a Run.")]
Cluster = Annotated[
    str, typer.Option("--cluster", metavar="NAME", help="A cluster; see `superionic cluster`.")
]
Driver = Annotated[
    Literal["job", "none"],
    typer.Option(help="Who goes on when results are there: a small job, or nobody."),
]

cluster_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Slurm clusters.")


def submit(
    words: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND...", help="Such as `reproduce nzsp`, or a campaign.toml."),
    ],
    cluster: Cluster = "",
    whole: Annotated[
        bool, typer.Option("--whole", help="One job for all of a command, not one a task.")
    ] = False,
    driver: Driver = "job",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write the scripts and count; submit nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Submit a command, or a campaign, to a cluster.

    Each task is a job, alike tasks share a job array. You may log out: a small job takes the next
    step whenever the results are there that it needs.
    """
    from superionic.workflows.commands import slurm

    slurm.submit(
        words, cluster=cluster, whole=whole, chain=driver == "job", dry_run=dry_run,
        as_json=as_json,
    )  # fmt: skip


def status(
    folder: Folder = Path(),
    watch: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="Look again and again.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Show how far the tasks in a folder are.

    Queued, running with what they last said, done, failed with the reason, not started.
    """
    from superionic.workflows.commands import slurm

    slurm.show_status(folder, as_json=as_json, watch_s=watch)


def resume(
    folder: Folder, cluster: Cluster = "", driver: Driver = "job", as_json: Json = False
) -> None:
    """Go on with a campaign; what failed is tried again.

    Finished tasks are not done again, jobs in the queue are not submitted again.
    """
    from superionic.workflows.commands import slurm

    slurm.resume(folder, cluster=cluster, chain=driver == "job", as_json=as_json)


def cancel(folder: Folder) -> None:
    """Cancel all jobs of a folder; what was finished stays."""
    from superionic.workflows.commands import slurm

    slurm.cancel(folder)


def trace(
    result: Annotated[
        Path, typer.Argument(help="A task's folder, a file in it, or a results folder.")
    ],
    as_json: Json = False,
) -> None:
    """Show where a result comes from.

    The chain of tasks back to the inputs: functions, settings, versions, hosts, jobs and how they
    ended, and whether each result is still the one that was written.
    """
    from superionic.workflows.commands.trace import show_trace

    show_trace(result, as_json=as_json)


def relax(
    files: Annotated[
        list[str], typer.Argument(metavar="FILES", help="Structures, or packaged crystals.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything computed.")],
    theory: Annotated[
        str, typer.Option(help="Level of theory; see `superionic theories`.")
    ] = "chgnet-0.3.0",
    fmax: Annotated[float, typer.Option(min=1e-4, help="Residual force in eV/A.")] = 0.02,
    max_steps: Annotated[int, typer.Option(min=0, help="Limit; reaching it is no result.")] = 300,
    cell: Annotated[Literal["fixed", "full"], typer.Option(help="Relax the cell too.")] = "fixed",
    seed: Seed = 0,
    workers: Workers = None,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Relax structures to the nearest minimum.

    The exit code is 0 only when all of them converged. Run the same command again to resume.
    """
    from superionic.workflows.commands.relax import relax_files
    from superionic.workflows.relax import RelaxSettings

    settings = RelaxSettings(fmax_eV_per_A=fmax, max_steps=max_steps, cell=cell, seed=seed)
    relax_files(
        files, theory=theory, settings=settings, out=out, workers=workers, progress=progress,
        as_json=as_json,
    )  # fmt: skip


def run(
    decks: Annotated[
        list[Path], typer.Argument(metavar="DECKS", help="Folders of VASP, CASTEP, ... inputs.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything computed.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs at once.", show_default="one a core")
    ] = None,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Run decks of VASP, CASTEP, GPAW or GROMACS.

    Meant for `superionic submit run DECKS --out DIR --cluster NAME`, whose [codes] say how each is
    started. A run that its walltime ended goes on from what the code left.
    """
    from superionic.workflows.commands.external import run_decks

    run_decks(decks, out=out, workers=workers, progress=progress, as_json=as_json)


@cluster_app.command("init")
def cluster_init(
    name: Annotated[str, typer.Argument(help="A new name, or the .toml file to write.")],
) -> None:
    """Write the commented file of a new cluster, to be filled in."""
    from superionic.workflows.commands import slurm_clusters

    slurm_clusters.cluster_init(name)


@cluster_app.command("list")
def cluster_list() -> None:
    """List the clusters that have a file."""
    from superionic.workflows.commands import slurm_clusters

    slurm_clusters.cluster_list()


@cluster_app.command("test")
def cluster_test(
    name: Annotated[str, typer.Argument(help="Its name, or its .toml file.")],
    folder: Annotated[
        Path, typer.Option("--folder", help="Where compute nodes can write.")
    ] = Path(),
    patience: Annotated[float, typer.Option(min=1.0, help="Seconds to wait for the job.")] = 600.0,
    as_json: Json = False,
) -> None:
    """Submit a one-minute job and say what is missing on the compute node."""
    from superionic.workflows.commands import slurm_clusters

    slurm_clusters.cluster_test(name, folder=folder, patience_s=patience, as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(relax)
    app.command()(run)
    passing = {"ignore_unknown_options": True}  # options of the command that is submitted
    app.command(context_settings=passing)(submit)
    for command in (status, resume, cancel, trace):
        app.command()(command)
    app.add_typer(cluster_app, name="cluster")
