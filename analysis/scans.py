"""Energy scans along a fixed route: what fixed steps say about a barrier, point by point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.analysis.barriers import largest_climb
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ScanKind = Literal["rigid", "relaxed"]
"""``rigid``: nothing moves but the ion. ``relaxed``: the framework relaxes at every point."""

_ROUNDING_EV = 1e-9


@dataclass(frozen=True, eq=False)
class ScanProfile:
    """Energies at fixed steps of an ion along a route.

    An energy is a value only where its point converged; elsewhere it is the last energy reached,
    kept for the log, and nothing may draw or tabulate it as a value. ``values_eV`` holds the
    difference. Energies are relative to the first point, so nothing is a value when that point
    did not converge.

    Attributes
    ----------
    route : str
        The route's name, such as ``A`` (inner channel) or ``B`` (exposed surface).
    kind : str
        ``rigid`` or ``relaxed``.
    hop_key : str
        The hop, or the chain of hops, that the route follows.
    coordinate : ndarray
        Fraction of the route, increasing from 0 to 1. shape=(points,)
    energies_eV : ndarray
        Energy of each point relative to the first, in eV; finite. shape=(points,)
    converged : ndarray of bool
        Whether each point met its criterion. shape=(points,)
    fmax_eV_per_A : ndarray
        Largest residual force on what was free to move, eV/angstrom; zero in a rigid scan, where
        nothing was. shape=(points,)
    fmax_target_eV_per_A : float or None
        The criterion in eV/angstrom; None in a rigid scan.
    ion_positions : ndarray
        Where the ion sat at each point, in angstrom. shape=(points, 3)
    barrier_eV : float or None
        Largest climb from a point to any later one, in eV; None unless every point converged.
    force_calls : int
        Energy-and-force evaluations spent.
    theory : str
        Level of theory.
    constraint : str
        What was held, in words, such as ``ion held in the plane normal to the route``.

    Raises
    ------
    EvidenceError
        Shapes disagree, a number is not finite, the coordinate does not increase within 0 to 1,
        a point counts as converged above its criterion or without a converged first point, or
        the barrier is not the one that the points show.
    """

    route: str
    kind: ScanKind
    hop_key: str
    coordinate: NDArray[np.float64]
    energies_eV: NDArray[np.float64]
    converged: NDArray[np.bool_]
    fmax_eV_per_A: NDArray[np.float64]
    fmax_target_eV_per_A: float | None
    ion_positions: NDArray[np.float64]
    barrier_eV: float | None
    force_calls: int
    theory: str
    constraint: str

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse a value without its evidence."""
        for name in ("coordinate", "energies_eV", "fmax_eV_per_A", "ion_positions"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))
        object.__setattr__(self, "converged", readonly(self.converged, np.bool_))
        if self.kind not in ("rigid", "relaxed"):
            raise EvidenceError(f"A scan is 'rigid' or 'relaxed'; got '{self.kind}'.")
        self._check_arrays()
        self._check_convergence()
        if not _same(self.barrier_eV, self._barrier_from_points()):
            raise EvidenceError(
                f"Scan {self._name}: barrier {self.barrier_eV} is not what its points show, "
                f"{self._barrier_from_points()}. Make the profile with `scan_profile`."
            )

    @property
    def values_eV(self) -> tuple[float | None, ...]:
        """Energy of each point relative to the first, in eV; None where it is not a value."""
        return tuple(
            float(e) if ok else None for e, ok in zip(self.energies_eV, self.converged, strict=True)
        )

    @property
    def all_converged(self) -> bool:
        """Whether every point is a value."""
        return bool(self.converged.all())

    @property
    def _name(self) -> str:
        return f"{self.route} ({self.kind}, hop {self.hop_key})"

    def _barrier_from_points(self) -> float | None:
        return largest_climb(self.energies_eV)[0] if self.converged.all() else None

    def _check_arrays(self) -> None:
        """Raise unless shapes agree and all numbers are finite and in order."""
        n = len(self.coordinate)
        arrays = (self.coordinate, self.energies_eV, self.converged, self.fmax_eV_per_A)
        shapes = [a.shape for a in (*arrays, self.ion_positions)]
        if n < 2 or shapes != [(n,)] * 4 + [(n, 3)]:
            raise EvidenceError(
                f"Scan {self._name}: expected two or more points with four arrays of shape (n,) "
                f"and ion positions (n, 3); got {shapes}."
            )
        numbers = (self.coordinate, self.energies_eV, self.fmax_eV_per_A, self.ion_positions)
        if not all(np.isfinite(a).all() for a in numbers):
            raise EvidenceError(
                f"Scan {self._name}: holds NaN or infinity. Give a failed point its last finite "
                "energy and mark it as not converged."
            )
        steps = np.diff(self.coordinate)
        if (steps <= 0).any() or self.coordinate[0] < -1e-9 or self.coordinate[-1] > 1 + 1e-9:
            raise EvidenceError(
                f"Scan {self._name}: the coordinate must increase within 0 to 1; it runs from "
                f"{self.coordinate[0]:.3f} to {self.coordinate[-1]:.3f}."
            )

    def _check_convergence(self) -> None:
        """Raise if a point counts as a value that cannot be one."""
        if abs(self.energies_eV[0]) > _ROUNDING_EV:
            raise EvidenceError(
                f"Scan {self._name}: energies are relative to the first point, which must read "
                f"0 eV; it reads {self.energies_eV[0]:.6f} eV."
            )
        if self.converged.any() and not self.converged[0]:
            raise EvidenceError(
                f"Scan {self._name}: energies are relative to a first point that did not "
                "converge, so no point of it has a value. Mark all of them as not converged."
            )
        target = self.fmax_target_eV_per_A
        if (target is None) != (self.kind == "rigid"):
            raise EvidenceError(
                f"Scan {self._name}: a relaxed scan needs a force criterion and a rigid one has "
                f"none; got {target}."
            )
        if target is not None and (self.fmax_eV_per_A[self.converged] > target).any():
            worst = float(self.fmax_eV_per_A[self.converged].max())
            raise EvidenceError(
                f"Scan {self._name}: a point counts as converged at {worst:.3f} eV/A, above the "
                f"criterion {target:.3f} eV/A."
            )


