"""Rotational isomeric states of polyether backbones: their weights, and chains drawn from them.

Each torsion about a skeletal bond is trans (180 degrees) or gauche. Energies over trans, in
kcal/mol, after A. Abe and J. E. Mark, J. Am. Chem. Soc. 98, 6468 (1976),
doi:10.1021/ja00437a006: gauche about C-C -0.5 and about C-O 0.9; neighbours of opposite gauche
0.4 more around a carbon, and forbidden around an oxygen, where two methylenes would meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import units

from superionic.structures.errors import InvalidStructureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TORSIONS_DEG = {"CC": (180.0, 70.0, -70.0), "CO": (180.0, 80.0, -80.0)}
"""Torsions of trans, gauche+ and gauche- about each kind of bond, in degrees."""

GAUCHE_KCAL_PER_MOL = {"CC": -0.5, "CO": 0.9}
"""Energy of gauche over trans about each kind of bond."""
OPPOSITE_KCAL_PER_MOL = {"C": 0.4, "O": np.inf}
"""Further energy of two neighbouring bonds of opposite gauche, by the atom between them."""

WIDTH_DEG = 10.0
"""Standard deviation of a torsion about its state, in degrees."""

GAS_KCAL_PER_MOL_K = units.kB * units.mol / units.kcal
GAUCHE_PLUS, GAUCHE_MINUS = 1, 2


class ChainStatistics:
    """What is known of the torsions of a backbone: conditional probabilities, bond by bond.

    Parameters
    ----------
    backbone
        Symbols of the skeletal atoms, C and O: ``COCCOC``.
    temperature_K
        At which the states are weighted.

    Attributes
    ----------
    kinds : tuple of str
        Kind of bond of each torsion, ``CC`` or ``CO``. length=torsions
    angles_deg : ndarray
        Torsions of the three states. shape=(torsions, 3)
    conditional : ndarray
        Probability of a state (last axis) given the state of the torsion before, all later ones
        summed out; the first does not depend on it. shape=(torsions, 3, 3)

    Raises
    ------
    InvalidStructureError
        Other atoms, two oxygens together, or no positive temperature.
    """

    def __init__(self, backbone: str, *, temperature_K: float) -> None:
        if not 0.0 < temperature_K < np.inf:
            raise InvalidStructureError(
                f"States need a temperature above 0 K; got {temperature_K} K."
            )
        if set(backbone) - set("CO") or "OO" in backbone:
            raise InvalidStructureError(
                f"Expected a backbone of C and O without O-O bonds; got {backbone[:60]!r}."
            )
        inner = range(1, len(backbone) - 2)
        self.kinds = tuple("CC" if backbone[k : k + 2] == "CC" else "CO" for k in inner)
        self.angles_deg = np.array([TORSIONS_DEG[kind] for kind in self.kinds]).reshape(-1, 3)
        thermal = GAS_KCAL_PER_MOL_K * temperature_K
        pairs = zip(inner, self.kinds, strict=True)
        weights = [_weights(backbone[k], kind, thermal) for k, kind in pairs]
        self.conditional = _conditional(weights)

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw states of whole chains, each with its exact probability. shape=(count, torsions)."""
        states = np.zeros((count, len(self.kinds)), dtype=np.int64)
        last = np.zeros(count, dtype=np.int64)
        for k in range(len(self.kinds)):
            last = states[:, k] = self.next_states(k, last, rng)
        return states

    def next_states(
        self, torsion: int, last: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the states of one torsion given those before it. shape=(count,)."""
        cumulative = np.cumsum(self.conditional[torsion], axis=1)[last]
        drawn = (rng.random(len(last))[:, None] >= cumulative).sum(axis=1)
        return np.asarray(np.minimum(drawn, 2))

    def torsions_deg(
        self, states: NDArray[np.int64], rng: np.random.Generator, *, width_deg: float = WIDTH_DEG
    ) -> NDArray[np.float64]:
        """Return torsions in degrees, spread about their states. shape=states.shape."""
        centres = self.angles_deg[np.arange(states.shape[-1]), states]
        return np.asarray(centres + width_deg * rng.normal(size=states.shape))


def _weights(atom: str, kind: str, thermal: float) -> NDArray[np.float64]:
    """Return the weight of a torsion's state (columns) after another state (rows)."""
    gauche = np.exp(-GAUCHE_KCAL_PER_MOL[kind] / thermal)
    matrix = np.tile([1.0, gauche, gauche], (3, 1))
    opposite = np.exp(-OPPOSITE_KCAL_PER_MOL[atom] / thermal)
    matrix[GAUCHE_PLUS, GAUCHE_MINUS] *= opposite
    matrix[GAUCHE_MINUS, GAUCHE_PLUS] *= opposite
    return np.asarray(matrix)


def _conditional(weights: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the probability of each state given the one before, all later ones summed out."""
    found = np.zeros((len(weights), 3, 3))
    later = np.ones(3)
    for k in range(len(weights) - 1, -1, -1):
        matrix = weights[k] if k else np.tile(weights[0][0], (3, 1))
        joint = matrix * later
        total = joint.sum(axis=1)
        found[k] = joint / total[:, None]
        later = total / total.max()
    return found
