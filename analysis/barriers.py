"""Migration barriers: what a band of images says, with the evidence that it may say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from superionic.analysis.estimate import html_table
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure, readonly

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

HopVerdict = Literal[
    "converged", "unconverged", "other-basin", "not-single-ion", "not-a-minimum", "failed"
]
"""What became of a hop. Only ``converged`` carries barriers."""


@dataclass(frozen=True)
class ProfileReading:
    """Barriers of an energy profile that may cross several elementary hops.

    Attributes
    ----------
    forward_barrier_eV, reverse_barrier_eV : float
        Largest climb from a minimum to any later maximum, walking forward and backward, in eV.
    reaction_energy_eV : float
        Last energy less the first, in eV.
    minima : tuple of int
        Images that are local minima, both ends included.
    saddle : int
        The image at which the forward climb ends.
    """

    forward_barrier_eV: float
    reverse_barrier_eV: float
    reaction_energy_eV: float
    minima: tuple[int, ...]
    saddle: int


def largest_climb(energies_eV: ArrayLike) -> tuple[float, int]:
    """Return the largest rise from any point to any later point, and where it ends.

    Parameters
    ----------
    energies_eV
        Energies along a path in eV. shape=(points,)

    Returns
    -------
    climb : float
        ``max(E[j] - min(E[:j + 1]))`` in eV; zero for a path that only falls.
    index : int
        The first ``j`` at which it is reached.
    """
    energies = np.asarray(energies_eV, dtype=float)
    rise = energies - np.minimum.accumulate(energies)
    index = int(np.argmax(rise))
    return float(rise[index]), index


def read_profile(energies_eV: ArrayLike, *, noise_eV: float = 1e-3) -> ProfileReading:
    """Read forward and reverse barriers, reaction energy and minima off a profile.

    A chain of elementary hops has the barrier of its largest climb between a minimum and a later
    maximum, which is not always the highest point less the first one.

    Parameters
    ----------
    energies_eV
        Energies along the path in eV. shape=(points,), at least two points
    noise_eV
        A dip shallower than this on either side is not counted as a minimum.

    Raises
    ------
    EvidenceError
        Fewer than two points, or an energy that is not finite.
    """
    energies = np.asarray(energies_eV, dtype=float)
    if energies.ndim != 1 or len(energies) < 2 or not np.isfinite(energies).all():
        raise EvidenceError(
            f"A profile needs at least two finite energies; got shape {energies.shape}."
        )
    forward, saddle = largest_climb(energies)
    reverse, _ = largest_climb(energies[::-1])
    inner = interior_minima(energies, noise_eV=noise_eV)
    return ProfileReading(
        forward_barrier_eV=forward,
        reverse_barrier_eV=reverse,
        reaction_energy_eV=float(energies[-1] - energies[0]),
        minima=(0, *inner, len(energies) - 1),
        saddle=saddle,
    )


def interior_minima(energies_eV: ArrayLike, *, noise_eV: float = 1e-3) -> tuple[int, ...]:
    """Return the images strictly inside the path that lie in a dip deeper than the noise.

    An image counts when the path climbs by more than ``noise_eV`` on both its sides before it falls
    below it. Of images with the same energy in one dip the last counts.
    """
    energies = np.asarray(energies_eV, dtype=float)
    return tuple(
        k
        for k in range(1, len(energies) - 1)
        if _climb_before_fall(energies[k::-1]) > noise_eV
        and _climb_before_fall(energies[k:], stop_at_equal=True) > noise_eV
    )


def _climb_before_fall(energies: NDArray[np.float64], *, stop_at_equal: bool = False) -> float:
    """Return how far a walk from the first point rises before it falls below that point."""
    rest = energies[1:]
    below = np.flatnonzero(rest <= energies[0] if stop_at_equal else rest < energies[0])
    stop = int(below[0]) + 1 if len(below) else len(energies)
    return float(energies[:stop].max() - energies[0])


@dataclass(frozen=True, eq=False)
class BarrierResult:
    """A hop's barrier, or the reason why there is none.

    Attributes
    ----------
    key : str
        Identifies the hop within its run.
    site_types : tuple of str
        Crystallographic labels of start and end.
    mechanism : str
        ``vacancy``, ``hole`` or ``interstitial``.
    environment : str
        ``bulk`` or ``surface``.
    length_ang : float
        Distance between the unrelaxed sites in angstrom.
    depth_ang : float or None
        Depth of the hop's midpoint below the nearer face in angstrom; None in bulk.
    direction : str or None
        ``lateral``, ``outward`` or ``inward`` for slabs; None in bulk.
    verdict : str
        ``converged``, or why there is no value.
    reason : str
        One sentence for a person; empty when converged.
    forward_barrier_eV, reverse_barrier_eV, reaction_energy_eV : float or None
        In eV; None unless ``converged``.
    converged : bool
        Every elementary band reached ``fmax_target_eV_per_A``.
    fmax_eV_per_A : float or None
        Largest residual NEB force component norm over all bands, eV/angstrom.
    fmax_target_eV_per_A : float
        The criterion, eV/angstrom.
    force_calls : int
        Energy-and-force evaluations spent, end points included.
    coordinate_ang : ndarray
        Path length of each image: root of the summed squared displacements of all atoms, in
        angstrom. shape=(images,)
    ion_coordinate : ndarray
        Projection of the hopping ion on the straight line from start to end, 0 to 1.
        shape=(images,)
    energies_eV : ndarray
        Energy of each image relative to the first, in eV. shape=(images,)
    positions : ndarray
        Positions of all atoms in each image in angstrom. shape=(images, atoms, 3)
    structure : Structure or None
        The start image (species, cell, labels); None where no relaxed start exists.
    ion : int
        Index of the hopping ion.
    minima : tuple of int
        Images that are minima; more than two mean a chain of elementary hops.
    images_below_ends : tuple of int
        Images that lie below both end points (flag).
    other_ion_displacement_ang : float or None
        Farthest that any other ion of the hopping element moved between the relaxed ends, in
        angstrom, the framework's drift taken off: how cooperative the hop is.
    theory : str
        Level of theory.
    seed : int
        Seed of every random choice on the way.
    start_energy_eV : float or None
        Total energy of the relaxed start in eV; None where there is none.
    """

    key: str
    site_types: tuple[str, str]
    mechanism: str
    environment: str
    length_ang: float
    depth_ang: float | None
    direction: str | None
    verdict: HopVerdict
    reason: str
    forward_barrier_eV: float | None
    reverse_barrier_eV: float | None
    reaction_energy_eV: float | None
    converged: bool
    fmax_eV_per_A: float | None
    fmax_target_eV_per_A: float
    force_calls: int
    coordinate_ang: NDArray[np.float64]
    ion_coordinate: NDArray[np.float64]
    energies_eV: NDArray[np.float64]
    positions: NDArray[np.float64]
    structure: Structure | None
    ion: int
    minima: tuple[int, ...]
    images_below_ends: tuple[int, ...]
    other_ion_displacement_ang: float | None
    theory: str
    seed: int
    start_energy_eV: float | None = None

    def __post_init__(self) -> None:
        """Freeze arrays and refuse a value without its evidence."""
        for name in ("coordinate_ang", "ion_coordinate", "energies_eV", "positions"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))
        profile = (self.coordinate_ang, self.ion_coordinate, self.energies_eV, self.positions)
        lengths = {len(array) for array in profile}
        if len(lengths) != 1:
            raise EvidenceError(f"Hop {self.key}: profile arrays differ in length: {lengths}.")
        if self.verdict not in get_args(HopVerdict):
            raise EvidenceError(f"Hop {self.key}: Unknown verdict '{self.verdict}'.")
        if self.verdict == "converged":
            self._check_evidence()
        else:
            self._check_no_value()

    def _repr_html_(self) -> str:
        """Return a table for notebooks: the barrier with its evidence, or why there is none."""
        rows = [("sites", " to ".join(self.site_types)), ("verdict", self.verdict)]
        if self.forward_barrier_eV is not None:
            rows += [
                ("forward barrier", f"{self.forward_barrier_eV:.3f} eV"),
                ("reverse barrier", f"{self.reverse_barrier_eV:.3f} eV"),
                ("reaction energy", f"{self.reaction_energy_eV:.3f} eV"),
                ("residual force", f"{self.fmax_eV_per_A:.3f} eV/Å"),
            ]
        else:
            rows.append(("reason", self.reason))
        rows += [("force calls", str(self.force_calls)), ("theory", self.theory)]
        return html_table(f"Hop {self.key}", rows)

    def _check_evidence(self) -> None:
        """Raise unless a converged hop shows that it is."""
        values = (self.forward_barrier_eV, self.reverse_barrier_eV, self.reaction_energy_eV)
        if None in values or not self.converged or self.fmax_eV_per_A is None:
            raise EvidenceError(
                f"Hop {self.key} is called converged but lacks a barrier, its residual force "
                "or the converged flag."
            )
        if not self.fmax_eV_per_A <= self.fmax_target_eV_per_A:
            raise EvidenceError(
                f"Hop {self.key} is called converged at fmax {self.fmax_eV_per_A:.3f} eV/A, "
                f"above its criterion {self.fmax_target_eV_per_A:.3f} eV/A."
            )
        shown = read_profile(self.energies_eV)
        shows = (shown.forward_barrier_eV, shown.reverse_barrier_eV, shown.reaction_energy_eV)
        if not np.allclose(np.array(values, dtype=float), shows, rtol=0.0, atol=1e-6):
            raise EvidenceError(
                f"Hop {self.key}: forward, reverse and reaction energy {values} eV are not what "
                f"its profile shows, {shows} eV."
            )

    def _check_no_value(self) -> None:
        """Raise if a hop that is not converged carries a value or says that it is."""
        values = (self.forward_barrier_eV, self.reverse_barrier_eV, self.reaction_energy_eV)
        if any(v is not None for v in values):
            raise EvidenceError(
                f"Hop {self.key} has verdict '{self.verdict}' and must not carry a barrier."
            )
        if self.converged:
            raise EvidenceError(
                f"Hop {self.key} has verdict '{self.verdict}' and must not be called converged."
            )
