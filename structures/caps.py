"""What ends a carboxylate: hydrogen, methyl, phenyl, or the ring of trimesic acid.

Bond lengths and angles are the usual ones of organic crystals (F. H. Allen et al., J. Chem. Soc.
Perkin Trans. 2 S1 (1987), doi:10.1039/p298700000s1), hydrogens as neutrons see them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import InvalidStructureError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.molecule import Bond

CARBOXYLATE_CO_ANG = 1.26
CARBOXYLATE_ANGLE_DEG = 125.0
"""C-O length and O-C-O angle of a carboxylate that bridges two metals: O...O 2.235 A."""

WATER_OH_ANG, WATER_ANGLE_DEG = 0.96, 104.5

_CH_FORMYL, _CC_METHYL, _CH_METHYL = 1.10, 1.51, 1.09
_CC_ARYL, _CC_RING, _CH_RING = 1.49, 1.39, 1.08
_ACID_CO_DOUBLE, _ACID_CO_SINGLE, ACID_OH_ANG = 1.21, 1.32, 0.97
ACID_COH_DEG = 107.0
_ALIASES = {
    "h": "formate", "hcoo": "formate",
    "ch3": "acetate", "me": "acetate", "methyl": "acetate",
    "c6h5": "benzoate", "ph": "benzoate", "phenyl": "benzoate",
    "btc": "trimesate", "h2btc": "trimesate", "1,3,5-benzenetricarboxylate": "trimesate",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cap:
    """The rest R of a carboxylate R-CO2.

    Attributes
    ----------
    name : str
        Of the carboxylate.
    numbers : ndarray
        Atomic numbers; the first atom is bonded to the carboxyl carbon. shape=(atoms,)
    positions : ndarray
        In angstrom, about the carboxyl carbon: x along the line through both oxygens, y away from
        them. shape=(atoms, 3)
    bonds : tuple of Bond
        Among these atoms.
    """

    name: str
    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    bonds: tuple[Bond, ...]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "numbers", readonly(self.numbers, np.int64))
        object.__setattr__(self, "positions", readonly(self.positions, np.float64))

    def placed(
        self,
        carbon: NDArray[np.float64],
        along: NDArray[np.float64],
        out: NDArray[np.float64],
        face: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the positions at a carboxyl carbon, in angstrom. shape=(atoms, 3).

        Parameters
        ----------
        carbon
            Its position in angstrom. shape=(3,)
        along, out
            Unit vectors, at right angles: from one oxygen to the other, and away from both.
        face
            Decides which side of the plane is z.
        """
        normal = np.cross(along, out)
        frame = np.array([along, out, -normal if normal @ face < 0 else normal])
        return np.asarray(carbon + self.positions @ frame)


def caps() -> tuple[str, ...]:
    """Return the names of the caps."""
    return tuple(_BUILDERS)


def find_cap(name: str) -> Cap:
    """Return a cap by the name of its carboxylate, or by R (``H``, ``CH3``, ``C6H5``, ``BTC``).

    Raises
    ------
    InvalidStructureError
        There is no such cap.
    """
    word = name.strip().lower()
    key = _ALIASES.get(word, word)
    if key not in _BUILDERS:
        raise InvalidStructureError(
            f"There is no cap {name!r}; there are {', '.join(caps())}. For another carboxylate cut "
            "the node out of a crystal that has it (`superionic.structures.node_cut.cut_node`)."
        )
    return _cap(key)


@cache
def _cap(key: str) -> Cap:
    numbers, positions, bonds = _BUILDERS[key]()
    return Cap(key, np.array(numbers), np.array(positions), tuple(bonds))


_Built = tuple[list[int], list[list[float]], list["Bond"]]


def _formate() -> _Built:
    return [1], [[0.0, _CH_FORMYL, 0.0]], []


def _acetate() -> _Built:
    """One hydrogen at right angles to the plane of the carboxylate, which keeps its mirror."""
    lean = np.arccos(-1.0 / 3.0) - np.pi / 2
    points = [[0.0, _CC_METHYL, 0.0]]
    for turn in np.pi / 2 + 2 * np.pi / 3 * np.arange(3):
        x, z = _CH_METHYL * np.cos(lean) * np.array([np.cos(turn), np.sin(turn)])
        points.append([float(x), _CC_METHYL + _CH_METHYL * float(np.sin(lean)), float(z)])
    return [6, 1, 1, 1], points, [(0, 1, 1.0), (0, 2, 1.0), (0, 3, 1.0)]


