"""What the MOF reproduction computed."""

from __future__ import annotations

from dataclasses import dataclass, field

from superionic.analysis.claim import Claim
from superionic.analysis.node_binding import NodeAdsorption, PairBinding
from superionic.analysis.node_claims import RankingClaim
from superionic.workflows.electronic_results import ElectronicResult
from superionic.workflows.node_screen import NodeScreen


@dataclass(frozen=True, eq=False)
class MofResults:
    """The screen, the binding of the pair, and the verdicts.

    Attributes
    ----------
    screen : NodeScreen
        Everything that was relaxed.
    tfsi : tuple of NodeAdsorption
        TFSI- at every node, in the order of the protocol.
    pairs : tuple of PairBinding
        Na+ and TFSI- at every node that has both, at every level.
    ranking : RankingClaim
        On "Fe-Ni strongest, Fe and Ni weakest".
    weakening : Claim
        On "the Fe-Ni MOF weakens the binding of Na+ and TFSI-".
    electronic : dict
        Node -> its electronic structure, converged or not.
    centres_eV : dict
        Node -> metal -> d-band centre in eV from the Fermi level, where one was computed.
    """

    screen: NodeScreen
    tfsi: tuple[NodeAdsorption, ...]
    pairs: tuple[PairBinding, ...]
    ranking: RankingClaim
    weakening: Claim
    electronic: dict[str, ElectronicResult] = field(default_factory=dict)
    centres_eV: dict[str, dict[str, float]] = field(default_factory=dict)
