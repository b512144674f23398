"""Na+ hops in NZSP, inner channel against exposed (001) surface.

The computed part of "Ceramic-gel composite NZSP" (Nano-Micro Lett. 2026, 18, 195,
doi 10.1007/s40820-025-02032-4, section 3.5 and Fig. 6), with every choice in the protocol file.
Only this module knows about NZSP; all it calls works on any crystal.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.barriers import BarrierResult
from superionic.analysis.claims import ClaimRule, ClaimVerdict, judge_claim
from superionic.analysis.scans import ScanProfile
from superionic.structures.errors import TaskFailedError
from superionic.workflows.barrier import BarrierSettings, barrier_task
from superionic.workflows.execution import Run, TaskFuture
from superionic.workflows.ordering import (
    AnnealSettings,
    OrderResult,
    OrderSettings,
    anneal_task,
    order_task,
)
from superionic.workflows.relax import RelaxResult, RelaxSettings, relax_task
from superionic.workflows.scan import ScanSettings, scan_task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.structures.hop import Hop
    from superionic.structures.slab import Slab
    from superionic.structures.structure import Structure

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
        Hops tried in each environment at most.
    slab : SlabCut
        Its (001) slab.
    """

    crystal: str
    mechanism: str
    bulk_hops: int
    surface_hops: int
    slab: SlabCut


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
    slab_anneal : AnnealSettings
        Annealing of the ions of both slabs.
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
    slab_anneal: AnnealSettings
    choice: HopChoice
    barrier: BarrierSettings
    scan: ScanSettings
    claim: ClaimRule


@dataclass(frozen=True, eq=False)
class Comparison:
    """Bulk and surface hops of one composition.

    Attributes
    ----------
    name : str
        Such as ``x = 3``.
    bulk_structure : Structure
        The relaxed bulk cell.
    slab : Slab
        The slab as cut, with its dipole.
    annealed : OrderResult
        The slab after its ions were annealed.
    ordering : OrderResult or None
        How the bulk was ordered; None where nothing had to be.
    bulk, surface : tuple of BarrierResult
        All hops tried.
    bulk_found, surface_found : int
        Matched hops found, of which those were taken.
    one_bulk_class : bool
        Symmetry makes all bulk hops equal.
    verdict : ClaimVerdict
        On the paper's claim.
    scans : tuple of ScanProfile
        Rigid and relaxed scans of the hops drawn in Fig. 6c.
    """

    name: str
    bulk_structure: Structure
    slab: Slab
    annealed: OrderResult
    ordering: OrderResult | None
    bulk: tuple[BarrierResult, ...]
    surface: tuple[BarrierResult, ...]
    bulk_found: int
    surface_found: int
    one_bulk_class: bool
    verdict: ClaimVerdict
    scans: tuple[ScanProfile, ...]


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
    bulk3 = relax_task.submit(full, theory, protocol.bulk_relax)
    partial = reference_crystal(protocol.disordered.crystal).structure
    bulk2 = order_task.submit(partial, protocol.ion, theory, protocol.order)
    x3 = _Side.ordered(protocol, bulk3.result().require_converged())
    x2 = _Side.disordered(protocol, bulk2.result())
    for side in (x3, x2):
        side.submit_surface()
    for side in (x3, x2):
        side.submit_scans()
    return (x3.collect(), x2.collect())


