"""Synthetic results: made-up curves that look like real ones, for the eye and for the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from superionic.analysis.barriers import BarrierResult, HopVerdict, read_profile
from superionic.analysis.scans import ScanKind, ScanProfile, scan_profile
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Synthetic:
    """Makers of synthetic values."""

    def structure(self) -> Structure:
        """Return two corner-sharing tetrahedra and a sodium in a box."""
        d = 1.62 / np.sqrt(3.0)
        corners = d * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
        centre = np.array([4.0, 4.0, 4.0])
        other = centre + 2 * corners[0]
        positions = [
            centre,
            *(centre + corners),
            other,
            *(other - corners)[1:],
            centre + np.array([3.0, -2.0, 0.0]),
        ]
        return Structure(
            numbers=np.array([14, 8, 8, 8, 8, 15, 8, 8, 8, 11]),
            positions=np.array(positions),
            cell=np.diag([10.0, 11.0, 12.0]),
        )

    def band(
        self,
        energies_eV: list[float],
        *,
        key: str = "h0",
        environment: str = "bulk",
        verdict: HopVerdict = "converged",
        reason: str = "",
        site_types: tuple[str, str] = ("Na1", "Na2"),
        direction: str | None = None,
        depth_ang: float | None = None,
    ) -> BarrierResult:
        """Return a band with the given energies, its images evenly spaced."""
        images = len(energies_eV)
        fraction = np.linspace(0.0, 1.0, images)
        structure = self.structure()
        positions = np.repeat(structure.positions[None], images, axis=0)
        positions[:, -1] += fraction[:, None] * np.array([0.0, 3.4, 0.3])
        ok = verdict == "converged"
        reading = read_profile(energies_eV)
        return BarrierResult(
            key=key,
            site_types=site_types,
            mechanism="vacancy",
            environment=environment,
            length_ang=3.41,
            depth_ang=depth_ang,
            direction=direction,
            verdict=verdict,
            reason=reason,
            forward_barrier_eV=reading.forward_barrier_eV if ok else None,
            reverse_barrier_eV=reading.reverse_barrier_eV if ok else None,
            reaction_energy_eV=reading.reaction_energy_eV if ok else None,
            converged=ok,
            fmax_eV_per_A=0.041 if ok else 0.182,
            fmax_target_eV_per_A=0.05,
            force_calls=240,
            coordinate_ang=3.6 * fraction,
            ion_coordinate=fraction,
            energies_eV=np.array(energies_eV),
            positions=positions,
            structure=structure,
            ion=9,
            minima=reading.minima,
            images_below_ends=(),
            other_ion_displacement_ang=0.1,
            theory="synthetic",
            seed=0,
        )

    def dome(self, height_eV: float, end_eV: float = 0.0, images: int = 7) -> list[float]:
        """Return a smooth hill."""
        s = np.linspace(0.0, 1.0, images)
        hill: NDArray[np.float64] = height_eV * np.sin(np.pi * s) ** 2 + end_eV * s**2
        return [float(x) for x in hill]

    def scan(
        self, kind: ScanKind, route: str, height_eV: float, *, failed: tuple[int, ...] = ()
    ) -> ScanProfile:
        """Return a scan in steps of 0.05 with some points not converged."""
        s = np.linspace(0.0, 1.0, 21)
        fmax = np.full(21, 0.043)
        fmax[list(failed)] = 0.31
        relaxed = kind == "relaxed"
        return scan_profile(
            route=route,
            kind=kind,
            hop_key="h0",
            coordinate=s,
            energies_eV=height_eV * np.sin(np.pi * s) ** 2 - 431.0,
            ion_positions=np.outer(s, [0.0, 3.4, 0.0]),
            theory="synthetic",
            constraint="framework fixed" if not relaxed else "ion held in the plane of its step",
            force_calls=21,
            fmax_eV_per_A=fmax if relaxed else None,
            fmax_target_eV_per_A=0.05 if relaxed else None,
        )


@pytest.fixture
def synthetic() -> Synthetic:
    """Return the makers of synthetic values."""
    return Synthetic()
