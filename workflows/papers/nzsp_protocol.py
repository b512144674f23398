"""The settings of the NZSP reproduction, typed; their values stand in ``inputs/protocols``."""

from __future__ import annotations

from dataclasses import dataclass

from superionic.analysis.claims import ClaimRule
from superionic.structures.pairs import Mechanism
from superionic.workflows.annealing import AnnealSettings
from superionic.workflows.barrier import BarrierSettings
from superionic.workflows.ordering import OrderSettings
from superionic.workflows.quench import QuenchSettings
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.scan import ScanSettings


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
        Converged hops wanted in each environment, over all cells together. A hop without a value
        is replaced by the next in the order they are taken.
    bulk_max_tried, surface_max_tried : int
        Hops tried in each environment, at most.
    slab : SlabCut
        Its (001) slab.
    orders : int
        Ordered cells used, from the lowest in energy up: local environments of a disordered
        crystal. One for an ordered crystal.
    slabs : int
        How many of those, from the lowest up, are also cut to slabs.
    scans : bool
        Whether the routes of the first hops are scanned as well.
    """

    crystal: str
    mechanism: Mechanism
    bulk_hops: int
    surface_hops: int
    slab: SlabCut
    bulk_max_tried: int = 8
    surface_max_tried: int = 8
    orders: int = 1
    slabs: int = 1
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
    slab_quench : QuenchSettings
        Relaxation of a slab as cut, with heating in between; the lowest minimum goes on.
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
    slab_quench: QuenchSettings
    slab_anneal: AnnealSettings
    choice: HopChoice
    barrier: BarrierSettings
    scan: ScanSettings
    claim: ClaimRule


def load_nzsp_protocol(fidelity: str) -> tuple[NzspProtocol, str]:
    """Return the protocol of a fidelity and its resolved text.

    Raises
    ------
    ProtocolError
        No protocol of that fidelity, or one with an unknown or missing setting.
    """
    from superionic.inputs.protocol import build, paper_protocol

    protocol = paper_protocol("nzsp", fidelity)
    typed = build(NzspProtocol, protocol.settings, where=protocol.name)
    return typed, protocol.resolved_text()
