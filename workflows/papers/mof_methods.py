"""The methods of the MOF reproduction in words, from its protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.report.theory_words import (
    SEVERAL_JUDGED,
    SOFTWARE,
    theories_in_words,
    theory_in_words,
)

if TYPE_CHECKING:
    from superionic.workflows.papers.mof_protocol import MofProtocol


def mof_methods(protocol: MofProtocol) -> tuple[str, ...]:
    """Return the methods, a text for each paragraph, with citations as ``[@key]``."""
    levels = protocol.search.levels
    points = f" Single points: {theories_in_words(levels)}." if levels else ""
    return (
        f"Geometries were relaxed with {theory_in_words(protocol.theory)}.{points} {SOFTWARE} The "
        "comparison follows Figs. 1b, 1c, 4g and S14 of Dong et al. [@dong2025].",
        _nodes(protocol),
        f"{SEVERAL_JUDGED} {protocol.ranking.text} {protocol.weakening.text}",
        *_electronic(protocol),
    )


def _nodes(protocol: MofProtocol) -> str:
    """Tell what the model is and how its adsorption energies are found."""
    guests = ", ".join(guest.label for guest in protocol.guests)
    return (
        f"Metal nodes M3(mu3-O)(O2C-R)6 with {protocol.cap} caps stand for the frameworks: "
        f"{', '.join(protocol.nodes)}, each of total charge {protocol.charge} e and with all "
        f"spins high and parallel. Adsorbates: {guests}. The adsorption energy is E(node with "
        "adsorbate) - E(node) - E(adsorbate), adsorbates in their lowest shape. "
        f"{protocol.search.text}"
    )


def _electronic(protocol: MofProtocol) -> tuple[str, ...]:
    """Tell how electronic structures are computed, if any are."""
    plan = protocol.electronic
    if not plan.nodes:
        return ()
    return (
        f"Densities of states of {', '.join(plan.nodes)} were computed with "
        f"{theory_in_words(plan.theory)} (integration grid of level "
        f"{plan.settings.scf.grid_level}, energy to {plan.settings.scf.energy_eV:g} eV) at the "
        f"relaxed geometries, and projected on atoms. d-band centres: {plan.centre.name}.",
    )
