"""The tasks of one ordered cell of NZSP: its hops inside, its slab, and the hops at the surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.workflows.annealing import OrderResult, anneal_task, reassign_ions
from superionic.workflows.papers.nzsp_results import Cell
from superionic.workflows.quench import quench_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.barriers import BarrierResult
    from superionic.structures.hop import Hop
    from superionic.structures.slab import Slab
    from superionic.structures.structure import Structure
    from superionic.workflows.execution import TaskFuture
    from superionic.workflows.papers.nzsp_protocol import Composition, NzspProtocol

    Empties = tuple[NDArray[np.float64], tuple[str, ...]]


class CellTasks:
    """The tasks of one ordered cell, submitted as early as their inputs exist.

    Parameters
    ----------
    protocol, composition
        What is run, and of which composition this cell is.
    bulk
        The relaxed cell.
    ordering
        How it was ordered; None where it has no choice.
    with_slab
        Whether a slab is cut from it.

    Attributes
    ----------
    bulk_hops : tuple of Hop
        All kinds of hops inside.
    results : dict
        Hops that were computed, by ``bulk`` and ``surface``.
    """

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
        self.slab_unconverged = 0
        self.annealed: OrderResult | None = None
        self.results: dict[str, list[BarrierResult]] = {"bulk": [], "surface": []}
        self.surface_hops: tuple[Hop, ...] = ()
        if with_slab:
            self._start_slab()

    def _start_slab(self) -> None:
        """Cut the slab; relax, heat and quench it."""
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
        self.quenching = quench_task.submit(
            self.slab.structure, self.protocol.theory, self.protocol.slab_quench
        )

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

    def anneal_slab(self) -> None:
        """Anneal the ions of the quenched slab."""
        if self.slab is None:
            return
        quenched = self.quenching.result()
        self.slab_energies = quenched.energies_eV
        self.slab_unconverged = quenched.unconverged
        structure, empty_sites, empty_labels = reassign_ions(
            self.slab.structure,
            quenched.lowest.structure,
            empty_sites=np.asarray(self.slab.empty_sites),
            empty_labels=self.slab.empty_labels,
            ion=self.protocol.ion,
        )
        self.annealing: TaskFuture[OrderResult] = anneal_task.submit(
            structure,
            empty_sites,
            empty_labels,
            self.protocol.ion,
            self.protocol.theory,
            self.protocol.slab_anneal,
        )

    def match_surface(self) -> tuple[Hop, ...]:
        """Return the matched surface hops of the annealed slab."""
        from superionic.structures.routes import match_hops

        if self.slab is None:
            return ()
        self.annealed = self.annealing.result()
        empties = (self.annealed.empty_sites, self.annealed.empty_labels)
        self.surface_hops = match_hops(
            self.bulk_hops,
            self._hops(self.annealed.structure, empties),
            length_tolerance_ang=self.protocol.choice.length_tolerance_ang,
            surface_depth_ang=self.protocol.choice.surface_depth_ang,
        ).surface
        return self.surface_hops

    def collect(self) -> Cell:
        """Return what was found."""
        return Cell(
            bulk_structure=self.bulk_structure,
            ordering=self.ordering,
            slab=self.slab,
            slab_energies_eV=self.slab_energies,
            annealed=self.annealed,
            bulk=tuple(self.results["bulk"]),
            surface=tuple(self.results["surface"]),
            bulk_found=len(self.bulk_hops),
            surface_found=len(self.surface_hops),
            slab_unconverged=self.slab_unconverged,
        )
