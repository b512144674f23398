"""The methods of the LATP reproduction in words, from its protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.report.theory_words import (
    JUDGED,
    SOFTWARE,
    theories_in_words,
    theory_in_words,
)

if TYPE_CHECKING:
    from superionic.workflows.papers.latp_protocol import LatpProtocol


def latp_methods(protocol: LatpProtocol) -> tuple[str, ...]:
    """Return the methods, a text for each paragraph, with citations as ``[@key]``."""
    return (
        f"Geometries were relaxed with {theory_in_words(protocol.theory)}. {SOFTWARE} The "
        "comparison follows Fig. S1 of Hu et al. [@hu2022].",
        _slab(protocol),
        _binding(protocol),
        "Binding energies at other levels of theory are single points at these geometries: "
        f"{theories_in_words(protocol.binding.levels)}. Charge transfer was read from Mulliken "
        "charges where a level has them"
        f"{', and from EEQ charges [@d4]' if protocol.binding.eeq else ''}.",
    )


def _slab(protocol: LatpProtocol) -> str:
    """Tell how the slab is made."""
    cut, ions, full = protocol.slab, protocol.surface_ions, protocol.bulk_relax
    plane = "".join(map(str, cut.miller))
    return (
        f"LiTi2(PO4)3 was relaxed, cell included, to {full.fmax_eV_per_A:g} eV/Å and gave its "
        f"lattice constants to a ({plane}) slab of Li(1+x)Al(x)Ti(2-x)(PO4)3, x as near to "
        f"{cut.x:g} as whole atoms allow: {cut.layers} PO4 layers, {cut.repeat[0]} x "
        f"{cut.repeat[1]} cells in the plane, {cut.vacuum_ang:g} Å of vacuum, cut through the Li1 "
        f"planes with whole tetrahedra. The {cut.arrangements} arrangements of Li and Al of lowest "
        "electrostatic energy were relaxed, and the lowest was used; Li within "
        f"{ions.depth_ang:g} Å of its upper face were tried in {ions.places} other places a round, "
        f"for {ions.rounds} rounds at most."
    )


def _binding(protocol: LatpProtocol) -> str:
    """Tell how binding energies are found."""
    search = protocol.binding
    return (
        "The binding energy is E(slab with molecule) - E(slab) - E(molecule), all three at the "
        "same settings and in the same cell. For each molecule "
        f"{search.starts} seeded starts (sites times orientations, free of clashes) were relaxed "
        f"for {search.screen_steps} steps; the {search.keep} lowest went on until no force "
        f"exceeded {search.relax.fmax_eV_per_A:g} eV/Å ({search.relax.max_steps} steps at most). "
        f"The lower {search.held_fraction:g} of the slab was held. {search.vacuum_ang:g} Å of "
        f"vacuum stood above the molecule. {JUDGED} {protocol.claim.text}"
    )
