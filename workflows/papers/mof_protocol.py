"""The settings of the MOF reproduction, typed; their values stand in ``inputs/protocols``."""

from __future__ import annotations

from dataclasses import dataclass, field

from superionic.analysis.node_claims import RankingRule, WeakeningRule
from superionic.workflows.node_settings import Guest, NodeSettings
from superionic.workflows.papers.mof_electronic import ElectronicPlan

PUBLISHED_EV = {"Fe3": -0.27, "Ni3": -0.55}
"""Adsorption energies of TFSI- printed in the paper (Fig. S14), in eV."""


@dataclass(frozen=True)
class MofProtocol:
    """Everything the run depends on; built from ``inputs/protocols/mof-*.toml``.

    Attributes
    ----------
    paper, fidelity, theory : str
        Which paper, how good, what relaxes.
    nodes : tuple of str
        The screen, such as ``Fe2Ni``.
    cap : str
        What ends the carboxylates.
    charge : int
        Of every bare node, in e.
    tfsi, natfsi, na : Guest
        The anion, the pair and the cation.
    search : NodeSettings
        How their adsorption is found.
    ranking : RankingRule
        When the paper's claim on the nine counts as decided.
    weakening : WeakeningRule
        When its claim on Na+ and TFSI- counts as decided.
    electronic : ElectronicPlan
        Which nodes get densities of states.
    """

    paper: str
    fidelity: str
    theory: str
    nodes: tuple[str, ...]
    cap: str
    charge: int
    tfsi: Guest
    natfsi: Guest
    na: Guest
    search: NodeSettings
    ranking: RankingRule
    weakening: WeakeningRule
    electronic: ElectronicPlan = field(default_factory=ElectronicPlan)

    @property
    def guests(self) -> tuple[Guest, Guest, Guest]:
        """All that adsorbs."""
        return self.tfsi, self.natfsi, self.na


def load_mof_protocol(fidelity: str) -> tuple[MofProtocol, str]:
    """Return the protocol of a fidelity and its resolved text.

    Raises
    ------
    ProtocolError
        No protocol of that fidelity, or one with an unknown or missing setting.
    """
    from superionic.inputs.protocol import build, paper_protocol

    protocol = paper_protocol("mof", fidelity)
    typed = build(MofProtocol, protocol.settings, where=protocol.name)
    return typed, protocol.resolved_text()
