"""A deck: a specification, its atoms, and how one code is to be told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.dft import DFTSpec
from superionic.inputs.gpaw.options import GpawOptions
from superionic.inputs.vasp.options import VaspOptions
from superionic.structures.depths import SLAB_GAP_ANG, slab_faces
from superionic.structures.errors import DeckError
from superionic.structures.structure import Structure, minimum_image

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OPTIONS", "SAME_ANG", "Deck", "Options"]

Options = VaspOptions | CastepOptions | GpawOptions
OPTIONS: dict[str, type[VaspOptions] | type[CastepOptions] | type[GpawOptions]] = {
    "vasp": VaspOptions,
    "castep": CastepOptions,
    "gpaw": GpawOptions,
}
"""The settings of each code that decks are written for."""

SAME_ANG = 1e-6


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
        if abs(float(structure.cell[k] @ faces.normal)) - faces.thickness_ang < SLAB_GAP_ANG:
            raise DeckError(
                f"Structure {place} does not repeat along {'abc'[k]}, but plane-wave codes repeat "
                f"it, and its cell leaves less than {SLAB_GAP_ANG:g} A between images there. Give "
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
