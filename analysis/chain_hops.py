"""Hops of an ion along a chain: a band, what held the ion in each image, and drags both ways."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.barriers import BarrierResult, read_profile
from superionic.analysis.claims import climb_from_lower_end
from superionic.analysis.estimate import html_table
from superionic.analysis.scans import ScanProfile
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

CoordinationSet = tuple[int, ...]
"""Donors that hold the ion, by their number along the chain, counted from 1."""


@dataclass(frozen=True, eq=False)
class SinglePoints:
    """Energies of some images of a band at another level of theory.

    Attributes
    ----------
    theory : str
        That level.
    images : tuple of int
        Which images.
    energies_eV : ndarray
        Relative to the first of them, in eV. shape=(images,)
    """

    theory: str
    images: tuple[int, ...]
    energies_eV: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Validate and freeze."""
        object.__setattr__(self, "energies_eV", readonly(self.energies_eV, np.float64))
        if self.energies_eV.shape != (len(self.images),) or len(self.images) < 2:
            raise EvidenceError(
                f"{self.theory}: expected an energy for each of two or more images; got "
                f"{self.energies_eV.shape} for {self.images}."
            )
        if not np.isfinite(self.energies_eV).all() or abs(self.energies_eV[0]) > 1e-9:
            raise EvidenceError(
                f"{self.theory}: energies must be finite and relative to the first image; got "
                f"{self.energies_eV.tolist()}."
            )

    @property
    def climb_eV(self) -> float:
        """Largest climb along these images from the first to the last, in eV."""
        return read_profile(self.energies_eV).forward_barrier_eV


@dataclass(frozen=True, eq=False)
class ChainHop:
    """A hop along a chain with its evidence.

    Attributes
    ----------
    name : str
        What was computed, such as ``PEO``.
    barrier : BarrierResult
        The band; its energies hold those of the springs.
    donors : tuple of int
        Atom indices of the donors in order along the chain.
    cutoff_ang : float
        A donor within this distance of the ion holds it, in angstrom.
    sets : tuple of tuple of int
        Coordination set of each image; empty where there is no band. length=images
    ends : tuple of two tuples of int
        Coordination sets of the two relaxed ends.
    difference_eV : float or None
        Energy of the relaxed end less that of the start, in eV; None where one did not relax.
    spring_eV : ndarray
        Energy of the springs in each image, in eV. shape=(images,)
    charge, spin_multiplicity : int
        Of the whole: e, and 2S + 1.
    drags : tuple of ScanProfile
        Framework-relaxed scans, along and against the hop; none where they were not made.
    levels : tuple of SinglePoints
        The band's images at other levels of theory.

    Raises
    ------
    EvidenceError
        Lengths disagree, or a converged hop has ends with the same set.
    """

    name: str
    barrier: BarrierResult
    donors: tuple[int, ...]
    cutoff_ang: float
    sets: tuple[CoordinationSet, ...]
    ends: tuple[CoordinationSet, CoordinationSet]
    difference_eV: float | None
    spring_eV: NDArray[np.float64]
    charge: int
    spin_multiplicity: int
    drags: tuple[ScanProfile, ...] = ()
    levels: tuple[SinglePoints, ...] = ()

    def __post_init__(self) -> None:
        """Validate and freeze."""
        object.__setattr__(self, "spring_eV", readonly(self.spring_eV, np.float64))
        images = len(self.barrier.positions)
        if len(self.sets) != images or self.spring_eV.shape != (images,):
            raise EvidenceError(
                f"{self.name}: expected a coordination set and a spring energy for each of "
                f"{images} images; got {len(self.sets)} and {self.spring_eV.shape}."
            )
        if self.barrier.verdict == "converged" and self.ends[0] == self.ends[1]:
            raise EvidenceError(
                f"{self.name}: both ends have the coordination set {self.ends[0]}, so this is no "
                "hop between two pockets."
            )
        if len(self.drags) > 2:
            raise EvidenceError(f"{self.name}: expected at most two drags; got {len(self.drags)}.")

    def _repr_html_(self) -> str:
        """Return a table for notebooks: the climb and what holds the ion, or why there is none."""
        held = [", ".join(map(str, donors)) or "none" for donors in self.ends]
        rows: list[tuple[str, str]] = [
            ("verdict", self.barrier.verdict), ("donors at the ends", " to ".join(held)),
        ]  # fmt: skip
        if self.climb_eV is None:
            rows.append(("reason", self.barrier.reason))
        else:
            rows.append(("climb from the lower end", f"{self.climb_eV:.3f} eV"))
            rows.append(("steps", ", ".join(f"{step:.3f} eV" for step in self.steps_eV)))
        rows += [(f"climb from the start, {x.theory}", f"{x.climb_eV:.3f} eV") for x in self.levels]
        if self.hysteresis_eV is not None:
            rows.append(("drags differ by", f"{self.hysteresis_eV:.3f} eV"))
        return html_table(f"Hop of {self.name}", [*rows, ("theory", self.barrier.theory)])

    @property
    def climb_eV(self) -> float | None:
        """Climb from the lower of both ends, which does not depend on the direction, in eV."""
        return climb_from_lower_end(self.barrier)

    @property
    def stations(self) -> tuple[CoordinationSet, ...]:
        """Coordination sets of the minima along the band, ends included."""
        return tuple(self.sets[k] for k in self.barrier.minima)

    @property
    def steps_eV(self) -> tuple[float, ...]:
        """Forward barrier of each elementary step between neighbouring minima, in eV."""
        minima, energies = self.barrier.minima, self.barrier.energies_eV
        if self.barrier.verdict != "converged":
            return ()
        return tuple(float(energies[a : b + 1].max() - energies[a]) for a, b in pairwise(minima))

    @property
    def hysteresis_eV(self) -> float | None:
        """Largest difference between both drags at one point of the route, in eV.

        None unless both were made and every point of both converged.
        """
        pair = self._drag_pair()
        return None if pair is None else float(np.abs(pair[0] - pair[1]).max())

    @property
    def drag_climbs_eV(self) -> tuple[float | None, float | None]:
        """Largest climb of the drag along the hop, and of that against it, in eV."""
        climbs = [d.barrier_eV for d in self.drags] + [None, None]
        return climbs[0], climbs[1]

    def _drag_pair(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return energies of both drags at the same points, from the relaxed start, in eV."""
        if len(self.drags) != 2 or self.difference_eV is None:
            return None
        along, against = self.drags
        if not (along.all_converged and against.all_converged):
            return None
        back = np.interp(
            along.coordinate, 1.0 - against.coordinate[::-1], against.energies_eV[::-1]
        )
        return along.energies_eV, back + self.difference_eV
