"""Spectra of collective currents: where conductivities stand, with ordinates that are independent.

The slope of a collective squared displacement at long times is the spectrum of its increments at
frequency zero. Unlike points of a squared displacement, ordinates of a spectrum are independent of
each other, and each is a sum of squares of normal numbers, whatever the memory of the motion: that
is what the intervals rest on (Ercole, Marcolongo and Baroni, doi 10.1038/s41598-017-15843-2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import TrajectoryError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class CurrentSpectrum:
    """Cross-spectra of the increments of collective paths.

    Attributes
    ----------
    roughness : ndarray
        2 - 2 cos(w dt) of each ordinate, w being its angular frequency, ascending: the square of
        the frequency where that is low. shape=(ordinates,)
    amplitudes : ndarray
        Sine transforms of the increments of a frame in angstrom; products of two of them scatter
        about the cross-spectrum. shape=(ordinates, paths, 3)
    single_powers : ndarray
        Spectra of single ions in angstrom^2, mean over the ions of a species and axes.
        shape=(ordinates, paths)
    frames : int
        Frames of all replicas together.
    """

    roughness: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    single_powers: NDArray[np.float64]
    frames: int

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in ("roughness", "amplitudes", "single_powers"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))

    def __len__(self) -> int:
        """Return the number of ordinates."""
        return len(self.roughness)

    def power(self, weights: ArrayLike) -> NDArray[np.float64]:
        """Return the spectrum of a sum of paths in angstrom^2, mean over axes. shape=(ordinates,).

        Parameters
        ----------
        weights
            One for each path.
        """
        return np.asarray((self.by_axis(weights) ** 2).mean(axis=1))

    def by_axis(self, weights: ArrayLike) -> NDArray[np.float64]:
        """Return the transform of a sum of paths along each axis. shape=(ordinates, 3)."""
        weight = np.asarray(weights, dtype=float)
        return np.asarray(np.einsum("kpa,p->ka", self.amplitudes, weight))

    def matrix(self, count: int) -> NDArray[np.float64]:
        """Return the mean cross-spectrum of the lowest ordinates in angstrom^2.

        Parameters
        ----------
        count
            How many ordinates.

        Returns
        -------
        ndarray
            shape=(paths, paths)
        """
        low = self.amplitudes[:count]
        return np.asarray(np.einsum("kia,kja->ij", low, low) / (3 * count))


def path_spectrum(
    blocks: Iterable[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the transform of the summed path of all ions, and the mean spectrum of single ones.

    The sine transform is taken since it makes ordinates exactly independent both for Brownian
    motion and for Brownian motion seen through noise of each frame (rattling, bound pairs).

    Parameters
    ----------
    blocks
        Continuous positions of some ions at a time in angstrom. shape=(ions, 3, frames) each

    Returns
    -------
    tuple of ndarray
        shape=(frames - 1, 3) and (frames - 1,)
    """
    from scipy.fft import dst

    total: NDArray[np.float64] | None = None
    power: NDArray[np.float64] | None = None
    ions = 0
    for block in blocks:
        if block.shape[2] < 3:
            raise TrajectoryError(f"A spectrum needs three frames at least; got {block.shape[2]}.")
        each = np.asarray(dst(np.diff(block, axis=2), type=1, norm="ortho", axis=2))
        sums, squares = each.sum(axis=0).T, np.einsum("pak,pak->k", each, each)
        total = sums if total is None else total + sums
        power = squares if power is None else power + squares
        ions += len(block)
    if total is None or power is None:
        raise TrajectoryError("There are no ions to take a spectrum of.")
    return total, power / (3 * ions)


def current_spectrum(
    replicas: Sequence[Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]],
) -> CurrentSpectrum:
    """Return the spectra of collective paths of one or several replicas.

    Parameters
    ----------
    replicas
        For each replica what :func:`path_spectrum` gives of each species.
    """
    roughness, amplitudes, singles = [], [], []
    for species in replicas:
        count = len(species[0][0])
        amplitudes.append(np.stack([a for a, _ in species], axis=1))
        singles.append(np.stack([p for _, p in species], axis=1))
        roughness.append(2.0 - 2.0 * np.cos(np.pi * np.arange(1, count + 1) / (count + 1)))
    every = np.concatenate(roughness)
    order = np.argsort(every, kind="stable")
    return CurrentSpectrum(
        every[order], np.concatenate(amplitudes)[order], np.concatenate(singles)[order],
        len(every) + len(replicas),
    )  # fmt: skip
