"""The value for a crystal whose sites may be shared or partly empty."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.errors import InvalidStructureError, PartialOccupancyError
from superionic.structures.structure import OVERLAP_ANG, Structure, readonly

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["OCCUPANCY_TOLERANCE", "WHOLE_TOLERANCE", "DisorderedStructure", "format_formula"]

OCCUPANCY_TOLERANCE = 0.02
"""Occupancies of one site may sum to 1 plus this; they are then scaled to 1 by the reader."""

WHOLE_TOLERANCE = 1e-4
"""An occupancy closer than this to 0 or 1 counts as empty or full."""


@dataclass(frozen=True, eq=False)
class DisorderedStructure:
    """Crystal sites with occupancies, fully periodic.

    Attributes
    ----------
    fractional : ndarray
        Site positions in units of the lattice vectors. shape=(sites, 3)
    occupancies : tuple of dict
        For each site, element symbol -> occupancy between 0 and 1. An element with occupancy 0
        marks a site that is known but empty (a hole that a mobile ion may jump into).
    cell : ndarray
        Lattice vectors as rows, in angstrom. shape=(3, 3)
    labels : tuple of str
        Crystallographic site label. Symmetry-equivalent sites share their parent's label; a
        position shared by two listed sites has both names joined by a slash (``Si1/P1``).
    notes : tuple of str
        What a reader changed or had to assume, one sentence each.

    Raises
    ------
    InvalidStructureError
        Shapes disagree, a number is not finite, an element is unknown, an occupancy is outside
        [0, 1] or a site is filled beyond 1.
    """

    fractional: NDArray[np.float64]
    occupancies: tuple[dict[str, float], ...]
    cell: NDArray[np.float64]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Validate, copy and freeze."""
        set_ = object.__setattr__
        set_(self, "fractional", readonly(self.fractional, np.float64))
        set_(self, "cell", readonly(self.cell, np.float64))
        set_(self, "occupancies", tuple(dict(o) for o in self.occupancies))
        set_(self, "labels", tuple(str(x) for x in self.labels))
        set_(self, "notes", tuple(self.notes))
        n = len(self.occupancies)
        if n == 0:
            raise InvalidStructureError("A crystal needs at least one site; this one has none.")
        if self.fractional.shape != (n, 3) or self.cell.shape != (3, 3) or len(self.labels) != n:
            raise InvalidStructureError(
                f"For {n} sites expected fractional ({n}, 3), cell (3, 3) and {n} labels; got "
                f"{self.fractional.shape}, {self.cell.shape} and {len(self.labels)}."
            )
        finite = np.isfinite(self.fractional).all(axis=1)
        if not (finite.all() and np.isfinite(self.cell).all()):
            bad = [self.labels[i] for i in np.flatnonzero(~finite)[:5]]
            raise InvalidStructureError(
                f"Coordinates and cell must be finite; {bad or 'the cell'} hold NaN or infinity. "
                "Look for a broken line in the file."
            )
        if abs(np.linalg.det(self.cell)) < 1e-6:
            raise InvalidStructureError("The cell has no volume: lattice vectors are coplanar.")
        for label, occupancy in zip(self.labels, self.occupancies, strict=True):
            _check_occupancy(label, occupancy)

    def __len__(self) -> int:
        """Return the number of sites."""
        return len(self.occupancies)

    @property
    def positions(self) -> NDArray[np.float64]:
        """Cartesian site positions in angstrom. shape=(sites, 3)."""
        return np.asarray(self.fractional @ self.cell)

    @property
    def volume(self) -> float:
        """Cell volume in cubic angstrom."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def is_ordered(self) -> bool:
        """True when every site is empty or holds exactly one whole atom."""
        return all(is_whole(occupancy) for occupancy in self.occupancies)

    @property
    def composition(self) -> dict[str, float]:
        """Amount of each element in the cell, elements in order of first appearance."""
        amounts: dict[str, float] = {}
        for occupancy in self.occupancies:
            for symbol, share in occupancy.items():
                amounts[symbol] = amounts.get(symbol, 0.0) + share
        return {symbol: amount for symbol, amount in amounts.items() if amount > 1e-8}

    @property
    def formula(self) -> str:
        """Content of the cell in Hill order, e.g. ``Na18O72P6Si12Zr12``."""
        return format_formula(self.composition)

    @property
    def reduced_formula(self) -> str:
        """Content of the cell divided by the greatest common divisor of its whole amounts."""
        amounts = self.composition
        whole = [round(a) for a in amounts.values() if abs(a - round(a)) < 1e-3 and round(a)]
        divisor = math.gcd(*whole) if whole else 1
        return format_formula({s: a / max(divisor, 1) for s, a in amounts.items()})

    def _repr_html_(self) -> str:
        """Return a card for notebooks."""
        from superionic.structures.picture import html_card

        lengths = np.linalg.norm(self.cell, axis=1)
        shared = sum(not is_whole(site) for site in self.occupancies)
        rows = {
            "sites": f"{len(self)}, {shared} shared or partly empty",
            "a, b, c": ", ".join(f"{x:.3f}" for x in lengths) + " Å",
            "volume": f"{self.volume:.1f} Å³",
            **({"notes": " ".join(self.notes)} if self.notes else {}),
        }
        return html_card(self.reduced_formula, rows)

    def indices(self, label: str) -> tuple[int, ...]:
        """Return the sites that carry ``label``, or have it as a part of a joined label."""
        return tuple(i for i, x in enumerate(self.labels) if x == label or label in x.split("/"))

    def with_occupancies(self, occupancies: Iterable[Mapping[str, float]]) -> DisorderedStructure:
        """Return the same sites, filled differently."""
        return replace(self, occupancies=tuple(dict(o) for o in occupancies))

    def to_structure(self) -> Structure:
        """Return whole atoms; empty sites are left out.

        Raises
        ------
        PartialOccupancyError
            Some site is shared or partly filled.
        """
        partial = sorted(
            {x for x, o in zip(self.labels, self.occupancies, strict=True) if not is_whole(o)}
        )
        if partial:
            raise PartialOccupancyError(
                f"Whole atoms are needed here, but the sites {', '.join(partial)} of "
                f"{self.reduced_formula} are partially occupied. Make an ordered cell first: run "
                "`superionic structure order FILE -o OUT` or call "
                "superionic.structures.ordering.ordered_candidates."
            )
        kept = [(i, s) for i, o in enumerate(self.occupancies) for s, x in o.items() if x > 0.5]
        if not kept:
            raise InvalidStructureError("Every site of this crystal is empty.")
        return Structure(
            numbers=np.array([atomic_numbers[s] for _, s in kept]),
            positions=self.positions[[i for i, _ in kept]],
            cell=self.cell,
            labels=tuple(atom_label(self.labels[i], s) for i, s in kept),
        )

    @classmethod
    def from_structure(cls, structure: Structure) -> DisorderedStructure:
        """Take over whole atoms, each on a full site of its own.

        Raises
        ------
        InvalidStructureError
            The structure is not periodic in all three directions.
        """
        if not all(structure.pbc):
            raise InvalidStructureError(
                f"A crystal is periodic in three directions; this structure has pbc "
                f"{structure.pbc}. Use read_structure for molecules and open boundaries."
            )
        return cls(
            fractional=structure.fractional,
            occupancies=tuple({s: 1.0} for s in structure.symbols),
            cell=structure.cell,
            labels=structure.labels,
        )

    def to_pymatgen(self) -> Any:
        """Return a pymatgen ``Structure`` with the same site order and labels (no empty sites)."""
        from pymatgen.core.lattice import Lattice
        from pymatgen.core.structure import Structure as PymatgenStructure

        filled = [
            (f, {s: x for s, x in o.items() if x > 0}, label)
            for f, o, label in zip(self.fractional, self.occupancies, self.labels, strict=True)
            if sum(o.values()) > 0
        ]
        return PymatgenStructure(
            Lattice(self.cell),
            [o for _, o, _ in filled],
            [f for f, _, _ in filled],
            labels=[label for _, _, label in filled],
        )


def _check_occupancy(label: str, occupancy: Mapping[str, float]) -> None:
    unknown = [s for s in occupancy if s not in atomic_numbers or s == "X"]
    if unknown or not occupancy:
        raise InvalidStructureError(f"Site {label} needs chemical elements, got {list(occupancy)}.")
    values = list(occupancy.values())
    if not all(math.isfinite(v) and 0.0 <= v <= 1.0 + 1e-6 for v in values):
        raise InvalidStructureError(
            f"Occupancies must lie between 0 and 1; site {label} has {dict(occupancy)}."
        )
    if sum(values) > 1.0 + 1e-6:
        raise InvalidStructureError(
            f"Site {label} is filled to {sum(values):.4f}, beyond 1: {dict(occupancy)}. A "
            "duplicated line or a split position listed as full are the usual causes."
        )


def is_whole(occupancy: Mapping[str, float]) -> bool:
    """Return whether a site is empty or holds exactly one whole atom."""
    filled = [v for v in occupancy.values() if v > WHOLE_TOLERANCE]
    return not filled or (len(filled) == 1 and filled[0] > 1.0 - WHOLE_TOLERANCE)


def atom_label(site_label: str, symbol: str) -> str:
    """Return the label of an atom on a site: ``P1`` for P on ``Si1/P1``, else the site's own."""
    for part in site_label.split("/"):
        match = re.match(r"[A-Z][a-z]?", part)
        if match and match.group() == symbol:
            return part
    return site_label


