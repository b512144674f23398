"""Chains of poly(ethylene oxide): which atoms, and their geometry from torsions.

==========  ============================  =====================================================
ends        chain of n units              residue of an inner unit, in the order of its atoms
==========  ============================  =====================================================
methyl      H-[CH2-O-CH2]n-H              C1 H11 H12 O1 C2 H21 H22
hydroxyl    HO-[CH2-CH2-O]n-H             O1 C1 H11 H12 C2 H21 H22
==========  ============================  =====================================================

With methyl ends (glymes; tetraglyme has n = 5) there are as many oxygens as units. The first and
the last methyl have a third hydrogen, H13 and H23. With hydroxyl ends the last residue closes with
O2 HO2, and the first oxygen has HO1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import Bond, Molecule, framed
from superionic.structures.rotational_states import ChainStatistics
from superionic.structures.structure import OVERLAP_ANG
from superionic.structures.zmatrix import methyl_hydrogens, methylene_hydrogens, place_atom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BACKBONE_DEG",
    "BONDS_ANG",
    "COH_DEG",
    "HCH_DEG",
    "HELIX_DEG",
    "METHYL_DEG",
    "TEMPERATURE_K",
    "ChainLayout",
    "Ends",
    "Shape",
    "chain_layout",
    "chain_positions",
    "peo_chain",
]

Ends = Literal["methyl", "hydroxyl"]
Shape = Literal["states", "helix", "trans"]

BONDS_ANG = {"CC": 1.53, "CO": 1.43, "OC": 1.43, "CH": 1.09, "OH": 0.96}
BACKBONE_DEG = 111.5
"""Bond angles of the backbone: lengths and angle of Abe and Mark (doi:10.1021/ja00437a006)."""
HCH_DEG, METHYL_DEG, COH_DEG = 108.0, 109.5, 108.5
HELIX_DEG = {"CC": 65.0, "CO": 188.0}
"""Torsions of the crystal's 7/2 helix (Y. Takahashi, H. Tadokoro 1973, doi:10.1021/ma60035a005)."""

TEMPERATURE_K = 400.0
_ATTEMPTS = 400


@dataclass(frozen=True, eq=False)
class ChainLayout:
    """The atoms of a chain, before any geometry.

    Attributes
    ----------
    backbone : str
        Symbols of the skeletal atoms.
    skeleton : tuple of int
        Index of each of them among all atoms.
    hydrogens : tuple of tuple of int
        Indices of the hydrogens on each of them.
    symbols, labels : tuple of str
        Of all atoms; a label is unique in its residue.
    residues : tuple of int
        Unit of each atom.
    bonds : tuple of Bond
        All bonds.
    """

    backbone: str
    skeleton: tuple[int, ...]
    hydrogens: tuple[tuple[int, ...], ...]
    symbols: tuple[str, ...]
    labels: tuple[str, ...]
    residues: tuple[int, ...]
    bonds: tuple[Bond, ...]

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.symbols)


