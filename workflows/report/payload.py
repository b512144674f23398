"""Paths for the interactive view, as compact JSON: whole thousandths of an angstrom."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors

from superionic.analysis.figures.polyhedra import find_polyhedra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.structures.structure import Structure
    from superionic.workflows.report.content import ViewerModel

UNIT_ANG = 0.001
"""Positions are whole multiples of this."""

_WRAP = 1e-3
_BOND_FACTOR = 1.2
_MOBILE = tuple(chemical_symbols.index(x) for x in ("Li", "Na", "K", "Rb", "Cs", "Ag"))


def viewer_payload(models: Sequence[ViewerModel]) -> str:
    """Return the JSON that the viewer script reads, safe to stand inside an HTML script element.

    Every model holds its positions as they were given. ``sprites`` lists what is drawn: an atom's
    index and the lattice translation at which it appears, so that atoms lie inside the cell and
    polyhedra are whole across its boundaries.
    """
    used = sorted({int(z) for m in models for z in m.structure.numbers})
    data = {
        "unit_ang": UNIT_ANG,
        "elements": {z: _element(z) for z in used},
        "models": [_model(m) for m in models],
    }
    return script_safe(json.dumps(data, separators=(",", ":"), allow_nan=False))


def script_safe(text: str) -> str:
    """Return JSON in which nothing can end, or look like, an HTML tag or comment."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _element(number: int) -> dict[str, Any]:
    """Return symbol, colour and covalent radius (angstrom) of an element."""
    red, green, blue = (round(255 * float(c)) for c in jmol_colors[number])
    return {
        "symbol": chemical_symbols[number],
        "colour": f"#{red:02x}{green:02x}{blue:02x}",
        "radius": round(float(covalent_radii[number]), 2),
    }


def _model(model: ViewerModel) -> dict[str, Any]:
    """Return one model as JSON-able values."""
    structure = model.structure.with_positions(model.frames[0])
    shift = _wrapping(structure)
    if model.ion is not None:
        shift[model.ion] = _ion_wrapping(model)
    sprites, polyhedra = _drawn(structure, shift)
    return {
        "name": model.name,
        "group": model.group,
        "note": model.note,
        "formula": structure.formula,
        "numbers": structure.numbers.tolist(),
        "labels": list(structure.labels),
        "cell": structure.cell.tolist(),
        "pbc": list(structure.pbc),
        "ion": model.ion,
        "frames": [np.rint(f / UNIT_ANG).astype(int).ravel().tolist() for f in model.frames],
        "energies": None if model.energies_eV is None else model.energies_eV.tolist(),
        "coordinate": _coordinate(model),
        "sprites": sprites,
        "polyhedra": polyhedra,
        "bonds": _bonds(structure, sprites, {v for p in polyhedra for v in p["v"]}),
    }


def _coordinate(model: ViewerModel) -> list[float]:
    """Return the route coordinate of each image."""
    if model.coordinate is not None:
        return [float(x) for x in model.coordinate]
    return [float(x) for x in np.linspace(0.0, 1.0, len(model.frames))]


def _wrapping(structure: Structure) -> NDArray[np.int64]:
    """Return the lattice translation that brings each atom into the cell. shape=(atoms, 3)."""
    outside = np.floor(structure.fractional + _WRAP) * np.array(structure.pbc)
    return np.asarray(-outside, dtype=np.int64)


def _ion_wrapping(model: ViewerModel) -> NDArray[np.int64]:
    """Return the translation that brings the middle of the ion's path into the cell."""
    middle = model.frames[:, model.ion].mean(axis=0)
    fractional = np.linalg.solve(model.structure.cell.T, middle)
    outside = np.floor(fractional + _WRAP) * np.array(model.structure.pbc)
    return np.asarray(-outside, dtype=np.int64)


def _drawn(
    structure: Structure, shift: NDArray[np.int64]
) -> tuple[list[list[int]], list[dict[str, Any]]]:
    """Return the drawn images of atoms, and the polyhedra with corners counted among them."""
    found = find_polyhedra(structure)
    corners = {int(v) for p in found for v in p.vertices}
    keys: dict[tuple[int, ...], int] = {}
    for atom, s in enumerate(shift.tolist()):
        if atom not in corners:
            keys.setdefault((atom, *s), len(keys))
    shapes = []
    for p in found:
        translations = (p.shifts + shift[p.centre]).tolist()
        places = [(int(v), *s) for v, s in zip(p.vertices, translations, strict=True)]
        shapes.append(
            {
                "z": int(structure.numbers[p.centre]),
                "v": [keys.setdefault(place, len(keys)) for place in places],
                "f": p.faces.ravel().tolist(),
            }
        )
    return [list(key) for key in keys], shapes


def _bonds(
    structure: Structure, sprites: list[list[int]], corners: set[int]
) -> list[tuple[int, int]]:
    """Return pairs of drawn images that are bonded and do not both belong to polyhedra."""
    from scipy.spatial import cKDTree

    atoms = np.array([s[0] for s in sprites])
    places = structure.positions[atoms] + np.array([s[1:] for s in sprites]) @ structure.cell
    radii = covalent_radii[structure.numbers[atoms]]
    pairs = cKDTree(places).query_pairs(_BOND_FACTOR * 2 * float(radii.max()))
    mobile = np.isin(structure.numbers[atoms], _MOBILE)
    return sorted(
        (int(i), int(j))
        for i, j in pairs
        if not (i in corners or j in corners or mobile[i] or mobile[j])
        and np.linalg.norm(places[i] - places[j]) < _BOND_FACTOR * (radii[i] + radii[j])
    )
