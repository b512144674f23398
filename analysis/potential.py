"""Electrostatic potential on a surface of constant density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PotentialSurface:
    """Points on an isosurface of the electron density, with the electrostatic potential there.

    Attributes
    ----------
    numbers : ndarray
        Atomic numbers. shape=(atoms,)
    positions : ndarray
        Positions of the atoms in angstrom. shape=(atoms, 3)
    points : ndarray
        In angstrom, in the frame of ``positions``. shape=(points, 3)
    normals : ndarray
        Unit vectors to the outside. shape=(points, 3)
    areas_ang2 : ndarray
        Area that each point stands for, in square angstrom. shape=(points,)
    potential_V : ndarray
        Energy of a positive unit charge there, in eV: the potential in volts. shape=(points,)
    isodensity_e_bohr3 : float
        Electrons per cubic bohr on the surface.
    charge : int
        Total charge of the molecule in e.
    method : str
        How the potential was computed.
    theory : str
        Level of theory.

    Raises
    ------
    EvidenceError
        Shapes disagree, there is no point, or a number is not finite.
    """

    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    areas_ang2: NDArray[np.float64]
    potential_V: NDArray[np.float64]
    isodensity_e_bohr3: float
    charge: int
    method: str
    theory: str

    def __post_init__(self) -> None:
        """Freeze the arrays and check them."""
        object.__setattr__(self, "numbers", readonly(self.numbers, np.int64))
        for name in ("positions", "points", "normals", "areas_ang2", "potential_V"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))
        count = len(self.points)
        sound = (
            count > 0
            and self.points.shape == self.normals.shape == (count, 3)
            and self.areas_ang2.shape == self.potential_V.shape == (count,)
            and self.positions.shape == (len(self.numbers), 3)
            and all(np.isfinite(a).all() for a in (self.points, self.potential_V, self.areas_ang2))
        )
        if not sound:
            raise EvidenceError(
                f"A potential surface needs points (n, 3) with normals, areas and finite "
                f"potentials; got {self.points.shape}, {self.normals.shape}, "
                f"{self.areas_ang2.shape} and {self.potential_V.shape}."
            )

    @property
    def extremes_V(self) -> tuple[float, float]:
        """Lowest and highest potential on the surface in V."""
        return float(self.potential_V.min()), float(self.potential_V.max())

    @property
    def area_ang2(self) -> float:
        """Area of the surface in square angstrom."""
        return float(self.areas_ang2.sum())

    @property
    def mean_V(self) -> float:
        """Mean potential over the area in V."""
        return float(np.average(self.potential_V, weights=self.areas_ang2))

    def extreme_atoms(self) -> tuple[int, int]:
        """Return the atoms nearest to the lowest and to the highest potential."""
        places = self.points[[int(self.potential_V.argmin()), int(self.potential_V.argmax())]]
        apart = np.linalg.norm(places[:, None] - self.positions[None, :], axis=2)
        low, high = apart.argmin(axis=1)
        return int(low), int(high)