def _ring(skip: tuple[int, ...]) -> tuple[_Built, NDArray[np.float64], NDArray[np.float64]]:
    """Return a phenyl ring in the plane of the carboxylate, without hydrogen on some carbons."""
    turn = -np.pi / 2 + np.pi / 3 * np.arange(6)
    spokes = np.column_stack([np.cos(turn), np.sin(turn), np.zeros(6)])
    carbons = np.array([0.0, _CC_ARYL + _CC_RING, 0.0]) + _CC_RING * spokes
    numbers, points = [6] * 6, carbons.tolist()
    bonds: list[Bond] = [(k, (k + 1) % 6, 1.5) for k in range(6)]
    for k in range(1, 6):
        if k not in skip:
            bonds.append((k, len(numbers), 1.0))
            numbers.append(1)
            points.append((carbons[k] + _CH_RING * spokes[k]).tolist())
    return (numbers, points, bonds), carbons, spokes


def _benzoate() -> _Built:
    return _ring(())[0]


def _trimesate() -> _Built:
    """Both free acids in the plane of the ring, each other's mirror image, OH away from C4-H."""
    (numbers, points, bonds), carbons, spokes = _ring((2, 4))
    for k in (2, 4):
        carbon = carbons[k] + _CC_ARYL * spokes[k]
        across = carbons[3] - carbons[0]  # towards the carbon between the two acids
        across = across - (across @ spokes[k]) * spokes[k]
        acid = acid_group(carbon, spokes[k], across / np.linalg.norm(across))
        first = len(numbers)
        numbers += [6, 8, 8, 1]
        points += [carbon.tolist(), *acid.tolist()]
        bonds += [
            (k, first, 1.0), (first, first + 1, 2.0), (first, first + 2, 1.0),
            (first + 2, first + 3, 1.0),
        ]  # fmt: skip
    return numbers, points, bonds


def acid_group(
    carbon: NDArray[np.float64], out: NDArray[np.float64], across: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return O, O and H of a free acid, the hydrogen on the side of the other oxygen (syn).

    Parameters
    ----------
    carbon
        Carboxyl carbon in angstrom. shape=(3,)
    out
        Unit vector from the rest of the molecule to it. shape=(3,)
    across
        Unit vector at right angles, to the side of the doubly bonded oxygen. shape=(3,)

    Returns
    -------
    ndarray
        =O, -O- and H in angstrom. shape=(3, 3)
    """
    half = np.radians(123.0 / 2)
    double = carbon + _ACID_CO_DOUBLE * (np.cos(half) * out + np.sin(half) * across)
    single = carbon + _ACID_CO_SINGLE * (np.cos(half) * out - np.sin(half) * across)
    return np.array([double, single, acid_hydrogen(carbon, single, double)])


def acid_hydrogen(
    carbon: NDArray[np.float64], oxygen: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where the hydrogen of an acid goes: in its plane, syn to the other oxygen."""
    back = (carbon - oxygen) / np.linalg.norm(carbon - oxygen)
    side = other - carbon
    side = side - (side @ back) * back
    side /= np.linalg.norm(side)
    angle = np.radians(ACID_COH_DEG)
    return np.asarray(oxygen + ACID_OH_ANG * (np.cos(angle) * back + np.sin(angle) * side))


def water(
    oxygen: NDArray[np.float64], out: NDArray[np.float64], across: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return O, H, H of a water whose lone pair points back along ``out``. shape=(3, 3).

    Parameters
    ----------
    oxygen
        In angstrom. shape=(3,)
    out, across
        Unit vectors at right angles: away from the metal, and between the hydrogens.
    """
    half = np.radians(WATER_ANGLE_DEG / 2)
    arm = WATER_OH_ANG * np.cos(half) * out
    side = WATER_OH_ANG * np.sin(half) * across
    return np.array([oxygen, oxygen + arm + side, oxygen + arm - side])


_BUILDERS = {
    "formate": _formate,
    "acetate": _acetate,
    "benzoate": _benzoate,
    "trimesate": _trimesate,
}