def format_formula(amounts: Mapping[str, float]) -> str:
    """Return a formula in Hill order; amounts to four decimals, 1 left out."""
    first = ["C", "H"] if "C" in amounts else []
    order = [s for s in first if s in amounts] + sorted(s for s in amounts if s not in first)
    return "".join(f"{s}{_amount(amounts[s])}" for s in order)


def _amount(value: float) -> str:
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "" if text == "1" else text


def check_site_overlap(crystal: DisorderedStructure, minimum_ang: float = OVERLAP_ANG) -> None:
    """Raise if two sites that can be filled together are closer than a limit.

    Sites whose occupancies sum to at most 1 are split positions of one atom and may overlap.

    Raises
    ------
    InvalidStructureError
        Names the closest pair, its distance in angstrom and both occupancies.
    """
    from ase import Atoms
    from ase.neighborlist import neighbor_list

    filled = np.array([sum(o.values()) for o in crystal.occupancies])
    atoms = Atoms(
        numbers=np.ones(len(crystal), dtype=int),
        scaled_positions=crystal.fractional,
        cell=crystal.cell,
        pbc=True,
    )
    i, j, d = neighbor_list("ijd", atoms, minimum_ang)
    clash = filled[i] + filled[j] > 1.0 + OCCUPANCY_TOLERANCE
    if clash.any():
        k = int(np.flatnonzero(clash)[np.argmin(d[clash])])
        a, b = int(i[k]), int(j[k])
        raise InvalidStructureError(
            f"Sites {crystal.labels[a]} (filled {filled[a]:.2f}) and {crystal.labels[b]} (filled "
            f"{filled[b]:.2f}) are {d[k]:.3f} A apart, closer than {minimum_ang} A. Look for a "
            "duplicated line, a wrong cell or a split position listed as full."
        )
