"""The value for a slab: atoms, vacuum, and what is known of its faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.structure import Structure, readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.cuts import Cleavage
    from superionic.structures.drafts import Draft

__all__ = ["Slab"]


@dataclass(frozen=True, eq=False)
class Slab:
    """A slab with a vacuum, and what is known of its two faces.

    Attributes
    ----------
    structure : Structure
        The atoms, centred in the cell; a along x, b in the xy plane, normal and c along z,
        periodic in all three directions.
    miller : tuple of int
        The plane, in the axes of `setting`.
    setting : str
        Whose axes these are.
    layers, layers_per_repeat : int
        Slices between equivalent cuts in the slab, and in one lattice repeat of the crystal.
    repeat : tuple of int
        In-plane repeat of the smallest in-plane cell.
    vacuum_ang, thickness_ang : float
        Empty height, and height from the lowest to the highest atom, in angstrom.
    area_ang2 : float
        Area of one face in square angstrom.
    termination : str
        Name of the cut: units at the upper face, a bar, units at the lower face.
    dipole_e_ang : float
        Dipole along the normal by formal charges, in e A, about the middle of the slab.
    net_charge_e : float
        Sum of the formal charges in e; not zero only for a non-stoichiometric slab.
    polar : bool
        True where the dipole per area is above the tolerance.
    stoichiometric : bool
        True where the slab has the composition of the crystal.
    moved : tuple of int
        Atoms that were moved to the other face to remove the dipole.
    empty_sites : ndarray
        Known empty sites in the slab and on its faces, Cartesian, in angstrom: the crystal's own,
        and those of a boundary plane that compensation left empty on either face. shape=(m, 3)
    empty_labels : tuple of str
        Their site labels. length=m
    """

    structure: Structure
    miller: tuple[int, int, int]
    setting: str
    layers: int
    layers_per_repeat: int
    repeat: tuple[int, int]
    vacuum_ang: float
    thickness_ang: float
    area_ang2: float
    termination: str
    dipole_e_ang: float
    net_charge_e: float
    polar: bool
    stoichiometric: bool
    moved: tuple[int, ...]
    empty_sites: NDArray[np.float64]
    empty_labels: tuple[str, ...]

    def _repr_html_(self) -> str:
        """Return a card with a picture for notebooks."""
        from superionic.structures.picture import html_card, svg_picture

        faces = "polar" if self.polar else "not polar"
        rows = {
            "plane": f"({' '.join(map(str, self.miller))}), {self.setting}",
            "layers": f"{self.layers}, {self.repeat[0]} x {self.repeat[1]} in the plane",
            "termination": self.termination,
            "thickness": f"{self.thickness_ang:.1f} Å",
            "vacuum": f"{self.vacuum_ang:.1f} Å",
            "faces": f"{faces}, dipole {self.dipole_e_ang:.2f} e Å",
            "composition": "of the crystal" if self.stoichiometric else "not that of the crystal",
        }
        return html_card(self.structure.formula, rows, svg_picture(self.structure))

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "empty_sites", readonly(self.empty_sites, np.float64))

    @property
    def dipole_per_area_e_per_ang(self) -> float:
        """Dipole per area of one face in e/A."""
        return self.dipole_e_ang / self.area_ang2


def finished(
    draft: Draft,
    cleavage: Cleavage,
    miller: tuple[int, int, int],
    vacuum_ang: float,
    repeat: tuple[int, int],
    polar_tolerance_e_per_ang: float,
) -> Slab:
    """Put a slab in the middle of a cell with a vacuum."""
    heights = draft.atoms.positions[:, 2]
    thickness = float(np.ptp(heights))
    height = thickness + vacuum_ang
    lift = np.array([0.0, 0.0, 0.5 * height - 0.5 * float(heights.min() + heights.max())])
    cell = draft.plane_cell * np.array([1.0, 1.0, height])[:, None]
    area = float(abs(np.linalg.det(draft.plane_cell)))
    crystal = cleavage.crystal
    return Slab(
        structure=Structure(
            numbers=crystal.numbers[draft.atoms.atoms],
            positions=draft.atoms.positions + lift,
            cell=cell,
            labels=tuple(crystal.labels[i] for i in draft.atoms.atoms),
        ),
        miller=(int(miller[0]), int(miller[1]), int(miller[2])),
        setting=str(cleavage.setting),
        layers=draft.layers,
        layers_per_repeat=draft.termination.layers_per_repeat,
        repeat=(int(repeat[0]), int(repeat[1])),
        vacuum_ang=vacuum_ang,
        thickness_ang=thickness,
        area_ang2=area,
        termination=draft.name,
        dipole_e_ang=draft.dipole_e_ang,
        net_charge_e=draft.net_charge_e,
        polar=bool(abs(draft.dipole_e_ang) / area > polar_tolerance_e_per_ang),
        stoichiometric=draft.stoichiometric,
        moved=draft.moved,
        empty_sites=draft.empty.positions + lift,
        empty_labels=tuple(crystal.labels[i] for i in draft.empty.atoms),
    )
