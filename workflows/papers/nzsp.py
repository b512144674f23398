"""Na+ hops in NZSP, inner channel against exposed (001) surface.

The computed part of "Ceramic-gel composite NZSP" (Nano-Micro Lett. 2026, 18, 195,
doi 10.1007/s40820-025-02032-4, section 3.5 and Fig. 6), with every choice in the protocol file.
Only this module knows about NZSP; all it calls works on any crystal.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.barriers import BarrierResult
from superionic.analysis.claims import ClaimRule, ClaimVerdict, judge_claim
from superionic.analysis.scans import ScanProfile
from superionic.structures.errors import TaskFailedError
from superionic.structures.pairs import Mechanism
from superionic.workflows.barrier import BarrierSettings, barrier_task
from superionic.workflows.execution import Run, TaskFuture
from superionic.workflows.ordering import (
    AnnealSettings,
    OrderResult,
    OrderSettings,
    anneal_task,
    order_task,
)
from superionic.workflows.relax import RelaxSettings, relax_task
from superionic.workflows.scan import ScanSettings, scan_task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from superionic.structures.hop import Hop
    from superionic.structures.slab import Slab
    from superionic.structures.structure import Structure

    Empties = tuple[NDArray[np.float64], tuple[str, ...]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SlabCut:
    """How the slab is cut; see `superionic.structures.surfaces.build_slab`.

    Attributes
    ----------
    miller : tuple of int
        Plane of the conventional cell.
    layers : int
        Layers between equivalent cuts (one TO4 layer each in NASICON).
    repeat : tuple of int
        Cells in the plane.
    vacuum_ang : float
        Vacuum in angstrom.
    compensate, allow_polar : bool
        Share the ions of the cut plane between both faces; declare a polar slab.
    """

    miller: tuple[int, int, int]
    layers: int
    repeat: tuple[int, int]
    vacuum_ang: float
    compensate: bool = False
    allow_polar: bool = False


@dataclass(frozen=True)
class Composition:
    """One composition of the comparison.

    Attributes
    ----------
    crystal : str
        Name of the packaged crystal.
    mechanism : str
        ``vacancy`` or ``hole``.
    bulk_hops, surface_hops : int
        Hops tried in each environment of each ordered cell, at most.
    slab : SlabCut
        Its (001) slab.
    orders : int
        Ordered cells used, from the lowest in energy up: local environments of a disordered
        crystal. One for an ordered crystal.
    scans : bool
        Whether the routes of the first hops are scanned as well.
    """

    crystal: str
    mechanism: Mechanism
    bulk_hops: int
    surface_hops: int
    slab: SlabCut
    orders: int = 1
    scans: bool = False


@dataclass(frozen=True)
class HopChoice:
    """Which hops are compared.

    Attributes
    ----------
    max_length_ang : float
        Longest hop, in angstrom.
    min_atoms : int
        Least size of a bulk host.
    length_tolerance_ang : float
        Matched hops differ in length by no more, in angstrom.
    surface_depth_ang : float
        Deepest middle of a surface hop below the outermost atoms, in angstrom.
    seed : int
        Order in which bulk hops are taken.
    """

    max_length_ang: float
    min_atoms: int
    length_tolerance_ang: float
    surface_depth_ang: float
    seed: int


@dataclass(frozen=True)
class NzspProtocol:
    """Everything the run depends on; built from ``inputs/protocols/nzsp-*.toml``.

    Attributes
    ----------
    paper, fidelity, theory, ion : str
        Which paper, how good, what computes, what moves.
    bulk_relax : RelaxSettings
        Relaxation of the ordered end member.
    ordered, disordered : Composition
        x = 3 and x = 2.
    order : OrderSettings
        Ordering of x = 2.
    slab_relax : RelaxSettings
        Relaxation of a slab as cut, from several seeded rattles; the lowest goes on.
    slab_starts : int
        How many of them.
    slab_anneal : AnnealSettings
        Annealing of the ions of the slabs.
    choice : HopChoice
        Which hops.
    barrier : BarrierSettings
        How their barriers are found.
    scan : ScanSettings
        Route sampling.
    claim : ClaimRule
        When the paper's claim counts as decided.
    """

    paper: str
    fidelity: str
    theory: str
    ion: str
    bulk_relax: RelaxSettings
    ordered: Composition
    disordered: Composition
    order: OrderSettings
    slab_relax: RelaxSettings
    slab_starts: int
    slab_anneal: AnnealSettings
    choice: HopChoice
    barrier: BarrierSettings
    scan: ScanSettings
    claim: ClaimRule


@dataclass(frozen=True, eq=False)
class Cell:
    """Bulk and slab of one ordered cell, and the hops tried in them.

    Attributes
    ----------
    bulk_structure : Structure
        The relaxed bulk cell.
    ordering : OrderResult or None
        How it was ordered; None where nothing had to be.
    slab : Slab
        The slab as cut, with its dipole.
    slab_energies_eV : tuple of float
        Energies of the relaxed starts of the slab, in eV.
    annealed : OrderResult
        The slab after its ions were annealed.
    bulk, surface : tuple of BarrierResult
        All hops tried.
    bulk_found, surface_found : int
        Matched hops found, of which those were taken.
    """

    bulk_structure: Structure
    ordering: OrderResult | None
    slab: Slab
    slab_energies_eV: tuple[float, ...]
    annealed: OrderResult
    bulk: tuple[BarrierResult, ...]
    surface: tuple[BarrierResult, ...]
    bulk_found: int
    surface_found: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """Bulk and surface hops of one composition.

    Attributes
    ----------
    name : str
        Such as ``x = 3``.
    cells : tuple of Cell
        One for each ordered cell.
    one_bulk_class : bool
        Symmetry makes all bulk hops equal.
    verdict : ClaimVerdict
        On the paper's claim.
    scans : tuple of ScanProfile
        Rigid and relaxed scans of the hops drawn in Fig. 6c.
    """

    name: str
    cells: tuple[Cell, ...]
    one_bulk_class: bool
    verdict: ClaimVerdict
    scans: tuple[ScanProfile, ...]

    @property
    def bulk(self) -> tuple[BarrierResult, ...]:
        """All bulk hops tried."""
        return tuple(r for cell in self.cells for r in cell.bulk)

    @property
    def surface(self) -> tuple[BarrierResult, ...]:
        """All surface hops tried."""
        return tuple(r for cell in self.cells for r in cell.surface)


@dataclass(frozen=True)
class ReproductionSummary:
    """What a reproduction ended with.

    Attributes
    ----------
    report : str
        Path of the report.
    lines : tuple of str
        The main findings, one a line.
    ok : bool
        Every number asked for exists with its evidence.
    """

    report: str
    lines: tuple[str, ...]
    ok: bool


def load_nzsp_protocol(fidelity: str) -> tuple[NzspProtocol, str]:
    """Return the protocol of a fidelity and its resolved text.

    Raises
    ------
    ProtocolError
        No protocol of that fidelity, or one with an unknown or missing setting.
    """
    from superionic.inputs.protocol import build, load_protocol

    protocol = load_protocol(f"nzsp-{fidelity}")
    typed = build(NzspProtocol, protocol.settings, where=protocol.name)
    return typed, protocol.resolved_text()


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
    ordered = [_Cell(protocol, protocol.ordered, bulk, None)]
    disordered = [
        _Cell(protocol, protocol.disordered, order.structure, order)
        for order in (future.result() for future in orders)
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
    ) -> None:
        from superionic.structures.surfaces import build_slab

        self.protocol, self.composition = protocol, composition
        self.bulk_structure, self.ordering = bulk, ordering
        self.empties: Empties = (
            (ordering.empty_sites, ordering.empty_labels) if ordering else (np.zeros((0, 3)), ())
        )
        cut = composition.slab
        self.slab = build_slab(
            bulk,
            miller=cut.miller,
            layers=cut.layers,
            repeat=cut.repeat,
            vacuum_ang=cut.vacuum_ang,
            compensate=cut.compensate,
            allow_polar=cut.allow_polar,
            empty_sites=self.empties[0] if self.empties[1] else None,
            empty_labels=self.empties[1],
        )
        self.starts = [
            relax_task.submit(
                self.slab.structure, protocol.theory, replace(protocol.slab_relax, seed=seed)
            )
            for seed in range(protocol.slab_starts)
        ]
        self.bulk_hops = self._hops(bulk, self.empties)

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


def first_converged(results: Sequence[BarrierResult]) -> BarrierResult | None:
    """Return the first hop, in the order they were taken, that has a barrier."""
    return next((r for r in results if r.verdict == "converged"), None)


def _settled(futures: Sequence[TaskFuture[BarrierResult]]) -> tuple[BarrierResult, ...]:
    """Wait for hops; one that failed outright is logged and left out of nothing else."""
    results = []
    for future in futures:
        try:
            results.append(future.result())
        except TaskFailedError as error:
            log.warning("A hop failed: %s", error)
    return tuple(results)
