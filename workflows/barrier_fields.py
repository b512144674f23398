"""The fields of a barrier result that follow from its path, and what stands there without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BELOW_ENDS_EV = 1e-3
"""An image this much below both ends is flagged, in eV."""


def profile_fields(
    positions: NDArray[np.float64], energies_eV: NDArray[np.float64], *, ion: int
) -> dict[str, Any]:
    """Return the fields of a `BarrierResult` that describe its path.

    Parameters
    ----------
    positions
        Unwrapped, in angstrom. shape=(images, atoms, 3)
    energies_eV
        Relative to the first image, in eV. shape=(images,)
    ion
        Index of the hopping ion.
    """
    lower_end = min(energies_eV[0], energies_eV[-1])
    below = np.flatnonzero(energies_eV[1:-1] < lower_end - BELOW_ENDS_EV) + 1
    return {
        "coordinate_ang": path_length(positions),
        "ion_coordinate": ion_progress(positions[:, ion]),
        "energies_eV": energies_eV,
        "positions": positions,
        "images_below_ends": tuple(int(k) for k in below),
    }


def fields_without_value(atoms: int) -> dict[str, Any]:
    """Return the fields of a `BarrierResult` of so many atoms that has no barrier and no path."""
    empty = np.zeros(0)
    return {
        "forward_barrier_eV": None,
        "reverse_barrier_eV": None,
        "reaction_energy_eV": None,
        "converged": False,
        "fmax_eV_per_A": None,
        "coordinate_ang": empty,
        "ion_coordinate": empty,
        "energies_eV": empty,
        "positions": np.zeros((0, atoms, 3)),
        "minima": (),
        "images_below_ends": (),
    }


def path_length(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the path length at each image in angstrom, from positions (images, atoms, 3)."""
    steps = np.sqrt((np.diff(positions, axis=0) ** 2).sum(axis=(1, 2)))
    return np.concatenate([[0.0], np.cumsum(steps)])


def ion_progress(ion_positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each point's projection on the straight line from first to last point, 0 to 1.

    Parameters
    ----------
    ion_positions
        Positions of one ion in angstrom. shape=(images, 3)
    """
    line = ion_positions[-1] - ion_positions[0]
    return np.asarray((ion_positions - ion_positions[0]) @ line / (line @ line))
