"""The methods of the NZSP reproduction in words, from its protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.report.theory_words import JUDGED, SOFTWARE, theory_in_words

if TYPE_CHECKING:
    from superionic.workflows.papers.nzsp_protocol import Composition, NzspProtocol


def nzsp_methods(protocol: NzspProtocol) -> tuple[str, ...]:
    """Return the methods, a text for each paragraph, with citations as ``[@key]``."""
    return (
        f"Energies and forces were computed with {theory_in_words(protocol.theory)}. {SOFTWARE} "
        "The comparison follows Fig. 6 of Shen et al. [@shen2026].",
        _structures(protocol),
        _hops(protocol),
        _bands(protocol),
    )


def _structures(protocol: NzspProtocol) -> str:
    """Tell how bulk and slabs are made."""
    order, quench, full = protocol.order, protocol.slab_quench, protocol.bulk_relax
    return (
        f"The ordered end member Na4Zr2Si3O12 (x = 3) was relaxed, cell included, until no force "
        f"exceeded {full.fmax_eV_per_A:g} eV/Å. For x = 2 the {order.candidates} arrangements of "
        "lowest Ewald energy were relaxed, and in each of the "
        f"{protocol.disordered.orders} lowest single ions were moved to empty sites "
        f"({order.anneal.max_trials} trials at most) and every move that lowered the energy by "
        f"more than {order.anneal.accept_eV:g} eV was kept. {_slab(protocol.ordered, 'x = 3')} "
        f"{_slab(protocol.disordered, 'x = 2')} Each slab was relaxed, heated to "
        f"{quench.temperature_K:g} K for {quench.steps} steps of {quench.timestep_fs:g} fs and "
        f"relaxed again, in {quench.rounds} round(s), all atoms free, and the lowest minimum was "
        f"taken on; its ions were then moved in the same way ({protocol.slab_anneal.max_trials} "
        f"trials at most) and it was relaxed to "
        f"{protocol.slab_anneal.final.fmax_eV_per_A:g} eV/Å."
    )


def _slab(composition: Composition, name: str) -> str:
    """Tell how the slab of a composition is cut."""
    cut = composition.slab
    plane = "".join(map(str, cut.miller))
    shared = ", the ions of the cut plane shared between both faces" if cut.compensate else ""
    return (
        f"At {name} ({plane}) slabs of {cut.layers} layers and {cut.repeat[0]} x {cut.repeat[1]} "
        f"cells were cut through a Na1 plane, whole tetrahedra kept{shared}, with "
        f"{cut.vacuum_ang:g} Å of vacuum."
    )


def _hops(protocol: NzspProtocol) -> str:
    """Tell which hops are compared."""
    choice = protocol.choice
    kinds = ", ".join(
        f"{c.mechanism} hops at {name} ({c.bulk_hops} in the bulk and {c.surface_hops} at the "
        f"surface wanted, {c.bulk_max_tried} and {c.surface_max_tried} tried at most)"
        for name, c in (("x = 3", protocol.ordered), ("x = 2", protocol.disordered))
    )
    return (
        f"All symmetry-distinct single-ion hops up to {choice.max_length_ang:g} Å were listed. "
        "Bulk and surface hops were matched by site types, mechanism and length (within "
        f"{choice.length_tolerance_ang:g} Å), surface hops no deeper than "
        f"{choice.surface_depth_ang:g} Å: {kinds}. Hops were taken in an order that does not "
        "depend on their energies; one without a value was replaced by the next. "
        f"{JUDGED} {protocol.claim.text}"
    )


def _bands(protocol: NzspProtocol) -> str:
    """Tell how barriers and scans are computed."""
    ends, band, scan = protocol.barrier.ends, protocol.barrier.band, protocol.scan
    return (
        f"Both ends of a hop were relaxed to {ends.relax.fmax_eV_per_A:g} eV/Å and checked to be "
        "minima that differ by the hopping ion alone. Minimum-energy paths of "
        f"{band.images} moving images were found by climbing-image nudged elastic bands [@cineb] "
        "with the improved tangent [@tangent] from an image-dependent pair potential start "
        "[@idpp], driven by Anderson mixing [@anderson1965] until no band force on any image "
        f"exceeded {band.fmax_eV_per_A:g} eV/Å and that on the climbing image "
        f"{band.saddle_fmax_eV_per_A:g} eV/Å. Routes were also sampled in steps of "
        f"{scan.step_fractional:g}, rigidly and with the framework relaxed to "
        f"{scan.fmax_eV_per_A:g} eV/Å."
    )
