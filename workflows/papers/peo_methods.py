"""The methods of the PEO reproduction in words, from its protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.report.theory_words import (
    SEVERAL_JUDGED,
    SOFTWARE,
    theories_in_words,
    theory_in_words,
)

if TYPE_CHECKING:
    from superionic.workflows.papers.peo_protocol import PeoProtocol


def peo_methods(protocol: PeoProtocol) -> tuple[str, ...]:
    """Return the methods, a text for each paragraph, with citations as ``[@key]``."""
    return (
        f"{SOFTWARE} The comparison follows Fig. 4d, e, f and h of Dong et al. [@dong2025].",
        _boxes(protocol),
        _dynamics(protocol),
        _hops(protocol),
        f"{SEVERAL_JUDGED} {protocol.electrolyte_claim.text} {protocol.hop_claim.text}",
    )


def _boxes(protocol: PeoProtocol) -> str:
    """Tell what the boxes hold and how their atoms interact."""
    made, field, node = protocol.electrolyte, protocol.force_field, protocol.node
    return (
        f"Boxes of {made.chains} poly(ethylene oxide) chains of {made.units} units with "
        f"{made.salt} ({made.units_per_cation:g} ether oxygens a cation) were packed at "
        f"{made.density_g_cm3:g} g/cm3, {made.boxes} without filler and {made.boxes} with "
        f"{made.filler_wt_percent:g} wt% of nodes {'-'.join(node.metals)} capped by {node.cap}, "
        f"relaxed with {theory_in_words(node.theory)}, whose Mulliken charges they carry. Forces: "
        "OPLS-AA [@opls1996] for the polymer, CL&P [@clp2004] (set "
        f"{field.lennard_jones}) for the anion, Na+ after {field.cations} [@aqvist1990], UFF "
        f"[@uff1992] for the nodes, {field.mixing} mixing, charges of ions scaled by "
        f"{field.charge_scale:g}."
    )


def _dynamics(protocol: PeoProtocol) -> str:
    """Tell how the boxes are run."""
    plan = protocol.run
    one, step_ns = plan.settings, plan.settings.timestep_fs * 1e-6
    return (
        "Molecular dynamics were run with OpenMM [@openmm8] (Langevin thermostat, hydrogens of "
        f"{plan.options.hydrogen_mass_amu or 1.008:g} amu, bonds to hydrogen "
        f"{'fixed' if plan.options.constraints == 'h-bonds' else 'free'}, cutoff "
        f"{plan.options.cutoff_ang:g} Å, particle-mesh Ewald) in steps of {one.timestep_fs:g} fs "
        f"at {one.temperature_K:g} K: annealing from {one.anneal_K:g} K for "
        f"{one.anneal_steps * step_ns:g} ns, equilibration for "
        f"{one.equilibrate_steps * step_ns:g} ns, production ({one.production}) for "
        f"{plan.steps * step_ns:g} ns. A diffusion coefficient was read only where the mean "
        "squared displacement grows linearly."
    )


def _hops(protocol: PeoProtocol) -> str:
    """Tell how hops along the chain are computed."""
    chain, hops = protocol.chain, protocol.hops
    band = hops.barrier.band
    points = f" Single points: {theories_in_words(hops.levels)}." if hops.levels else ""
    return (
        f"Hops of Na+ were computed with {theory_in_words(chain.theory)} along an oligomer of "
        f"{chain.oxygens} ether oxygens in the helix of the crystal, without and beside one node; "
        f"springs of {chain.tether_eV_per_A2:g} eV/Å2 held the ends of the chain and the "
        f"carboxylate carbons of the node. Na+ was relaxed (to {hops.relax.fmax_eV_per_A:g} eV/Å) "
        f"among {hops.pocket_size} neighbouring oxygens in {hops.pockets} places; the two nearest "
        "to each other that differ by the oxygens that hold it were joined by climbing-image "
        f"nudged elastic bands [@cineb; @tangent; @idpp] of {band.images} moving images, "
        f"converged to {band.fmax_eV_per_A:g} eV/Å.{points}"
    )
