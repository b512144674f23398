"""The electronic structure of a molecule or a metal node as one task."""

from __future__ import annotations

from superionic.structures.errors import TheoryError
from superionic.structures.molecule import Molecule
from superionic.workflows.electronic_results import ElectronicResult, ElectronicSettings
from superionic.workflows.execution import job
from superionic.workflows.theory import get_theory

DEFAULTS = ElectronicSettings()


@job(version=1, name="electronic")
def electronic_task(
    molecule: Molecule,
    theory: str = "pyscf-pbe",
    settings: ElectronicSettings = DEFAULTS,
) -> ElectronicResult:
    """Compute the electronic structure of a molecule in its charge and multiplicity.

    A field that does not become self-consistent is a result with ``converged=False``, the record of
    all attempts, and no value.

    Parameters
    ----------
    molecule
        Its geometry is taken as it is.
    theory
        A level with orbitals: ``pyscf-pbe``, with dispersion if wanted.
    settings
        What is computed, and how.

    Raises
    ------
    TheoryError
        The level has no orbitals, or is not installed.
    UnknownElementError
        It lacks an element.
    """
    level = get_theory(theory)
    if level.code != "pyscf":
        raise TheoryError(
            f"{theory} gives no orbitals to project. Choose pyscf-pbe, or pyscf-pbe+d3bj for an "
            "energy with dispersion."
        )
    raise NotImplementedError(settings)
