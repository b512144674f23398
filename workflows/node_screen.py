"""What a screen of metal nodes found: adsorption, and what was relaxed by itself."""

from __future__ import annotations

from dataclasses import dataclass

from superionic.analysis.node_binding import NodeAdsorption, PairBinding, pair_bindings
from superionic.structures.molecule import Molecule


@dataclass(frozen=True, eq=False)
class FreeEnergy:
    """A node or an ion by itself, relaxed, with its energies.

    Attributes
    ----------
    molecule : Molecule
        In its lowest geometry.
    energies_eV : dict
        Level of theory -> energy in eV.
    missing : dict
        Level of theory -> why there is none.
    fmax_eV_per_A : float
        Residual force at the level of the geometry, eV/angstrom.
    origin : str
        Which shape or relaxation it comes from.
    """

    molecule: Molecule
    energies_eV: dict[str, float]
    missing: dict[str, str]
    fmax_eV_per_A: float
    origin: str


@dataclass(frozen=True, eq=False)
class NodeScreen:
    """What a screen found.

    Attributes
    ----------
    adsorptions : tuple of NodeAdsorption
        One for each guest at each of its nodes.
    nodes, guests : dict
        By name and label, those that were relaxed.
    complexes : dict
        ``node guest`` -> the lowest complex as it relaxed, where there is one.
    """

    adsorptions: tuple[NodeAdsorption, ...]
    nodes: dict[str, FreeEnergy]
    guests: dict[str, FreeEnergy]
    complexes: dict[str, Molecule]

    def of(self, guest: str) -> tuple[NodeAdsorption, ...]:
        """Return the adsorption of one guest at all its nodes."""
        return tuple(a for a in self.adsorptions if a.adsorbate == guest)

    def at(self, node: str, guest: str) -> NodeAdsorption | None:
        """Return the adsorption of one guest at one node; None where it was not asked for."""
        return next((a for a in self.of(guest) if a.node == node), None)

    def bare_pair_eV(self, *, cation: str, anion: str, pair: str) -> dict[str, float]:
        """Return the binding of a pair in free space by level of theory, in eV."""
        parts = [self.guests.get(name) for name in (pair, cation, anion)]
        found = [part.energies_eV for part in parts if part is not None]
        if len(found) < 3:
            return {}
        whole, first, second = found
        return {t: whole[t] - first[t] - second[t] for t in whole if t in first and t in second}

    def pairs(self, *, cation: str, anion: str, pair: str) -> tuple[PairBinding, ...]:
        """Return the binding of cation and anion at every node that has both, at every level."""
        bare = self.bare_pair_eV(cation=cation, anion=anion, pair=pair)
        found: list[PairBinding] = []
        for one in self.of(pair):
            other = self.at(one.node, anion)
            if other is not None and {one.verdict, other.verdict} == {"converged"}:
                found += pair_bindings(other, one, cation=cation, bare_eV=bare)
        return tuple(found)