class _Side:
    """The tasks of one composition, submitted as early as their inputs exist."""

    def __init__(
        self,
        name: str,
        protocol: NzspProtocol,
        composition: Composition,
        bulk: Structure,
        empties: tuple[np.ndarray[Any, Any], tuple[str, ...]],
        ordering: OrderResult | None,
    ) -> None:
        from superionic.structures.surfaces import build_slab

        self.name, self.protocol, self.composition = name, protocol, composition
        self.bulk_structure, self.ordering = bulk, ordering
        cut = composition.slab
        self.slab = build_slab(
            bulk,
            miller=cut.miller,
            layers=cut.layers,
            repeat=cut.repeat,
            vacuum_ang=cut.vacuum_ang,
            compensate=cut.compensate,
            allow_polar=cut.allow_polar,
            empty_sites=empties[0] if len(empties[0]) else None,
            empty_labels=empties[1],
        )
        self.annealing: TaskFuture[OrderResult] = anneal_task.submit(
            self.slab.structure,
            np.asarray(self.slab.empty_sites),
            tuple(self.slab.empty_labels),
            protocol.ion,
            protocol.theory,
            protocol.slab_anneal,
        )
        self.bulk_hops = self._hops(bulk, empties)
        self.bulk_taken = self._take_bulk()
        self.bulk = self._submit(self.bulk_taken)
        self.surface: list[TaskFuture[BarrierResult]] = []
        self.surface_hops: tuple[Hop, ...] = ()
        self.scans: list[TaskFuture[ScanProfile]] = []

    @classmethod
    def ordered(cls, protocol: NzspProtocol, bulk: RelaxResult) -> _Side:
        """Start on the ordered end member."""
        none = (np.zeros((0, 3)), ())
        return cls("x = 3", protocol, protocol.ordered, bulk.structure, none, None)

    @classmethod
    def disordered(cls, protocol: NzspProtocol, order: OrderResult) -> _Side:
        """Start on the composition of the paper."""
        empties = (np.asarray(order.empty_sites), order.empty_labels)
        return cls("x = 2", protocol, protocol.disordered, order.structure, empties, order)

    def _hops(self, structure: Structure, empties: tuple[Any, tuple[str, ...]]) -> tuple[Hop, ...]:
        from superionic.structures.hops import find_hops

        return find_hops(
            structure,
            ion=self.protocol.ion,
            max_length_ang=self.protocol.choice.max_length_ang,
            mechanism=self.composition.mechanism,  # type: ignore[arg-type]
            empty_sites=empties[0] if len(empties[0]) else None,
            empty_labels=empties[1] or None,
            min_atoms=self.protocol.choice.min_atoms,
        )

    def _take_bulk(self) -> list[Hop]:
        """Take bulk hops in seeded order."""
        ordered = sorted(self.bulk_hops, key=lambda hop: hop.key)
        rng = np.random.default_rng(self.protocol.choice.seed)
        return [ordered[k] for k in rng.permutation(len(ordered))][: self.composition.bulk_hops]

    def _submit(self, hops: Sequence[Hop]) -> list[TaskFuture[BarrierResult]]:
        return [
            barrier_task.submit(hop, self.protocol.theory, self.protocol.barrier) for hop in hops
        ]

    def submit_surface(self) -> None:
        """Find the matched surface hops once the slab is annealed, shallowest first."""
        from superionic.structures.routes import match_hops

        annealed = self.annealing.result()
        self.annealed = annealed
        found = self._hops(annealed.structure, (annealed.empty_sites, annealed.empty_labels))
        matched = match_hops(
            self.bulk_hops,
            found,
            length_tolerance_ang=self.protocol.choice.length_tolerance_ang,
            surface_depth_ang=self.protocol.choice.surface_depth_ang,
        )
        self.surface_hops = matched.surface
        shallow = sorted(matched.surface, key=lambda hop: (hop.depth_ang or 0.0, hop.key))
        self.surface = self._submit(shallow[: self.composition.surface_hops])

    def submit_scans(self) -> None:
        """Scan the first converged hop of each environment, in the order they were taken."""
        for route, futures in (("A", self.bulk), ("B", self.surface)):
            result = first_converged(_settled(futures))
            if result is not None:
                self.scans += [
                    scan_task.submit(result, route, kind, self.protocol.scan)
                    for kind in ("rigid", "relaxed")
                ]

    def collect(self) -> Comparison:
        """Wait for everything and judge."""
        bulk, surface = _settled(self.bulk), _settled(self.surface)
        one_class = self.ordering is None and len(self.bulk_hops) == 1
        return Comparison(
            name=self.name,
            bulk_structure=self.bulk_structure,
            slab=self.slab,
            annealed=self.annealed,
            ordering=self.ordering,
            bulk=bulk,
            surface=surface,
            bulk_found=len(self.bulk_hops),
            surface_found=len(self.surface_hops),
            one_bulk_class=one_class,
            verdict=judge_claim(bulk, surface, self.protocol.claim, one_bulk_class=one_class),
            scans=tuple(f.result() for f in self.scans),
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
