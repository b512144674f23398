"""One elastic band between two relaxed ends, with its saddle point sharpened.

Climbing-image nudged elastic band (Henkelman, Uberuaga and Jonsson, doi 10.1063/1.1329672) with
the improved tangent (doi 10.1063/1.1323224), started from an image-dependent pair potential path
(doi 10.1063/1.4878664), all in ASE. Three things are our own: the band is driven by Anderson's
mixing of preconditioned forces (less than half the force calls of ASE's adaptive ODE solver,
doi 10.1063/1.5064465, on 83 atoms); the residual counts the climbing image too (the optimiser that
ships with ASE's band leaves it out, and stops with the saddle unconverged); and the climbing image
is then converged further on its own, at one force call a step instead of one for each image.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import InvalidStructureError, ProtocolError
from superionic.structures.structure import Structure, minimum_image, readonly
from superionic.workflows.band_climb import Climb
from superionic.workflows.context import load_checkpoint
from superionic.workflows.evaluation import CallCounter, largest_force

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import ArrayLike, NDArray


SAME_END_ANG = 0.05
"""A saved band is used for ends this near to its own, in angstrom."""


@dataclass(frozen=True)
class BandSettings:
    """How to converge one band.

    Attributes
    ----------
    images : int
        Moving images between the two ends.
    fmax_eV_per_A : float
        Largest band force on any atom of any image, the climbing one included, eV/angstrom.
    saddle_fmax_eV_per_A : float
        The same for the climbing image alone, eV/angstrom.
    max_steps : int
        Band steps at most, each of one force call for every image.
    saddle_max_steps : int
        Steps of the climbing image alone, at most.
    spring_eV_per_A2 : float
        Spring constant between neighbouring images, eV/angstrom^2.
    """

    images: int = 5
    fmax_eV_per_A: float = 0.05
    saddle_fmax_eV_per_A: float = 0.02
    max_steps: int = 150
    saddle_max_steps: int = 150
    spring_eV_per_A2: float = 0.1

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        positive = (self.fmax_eV_per_A, self.saddle_fmax_eV_per_A, self.spring_eV_per_A2)
        if self.images < 1 or min(positive) <= 0 or min(self.max_steps, self.saddle_max_steps) < 0:
            raise ProtocolError(
                "A band needs at least one image, positive force criteria and spring, and step "
                f"limits of zero or more; got {self}."
            )


@dataclass(frozen=True, eq=False)
class Band:
    """A band of images, both ends included.

    Attributes
    ----------
    positions : ndarray
        Positions in angstrom, unwrapped: each image is continuous with the one before.
        shape=(images, atoms, 3)
    energies_eV : ndarray
        Energies in eV, not shifted. shape=(images,)
    fmax_eV_per_A : float
        Largest band force on any atom of any moving image, eV/angstrom.
    saddle_fmax_eV_per_A : float
        The same on the climbing image.
    converged : bool
        Both criteria were met.
    steps : int
        Band steps taken.
    """

    positions: NDArray[np.float64]
    energies_eV: NDArray[np.float64]
    fmax_eV_per_A: float
    saddle_fmax_eV_per_A: float
    converged: bool
    steps: int

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "positions", readonly(self.positions, np.float64))
        object.__setattr__(self, "energies_eV", readonly(self.energies_eV, np.float64))


def run_band(
    start: Structure,
    end: Structure,
    *,
    calculator: BaseCalculator,
    settings: BandSettings,
    counter: CallCounter | None = None,
    guess: ArrayLike | None = None,
    careful: bool = False,
    label: str = "band",
    checkpoint: str = "",
) -> Band:
    """Converge one climbing-image band between two structures.

    Parameters
    ----------
    start, end
        The relaxed ends: same atoms in the same order.
    calculator
        Any ASE calculator with energy and forces.
    settings
        Images, criteria, limits, spring.
    counter
        Counts the force calls.
    guess
        Positions of the moving images in angstrom, shape=(images, atoms, 3); by default an
        image-dependent pair potential path along the shortest periodic displacements.
    careful
        Follow the force in small steps from the first, so that a guess beside a ridge is not drawn
        onto it; slower.
    label
        What progress and log call it.
    checkpoint
        Name under which a task keeps the moving images every few steps, and from which a killed
        task goes on; none if empty. One kept for other ends is not used.

    Raises
    ------
    InvalidStructureError
        The ends are not the same atoms in the same cell, or the guess has another shape.
    """
    _check_ends(start, end)
    counter = counter or CallCounter()
    saved = load_checkpoint(checkpoint) if checkpoint else None
    if saved is not None and guess is None and _same_band(saved, start, end, settings):
        guess = saved["positions"]
    band = Climb(
        start,
        end,
        _moving_images(start, end, settings, guess),
        calculator=calculator,
        settings=settings,
        counter=counter,
        label=label,
        checkpoint=checkpoint,
        careful=careful,
    )
    for _ in range(4):  # sharpening the saddle can disturb its neighbours a little
        band.converge()
        if not band.within(settings.fmax_eV_per_A):
            break
        band.sharpen()
        if band.settled():
            break
    return _as_it_stands(band)


def _check_ends(start: Structure, end: Structure) -> None:
    """Raise unless two structures can be the ends of one band."""
    if (
        not np.array_equal(start.numbers, end.numbers)
        or not np.allclose(start.cell, end.cell, rtol=0.0, atol=1e-6)
        or start.pbc != end.pbc
    ):
        raise InvalidStructureError(
            f"The ends of a band must be the same atoms in the same order and cell; got "
            f"{start.formula} in {start.volume:.1f} A^3 and {end.formula} in {end.volume:.1f} A^3. "
            "Relax both ends in one and the same cell."
        )


def _same_band(
    saved: Mapping[str, NDArray[Any]], start: Structure, end: Structure, settings: BandSettings
) -> bool:
    """Tell whether a checkpoint was kept by a band between the same ends."""
    ends = np.array([start.positions, end.positions])
    shape = (settings.images, *start.positions.shape)
    fits = "ends" in saved and saved["positions"].shape == shape
    return fits and np.allclose(saved["ends"], ends, rtol=0.0, atol=SAME_END_ANG)


def _moving_images(
    start: Structure, end: Structure, settings: BandSettings, guess: ArrayLike | None
) -> NDArray[np.float64]:
    """Return where the moving images start, in angstrom. shape=(images, atoms, 3)."""
    points = band_guess(start, end, settings.images) if guess is None else np.asarray(guess)
    if points.shape != (settings.images, *start.positions.shape):
        raise InvalidStructureError(
            f"Expected a guess for {settings.images} images of {len(start)} atoms, shape "
            f"{(settings.images, *start.positions.shape)}; got {points.shape}."
        )
    return points


def _as_it_stands(climb: Climb) -> Band:
    """Return the band in its present state."""
    settings, forces = climb.settings, climb.forces()
    band, saddle = largest_force(forces), largest_force(forces[climb.saddle() - 1])
    return Band(
        positions=np.array([i.positions for i in climb.images]),
        energies_eV=np.array([i.get_potential_energy() for i in climb.images]),
        fmax_eV_per_A=band,
        saddle_fmax_eV_per_A=saddle,
        converged=band <= settings.fmax_eV_per_A and saddle <= settings.saddle_fmax_eV_per_A,
        steps=climb.steps,
    )


def band_guess(start: Structure, end: Structure, images: int) -> NDArray[np.float64]:
    """Return a starting path that keeps atoms apart.

    Parameters
    ----------
    start, end
        Same atoms in the same order; each atom takes its shortest periodic way.
    images
        Number of images strictly between.

    Returns
    -------
    ndarray
        Positions in angstrom. shape=(images, atoms, 3)
    """
    from ase.mep.neb import NEB, idpp_interpolate

    first = start.to_ase()
    last = start.to_ase()
    last.positions += minimum_image(end.positions - start.positions, start.cell, start.pbc)
    path = [first, *(first.copy() for _ in range(images)), last]
    NEB(path, method="improvedtangent").interpolate()
    if len(start) > 1:
        with warnings.catch_warnings():  # ASE's own band inside names no method
            warnings.filterwarnings("ignore", "The default method has changed", UserWarning)
            idpp_interpolate(path, traj=None, log=None, mic=any(start.pbc), fmax=0.1, steps=100)
    return np.array([atoms.positions for atoms in path[1:-1]])
