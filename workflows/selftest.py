"""A self-test of seconds: the ways that every calculation takes, on matter that costs nothing."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from superionic.analysis.barriers import BarrierResult
    from superionic.structures.hop import Hop
    from superionic.workflows.barrier import BarrierSettings

THEORY = "emt"
"""Effective medium theory: a toy that needs no model."""
EVEN_EV = 0.01
"""A vacancy in a metal hops both ways over the same barrier, within this, in eV."""


@dataclass(frozen=True)
class Check:
    """One thing that was tried.

    Attributes
    ----------
    name : str
        What.
    ok : bool
        Whether it came out right.
    found : str
        What came out.
    wall_s : float
        How long it took, in seconds.
    """

    name: str
    ok: bool
    found: str
    wall_s: float


def self_test() -> tuple[Check, ...]:
    """Check a crystal; converge a hop in a run folder; find it again; draw it and report it."""
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch)
        attempts: tuple[tuple[str, Callable[[], str]], ...] = (
            ("a crystal is read and checked", _read_crystal),
            ("a vacancy hop converges in a run folder", lambda: _compute(run)),
            ("it is found there again", lambda: _describe(_recall(run))),
            ("it is drawn and reported", lambda: _report(run)),
        )
        return tuple(_tried(name, attempt) for name, attempt in attempts)


def _tried(name: str, attempt: Callable[[], str]) -> Check:
    """Return what came of an attempt; an error is a finding too."""
    begun = time.monotonic()
    try:
        ok, found = True, attempt()
    except Exception as error:
        ok, found = False, f"{type(error).__name__}: {error}"
    return Check(name, ok, found, time.monotonic() - begun)


def _expect(condition: bool, found: str) -> str:
    """Return what was found if it is right."""
    if not condition:
        raise ValueError(f"not as expected: {found}")
    return found


def _read_crystal() -> str:
    from superionic.structures.crystals import reference_crystal
    from superionic.structures.sanity import check_structure

    crystal = reference_crystal("na3ps4")
    report = check_structure(crystal.structure)
    return _expect(report.ok, f"{crystal.formula}, {report.density_g_cm3:.2f} g/cm3")


def _inputs() -> tuple[Hop, BarrierSettings]:
    """Return the hop of a vacancy in aluminium, and how its barrier is found."""
    from ase.build import bulk

    from superionic.structures.hops import find_hops
    from superionic.structures.structure import Structure
    from superionic.workflows.barrier import BarrierSettings
    from superionic.workflows.neb import BandSettings

    metal = Structure.from_ase(bulk("Al", cubic=True))
    (hop,) = find_hops(metal, ion="Al", max_length_ang=3.0)
    return hop, BarrierSettings(band=BandSettings(images=3))


def _compute(run: Path) -> str:
    """Run the hop as a task, in this process."""
    from superionic.workflows.barrier import barrier_task
    from superionic.workflows.runfolder import prepare_task_folder
    from superionic.workflows.task import execute_task

    hop, settings = _inputs()
    spec = barrier_task.spec((hop, THEORY, settings), {})
    told = execute_task(str(prepare_task_folder(run, spec)))
    return _expect(told["state"] == "done", str(told.get("message", spec.key)))


def _recall(run: Path) -> BarrierResult:
    from superionic.workflows.barrier import barrier_task
    from superionic.workflows.recall import Recall

    hop, settings = _inputs()
    with Recall(run):
        return barrier_task.submit(hop, THEORY, settings).result()


def _describe(result: BarrierResult) -> str:
    forward, back = result.forward_barrier_eV, result.reverse_barrier_eV
    if forward is None or back is None:
        return _expect(False, result.reason)
    said = f"{forward:.3f} eV, {back:.3f} eV back, {result.force_calls} force calls"
    return _expect(abs(forward - back) < EVEN_EV, said)


def _report(run: Path) -> str:
    from superionic.analysis.figures.migration_profiles import (
        RouteProfiles,
        migration_profiles,
        migration_profiles_data,
    )
    from superionic.analysis.figures.style import save_figure
    from superionic.workflows.report.blocks import figure_block, path_viewer
    from superionic.workflows.report.content import ReportContent, Section
    from superionic.workflows.report.render import write_report

    result = _recall(run)
    routes = (RouteProfiles("hop", "Al", (result,)),)
    saved = save_figure(migration_profiles(routes), run / "hop", migration_profiles_data(routes))
    viewer = path_viewer([result], caption="The hop.")
    blocks = (figure_block(saved, caption="The hop.", alt="The hop"), viewer)
    sections = (Section("Hop", tuple(block for block in blocks if block is not None)),)
    page = write_report(ReportContent("Self-test", "", (), sections), run / "report.html")
    return _expect(page.stat().st_size > 0, f"{page.stat().st_size / 1e6:.1f} MB of HTML")
