"""Crystals from CIF text, partial occupancies and site labels kept.

The grammar, the cell and the symmetry operations are read by pymatgen; sites are expanded here, in
the file's order, so that labels, shared positions and special positions are under our control.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.cif_tables import (
    ListedAtom,
    atom_block,
    block_cell,
    block_operations,
    broken,
    listed_atoms,
)
from superionic.structures.cif_writer import SITE_LABEL
from superionic.structures.disordered import (
    OCCUPANCY_TOLERANCE,
    DisorderedStructure,
    check_site_overlap,
    format_formula,
)
from superionic.structures.errors import InvalidStructureError
from superionic.structures.labels import label_orbits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MERGE_ANG = 0.05
"""Symmetry images of a site closer than this (angstrom) are one special position."""

FORMULA_TOLERANCE = 0.10
"""Relative disagreement with the file's own formula, beyond which reading is an error."""


@dataclass
class _Site:
    """A site of the asymmetric unit with all its images."""

    label: str
    points: NDArray[np.float64]
    occupancy: dict[str, float] = field(default_factory=dict)


def parse_cif(text: str, name: str) -> DisorderedStructure:
    """Return the crystal of the first data block that has atoms.

    Parameters
    ----------
    text
        Content of the file.
    name
        How messages call the file.

    Raises
    ------
    StructureFileError
        The text is truncated, is no CIF, or contradicts its own chemical formula.
    InvalidStructureError
        A coordinate is not a number, an element is unknown, or a site is filled beyond 1.
    """
    notes: list[str] = []
    parser, block = atom_block(text, name, notes)
    cell = block_cell(block, name)
    rotations, translations = block_operations(parser, block, name, notes)
    sites: list[_Site] = []
    for atom in listed_atoms(block, name, notes):
        points = _orbit(atom.coordinate, rotations, translations, cell)
        _add_site(sites, atom, points, cell)
    if not sites:
        raise broken(name, "it lists no atoms")
    _rescale(sites, name, notes)
    crystal = DisorderedStructure(
        fractional=np.vstack([s.points for s in sites]),
        occupancies=tuple(s.occupancy for s in sites for _ in s.points),
        cell=cell,
        labels=tuple(s.label for s in sites for _ in s.points),
    )
    check_site_overlap(crystal)
    _compare_formula(crystal, block, name, notes)
    labels = crystal.labels if SITE_LABEL in block else _shared_labels(crystal, notes)
    return replace(crystal, labels=labels, notes=tuple(notes))


def _shared_labels(crystal: DisorderedStructure, notes: list[str]) -> tuple[str, ...]:
    """Return the labels, or symmetry orbits where the file only numbers its atoms (P1 exports)."""
    if len(set(crystal.labels)) < len(crystal):
        return crystal.labels
    orbits = label_orbits(
        crystal.fractional,
        crystal.cell,
        [tuple(occupancy) for occupancy in crystal.occupancies],
        kinds=[tuple(sorted(occupancy.items())) for occupancy in crystal.occupancies],
    )
    if not orbits or len(set(orbits)) == len(crystal):
        return crystal.labels
    notes.append("The file numbers its atoms one by one; sites were labelled by symmetry instead.")
    return orbits


def _orbit(
    coordinate: NDArray[np.float64],
    rotations: NDArray[np.float64],
    translations: NDArray[np.float64],
    cell: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the distinct images of a point, coincident ones averaged, wrapped to [0, 1)."""
    images = rotations @ coordinate + translations
    groups: list[list[NDArray[np.float64]]] = []
    for image in images:
        for group in groups:
            shift = image - group[0]
            shift -= np.round(shift)
            if np.linalg.norm(shift @ cell) < MERGE_ANG:
                group.append(group[0] + shift)
                break
        else:
            groups.append([image])
    points = np.array([np.mean(group, axis=0) for group in groups])
    points -= np.floor(points + 1e-9)
    return points


def _add_site(
    sites: list[_Site],
    atom: ListedAtom,
    points: NDArray[np.float64],
    cell: NDArray[np.float64],
) -> None:
    """Add a listed atom as a new site, or to the site that already has its position."""
    if sites:
        shift = np.vstack([s.points for s in sites]) - points[0]
        shift -= np.round(shift)
        near = np.flatnonzero(np.linalg.norm(shift @ cell, axis=1) < MERGE_ANG)
        if len(near):
            ends = np.cumsum([len(s.points) for s in sites])
            site = sites[int(np.searchsorted(ends, near[0], side="right"))]
            site.occupancy[atom.symbol] = site.occupancy.get(atom.symbol, 0.0) + atom.occupancy
            site.label = "/".join(dict.fromkeys([*site.label.split("/"), *atom.label.split("/")]))
            return
    sites.append(_Site(atom.label, points, {atom.symbol: atom.occupancy}))


def _rescale(sites: Sequence[_Site], name: str, notes: list[str]) -> None:
    for site in sites:
        total = sum(site.occupancy.values())
        if total > 1 + OCCUPANCY_TOLERANCE:
            raise InvalidStructureError(
                f"{name}: site {site.label} is filled to {total:.3f}, beyond 1: "
                f"{site.occupancy}. A duplicated line is the usual cause."
            )
        if total > 1 + 1e-9:
            site.occupancy = {s: x / total for s, x in site.occupancy.items()}
            if total > 1 + 1e-4:
                notes.append(f"Site {site.label} was filled to {total:.4f}; scaled to 1.")


def _compare_formula(
    crystal: DisorderedStructure, block: dict[str, Any], name: str, notes: list[str]
) -> None:
    """Compare the sites with _chemical_formula_sum: the one sign of rows that are missing."""
    text = block.get("_chemical_formula_sum")
    if not isinstance(text, str):
        return
    stated = {"H" if s == "D" else s: float(x or 1) for s, x in _FORMULA.findall(text)}
    found = crystal.composition
    if ("H" in stated) != ("H" in found):
        notes.append("The file's formula and its sites disagree on hydrogen.")
    stated, found = ({s: x for s, x in c.items() if s != "H"} for c in (stated, found))
    if not stated or not found or not all(s in atomic_numbers for s in stated):
        return
    scale = sum(stated.values()) / sum(found.values())
    worst = max(
        abs(found.get(s, 0.0) * scale - stated.get(s, 0.0)) / stated.get(s, 1e-9)
        for s in {*stated, *found}
    )
    sentence = (
        f"the sites give {crystal.reduced_formula}, the file's _chemical_formula_sum is "
        f"{format_formula(stated)}"
    )
    if worst > FORMULA_TOLERANCE:
        raise broken(
            name, f"{sentence}; rows may be missing, else correct or delete the formula line"
        )
    if worst > 0.01:
        notes.append(sentence[0].upper() + sentence[1:] + ".")


_FORMULA = re.compile(r"([A-Z][a-z]?)\s*([0-9]*\.?[0-9]*)")