def chain_layout(units: int, *, ends: Ends = "methyl") -> ChainLayout:
    """Return the atoms of a chain of poly(ethylene oxide).

    Raises
    ------
    InvalidStructureError
        Fewer than two units, or unknown ends.
    """
    if ends not in get_args(Ends):
        raise InvalidStructureError(f"A chain ends in methyl or hydroxyl; got {ends!r}.")
    if units < 2:
        raise InvalidStructureError(f"A chain has two or more units; got {units}.")
    unit = "COC" if ends == "methyl" else "OCC"
    backbone = unit * units + ("" if ends == "methyl" else "O")
    last = len(backbone) - 1
    symbols: list[str] = []
    labels: list[str] = []
    residues: list[int] = []
    skeleton: list[int] = []
    hydrogens: list[tuple[int, ...]] = []
    for k, symbol in enumerate(backbone):
        residue = min(k // 3, units - 1)
        number = backbone[3 * residue : k + 1].count(symbol)
        attached = _hydrogen_labels(symbol, number, at_end=k in (0, last))
        skeleton.append(len(symbols))
        hydrogens.append(tuple(range(len(symbols) + 1, len(symbols) + 1 + len(attached))))
        symbols += [symbol, *"H" * len(attached)]
        labels += [f"{symbol}{number}", *attached]
        residues += [residue] * (1 + len(attached))
    bonds = [(i, j, 1.0) for i, j in pairwise(skeleton)]
    bonds += [(i, h, 1.0) for i, own in zip(skeleton, hydrogens, strict=True) for h in own]
    return ChainLayout(
        backbone, tuple(skeleton), tuple(hydrogens), tuple(symbols), tuple(labels),
        tuple(residues), tuple(sorted(bonds)),
    )  # fmt: skip


def _hydrogen_labels(symbol: str, number: int, *, at_end: bool) -> list[str]:
    if symbol == "C":
        return [f"H{number}{m}" for m in range(1, 4 if at_end else 3)]
    return [f"HO{number}"] if at_end else []


def peo_chain(
    units: int,
    *,
    ends: Ends = "methyl",
    torsions: Shape | Sequence[float] = "states",
    seed: int = 0,
    temperature_K: float = TEMPERATURE_K,
) -> Molecule:
    """Build a chain of poly(ethylene oxide).

    Parameters
    ----------
    units
        Repeat units, two or more.
    ends
        ``methyl`` or ``hydroxyl``; see the table above for atoms and their labels.
    torsions
        ``states``: drawn from rotational isomeric states, again until no two atoms are nearer
        than 0.5 A; ``helix``: that of the crystal; ``trans``: all 180; or one number in degrees
        for each inner bond of the backbone.
    seed, temperature_K
        Of the states.

    Raises
    ------
    InvalidStructureError
        Too few units, torsions of another number, or, for a long chain of drawn states, none
        found that does not run into itself.
    """
    layout = chain_layout(units, ends=ends)
    statistics = ChainStatistics(layout.backbone, temperature_K=temperature_K)
    if isinstance(torsions, str) and torsions == "states":
        positions, note = _drawn(layout, statistics, seed), f"states at {temperature_K:g} K"
    else:
        angles, note = _given(torsions, statistics)
        positions = chain_positions(layout, angles)
    return Molecule(
        structure=framed(
            [atomic_numbers[s] for s in layout.symbols], positions, layout.labels
        ),
        name=f"peo-{units}",
        smiles=layout.backbone,
        source="built from bond lengths, angles and torsions",
        note=f"{units} units, {ends} ends, torsions: {note}",
        bonds=layout.bonds,
    )  # fmt: skip


def _given(
    torsions: str | Sequence[float], statistics: ChainStatistics
) -> tuple[NDArray[np.float64], str]:
    """Return torsions in degrees that are not drawn, and a word for them."""
    kinds = statistics.kinds
    if isinstance(torsions, str):
        known = {"helix": [HELIX_DEG[k] for k in kinds], "trans": [180.0] * len(kinds)}
        if torsions not in known:
            raise InvalidStructureError(
                f"Torsions are 'states', 'helix', 'trans' or numbers; got {torsions!r}."
            )
        return np.array(known[torsions]), torsions
    angles = np.asarray(torsions, dtype=float)
    if angles.shape != (len(kinds),) or not np.isfinite(angles).all():
        raise InvalidStructureError(
            f"The backbone has {len(kinds)} inner bonds; expected as many finite torsions in "
            f"degrees, got {angles.size}."
        )
    return angles, "given"


def _drawn(layout: ChainLayout, statistics: ChainStatistics, seed: int) -> NDArray[np.float64]:
    """Return positions of the first chain drawn in which no atoms overlap."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    for _ in range(_ATTEMPTS):
        states = statistics.draw(1, rng)
        positions = chain_positions(layout, statistics.torsions_deg(states, rng)[0])
        if not len(cKDTree(positions).query_pairs(OVERLAP_ANG, output_type="ndarray")):
            return positions
    raise InvalidStructureError(
        f"None of {_ATTEMPTS} chains of this length was free of overlaps. Take the helix, or let "
        "`build_box` grow it among other molecules."
    )


def chain_positions(layout: ChainLayout, torsions_deg: ArrayLike) -> NDArray[np.float64]:
    """Return all atoms of chains with given torsions of the backbone.

    Parameters
    ----------
    layout
        The atoms.
    torsions_deg
        shape=(..., torsions)

    Returns
    -------
    ndarray
        In angstrom. shape=(..., atoms, 3)
    """
    angles = np.asarray(torsions_deg, dtype=float)
    spine = backbone_positions(layout.backbone, angles)
    found = np.zeros((*angles.shape[:-1], len(layout), 3))
    found[..., list(layout.skeleton), :] = spine
    for k, own in enumerate(layout.hydrogens):
        if own:
            found[..., list(own), :] = hydrogens_of(layout.backbone, k, spine)
    return found


def backbone_positions(backbone: str, torsions_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the skeletal atoms of chains with given torsions, in angstrom.

    Parameters
    ----------
    backbone
        Symbols.
    torsions_deg
        shape=(..., torsions)

    Returns
    -------
    ndarray
        shape=(..., skeletal atoms, 3)
    """
    spine = np.zeros((*torsions_deg.shape[:-1], len(backbone), 3))
    spine[..., :3, :] = first_three(backbone)
    for k in range(3, len(backbone)):
        spine[..., k, :] = next_atom(backbone, k, spine, torsions_deg[..., k - 3])
    return spine


def first_three(backbone: str) -> NDArray[np.float64]:
    """Return the first three skeletal atoms in a plane, the middle one at the origin."""
    left, right = BONDS_ANG[backbone[:2]], BONDS_ANG[backbone[1:3]]
    angle = np.radians(BACKBONE_DEG)
    turned = [right * np.cos(angle), right * np.sin(angle), 0.0]
    return np.array([[left, 0.0, 0.0], [0.0, 0.0, 0.0], turned])


def next_atom(
    backbone: str, k: int, spine: NDArray[np.float64], torsion_deg: ArrayLike
) -> NDArray[np.float64]:
    """Return skeletal atom ``k`` from the three before it. shape=(..., 3)."""
    return place_atom(
        spine[..., k - 3, :], spine[..., k - 2, :], spine[..., k - 1, :],
        length_ang=BONDS_ANG[backbone[k - 1 : k + 1]], angle_deg=BACKBONE_DEG,
        torsion_deg=torsion_deg,
    )  # fmt: skip


def hydrogens_of(backbone: str, k: int, spine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the hydrogens of skeletal atom ``k``, its neighbours given. shape=(..., n, 3)."""
    last = len(backbone) - 1
    if 0 < k < last:
        return methylene_hydrogens(
            spine[..., k - 1, :], spine[..., k, :], spine[..., k + 1, :],
            length_ang=BONDS_ANG["CH"], angle_deg=HCH_DEG,
        )  # fmt: skip
    step = 1 if k == 0 else -1
    end, first, second = (spine[..., k + m * step, :] for m in range(3))
    if backbone[k] == "C":
        return methyl_hydrogens(
            second, first, end, length_ang=BONDS_ANG["CH"], angle_deg=METHYL_DEG
        )
    bonded = place_atom(
        second, first, end, length_ang=BONDS_ANG["OH"], angle_deg=COH_DEG,
        torsion_deg=np.full(end.shape[:-1], 180.0),
    )  # fmt: skip
    return bonded[..., None, :]
