"""A band run again between the neighbours of its highest image, where that is not yet a saddle.

A long path has its images far apart. The highest one then may have far to go along the path, which
it does not follow by itself; a band between its two neighbours has the same images on a shorter
way (adaptive nudged elastic band: Maragakis et al., doi 10.1063/1.1495401).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.workflows.neb import Band, BandSettings, run_band

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

    from superionic.structures.structure import Structure
    from superionic.workflows.evaluation import CallCounter


def zoom(
    band: Band,
    host: Structure,
    *,
    calculator: BaseCalculator,
    settings: BandSettings,
    counter: CallCounter | None = None,
    label: str = "zoom",
) -> Band:
    """Run a band between the neighbours of the highest moving image, and put it in its place.

    Parameters
    ----------
    band
        Its images are converged but for the climbing one.
    host
        Any image as a structure: atoms and cell.
    calculator, settings, counter
        As in `superionic.workflows.neb.run_band`.
    label
        What progress, log and checkpoint call it.

    Returns
    -------
    Band
        More images than before, the outer ones as they were. Its residual is the largest of all
        images that remain; its saddle is the new one.
    """
    k = 1 + int(np.argmax(band.energies_eV[1:-1]))
    before, after = band.positions[k - 1], band.positions[k + 1]
    inner = run_band(
        host.with_positions(before),
        host.with_positions(after),
        calculator=calculator,
        settings=settings,
        counter=counter,
        guess=evenly_along(band.positions[k - 1 : k + 2], settings.images),
        label=label,
        checkpoint=label,
    )
    return Band(
        positions=np.concatenate(
            [band.positions[:k], inner.positions[1:-1], band.positions[k + 1 :]]
        ),
        energies_eV=np.concatenate(
            [band.energies_eV[:k], inner.energies_eV[1:-1], band.energies_eV[k + 1 :]]
        ),
        fmax_eV_per_A=max(band.fmax_eV_per_A, inner.fmax_eV_per_A),
        saddle_fmax_eV_per_A=inner.saddle_fmax_eV_per_A,
        converged=inner.converged and band.fmax_eV_per_A <= settings.fmax_eV_per_A,
        steps=band.steps + inner.steps,
    )


def evenly_along(path: NDArray[np.float64], images: int) -> NDArray[np.float64]:
    """Return evenly spaced points on the way over all images of a path, without its ends.

    Parameters
    ----------
    path
        In angstrom, unwrapped. shape=(points, atoms, 3)
    images
        How many points are wanted.
    """
    lengths = np.linalg.norm(np.diff(path, axis=0).reshape(len(path) - 1, -1), axis=1)
    way = np.concatenate([[0.0], np.cumsum(lengths)])
    flat = path.reshape(len(path), -1)
    points = np.linspace(0.0, way[-1], images + 2)[1:-1]
    return np.array([[np.interp(p, way, column) for column in flat.T] for p in points]).reshape(
        images, *path.shape[1:]
    )
