"""Na+ hops in NZSP, inner channel against exposed (001) surface.

The computed part of "Ceramic-gel composite NZSP" (Nano-Micro Lett. 2026, 18, 195,
doi 10.1007/s40820-025-02032-4, section 3.5 and Fig. 6), with every choice in the protocol file.
Only the modules ``nzsp*`` know about NZSP; all they call works on any crystal.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.claims import judge_claim
from superionic.structures.errors import TaskFailedError
from superionic.workflows.barrier import barrier_task
from superionic.workflows.execution import Run, TaskFuture
from superionic.workflows.ordering import OrderResult, anneal_task, order_task
from superionic.workflows.papers.nzsp_protocol import (
    Composition,
    NzspProtocol,
    load_nzsp_protocol,
)
from superionic.workflows.papers.nzsp_results import (
    Cell,
    Comparison,
    ReproductionSummary,
    first_converged,
)
from superionic.workflows.relax import relax_task
from superionic.workflows.scan import scan_task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from superionic.analysis.barriers import BarrierResult
    from superionic.analysis.scans import ScanProfile
    from superionic.structures.hop import Hop
    from superionic.structures.slab import Slab
    from superionic.structures.structure import Structure

    Empties = tuple[NDArray[np.float64], tuple[str, ...]]

log = logging.getLogger(__name__)


def reproduce(
    out: Path, *, fidelity: str = "quick", workers: int | None = None, progress: bool = True
) -> ReproductionSummary:
    """Compute the NZSP part of paper 001 and write its report.

    Parameters
    ----------
    out
        Results folder; finished tasks in it are not done again.
    fidelity
        ``quick`` or ``standard``.
    workers
        Worker processes; by default one a core.
    progress
        Show a live table.
    """
    from superionic.workflows.papers.nzsp_report import write_nzsp_report

    protocol, text = load_nzsp_protocol(fidelity)
    with Run(out / "runs", workers=workers, progress=progress) as run:
        comparisons = compute(protocol)
        keys = [record.key for record in run.summary().tasks]
    return write_nzsp_report(
        out, protocol=protocol, protocol_text=text, comparisons=comparisons, task_keys=keys
    )


def rebuild(out: Path, *, fidelity: str = "quick") -> ReproductionSummary:
    """Write the report of a results folder again, from the finished tasks in it.

    A task that is missing is computed, as `reproduce` would.

    Parameters
    ----------
    out
        Results folder of an earlier `reproduce`.
    fidelity
        That of the earlier run.
    """
    return reproduce(out, fidelity=fidelity, progress=False)


def compute(protocol: NzspProtocol) -> tuple[Comparison, ...]:
    """Submit all tasks inside the open run and return both comparisons, x = 3 first.

    Raises
    ------
    TaskFailedError
        A task without which nothing can be compared failed.
    """
    from superionic.structures.crystals import reference_crystal
    from superionic.structures.ordering import primitive

    theory = protocol.theory
    full = primitive(reference_crystal(protocol.ordered.crystal).structure).to_structure()
    relaxed = relax_task.submit(full, theory, protocol.bulk_relax)
    partial = reference_crystal(protocol.disordered.crystal).structure
    orders = [
        order_task.submit(partial, protocol.ion, theory, replace(protocol.order, rank=rank))
        for rank in range(protocol.disordered.orders)
    ]
    bulk = relaxed.result().require_converged().structure
    ordered = [_Cell(protocol, protocol.ordered, bulk, None, with_slab=True)]
    disordered = [
        _Cell(
            protocol,
            protocol.disordered,
            order.structure,
            order,
            with_slab=rank < protocol.disordered.slabs,
        )
        for rank, order in enumerate(future.result() for future in orders)
    ]
    for step in (_Cell.submit_annealing, _Cell.submit_bulk, _Cell.submit_surface):
        for cell in (*ordered, *disordered):
            step(cell)
    names = (("x = 3", protocol.ordered, ordered), ("x = 2", protocol.disordered, disordered))
    scans = [_submit_scans(protocol, c, cells) for _, c, cells in names]
    return tuple(
        _compare(name, protocol, cells, futures)
        for (name, _, cells), futures in zip(names, scans, strict=True)
    )


def _submit_scans(
    protocol: NzspProtocol, composition: Composition, cells: Sequence[_Cell]
) -> list[TaskFuture[ScanProfile]]:
    """Scan the first converged hop of each environment, in the order they were taken."""
    if not composition.scans:
        return []
    futures = []
    for route in ("A", "B"):
        tried = [f for cell in cells for f in (cell.bulk if route == "A" else cell.surface)]
        result = first_converged(_settled(tried))
        if result is not None:
            futures += [
                scan_task.submit(result, route, kind, protocol.scan)
                for kind in ("rigid", "relaxed")
            ]
    return futures


def _compare(
    name: str,
    protocol: NzspProtocol,
    cells: Sequence[_Cell],
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


class _Cell:
    """The tasks of one ordered cell, submitted as early as their inputs exist."""

    def __init__(
        self,
        protocol: NzspProtocol,
        composition: Composition,
        bulk: Structure,
        ordering: OrderResult | None,
        *,
        with_slab: bool,
    ) -> None:
        self.protocol, self.composition = protocol, composition
        self.bulk_structure, self.ordering = bulk, ordering
        self.empties: Empties = (
            (ordering.empty_sites, ordering.empty_labels) if ordering else (np.zeros((0, 3)), ())
        )
        self.bulk_hops = self._hops(bulk, self.empties)
        self.slab: Slab | None = None
        self.slab_energies: tuple[float, ...] = ()
        self.annealed: OrderResult | None = None
        self.surface: list[TaskFuture[BarrierResult]] = []
        self.surface_hops: tuple[Hop, ...] = ()
        if with_slab:
            self._start_slab()

    def _start_slab(self) -> None:
        """Cut the slab and relax it from several rattles."""
        from superionic.structures.surfaces import build_slab

        cut = self.composition.slab
        self.slab = build_slab(
            self.bulk_structure,
            miller=cut.miller,
            layers=cut.layers,
            repeat=cut.repeat,
            vacuum_ang=cut.vacuum_ang,
            compensate=cut.compensate,
            allow_polar=cut.allow_polar,
            empty_sites=self.empties[0] if self.empties[1] else None,
            empty_labels=self.empties[1],
        )
        start = self.protocol.slab_relax
        self.starts = [
            relax_task.submit(self.slab.structure, self.protocol.theory, replace(start, seed=seed))
            for seed in range(self.protocol.slab_starts)
        ]

    def _hops(self, structure: Structure, empties: Empties) -> tuple[Hop, ...]:
        from superionic.structures.hops import find_hops

        return find_hops(
            structure,
            ion=self.protocol.ion,
            max_length_ang=self.protocol.choice.max_length_ang,
            mechanism=self.composition.mechanism,
            empty_sites=empties[0] if empties[1] else None,
            empty_labels=empties[1] or None,
            min_atoms=self.protocol.choice.min_atoms,
        )

    def submit_annealing(self) -> None:
        """Anneal the ions of the lowest of the relaxed slabs."""
        if self.slab is None:
            return
        relaxed = [start.result().require_converged() for start in self.starts]
        self.slab_energies = tuple(r.energy_eV for r in relaxed)
        self.annealing: TaskFuture[OrderResult] = anneal_task.submit(
            min(relaxed, key=lambda r: r.energy_eV).structure,
            np.asarray(self.slab.empty_sites),
            self.slab.empty_labels,
            self.protocol.ion,
            self.protocol.theory,
            self.protocol.slab_anneal,
        )

    def _submit(self, hops: Sequence[Hop]) -> list[TaskFuture[BarrierResult]]:
        return [
            barrier_task.submit(hop, self.protocol.theory, self.protocol.barrier) for hop in hops
        ]

    def submit_bulk(self) -> None:
        """Take bulk hops in seeded order."""
        ordered = sorted(self.bulk_hops, key=lambda hop: hop.key)
        order = np.random.default_rng(self.protocol.choice.seed).permutation(len(ordered))
        self.bulk = self._submit([ordered[k] for k in order][: self.composition.bulk_hops])

    def submit_surface(self) -> None:
        """Find the matched surface hops once the slab is annealed; take the shallowest."""
        from superionic.structures.routes import match_hops

        if self.slab is None:
            return
        self.annealed = self.annealing.result()
        empties = (self.annealed.empty_sites, self.annealed.empty_labels)
        matched = match_hops(
            self.bulk_hops,
            self._hops(self.annealed.structure, empties),
            length_tolerance_ang=self.protocol.choice.length_tolerance_ang,
            surface_depth_ang=self.protocol.choice.surface_depth_ang,
        )
        self.surface_hops = matched.surface
        shallow = sorted(matched.surface, key=lambda hop: (hop.depth_ang or 0.0, hop.key))
        self.surface = self._submit(shallow[: self.composition.surface_hops])

    def collect(self) -> Cell:
        """Wait for the hops."""
        return Cell(
            bulk_structure=self.bulk_structure,
            ordering=self.ordering,
            slab=self.slab,
            slab_energies_eV=self.slab_energies,
            annealed=self.annealed,
            bulk=_settled(self.bulk),
            surface=_settled(self.surface),
            bulk_found=len(self.bulk_hops),
            surface_found=len(self.surface_hops),
        )


def _settled(futures: Sequence[TaskFuture[BarrierResult]]) -> tuple[BarrierResult, ...]:
    """Wait for hops; one that failed outright is logged and left out of nothing else."""
    results = []
    for future in futures:
        try:
            results.append(future.result())
        except TaskFailedError as error:
            log.warning("A hop failed: %s", error)
    return tuple(results)
