"""What the PEO reproduction computed."""

from __future__ import annotations

from dataclasses import dataclass

from superionic.analysis.chain_hop_claims import ChainHopClaim
from superionic.analysis.chain_hops import ChainHop
from superionic.analysis.claim import Claim
from superionic.structures.molecule import Molecule
from superionic.workflows.chain_pockets import RelaxedPocket
from superionic.workflows.electrolyte_md import ElectrolyteRun, FillerModel
from superionic.workflows.relax import RelaxResult


@dataclass(frozen=True, eq=False)
class NodeModel:
    """The node alone.

    Attributes
    ----------
    molecule : Molecule
        Relaxed.
    relaxed : RelaxResult
        The relaxation.
    filler : FillerModel
        Its charges.
    """

    molecule: Molecule
    relaxed: RelaxResult
    filler: FillerModel


@dataclass(frozen=True, eq=False)
class HopStudy:
    """Hops along one chain.

    Attributes
    ----------
    name : str
        ``PEO``, or the chain beside the node.
    pockets : tuple of RelaxedPocket
        All that were tried.
    hop : ChainHop or None
        The hop; None where no two pockets differ, or a task failed.
    reason : str
        Why there is none; empty otherwise.
    """

    name: str
    pockets: tuple[RelaxedPocket, ...]
    hop: ChainHop | None
    reason: str


@dataclass(frozen=True, eq=False)
class PeoResults:
    """Boxes and hops.

    Attributes
    ----------
    node : NodeModel
        The filler.
    bare, filled : tuple of ElectrolyteRun
        Boxes without and with it.
    failures : tuple of str
        What of these failed, one sentence each.
    hops : tuple of HopStudy
        Without the node, and beside it.
    hop_claim : ChainHopClaim
        On "hops are easier beside the node".
    pairing, motion : Claim
        On "Na+ has fewer TFSI oxygens beside it" and "Na+ diffuses faster" with the filler.
    """

    node: NodeModel
    bare: tuple[ElectrolyteRun, ...]
    filled: tuple[ElectrolyteRun, ...]
    failures: tuple[str, ...]
    hops: tuple[HopStudy, ...]
    hop_claim: ChainHopClaim
    pairing: Claim
    motion: Claim

    @property
    def all_hops(self) -> tuple[ChainHop, ...]:
        """Every hop that was tried."""
        return tuple(study.hop for study in self.hops if study.hop is not None)

    @property
    def runs(self) -> tuple[ElectrolyteRun, ...]:
        """Every box that was run."""
        return (*self.bare, *self.filled)
