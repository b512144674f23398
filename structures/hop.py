"""A single-ion hop: a host, an ion, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.depths import Direction
from superionic.structures.errors import InvalidHopError
from superionic.structures.geometry import images_within
from superionic.structures.pairs import Mechanism, check_mechanism
from superionic.structures.structure import OVERLAP_ANG, Structure, minimum_image, readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_DISPLACEMENT_ANG = 0.1
"""Two ends closer than this, periodic images included, are one site."""


@dataclass(frozen=True, eq=False)
class Hop:
    """One ion that moves from one site to another, everything else where it was.

    Attributes
    ----------
    host : Structure
        The whole cell with the ion on its first site: for a vacancy hop the destination's ion is
        already gone, for an interstitial the extra ion is already there (last atom). The number
        of electrons follows the atoms; no charge is attached.
    ion : int
        Index of the ion in the host.
    displacement : ndarray
        From the first to the second site in angstrom, not wrapped. shape=(3,)
    mechanism : {"vacancy", "hole", "interstitial"}
        To a site whose ion was removed, to a site found empty, or between two empty sites.
    site_types : tuple of str
        Labels of the first and second site.
    length_ang : float
        Length of the displacement in angstrom.
    multiplicity : int
        Number of equivalent hops (both ways counted once) in the cell given to `find_hops`.
    bottleneck_radius_ang : float or None
        Distance between the straight path and the nearest atom of another element, at rest, in
        angstrom; None without such atoms. Below about 1.2 A the path runs into an atom.
    bottleneck_area_ang2 : float or None
        Area of the triangle of the three anions nearest to that point, in square angstrom.
    depth_ang : float or None
        In a slab, depth of the path's middle below the nearer outermost plane of atoms, in
        angstrom (negative above it); None in a bulk crystal.
    direction : {"lateral", "outward", "inward"} or None
        In a slab, how the hop lies to the nearer face; None in a bulk crystal.
    key : str
        Name of the hop: site types, length, and sites of the given cell. The same hop of the same
        structure has the same key whatever supercell it is put in.

    Raises
    ------
    InvalidHopError
        The ion does not exist, does not move, lands on another atom, or a field is malformed.
    """

    host: Structure
    ion: int
    displacement: NDArray[np.float64]
    mechanism: Mechanism
    site_types: tuple[str, str]
    length_ang: float
    multiplicity: int
    bottleneck_radius_ang: float | None = None
    bottleneck_area_ang2: float | None = None
    depth_ang: float | None = None
    direction: Direction | None = None
    key: str = ""

    def __post_init__(self) -> None:
        """Validate and freeze."""
        object.__setattr__(self, "displacement", readonly(self.displacement, np.float64))
        types: tuple[str, ...] = tuple(self.site_types)
        object.__setattr__(self, "site_types", types)
        check_mechanism(self.mechanism)
        if not 0 <= self.ion < len(self.host):
            raise InvalidHopError(
                f"Ion {self.ion} is not one of the host's {len(self.host)} atoms."
            )
        if self.displacement.shape != (3,) or not np.isfinite(self.displacement).all():
            raise InvalidHopError(
                f"Expected a displacement of three finite numbers; got {self.displacement}."
            )
        if len(types) != 2 or self.multiplicity < 1:
            raise InvalidHopError(
                f"Expected two site types and a positive multiplicity; got {self.site_types} and "
                f"{self.multiplicity}."
            )
        self._check_ends()

    def _repr_html_(self) -> str:
        """Return a card with a picture for notebooks."""
        from superionic.structures.picture import html_card, svg_picture

        start = self.host.positions[self.ion]
        rows = {
            "hop": self.key,
            "mechanism": self.mechanism,
            "sites": " to ".join(self.site_types),
            "length": f"{self.length_ang:.3f} Å",
            "equivalent hops": str(self.multiplicity),
            "host": self.host.formula,
        }
        if self.depth_ang is not None:
            rows["depth"] = f"{self.depth_ang:.2f} Å, {self.direction}"
        picture = svg_picture(self.host, path=[start, start + self.displacement])
        return html_card(f"Hop of {self.host.symbols[self.ion]}", rows, picture)

    def _check_ends(self) -> None:
        """Raise unless the two ends differ and the ion lands on free ground."""
        length = float(np.linalg.norm(self.displacement))
        if abs(length - self.length_ang) > 1e-3:
            raise InvalidHopError(
                f"length_ang is {self.length_ang:.4f} A but the displacement is {length:.4f} A."
            )
        moved = minimum_image(self.displacement, self.host.cell, self.host.pbc)
        if np.linalg.norm(moved) < MIN_DISPLACEMENT_ANG:
            raise InvalidHopError(
                f"The displacement of {length:.3f} A brings ion {self.ion} back to its own site or "
                "its periodic image: first and last structure are the same. Use a larger host."
            )
        near = images_within(
            self.host.positions,
            self.host.cell,
            self.host.pbc,
            centre=self.host.positions[self.ion] + self.displacement,
            radius_ang=OVERLAP_ANG,
        )
        others = near.indices[near.indices != self.ion]
        if len(others):
            raise InvalidHopError(
                f"Ion {self.ion} would land within {OVERLAP_ANG} A of atom {others[0]} "
                f"({self.host.labels[others[0]]}). A vacancy hop needs that atom removed from the "
                "host first."
            )

    @property
    def initial(self) -> Structure:
        """The host with the ion on its first site."""
        return self.host

    @property
    def final(self) -> Structure:
        """The host with the ion on its second site: same atoms, same order, not wrapped."""
        positions = self.host.positions.copy()
        positions[self.ion] += self.displacement
        return self.host.with_positions(positions)
