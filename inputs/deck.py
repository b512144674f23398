"""A deck: a specification, its atoms, and how one code is to be told; and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.dft import DFTSpec, FixedAtom
from superionic.inputs.gpaw.options import GpawOptions
from superionic.inputs.vasp.options import VaspOptions
from superionic.structures.depths import slab_faces
from superionic.structures.errors import DeckError
from superionic.structures.structure import Structure, minimum_image

if TYPE_CHECKING:
    from collections.abc import Sequence

Options = VaspOptions | CastepOptions | GpawOptions
OPTIONS: dict[str, type[VaspOptions] | type[CastepOptions] | type[GpawOptions]] = {
    "vasp": VaspOptions,
    "castep": CastepOptions,
    "gpaw": GpawOptions,
}
"""The settings of each code that decks are written for."""

VACUUM_ANG = 6.0
"""A gap between planes of atoms from which on a cell counts as open along an axis, in angstrom."""
USUAL_VACUUM_ANG = 10.0
"""A narrower vacuum is noted, in angstrom."""
SAMPLED_ANG = 8.0
"""A k grid whose divisions times the length of the lattice vector are less is noted, in angstrom:
below, even insulators are off."""
SAME_ANG = 1e-6
AXES = "abc"


@dataclass(frozen=True, eq=False)
class Deck:
    """What a folder of input files says.

    Cells repeat in all directions, as codes of plane waves have it. Atoms are kept element by
    element, as the files of VASP need them; `order` leads back. Images of a band are kept without
    jumps across the boundary. The specification is kept in the form that the files read back as
    (`DFTSpec.for_structure`).

    Attributes
    ----------
    spec : DFTSpec
        The calculation. Atoms it names are counted in the order of `structures`.
    structures : tuple of Structure
        One, or the images of a band from start to end.
    options : VaspOptions or CastepOptions or GpawOptions
        What is particular to a code. Its type decides the code.
    title : str
        One line for the files.
    notes : tuple of str
        What whoever runs the deck must know.
    order : tuple of int
        Where each atom of `structures` was in the structures that were given.

    Raises
    ------
    DeckError
        No structure, images that do not belong together, atoms named that are not there.
    """

    spec: DFTSpec
    structures: tuple[Structure, ...]
    options: Options = field(default_factory=VaspOptions)
    title: str = ""
    notes: tuple[str, ...] = ()
    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Group the atoms by element, and check that images belong together."""
        if not self.structures:
            raise DeckError("A deck needs a structure; none was given.")
        if self.spec.task != "neb" and len(self.structures) != 1:
            raise DeckError(
                f"A {self.spec.task} calculation takes one structure; got "
                f"{len(self.structures)}. For a band set `band` in the specification."
            )
        set_ = object.__setattr__
        title = re.sub(r"[^A-Za-z0-9 .,()+/_-]", " ", self.title)  # what no file takes for syntax
        set_(self, "title", " ".join(title.split())[:70] or self.structures[0].formula)
        first = self.structures[0]
        for k, image in enumerate(self.structures):
            _check_cell(image, k)
            _check_same_atoms(first, image, k)
        symbols = first.symbols
        rank = {s: k for k, s in enumerate(dict.fromkeys(symbols))}
        sort = tuple(sorted(range(len(first)), key=lambda k: rank[symbols[k]]))
        grouped = continuous(
            [replace(image.take(sort), pbc=(True, True, True)) for image in self.structures]
        )
        set_(self, "structures", grouped)
        set_(self, "spec", self.spec.for_structure(grouped[0], sort))
        set_(self, "order", tuple(self.order[k] for k in sort) if self.order else sort)

    @property
    def structure(self) -> Structure:
        """The structure, or the first image."""
        return self.structures[0]

    @property
    def code(self) -> str:
        """Name of the code whose deck this is."""
        return next(name for name, kind in OPTIONS.items() if isinstance(self.options, kind))


def continuous(images: Sequence[Structure]) -> tuple[Structure, ...]:
    """Return images whose atoms move on from one to the next without jumps across the boundary."""
    path = [images[0]]
    for image in images[1:]:
        here = path[-1]
        step = minimum_image(image.positions - here.positions, here.cell, here.pbc)
        path.append(image.with_positions(here.positions + step))
    return tuple(path)


def open_axes(structure: Structure) -> tuple[int, ...]:
    """Return the lattice vectors across which the atoms leave a gap of at least `VACUUM_ANG`."""
    faces = (slab_faces(structure, axis) for axis in range(3))
    return tuple(k for k, f in enumerate(faces) if f.period_ang - f.thickness_ang >= VACUUM_ANG)


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
    heights = structure.positions @ faces.normal - faces.bottom_ang
    if structure.pbc[vacuum[0]]:
        heights = (heights + SAME_ANG) % faces.period_ang - SAME_ANG
    held = np.flatnonzero(heights <= fraction * faces.thickness_ang + SAME_ANG)
    if len(held) == len(structure):
        raise DeckError(
            f"A fraction of {fraction:g} of the height holds all {len(held)} atoms of the slab. "
            "Hold a smaller part of it."
        )
    return tuple(FixedAtom(int(k)) for k in held)


def check_ends(first: Structure, last: Structure) -> None:
    """Raise unless two structures can be the ends of a band: the same atoms in the same cell.

    Raises
    ------
    DeckError
        Names what differs.
    """
    if len(first) != len(last):
        raise DeckError(
            f"The ends of a band have the same atoms; these have {len(first)} and {len(last)}."
        )
    _check_same_atoms(first, last, 1)


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
            f"A dipole correction along {axis} needs a vacuum of at least {VACUUM_ANG:g} A there; "
            f"the structure has {'none' if not vacuum else 'one along ' + AXES[vacuum[0]]}. Set "
            "dipole_axis = 'none', or name the axis across the vacuum."
        )
    if spec.charge_e:
        return ["Dipole correction and charge together: check that your code supports both."]
    return []


def _sampling_notes(spec: DFTSpec, structure: Structure, vacuum: tuple[int, ...]) -> list[str]:
    """Say where a vacuum is narrow or a k grid coarse."""
    notes = []
    for axis, divisions in enumerate(spec.kgrid.divisions):
        faces = slab_faces(structure, axis)
        gap = faces.period_ang - faces.thickness_ang
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


def _check_cell(structure: Structure, place: int) -> None:
    """Raise unless a structure can go into files of codes that repeat it in all directions."""
    if np.linalg.det(structure.cell) < 0:
        raise DeckError(
            f"Structure {place} has left-handed lattice vectors, which VASP refuses. Swap two of "
            "them, or reverse all three."
        )
    for k in range(3):
        if structure.pbc[k]:
            continue
        faces = slab_faces(structure, k)
        if abs(float(structure.cell[k] @ faces.normal)) - faces.thickness_ang < VACUUM_ANG:
            raise DeckError(
                f"Structure {place} does not repeat along {AXES[k]}, but plane-wave codes repeat "
                f"it, and its cell leaves less than {VACUUM_ANG:g} A between images there. Give "
                "it a cell with room around it."
            )


def _check_same_atoms(first: Structure, image: Structure, place: int) -> None:
    """Raise unless an image has the atoms and the cell of the first."""
    if not np.array_equal(first.numbers, image.numbers):
        raise DeckError(
            f"Image {place} has other atoms than image 0, or the same in another order. All "
            "images of a band list the same atoms in the same order."
        )
    if not np.allclose(first.cell, image.cell, atol=SAME_ANG):
        raise DeckError(f"Image {place} has another cell than image 0; a band keeps its cell.")


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
