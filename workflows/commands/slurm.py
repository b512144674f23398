"""Campaigns on clusters: `submit`, `status`, `resume` and `cancel`."""

from __future__ import annotations

import contextlib
import logging
import shlex
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from superionic.structures.errors import RunFolderError
from superionic.workflows.commands.console import (
    chatter_to_stderr,
    emit_json,
    emit_table,
    note,
    one_line,
    plain,
    say,
)
from superionic.workflows.logs import only_from
from superionic.workflows.slurm.campaign import (
    Campaign,
    Leg,
    advance,
    check_place,
    new_session,
    read_campaign,
    replaces,
    write_campaign,
)
from superionic.workflows.slurm.client import Slurm
from superionic.workflows.slurm.cluster_file import cluster_path, load_cluster
from superionic.workflows.slurm.command_line import (
    SUBMITTABLE,
    check_words,
    each_paper,
    name_of,
    results_folder,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.workflows.slurm.status import Survey

SHOWN = 30
"""Lines of single tasks that a status shows, at most."""


def submit(
    words: Sequence[str], *, cluster: str, whole: bool, chain: bool, dry_run: bool, as_json: bool
) -> None:
    """Submit a command of `superionic`, or a campaign file."""
    campaign = _campaign(words, cluster, whole=whole)
    load_cluster(campaign.cluster)
    for command in campaign.commands:
        check_words(command)
    replaces(campaign)
    if dry_run:
        _plan(campaign, as_json=as_json)
        return
    Slurm().check()
    write_campaign(campaign)
    _go(campaign, chain=chain, as_json=as_json)


def resume(folder: Path, *, cluster: str, chain: bool, as_json: bool) -> None:
    """Go on with a campaign; what failed is tried again."""
    from superionic.workflows.slurm.stopping import let_go_on

    place = folder.expanduser().absolute()
    campaign = new_session(read_campaign(place))
    check_place(place)
    if cluster:
        campaign = replace(campaign, cluster=_cluster_name(cluster))
    load_cluster(campaign.cluster)
    Slurm().check()
    let_go_on(campaign.folder)
    write_campaign(campaign)
    _go(campaign, chain=chain, as_json=as_json)


def collect(folder: Path, *, as_json: bool) -> None:
    """Write and show what the finished tasks of a campaign give; submit nothing.

    Leaves with exit code 1 unless every command has ended well.
    """
    from superionic.workflows.slurm.config import ClusterConfig
    from superionic.workflows.slurm.placement import Placement
    from superionic.workflows.slurm.status import run_folders
    from superionic.workflows.slurm.submission import DRY

    campaign = read_campaign(folder)
    check_place(folder)
    nothing = Placement(ClusterConfig(), detach=True, session=campaign.session, dry_run=True)
    aside = chatter_to_stderr() if as_json else contextlib.nullcontext()
    with only_from(logging.ERROR), aside:
        legs = advance(campaign, dry_run=nothing, again=True)
    for run in run_folders(folder):
        shutil.rmtree(run / DRY, ignore_errors=True)
    show_status(folder, as_json=as_json)
    _leave(legs)
    if any(leg.state == "waiting" for leg in legs.values()):
        raise typer.Exit(1)


def _go(campaign: Campaign, *, chain: bool, as_json: bool) -> None:
    """Take the first step here, and say how far it came."""
    from superionic.workflows.slurm.driver import take_step

    with chatter_to_stderr():
        legs = take_step(campaign.folder, chain=chain)
    show_status(campaign.folder, as_json=as_json)
    _leave(legs)
    if not chain and any(leg.state == "waiting" for leg in legs.values()):
        again = f"`superionic resume {shlex.quote(str(campaign.folder))}`"
        note(f"note: nothing goes on by itself: run {again} later.")


def _leave(legs: dict[int, Leg]) -> None:
    """Leave with exit code 1 if a command was refused or ended badly."""
    bad = [leg for leg in legs.values() if leg.state == "refused" or leg.code]
    for leg in bad:
        if leg.message:
            note(f"error: {leg.message}")
    if bad:
        raise typer.Exit(1)


def _campaign(words: Sequence[str], cluster: str, *, whole: bool) -> Campaign:
    """Return the campaign that the words of a command line stand for."""
    from superionic.workflows.slurm.campaign_file import read_campaign_file

    if not words:
        raise typer.BadParameter("name a command, such as `reproduce nzsp`, or a .toml file.")
    where = Path.cwd()
    if len(words) == 1 and words[0].endswith(".toml"):
        plan = read_campaign_file(Path(words[0]))
        name = cluster or plan.cluster
        commands, folder, alone = plan.commands, plan.folder, plan.whole
    else:
        name, commands, folder = cluster, each_paper(words), results_folder(words, where)
        alone = frozenset({0} if SUBMITTABLE[name_of(words)].whole else ())
    if whole:
        alone = frozenset(range(len(commands)))
    if not name:
        raise typer.BadParameter("name the cluster.", param_hint="--cluster")
    return new_session(Campaign(folder, _cluster_name(name), commands, str(where), "", alone))


def _cluster_name(name: str) -> str:
    """Return a cluster's name, or the full path of its file."""
    path = cluster_path(name)
    return name if path.stem == name else str(path.absolute())


def _plan(campaign: Campaign, *, as_json: bool) -> None:
    """Write the scripts of the first step and say what it asks for."""
    from superionic.workflows.slurm.placement import Placement

    placement = Placement(load_cluster(campaign.cluster), detach=True, dry_run=True)
    with only_from(logging.WARNING), chatter_to_stderr():
        legs = advance(campaign, dry_run=placement)
    planned = placement.planned
    known = [p.core_hours for p in planned if p.core_hours is not None]
    hours = sum(known) if len(known) == len(planned) else None
    if as_json:
        jobs = [
            {"script": str(p.folder / "job.sh"), "tasks": p.tasks, "core_hours": p.core_hours}
            | plain(p.asked)
            for p in planned
        ]
        emit_json({"jobs": jobs, "core_hours": hours})
        return
    emit_table(
        ("script", "tasks", "cores", "walltime s", "memory GB", "core hours"),
        [
            (str(p.folder / "job.sh"), p.tasks, p.asked.cores, p.asked.walltime_s,
             p.asked.memory_gb, p.core_hours)
            for p in planned
        ],
    )  # fmt: skip
    tasks = sum(p.tasks for p in planned)
    asked = "no walltime" if hours is None else f"{hours:.1f} core hours"
    say(f"{len(planned)} sbatch, {tasks} tasks, {asked} asked for at most")
    if any(leg.state == "waiting" for leg in legs.values()):
        say("What follows from the results of these is not counted.")
    _leave({k: leg for k, leg in legs.items() if leg.state == "refused"})


def show_status(folder: Path, *, as_json: bool, watch_s: float = 0.0) -> None:
    """Write how far everything in a folder is; with ``watch_s`` again and again."""
    from superionic.workflows.slurm.status import survey

    while True:
        told = survey(folder.expanduser().absolute())
        if watch_s > 0 and not as_json:
            say(time.strftime("%Y-%m-%d %H:%M:%S"))
        if as_json:
            emit_json(told)
        else:
            _show(told)
        if watch_s <= 0 or told.finished or not told.going_on:
            return
        time.sleep(watch_s)
        say()


def _show(told: Survey) -> None:
    """Write a survey as tables."""
    states = list(told.totals)
    order = ("done", "running", "queued", "pending")
    states.sort(key=lambda s: (order.index(s) if s in order else len(order), s))
    if states:
        named = ["not started" if s == "pending" else s.replace("_", " ") for s in states]
        rows: list[list[str | int]] = [
            [name, *(counts.get(state, 0) for state in states)]
            for name, counts in told.counts.items()
        ]
        rows.append(["all", *(told.totals[state] for state in states)])
        emit_table(("task", *named), rows)
    detailed = [t for t in told.tasks if t.state not in ("queued", "pending") or t.reason]
    detailed.sort(key=lambda t: (t.state in ("queued", "pending"), t.state != "running", t.key))
    if detailed:
        say()
        emit_table(
            ("task", "state", "job", "what"),
            [
                (t.key, t.state.replace("_", " "), t.job, one_line(t.progress or t.reason))
                for t in detailed[:SHOWN]
            ],
        )
    if len(detailed) > SHOWN:
        say(f"and {len(detailed) - SHOWN} more; --json lists all")
    if told.commands:
        say()
        for command, state, message in told.commands[:SHOWN]:
            why = f" ({one_line(message)})" if message and state != "waiting" else ""
            say(f"superionic {one_line(command)}: {state}{why}")
        if told.driver:
            say(told.driver)
    for remark in told.remarks:
        note(f"note: {remark}")


def cancel(folder: Path) -> None:
    """Cancel all jobs of a folder; what was finished stays."""
    from superionic.workflows.slurm.campaign import CAMPAIGN
    from superionic.workflows.slurm.status import run_folders
    from superionic.workflows.slurm.stopping import stop_all

    place = folder.expanduser().absolute()
    if not place.is_dir() or not ((place / CAMPAIGN).is_dir() or any(run_folders(place))):
        raise RunFolderError(f"There is nothing in {folder} that could be cancelled.")
    jobs = stop_all(place)
    again = f"`superionic resume {shlex.quote(str(folder))}`"
    if not (place / CAMPAIGN).is_dir():
        again = "the script that submitted them, run again,"
    say(f"{len(jobs)} jobs cancelled; {again} goes on from what is done")
