"""The package's own ASE optimisers.

Import inside functions only: ASE's optimisers take a while to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ase.optimize import LBFGS
from ase.optimize.precon import Exp

if TYPE_CHECKING:
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


class _Softness:
    """The inverse of a network's stiffness, as far as L-BFGS needs it: times a vector."""

    def __init__(self, atoms: Atoms) -> None:
        # with held atoms too: a molecule that touches nothing would have no stiffness at all
        self.atoms, self.network = atoms, Exp(A=3.0, force_stab=True)

    def __matmul__(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return displacements in angstrom for a gradient in eV/angstrom, both flat."""
        self.network.make_precon(self.atoms)
        return np.asarray(self.network.solve(gradient))
