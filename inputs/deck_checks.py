"""What is wrong with a deck, and what whoever runs it should know: the same for every code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.combinations import check_supported
from superionic.inputs.dft import FixedAtom
from superionic.structures.depths import SLAB_GAP_ANG, slab_faces
from superionic.structures.errors import DeckError
from superionic.structures.structure import minimum_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.inputs.deck import Deck
    from superionic.inputs.dft import DFTSpec
    from superionic.structures.structure import Structure

USUAL_VACUUM_ANG = 10.0
"""A narrower vacuum is noted, in angstrom."""
SAMPLED_ANG = 8.0
"""A k grid whose divisions times the length of the lattice vector are less is noted, in angstrom:
below, even insulators are off."""
SAME_ANG = 1e-6
AXES = "abc"


def open_axes(structure: Structure) -> tuple[int, ...]:
    """Return the lattice vectors across which atoms leave a gap of `SLAB_GAP_ANG` or more."""
    return tuple(k for k in range(3) if slab_faces(structure, k).gap_ang >= SLAB_GAP_ANG)


def bottom_atoms(structure: Structure, fraction: float) -> tuple[FixedAtom, ...]:
    """Return the atoms in the lower part of a slab, held.

    Parameters
    ----------
    structure
        A slab, open across one lattice vector.
    fraction
        Part of its height, from 0 to 1.

    Raises
    ------
    DeckError
        The structure is no slab, the fraction lies outside, or it holds all atoms.
    """
    vacuum = open_axes(structure)
    if len(vacuum) != 1 or not 0.0 <= fraction <= 1.0:
        raise DeckError(
            "The bottom of a slab is held by a fraction of its height from 0 to 1, and a slab has "
            f"a vacuum along one axis; got {fraction:g}, and a vacuum along "
            f"{', '.join(AXES[k] for k in vacuum) or 'none'}."
        )
    faces = slab_faces(structure, vacuum[0])
    heights = faces.heights(structure.positions)
    held = np.flatnonzero(heights <= fraction * faces.thickness_ang + SAME_ANG)
    if len(held) == len(structure):
        raise DeckError(
            f"A fraction of {fraction:g} of the height holds all {len(held)} atoms of the slab. "
            "Hold a smaller part of it."
        )
    return tuple(FixedAtom(int(k)) for k in held)


def check_all(deck: Deck) -> list[str]:
    """Refuse a deck that its code cannot compute or that contradicts itself; return its notes.

    Raises
    ------
    DeckError
        See `superionic.inputs.combinations.check_supported`, `check_band` and `check_deck`.
    """
    spec = deck.spec
    check_supported(spec, deck.structure, deck.code)
    if spec.band is not None:
        check_band(deck.structures, spec.band.images)
    return list(check_deck(spec, deck.structure))


def check_deck(spec: DFTSpec, structure: Structure) -> tuple[str, ...]:
    """Refuse a calculation that contradicts its atoms; return what its user should know.

    Raises
    ------
    DeckError
        More than one k point across a vacuum, a charged slab without a statement, a dipole
        correction along an axis without vacuum.
    """
    vacuum = open_axes(structure)
    for axis in vacuum:
        if spec.kgrid.divisions[axis] > 1:
            raise DeckError(
                f"The k grid {' x '.join(map(str, spec.kgrid.divisions))} has "
                f"{spec.kgrid.divisions[axis]} divisions along {AXES[axis]}, where the structure "
                "has a vacuum and nothing disperses. Use 1 there, or turn the cell so that the "
                "vacuum lies along the axis with 1."
            )
    notes = _charge_notes(spec, vacuum)
    notes += _dipole_notes(spec, structure, vacuum)
    notes += _sampling_notes(spec, structure, vacuum)
    if not spec.kgrid.gamma_centred and _is_hexagonal(structure):
        notes.append(
            "The k grid leaves out the zone centre, which breaks the symmetry of a hexagonal cell; "
            "gamma_centred = true keeps it."
        )
    if spec.relax is not None and spec.relax.cell == "full" and vacuum:
        raise DeckError(
            f"The cell is to relax, but has a vacuum along {', '.join(AXES[k] for k in vacuum)}, "
            "which would close. Set cell = 'fixed'."
        )
    return tuple(notes)


def _charge_notes(spec: DFTSpec, vacuum: tuple[int, ...]) -> list[str]:
    if not spec.charge_e:
        return []
    if len(vacuum) == 1 and not spec.charge_statement:
        raise DeckError(
            f"The slab has a charge of {spec.charge_e:g} e. Its energy depends on the vacuum and "
            "on the background that neutralises it: say in charge_statement how it is to be read, "
            "or set charge_e = 0."
        )
    said = f" Stated: {spec.charge_statement}." if spec.charge_statement else ""
    return [
        f"The cell has a charge of {spec.charge_e:g} e, made up for by a uniform background; its "
        f"energy is not comparable with that of another cell without a correction.{said}"
    ]


def _dipole_notes(spec: DFTSpec, structure: Structure, vacuum: tuple[int, ...]) -> list[str]:
    axis = spec.dipole_axis
    if axis == "none":
        if len(vacuum) == 1:
            return [
                "No dipole correction: a slab with two different faces feels its images' dipole. "
                f"Set dipole_axis = '{AXES[vacuum[0]]}' to correct for it."
            ]
        return []
    if AXES.index(axis) not in vacuum:
        raise DeckError(
            f"A dipole correction along {axis} needs a vacuum of at least {SLAB_GAP_ANG:g} A "
            f"there; the structure has {'one along ' + AXES[vacuum[0]] if vacuum else 'none'}. "
            "Set dipole_axis = 'none', or name the axis across the vacuum."
        )
    if spec.charge_e:
        return ["Dipole correction and charge together: check that your code supports both."]
    return []


def _sampling_notes(spec: DFTSpec, structure: Structure, vacuum: tuple[int, ...]) -> list[str]:
    """Say where a vacuum is narrow or a k grid coarse."""
    notes = []
    for axis, divisions in enumerate(spec.kgrid.divisions):
        gap = slab_faces(structure, axis).gap_ang
        if axis in vacuum and gap < USUAL_VACUUM_ANG:
            notes.append(
                f"The vacuum along {AXES[axis]} is {gap:.1f} A thick; {USUAL_VACUUM_ANG:g} A and "
                "more are usual. Converge it."
            )
        length = float(np.linalg.norm(structure.cell[axis]))
        if axis not in vacuum and divisions * length < SAMPLED_ANG:
            notes.append(
                f"The k grid is coarse along {AXES[axis]}: {divisions} division(s) of "
                f"{length:.1f} A sample less than {SAMPLED_ANG:g} A. Converge it."
            )
    return notes


def _is_hexagonal(structure: Structure) -> bool:
    """Whether two lattice vectors of one length meet at 60 or 120 degrees."""
    lengths = np.linalg.norm(structure.cell, axis=1)
    cosines = (structure.cell @ structure.cell.T) / np.outer(lengths, lengths)
    pairs = ((0, 1), (0, 2), (1, 2))
    return any(
        abs(abs(cosines[i, j]) - 0.5) < 0.01 and abs(lengths[i] - lengths[j]) < 0.01 * lengths[i]
        for i, j in pairs
    )


def check_band(structures: Sequence[Structure], images: int) -> None:
    """Raise unless structures are a whole band: two ends, and images that differ between them.

    Raises
    ------
    DeckError
        Another number of structures than ``images`` and two ends, or two neighbours alike.
    """
    if len(structures) != images + 2:
        raise DeckError(
            f"A band of {images} moving images takes {images + 2} structures, its ends included; "
            f"got {len(structures)}."
        )
    for k in range(len(structures) - 1):
        here, there = structures[k], structures[k + 1]
        moved = minimum_image(there.positions - here.positions, here.cell, here.pbc)
        if float(np.abs(moved).max()) < 1e-4:
            raise DeckError(
                f"Images {k} and {k + 1} of the band are the same structure. Interpolate anew "
                "between two different ends."
            )
