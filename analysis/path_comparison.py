"""One path at two levels of theory: how each image differs, and the barrier with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superionic.analysis.barriers import ProfileReading, read_profile
from superionic.structures.errors import EvidenceError


@dataclass(frozen=True)
class ImageComparison:
    """One image at two levels of theory.

    Attributes
    ----------
    index : int
        Place in the path.
    state : str
        What became of its run at the other level.
    reason : str
        Why it has no energy; empty where it has one.
    local_eV : float
        Energy at the level that made the path, relative to its first image, in eV.
    returned_eV : float or None
        The same at the other level.
    residual_force_eV_per_A : float or None
        Largest force on an atom across the path at the other level, in eV/angstrom: how far the
        image is from that level's own path. None for ends.
    displacement_ang : float
        Farthest that an atom moved from where it was handed over, in angstrom.
    """

    index: int
    state: str
    reason: str
    local_eV: float
    returned_eV: float | None
    residual_force_eV_per_A: float | None
    displacement_ang: float

    @property
    def difference_eV(self) -> float | None:
        """Other level less local one, in eV."""
        return None if self.returned_eV is None else self.returned_eV - self.local_eV


@dataclass(frozen=True)
class PathComparison:
    """One path at two levels of theory.

    Attributes
    ----------
    key : str
        The hop.
    local_theory, returned_theory : str
        The level that made the path, and the other.
    kind : {"single-points", "band"}
        Whether the images stayed where they were handed over, or were relaxed as a band.
    images : tuple of ImageComparison
        All images in order.
    returned_converged : bool
        A band's barriers are that level's own; those of single points are only estimates on the
        other level's path.
    """

    key: str
    local_theory: str
    returned_theory: str
    kind: str
    images: tuple[ImageComparison, ...]
    returned_converged: bool = False

    def __post_init__(self) -> None:
        """Refuse paths that are none."""
        if len(self.images) < 2 or abs(self.images[0].local_eV) > 1e-9:
            raise EvidenceError(
                "A comparison needs two images, energies relative to the first; got "
                f"{[i.local_eV for i in self.images]}."
            )
        if self.returned_converged and self.kind != "band":
            raise EvidenceError("Single points are no converged band.")

    @property
    def missing(self) -> tuple[int, ...]:
        """Images without an energy at the other level."""
        return tuple(i.index for i in self.images if i.returned_eV is None)

    @property
    def complete(self) -> bool:
        """Whether every image has an energy at both levels."""
        return not self.missing

    @property
    def local(self) -> ProfileReading:
        """Barriers at the level that made the path."""
        return read_profile([i.local_eV for i in self.images])

    @property
    def returned(self) -> ProfileReading | None:
        """Barriers of the same images at the other level; None unless all have energies."""
        known = [i.returned_eV for i in self.images if i.returned_eV is not None]
        return read_profile(known) if self.complete else None

    @property
    def barrier_change_eV(self) -> float | None:
        """Forward barrier at the other level less that at the local one, in eV."""
        found = self.returned
        return None if found is None else found.forward_barrier_eV - self.local.forward_barrier_eV

    @property
    def largest_difference_eV(self) -> float | None:
        """Largest magnitude of the differences that are known, in eV."""
        known = [abs(i.difference_eV) for i in self.images if i.difference_eV is not None]
        return max(known, default=None)

    @property
    def softening(self) -> float | None:
        """Slope of local against returned energies through the first image.

        Below one the local level makes the landscape too flat, as universal potentials tend to
        (doi 10.1038/s41524-024-01500-6). None where not every image has an energy, or where none
        rises by more than 10 meV.
        """
        if not self.complete:
            return None
        returned = np.array([i.returned_eV for i in self.images], dtype=float)
        if np.abs(returned).max() < 0.01:
            return None
        local = np.array([i.local_eV for i in self.images])
        return float(local @ returned / (returned @ returned))

    @property
    def largest_residual_force_eV_per_A(self) -> float | None:
        """Largest force across the path on any image, in eV/angstrom."""
        known = [i.residual_force_eV_per_A for i in self.images]
        return max((force for force in known if force is not None), default=None)

    @property
    def summary(self) -> str:
        """One sentence on the effect on the barrier."""
        found, here = self.returned, self.local
        if found is None:
            names = ", ".join(f"{k:02d}" for k in self.missing)
            return f"no barrier with {self.returned_theory or 'the other level'}: images {names} " \
                "have no energy"  # fmt: skip
        change = found.forward_barrier_eV - here.forward_barrier_eV
        if self.returned_converged:
            where = "relaxed as its own band"
        else:
            where = f"on the path of {self.local_theory}"
        saddle = "" if found.saddle == here.saddle else (
            f"; the highest image is {found.saddle:02d} instead of {here.saddle:02d}"
        )  # fmt: skip
        return (
            f"forward barrier {found.forward_barrier_eV:.3f} eV with {self.returned_theory} "
            f"{where}, {here.forward_barrier_eV:.3f} eV with {self.local_theory} "
            f"({change:+.3f} eV){saddle}"
        )
