"""The settings of the PEO reproduction, typed; their values stand in ``inputs/protocols``."""

from __future__ import annotations

from dataclasses import dataclass

from superionic.analysis.chain_hop_claims import ChainHopRule
from superionic.analysis.electrolyte_claims import ElectrolyteRule
from superionic.workflows.chain_pockets import ChainHopSettings
from superionic.workflows.electrolyte_md import ForceFieldChoice, Observables, RunPlan
from superionic.workflows.relax import RelaxSettings

PUBLISHED_HOPS_EV = {"PEO": 5.10, "CPE-10, first": 0.73, "CPE-10, second": 2.29}
"""Migration barriers printed for Fig. 4h, in eV."""
PUBLISHED_D_CM2_S = {"PEO": 4.9e-7, "CPE-10": 2.12e-6}
"""Diffusion coefficients of Na+ printed for Fig. 4f, in cm^2/s."""
PUBLISHED_PEAKS_ANG = (2.3, 4.5)
"""Peaks of g(r) of Na and O of TFSI printed for Fig. 4e, in angstrom."""


@dataclass(frozen=True)
class PeoElectrolyte:
    """The boxes; see `superionic.structures.recipe.BoxSpec`.

    Attributes
    ----------
    units, chains : int
        EO units a chain, and chains.
    salt : str
        Name of the salt.
    units_per_cation : float
        Ratio EO:Na.
    filler_wt_percent : float
        Share of the nodes in the box with filler.
    density_g_cm3 : float
        Density at which boxes are packed.
    boxes : int
        Independently packed and run boxes of either kind.
    """

    units: int
    chains: int
    salt: str
    units_per_cation: float
    filler_wt_percent: float
    density_g_cm3: float
    boxes: int


@dataclass(frozen=True)
class PeoNode:
    """The piece of the framework; see `superionic.structures.clusters.build_node`.

    Attributes
    ----------
    metals : tuple of str
        Its metals.
    cap : str
        What ends its carboxylates.
    facing : str
        Element of the metal that faces the chain.
    theory : str
        Level of theory of its geometry and charges.
    relax : RelaxSettings
        Of that geometry.
    """

    metals: tuple[str, ...]
    cap: str
    facing: str
    theory: str
    relax: RelaxSettings


@dataclass(frozen=True)
class PeoChain:
    """The oligomer that the ion hops along.

    Attributes
    ----------
    oxygens : int
        Its ether oxygens.
    tether_eV_per_A2 : float
        Springs on the carbons at both ends, and on those of the node.
    theory : str
        Level of theory of the hops.
    """

    oxygens: int
    tether_eV_per_A2: float
    theory: str


@dataclass(frozen=True)
class PeoProtocol:
    """Everything the run depends on; built from ``inputs/protocols/peo-*.toml``.

    Attributes
    ----------
    paper, fidelity : str
        Which paper, how good.
    electrolyte : PeoElectrolyte
        The boxes.
    force_field : ForceFieldChoice
        Their parameters.
    run : RunPlan
        Their dynamics; the seed counts up from box to box.
    observables : Observables
        What is read off.
    node : PeoNode
        The filler, as one node.
    chain : PeoChain
        The oligomer.
    hops : ChainHopSettings
        How hops along it are found and computed.
    hop_claim : ChainHopRule
        When "hops are easier beside the node" counts as decided.
    electrolyte_claim : ElectrolyteRule
        When "the filler frees Na+" and "Na+ moves faster" count as decided.
    """

    paper: str
    fidelity: str
    electrolyte: PeoElectrolyte
    force_field: ForceFieldChoice
    run: RunPlan
    observables: Observables
    node: PeoNode
    chain: PeoChain
    hops: ChainHopSettings
    hop_claim: ChainHopRule
    electrolyte_claim: ElectrolyteRule


def load_peo_protocol(fidelity: str) -> tuple[PeoProtocol, str]:
    """Return the protocol of a fidelity and its resolved text.

    Raises
    ------
    ProtocolError
        No protocol of that fidelity, or one with an unknown or missing setting.
    """
    from superionic.inputs.protocol import build, paper_protocol

    protocol = paper_protocol("peo", fidelity)
    typed = build(PeoProtocol, protocol.settings, where=protocol.name)
    return typed, protocol.resolved_text()
