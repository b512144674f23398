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
from superionic.workflows.context import load_checkpoint, save_checkpoint
from superionic.workflows.evaluation import CallCounter, largest_force, shared_atoms
from superionic.workflows.progress import report_progress
from superionic.workflows.relax import PRECONDITIONED_FROM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ase.calculators.calculator import BaseCalculator
    from ase.mep import NEB
    from numpy.typing import ArrayLike, NDArray


CHECKPOINT_STEPS = 5
"""A band is saved after this many steps, so that a killed task does not start it afresh."""
SHARPER = 0.75
"""The climbing image is converged to this share of its criterion, as its tangent turns a little
afterwards."""
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
    band = _Climb(start, end, calculator, settings, counter, guess, label)
    band.checkpoint, band.careful = checkpoint, careful
    for _ in range(4):  # sharpening the saddle can disturb its neighbours a little
        band.converge()
        if not band.within(settings.fmax_eV_per_A):
            break
        band.sharpen()
        if band.settled():
            break
    return band.result()


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


class _Climb:
    """The moving parts of one band."""

    def __init__(
        self,
        start: Structure,
        end: Structure,
        calculator: BaseCalculator,
        settings: BandSettings,
        counter: CallCounter,
        guess: ArrayLike | None,
        label: str,
    ) -> None:
        self.settings, self.label, self.steps = settings, label, 0
        self.checkpoint, self.careful = "", False
        points = band_guess(start, end, settings.images) if guess is None else np.asarray(guess)
        if points.shape != (settings.images, *start.positions.shape):
            raise InvalidStructureError(
                f"Expected a guess for {settings.images} images of {len(start)} atoms, shape "
                f"{(settings.images, *start.positions.shape)}; got {points.shape}."
            )
        self.ends = np.array([start.positions, end.positions])
        last = start.positions + minimum_image(
            end.positions - start.positions, start.cell, start.pbc
        )
        path = (start.positions, *points, last)
        self.images = [shared_atoms(start.with_positions(p), calculator, counter) for p in path]
        self.neb = self._neb()

    def _neb(self) -> NEB:
        from ase.mep import NEB

        return NEB(
            self.images,
            k=self.settings.spring_eV_per_A2,
            climb=True,
            method="improvedtangent",
        )

    def _moving(self) -> NDArray[np.float64]:
        return np.array([image.positions for image in self.images[1:-1]])

    def forces(self) -> NDArray[np.float64]:
        """Return band forces in eV/angstrom. shape=(moving images, atoms, 3)."""
        return np.asarray(self.neb.get_forces().reshape(self.settings.images, -1, 3))

    def within(self, fmax: float) -> bool:
        """Tell whether every moving image meets a criterion."""
        return largest_force(self.forces()) <= fmax

    def settled(self) -> bool:
        """Tell whether the images and the saddle meet their criteria."""
        forces = self.forces()
        return (
            largest_force(forces) <= self.settings.fmax_eV_per_A
            and largest_force(forces[self.saddle() - 1]) <= self.settings.saddle_fmax_eV_per_A
        )

    def saddle(self) -> int:
        """Return the index of the climbing image."""
        return 1 + int(np.argmax([i.get_potential_energy() for i in self.images[1:-1]]))

    def converge(self) -> None:
        """Drive all images until the band force is small or steps run out."""
        from superionic.workflows.optimisers import BandSoftness, mix

        def force(x: NDArray[np.float64]) -> NDArray[np.float64]:
            self.neb.set_positions(x)
            self.steps += 1
            forces = np.asarray(self.neb.get_forces())
            if self.checkpoint and self.steps % CHECKPOINT_STEPS == 0:
                save_checkpoint(self.checkpoint, {"positions": self._moving(), "ends": self.ends})
            report_progress(
                step=self.steps,
                total=self.settings.max_steps,
                fmax=largest_force(forces),
                message=self.label,
            )
            return forces

        if self.steps < self.settings.max_steps and not self.careful:
            soft = BandSoftness(
                self.images[1:-1],
                tangents=lambda: (self._tangents(), self.saddle() - 1),
                spring_eV_per_A2=self.settings.spring_eV_per_A2,
                preconditioned=len(self.images[0]) >= PRECONDITIONED_FROM,
            )
            end = mix(
                force,
                self.neb.get_positions(),
                soften=soft,
                fmax=self.settings.fmax_eV_per_A,
                steps=self.settings.max_steps - self.steps,
            )
            self.neb.set_positions(end)
        if self.steps < self.settings.max_steps and not self.within(self.settings.fmax_eV_per_A):
            self._follow(force)

    def _follow(self, force: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
        """Follow the band force in small steps, where it jumps with the images' order in energy."""
        from ase.optimize.ode import OptimizerConvergenceError, ode12r

        def largest(forces: NDArray[np.float64], _: NDArray[np.float64]) -> float:
            return largest_force(forces.reshape(-1, 3))

        try:
            end = ode12r(
                lambda x: force(x.reshape(-1, 3)).ravel(),
                self.neb.get_positions().ravel(),
                fmax=self.settings.fmax_eV_per_A,
                rtol=0.1,
                steps=self.settings.max_steps - self.steps,
                verbose=0,
                residual=largest,
            )
        except OptimizerConvergenceError:
            return
        if end is not None:
            self.neb.set_positions(end.reshape(-1, 3))

    def sharpen(self) -> None:
        """Converge the climbing image alone, its neighbours and the tangent held."""
        from superionic.workflows.optimisers import BandSoftness, mix

        index = self.saddle()
        image, tangent = self.images[index], self._tangents()[index - 1]
        done = 0

        def climb(x: NDArray[np.float64]) -> NDArray[np.float64]:
            nonlocal done
            image.positions = x
            forces = image.get_forces()
            turned = np.asarray(forces - 2 * np.vdot(forces, tangent) * tangent)
            report_progress(
                step=done,
                total=self.settings.saddle_max_steps,
                fmax=largest_force(turned),
                message=f"{self.label}, saddle",
            )
            done += 1
            return turned

        image.positions = mix(
            climb,
            image.positions.copy(),
            soften=BandSoftness(
                [image],
                tangents=lambda: (tangent[None], 0),
                spring_eV_per_A2=self.settings.spring_eV_per_A2,
                preconditioned=len(image) >= PRECONDITIONED_FROM,
            ),
            fmax=SHARPER * self.settings.saddle_fmax_eV_per_A,
            steps=self.settings.saddle_max_steps,
        )

    def _tangents(self) -> NDArray[np.float64]:
        """Return the band's unit tangents at the moving images. shape=(images, atoms, 3)."""
        from ase.mep.neb import NEBState

        energies = np.array([i.get_potential_energy() for i in self.images])
        state = NEBState(self.neb, self.images, energies)
        tangents = []
        for k in range(1, len(self.images) - 1):
            tangent = self.neb.neb_method.get_tangent(
                state, state.spring(k - 1), state.spring(k), k
            ).ravel()
            tangents.append((tangent / np.linalg.norm(tangent)).reshape(-1, 3))
        return np.array(tangents)

    def result(self) -> Band:
        """Return the band as it stands."""
        forces = self.forces()
        index = self.saddle()
        band, saddle = largest_force(forces), largest_force(forces[index - 1])
        return Band(
            positions=np.array([i.positions for i in self.images]),
            energies_eV=np.array([i.get_potential_energy() for i in self.images]),
            fmax_eV_per_A=band,
            saddle_fmax_eV_per_A=saddle,
            converged=band <= self.settings.fmax_eV_per_A
            and saddle <= self.settings.saddle_fmax_eV_per_A,
            steps=self.steps,
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
