"""How a binding energy is found: its settings, and which atoms of a surface are held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.structures.depths import slab_faces, vacuum_axis
from superionic.structures.errors import InvalidSlabError, ProtocolError
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from superionic.structures.structure import Structure


@dataclass(frozen=True)
class BindingSettings:
    """How a binding energy is found.

    Attributes
    ----------
    relax : RelaxSettings
        Criterion and limit of steps of every term, cell fixed. Reaching the limit is no result.
    starts : int
        Seeded starts, sites times orientations.
    screen_steps : int
        Optimiser steps of every start before the best are chosen.
    keep : int
        How many, the lowest in energy after those steps, are relaxed to the end.
    held_fraction : float
        Share of the slab's thickness, from the face away from the molecule, that is held.
    vacuum_ang : float
        Vacuum above the adsorbed molecule, in angstrom.
    side : {"top", "bottom"}
        Which face is covered.
    min_image_ang : float
        Least distance between the molecule and its own images along the face, in angstrom.
    mirror : bool
        Start from both hands of the molecule's shape: for molecules without a stereocentre.
    box_vacuum_ang : float
        Vacuum around the molecule by itself where it needs a box, in angstrom.
    box_tolerance_eV : float
        A wider box may change its energy by no more, in eV.
    lower_eV : float
        A reference found lower than before by more than this, in eV, takes its place.
    desorbed_ang : float
        A molecule with no atom this near to the surface has left it, in angstrom.
    levels : tuple of str
        Other levels of theory, computed side by side at the same geometries.
    eeq : bool
        Charge transfer by the EEQ model of DFT-D4 as well.
    seed : int
        Of the starts.
    """

    relax: RelaxSettings = field(default_factory=lambda: RelaxSettings(fmax_eV_per_A=0.05))
    starts: int = 12
    screen_steps: int = 20
    keep: int = 3
    held_fraction: float = 0.4
    vacuum_ang: float = 15.0
    side: Literal["top", "bottom"] = "top"
    min_image_ang: float = 3.0
    mirror: bool = True
    box_vacuum_ang: float = 12.0
    box_tolerance_eV: float = 0.001
    lower_eV: float = 0.001
    desorbed_ang: float = 4.5
    levels: tuple[str, ...] = ()
    eeq: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work before anything is computed."""
        if self.relax.cell != "fixed":
            raise ProtocolError("The cell of a surface is not relaxed: use cell = 'fixed'.")
        if self.starts < 1 or not 1 <= self.keep <= self.starts or self.screen_steps < 0:
            raise ProtocolError(
                "Binding needs starts >= 1, 1 <= keep <= starts and screen_steps >= 0; got "
                f"{self.starts}, {self.keep} and {self.screen_steps}."
            )
        if not 0 <= self.held_fraction <= 1 or self.side not in ("top", "bottom"):
            raise ProtocolError(
                "held_fraction lies between 0 and 1 and side is 'top' or 'bottom'; got "
                f"{self.held_fraction} and '{self.side}'."
            )
        if min(self.vacuum_ang, self.box_vacuum_ang, self.box_tolerance_eV) <= 0:
            raise ProtocolError("Vacuums and the tolerance of the box must be above zero.")
        for name in self.levels:
            get_theory(name)

    @property
    def screening(self) -> str:
        """The rule of prescreening in words."""
        return (
            f"{self.starts} seeded starts are relaxed for {self.screen_steps} steps each; the "
            f"{self.keep} lowest in energy then are relaxed until no force exceeds "
            f"{self.relax.fmax_eV_per_A:g} eV/A. One that needs more than {self.relax.max_steps} "
            "steps has no value, and the lowest converged one counts."
        )


def held_atoms(surface: Structure, fraction: float, *, side: str = "top") -> tuple[int, ...]:
    """Return the atoms of a slab that are held: those farthest from the covered face.

    Parameters
    ----------
    surface
        A slab with a vacuum; a cluster holds none.
    fraction
        Share of the thickness.
    side
        The covered face.

    Raises
    ------
    InvalidSlabError
        It repeats, and no vacuum is in it.
    """
    if not any(surface.pbc) or fraction == 0:
        return ()
    axis = vacuum_axis(surface)
    if axis is None:
        raise InvalidSlabError(
            "A molecule binds to a slab with a vacuum, or to a cluster that does not repeat; this "
            "is a crystal. Cut it first (`superionic structure slab`)."
        )
    faces = slab_faces(surface, axis)
    heights = faces.heights(surface.positions)
    depth = heights if side == "top" else faces.thickness_ang - heights
    return tuple(np.flatnonzero(depth <= fraction * faces.thickness_ang + 1e-9).tolist())
