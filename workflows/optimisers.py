"""The package's own ASE optimisers.

Import inside functions only: ASE's optimisers take a while to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ase.optimize import LBFGS
from ase.optimize.precon import Exp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ase import Atoms
    from numpy.typing import NDArray


class Descent(LBFGS):
    """L-BFGS that leaves saddle points behind.

    ASE's own keeps every pair of step and change of force. Where the energy curves downwards such
    a pair turns later steps uphill: after a rattle of 0.05 A it took the saddle of a vacancy hop
    for a minimum in three of eight trials. Here the curvature along such a step counts with its
    absolute value, so that every step goes downhill (the pairs kept are positive; Nocedal and
    Wright, doi 10.1007/978-0-387-40065-5, chapter 7). Elsewhere the two are the same.

    Parameters
    ----------
    atoms
        Atoms with a calculator, or an ASE filter around them.
    maxstep
        No atom moves farther in one step, in angstrom.
    preconditioned
        Start from the stiffness of a network of neighbours (Packwood et al.,
        doi 10.1063/1.4947024) instead of one stiffness for all: half the steps in a crystal, for
        one force call more at the start. No line search, whose extra calls cost more than they
        save. Atoms only, no filter.
    """

    def __init__(self, atoms: Any, *, maxstep: float, preconditioned: bool = False) -> None:
        super().__init__(atoms, logfile=None, maxstep=maxstep)  # type: ignore[arg-type]
        if preconditioned:
            self.state.H0 = _Softness(atoms)

    def update(
        self,
        pos: NDArray[np.float64],
        forces: NDArray[np.float64],
        r0: NDArray[np.float64] | None,
        f0: NDArray[np.float64] | None,
    ) -> None:
        """Remember the last step, in angstrom, and the change of force, in eV/angstrom."""
        if r0 is None or f0 is None:
            return
        step = pos - r0
        curvature = float(np.vdot(step, f0 - forces))
        if curvature < 0:
            forces = f0 + curvature / np.vdot(step, step) * step
        if curvature != 0:
            self.state.update(pos, -forces, r0, -f0)
        else:  # the method takes its iteration count for the number of pairs
            self.state.iteration = len(self.state.s)


MIXED_STEPS = 15
"""Past steps that `mix` combines."""
MIXING = 0.3
"""Fraction of the softened force that `mix` adds to its combination of past steps."""
LEAST = 0.02
"""Least fraction it comes down to when forces grow."""
RESTART = 2.5
"""`mix` takes its last step back and forgets the past when the softened force grows so much."""
EVENNESS = 0.2
"""Fraction of the way to equal distances that images go along the path in one step."""
PATIENCE = 15
"""`mix` gives up when so many steps took a tenth neither off the largest force nor off all of the
softened force: on floppy molecules one atom's force can stand still while the rest goes down."""
SOFTNESS_A2_PER_EV = 1 / 70
"""Displacement for a force where no network of neighbours is used; what ASE's L-BFGS takes."""


def mix(
    force: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: NDArray[np.float64],
    *,
    soften: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    fmax: float,
    steps: int,
    max_step_ang: float = 0.2,
) -> NDArray[np.float64]:
    """Go to where a force vanishes that need not be the slope of anything, as that on a band.

    Anderson's mixing (doi 10.1145/321296.321305; as a multisecant method, Fang and Saad,
    doi 10.1002/nla.617) of softened forces. It takes no symmetry of the force's derivatives for
    granted, as L-BFGS does, which on a band with a climbing image falls into growing swings; and
    it learns from past steps, as the explicit solvers of an equation of motion do not.

    Parameters
    ----------
    force
        Force in eV/angstrom at positions in angstrom, both shape=(atoms, 3).
    start
        Where to start, in angstrom. shape=(atoms, 3)
    soften
        Turns forces into displacements of about the right size; both shape=(atoms, 3).
    fmax
        Done when no atom's force is larger, eV/angstrom.
    steps
        Force evaluations at most; it ends earlier when it gets nowhere, as where the force jumps.
    max_step_ang
        No atom moves farther in one step, in angstrom.

    Returns
    -------
    ndarray
        The positions with the smallest force, whether the criterion is met or not.
        shape=(atoms, 3)
    """
    x = np.array(start, dtype=np.float64)
    best, lowest, since = x, np.inf, 0
    marks = np.array([np.inf, np.inf])
    path: list[NDArray[np.float64]] = []
    pulls: list[NDArray[np.float64]] = []
    gain = MIXING
    for _ in range(steps):
        forces = force(x)
        largest = float(np.linalg.norm(forces, axis=1).max())
        if largest < lowest:
            best, lowest = x, largest
        if largest <= fmax:
            break
        pull = soften(forces)
        sizes = np.array([largest, np.linalg.norm(pull)])
        better = bool((sizes < 0.9 * marks).any())
        marks, since = (np.minimum(sizes, marks), 0) if better else (marks, since + 1)
        if since == PATIENCE:
            break
        growth = float(np.linalg.norm(pull) / np.linalg.norm(pulls[-1])) if pulls else 0.0
        gain = max(LEAST, gain / 2) if growth > 1 else min(MIXING, 1.2 * gain)
        if growth > RESTART:  # back to where it was, with nothing but the force there
            x, pull = path[-1], pulls[-1]
            path, pulls = [], []
        path, pulls = [*path, x][-MIXED_STEPS - 1 :], [*pulls, pull][-MIXED_STEPS - 1 :]
        move = _mixed(path, pulls, gain)
        x = x + move * min(1.0, max_step_ang / float(np.linalg.norm(move, axis=1).max()))
    return best