def scan_profile(
    *,
    route: str,
    kind: ScanKind,
    hop_key: str,
    coordinate: ArrayLike,
    energies_eV: ArrayLike,
    ion_positions: ArrayLike,
    theory: str,
    constraint: str,
    force_calls: int,
    fmax_eV_per_A: ArrayLike | None = None,
    fmax_target_eV_per_A: float | None = None,
    converged: ArrayLike | None = None,
) -> ScanProfile:
    """Make a profile from raw energies: shift to the first point, judge, read the barrier.

    Parameters
    ----------
    energies_eV
        Total energies in eV, any common reference. shape=(points,)
    fmax_eV_per_A, fmax_target_eV_per_A
        Residual forces and their criterion; left out for a rigid scan.
    converged
        Which points count; by default those at or below the criterion, all in a rigid scan. None
        count when the first does not.

    Raises
    ------
    EvidenceError
        As in `ScanProfile`; the other parameters are documented there.
    """
    energies = np.asarray(energies_eV, dtype=float)
    fmax = np.zeros(len(energies)) if fmax_eV_per_A is None else np.asarray(fmax_eV_per_A, float)
    if converged is None:
        limit = np.inf if fmax_target_eV_per_A is None else fmax_target_eV_per_A
        counted = fmax <= limit
    else:
        counted = np.asarray(converged, dtype=bool)
    if len(counted) and not counted[0]:
        counted = np.zeros_like(counted)
    relative = energies - energies[0] if len(energies) else energies
    finite = bool(np.isfinite(relative).all()) and len(relative) > 1
    return ScanProfile(
        route=route,
        kind=kind,
        hop_key=hop_key,
        coordinate=np.asarray(coordinate, dtype=float),
        energies_eV=relative,
        converged=counted,
        fmax_eV_per_A=fmax,
        fmax_target_eV_per_A=fmax_target_eV_per_A,
        ion_positions=np.asarray(ion_positions, dtype=float),
        barrier_eV=largest_climb(relative)[0] if finite and counted.all() else None,
        force_calls=force_calls,
        theory=theory,
        constraint=constraint,
    )


def _same(given: float | None, shown: float | None) -> bool:
    """Return whether two barriers agree to rounding, or are both absent."""
    if given is None or shown is None:
        return given is shown
    return abs(given - shown) <= _ROUNDING_EV
