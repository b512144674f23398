"""Na+ hops in NZSP, inner channel against exposed (001) surface.

The computed part of "Ceramic-gel composite NZSP" (Nano-Micro Lett. 2026, 18, 195,
doi 10.1007/s40820-025-02032-4, section 3.5 and Fig. 6), with every choice in the protocol file.
Only the modules ``nzsp*`` know about NZSP; all they call works on any crystal.
"""

from __future__ import annotations

import logging
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.analysis.claims import judge_claim
from superionic.structures.errors import InvalidHopError, TaskFailedError
from superionic.workflows.barrier import barrier_task, failed_barrier
from superionic.workflows.execution import TaskFuture
from superionic.workflows.ordering import anneal_order_task, rank_orders_task
from superionic.workflows.papers.nzsp_cell import CellTasks
from superionic.workflows.papers.nzsp_protocol import (
    Composition,
    NzspProtocol,
    load_nzsp_protocol,
)
from superionic.workflows.papers.nzsp_report import nzsp_report
from superionic.workflows.papers.nzsp_results import Comparison, first_converged
from superionic.workflows.papers.reproduction import Paper
from superionic.workflows.relax import relax_task
from superionic.workflows.scan import scan_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.analysis.barriers import BarrierResult
    from superionic.analysis.scans import ScanProfile
    from superionic.structures.hop import Hop

log = logging.getLogger(__name__)


def compute(protocol: NzspProtocol) -> tuple[Comparison, ...]:
    """Submit all tasks inside the open run and return both comparisons, x = 3 first.

    Raises
    ------
    TaskFailedError
        A task without which nothing can be compared failed.
    """
    from superionic.structures.crystals import reference_crystal
    from superionic.structures.ordering import primitive

    theory, wanted = protocol.theory, protocol.disordered
    full = primitive(reference_crystal(protocol.ordered.crystal).structure).to_structure()
    relaxed = relax_task.submit(full, theory, protocol.bulk_relax)
    partial = reference_crystal(wanted.crystal).structure
    ranked = rank_orders_task.submit(partial, protocol.ion, theory, protocol.order)
    orders = [
        anneal_order_task.submit(ranked, rank, protocol.ion, theory, protocol.order.anneal)
        for rank in range(wanted.orders)
    ]
    bulk = relaxed.result().require_converged().structure
    ordered = [CellTasks(protocol, protocol.ordered, bulk, None, with_slab=True)]
    disordered = [
        CellTasks(protocol, wanted, order.structure, order, with_slab=rank < wanted.slabs)
        for rank, order in enumerate(future.result() for future in orders)
    ]
    compositions = ((protocol.ordered, ordered), (wanted, disordered))
    for _, cells in compositions:
        for cell in cells:
            cell.anneal_slab()
    inner = [_inner_hops(protocol, c, cells) for c, cells in compositions]
    outer = [_surface_hops(protocol, c, cells) for c, cells in compositions]
    _settle((*inner, *outer))
    names = ("x = 3", "x = 2")
    return tuple(
        _compare(name, protocol, cells, (*a.scans, *b.scans))
        for name, (_, cells), a, b in zip(names, compositions, inner, outer, strict=True)
    )