def _mixed(
    path: Sequence[NDArray[np.float64]], pulls: Sequence[NDArray[np.float64]], gain: float
) -> NDArray[np.float64]:
    """Return the next displacement from past positions and softened forces, newest last."""
    pull = pulls[-1]
    if len(path) == 1:
        return gain * pull
    moves = np.array([(path[-1] - old).ravel() for old in path[:-1]]).T
    changes = np.array([(pull - old).ravel() for old in pulls[:-1]]).T
    overlap = changes.T @ changes
    if not overlap.any():  # a force that no step changed
        return gain * pull
    overlap += 1e-8 * np.trace(overlap) / len(overlap) * np.eye(len(overlap))
    weights = np.linalg.solve(overlap, changes.T @ pull.ravel())
    left = pull.ravel() - changes @ weights
    return np.asarray((gain * left - moves @ weights).reshape(pull.shape))


class BandSoftness:
    """Displacements for the forces on a band's images, each with its own network of neighbours.

    Across the path the softened force, without what the softening itself turned along it (which
    would let images slide off the saddle); along the path some way to equal distances, and for
    the climbing image as far as the network is soft that way.

    Parameters
    ----------
    images
        The moving images, with calculators.
    tangents
        Returns their unit tangents, shape=(images, atoms, 3), and which of them climbs.
    spring_eV_per_A2
        Spring constant between images, eV/angstrom^2.
    preconditioned
        Without it one stiffness serves for all atoms.
    """

    def __init__(
        self,
        images: Sequence[Atoms],
        *,
        tangents: Callable[[], tuple[NDArray[np.float64], int]],
        spring_eV_per_A2: float,
        preconditioned: bool,
    ) -> None:
        self.images, self.tangents, self.spring = images, tangents, spring_eV_per_A2
        self.networks: list[Exp] = []
        if preconditioned:
            first = Exp(A=3.0)
            first.make_precon(images[0])
            same = {"A": 3.0, "mu": first.mu, "r_NN": first.r_NN, "r_cut": first.r_cut}
            self.networks = [first, *(Exp(**same) for _ in images[1:])]

    def __call__(self, forces: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return displacements in angstrom for forces in eV/angstrom; both shape=(atoms, 3)."""
        tangents, climbing = self.tangents()
        moves = []
        for k, part in enumerate(np.split(forces, len(self.images))):
            tangent = tangents[k]
            pull = float(np.vdot(part, tangent))
            across = self._soften(k, part - pull * tangent)
            across -= np.vdot(across, tangent) * tangent
            if k == climbing:
                softness = float(np.vdot(tangent, self._soften(k, tangent)))
            else:
                softness = EVENNESS / self.spring
            moves.append(across + pull * softness * tangent)
        return np.concatenate(moves)

    def _soften(self, k: int, forces: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return displacements of one image's atoms."""
        if not self.networks:
            return SOFTNESS_A2_PER_EV * forces
        self.networks[k].make_precon(self.images[k])
        return np.asarray(self.networks[k].solve(forces.ravel()).reshape(-1, 3))


class _Softness:
    """The inverse of a network's stiffness, as far as L-BFGS needs it: times a vector."""

    def __init__(self, atoms: Atoms) -> None:
        # with held atoms too: a molecule that touches nothing would have no stiffness at all
        self.atoms, self.network = atoms, Exp(A=3.0, force_stab=True)

    def __matmul__(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return displacements in angstrom for a gradient in eV/angstrom, both flat."""
        self.network.make_precon(self.atoms)
        return np.asarray(self.network.solve(gradient))
