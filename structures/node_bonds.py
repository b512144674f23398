"""Bonds of a node: of metals to donors, of carboxylates, and charges and clashes read off them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers, covalent_radii

from superionic.structures.contacts import touching_ang
from superionic.structures.errors import InvalidStructureError
from superionic.structures.metals import is_metal
from superionic.structures.molecule import Bond, Molecule, fragments
from superionic.structures.polyanions import BOND_FACTOR, NONMETALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

DONORS = ("N", "O", "F", "S", "Cl", "Br", "I")
"""Atoms that bind a metal."""

DATIVE_FACTOR = 1.25
"""A metal and a donor bond below this multiple of the sum of their covalent radii."""

CLASH_SHARE = 0.6
"""Atoms three or more bonds apart must keep this share of the sum of their van der Waals radii."""

HALIDES = ("F", "Cl", "Br", "I")


def bonds_by_distance(numbers: ArrayLike, positions: ArrayLike) -> tuple[Bond, ...]:
    """Return covalent bonds between nonmetals, and bonds of metals to donors, all of order 1."""
    elements, points = np.asarray(numbers, dtype=np.int64), np.asarray(positions, dtype=float)
    nonmetal = np.isin(elements, [atomic_numbers[s] for s in NONMETALS])
    donor = np.isin(elements, [atomic_numbers[s] for s in DONORS])
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    reach = covalent_radii[elements][:, None] + covalent_radii[elements][None]
    covalent = nonmetal[:, None] & nonmetal[None] & (apart < BOND_FACTOR * reach)
    dative = ~nonmetal[:, None] & donor[None] & (apart < DATIVE_FACTOR * reach)
    found = np.argwhere(np.triu(covalent | dative | dative.T, 1))
    return tuple((int(i), int(j), 1.0) for i, j in found)


def covalent_only(molecule: Molecule) -> tuple[Bond, ...]:
    """Return the bonds that no metal takes part in."""
    metal = [is_metal(symbol) for symbol in molecule.symbols]
    return tuple(bond for bond in molecule.bonds if not metal[bond[0]] and not metal[bond[1]])


def carboxylates(molecule: Molecule) -> tuple[tuple[int, int, int], ...]:
    """Return C, O and O of each carboxylate: both oxygens have no other covalent bond."""
    partners: dict[int, list[int]] = {}
    for i, j, _ in covalent_only(molecule):
        partners.setdefault(i, []).append(j)
        partners.setdefault(j, []).append(i)
    found = []
    for k, symbol in enumerate(molecule.symbols):
        around = partners.get(k, [])
        bare = [a for a in around if molecule.symbols[a] == "O" and len(partners[a]) == 1]
        if symbol == "C" and len(bare) == 2 and len(around) == 3:
            found.append((k, *sorted(bare)))
    return tuple((c, a, b) for c, a, b in found)


def ligand_charges(molecule: Molecule) -> NDArray[np.float64]:
    """Return formal charges of all atoms but the metals in e. shape=(atoms,).

    Known are carboxylates (-1 each), oxide, hydroxide, water, halides, and what is not bonded to
    a metal (0).

    Raises
    ------
    InvalidStructureError
        A metal holds something else.
    """
    charges = np.zeros(len(molecule))
    metal = {k for k, symbol in enumerate(molecule.symbols) if is_metal(symbol)}
    bound = {i + j - m for i, j, _ in molecule.bonds for m in metal & {i, j}}
    groups = carboxylates(molecule)
    for _, first, second in groups:
        charges[[first, second]] -= 0.5
    done = {k for group in groups for k in group}
    for part in fragments(len(molecule), covalent_only(molecule)):
        loose = bound & set(part) - done
        if metal & set(part) or not loose:
            continue
        formula = "".join(sorted(molecule.symbols[k] for k in part))
        charge = {"O": -2.0, "HO": -1.0, "HHO": 0.0, **dict.fromkeys(HALIDES, -1.0)}.get(formula)
        if charge is None:
            k = min(loose)
            raise InvalidStructureError(
                f"Atom {k} ({molecule.symbols[k]}) binds a metal as part of "
                f"{molecule.structure.take(part).formula}, which is no carboxylate, oxide, "
                "hydroxide, water or halide: its charge is not known. Give ligand_charge."
            )
        charges[min(loose)] += charge
    return charges


def check_clashes(molecule: Molecule, *, share: float = CLASH_SHARE) -> float:
    """Return the least distance between atoms three or more bonds apart, over their contact.

    Raises
    ------
    InvalidStructureError
        It is below ``share`` of the sum of the van der Waals radii; names the pair. Two metals
        are not looked at.
    """
    count = len(molecule)
    linked = np.eye(count, dtype=bool)
    for i, j, _ in molecule.bonds:
        linked[i, j] = linked[j, i] = True
    near = (linked.astype(np.int64) @ linked.astype(np.int64)) > 0
    metal = np.array([is_metal(symbol) for symbol in molecule.symbols])
    far = np.triu(~near & ~(metal[:, None] & metal[None]), 1)
    if not far.any():
        return float("inf")
    apart = np.linalg.norm(molecule.positions[:, None] - molecule.positions[None], axis=-1)
    numbers = molecule.structure.numbers
    ratio = np.where(far, apart / touching_ang(numbers, numbers, share=1.0), np.inf)
    i, j = (int(k) for k in np.unravel_index(int(np.argmin(ratio)), ratio.shape))
    if ratio[i, j] < share:
        raise InvalidStructureError(
            f"Atoms {i} ({molecule.symbols[i]}) and {j} ({molecule.symbols[j]}) of "
            f"{molecule.name or molecule.formula} are {apart[i, j]:.2f} A apart, "
            f"{ratio[i, j]:.2f} of the sum of their van der Waals radii; expected {share:g} or "
            "more. Another cap, or other distances, make room."
        )
    return float(ratio[i, j])


def bonds_between(bonds: Sequence[Bond], first: int, last: int) -> int:
    """Return the least number of bonds from one atom to another, 0 where none lead there."""
    partners: dict[int, list[int]] = {}
    for i, j, _ in bonds:
        partners.setdefault(i, []).append(j)
        partners.setdefault(j, []).append(i)
    steps = {first: 0}
    queue = [first]
    for atom in queue:
        for other in partners.get(atom, []):
            if other not in steps:
                steps[other] = steps[atom] + 1
                queue.append(other)
    return steps.get(last, 0)