class _Hops:
    """Hops of one environment, taken in order until enough have a barrier.

    Parameters
    ----------
    protocol
        Theory and settings.
    candidates
        Cell and hop, in the order they are taken.
    kind
        Whose results they are: the cell's ``bulk`` or ``surface``.
    wanted, limit
        Converged hops wanted, and hops tried at most.
    scanned
        Whether the first converged hop, in the order they were taken, is scanned as well.
    """

    def __init__(
        self,
        protocol: NzspProtocol,
        candidates: Sequence[tuple[CellTasks, Hop]],
        kind: Literal["bulk", "surface"],
        wanted: int,
        limit: int,
        *,
        scanned: bool,
    ) -> None:
        self.protocol, self.kind, self.wanted, self.scanned = protocol, kind, wanted, scanned
        self.scans: list[TaskFuture[ScanProfile]] = []
        self.candidates = list(candidates[:limit])
        self.running: list[tuple[CellTasks, Hop, TaskFuture[BarrierResult]]] = []
        self.results: list[BarrierResult] = []
        self.advance()

    def advance(self) -> bool:
        """Wait for the hops that are running; start as many as are missing, if any are."""
        for cell, hop, future in self.running:
            result = _settled(hop, future, self.protocol)
            self.results.append(result)
            cell.results[self.kind].append(result)
        self._scan()
        missing = max(self.wanted - sum(r.verdict == "converged" for r in self.results), 0)
        now, self.candidates = self.candidates[:missing], self.candidates[missing:]
        self.running = [
            (cell, hop, barrier_task.submit(hop, self.protocol.theory, self.protocol.barrier))
            for cell, hop in now
        ]
        return bool(self.running)

    def _scan(self) -> None:
        """Scan the first converged hop as soon as there is one."""
        first = first_converged(self.results)
        if not self.scanned or self.scans or first is None:
            return
        route = "A" if self.kind == "bulk" else "B"
        self.scans = [
            scan_task.submit(first, route, kind, self.protocol.scan)
            for kind in ("rigid", "relaxed")
        ]


def _settle(groups: Sequence[_Hops]) -> None:
    """Advance all groups until none has anything left to do."""
    active = list(groups)
    while active:
        active = [group for group in active if group.advance()]


def _inner_hops(
    protocol: NzspProtocol, composition: Composition, cells: Sequence[CellTasks]
) -> _Hops:
    """Take bulk hops in seeded order, one of each cell in turn."""
    rng = np.random.default_rng(protocol.choice.seed)
    turns = []
    for cell in cells:
        ordered = sorted(cell.bulk_hops, key=lambda hop: hop.key)
        turns.append([(cell, ordered[k]) for k in rng.permutation(len(ordered))])
    taken = [pair for turn in zip_longest(*turns) for pair in turn if pair is not None]
    return _Hops(
        protocol,
        taken,
        "bulk",
        composition.bulk_hops,
        composition.bulk_max_tried,
        scanned=composition.scans,
    )


def _surface_hops(
    protocol: NzspProtocol, composition: Composition, cells: Sequence[CellTasks]
) -> _Hops:
    """Take the matched surface hops of all slabs, the shallowest first."""
    found = [(cell, hop) for cell in cells for hop in cell.match_surface()]
    found.sort(key=lambda pair: (_depth(pair[1]), pair[1].key))
    return _Hops(
        protocol,
        found,
        "surface",
        composition.surface_hops,
        composition.surface_max_tried,
        scanned=composition.scans,
    )


def _depth(hop: Hop) -> float:
    """Return how deep a hop of a surface lies, in angstrom."""
    if hop.depth_ang is None:
        raise InvalidHopError(f"Hop {hop.key} at a surface has no depth.")
    return hop.depth_ang


def _compare(
    name: str,
    protocol: NzspProtocol,
    cells: Sequence[CellTasks],
    scans: Sequence[TaskFuture[ScanProfile]],
) -> Comparison:
    """Wait for everything of one composition and judge."""
    done = tuple(cell.collect() for cell in cells)
    bulk = [r for cell in done for r in cell.bulk]
    surface = [r for cell in done for r in cell.surface]
    one_class = done[0].ordering is None and done[0].bulk_found == 1
    return Comparison(
        name=name,
        cells=done,
        one_bulk_class=one_class,
        verdict=judge_claim(bulk, surface, protocol.claim, one_bulk_class=one_class),
        scans=tuple(future.result() for future in scans),
    )


def _settled(hop: Hop, future: TaskFuture[BarrierResult], protocol: NzspProtocol) -> BarrierResult:
    """Wait for a hop; one whose task died has no value, and the next run tries it again."""
    try:
        return future.result()
    except TaskFailedError as error:
        log.warning("A hop failed: %s", error)
        return failed_barrier(hop, str(error), settings=protocol.barrier, theory=protocol.theory)


PAPER = Paper("nzsp", load_nzsp_protocol, compute, nzsp_report)
