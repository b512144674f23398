"""A climbing-image band on its way: all images driven together, then the saddle alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.structure import minimum_image
from superionic.workflows.context import save_checkpoint
from superionic.workflows.evaluation import CallCounter, largest_force, shared_atoms
from superionic.workflows.progress import report_progress
from superionic.workflows.relax import PRECONDITIONED_FROM

if TYPE_CHECKING:
    from collections.abc import Callable

    from ase.calculators.calculator import BaseCalculator
    from ase.mep import NEB
    from numpy.typing import NDArray

    from superionic.structures.structure import Structure
    from superionic.workflows.neb import BandSettings

CHECKPOINT_STEPS = 5
"""A band is saved after this many steps, so that a killed task does not start it afresh."""
SHARPER = 0.75
"""The climbing image is converged to this share of its criterion, as its tangent turns a little
afterwards."""


class Climb:
    """The moving parts of one band.

    Parameters
    ----------
    start, end
        The relaxed ends.
    points
        Where the moving images start, in angstrom. shape=(images, atoms, 3)
    calculator, settings, counter
        As in `superionic.workflows.neb.run_band`.
    label, checkpoint, careful
        Likewise.
    """

    def __init__(
        self,
        start: Structure,
        end: Structure,
        points: NDArray[np.float64],
        *,
        calculator: BaseCalculator,
        settings: BandSettings,
        counter: CallCounter,
        label: str,
        checkpoint: str = "",
        careful: bool = False,
    ) -> None:
        self.settings, self.label, self.steps = settings, label, 0
        self.checkpoint, self.careful = checkpoint, careful
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
