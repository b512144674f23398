"""Added dispersion by name: D2, D3(BJ) and D4, each with the parameters of a functional."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from superionic.structures.errors import TheoryError, UnknownElementError

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator

    from superionic.structures.structure import Structure

DISPERSIONS = {
    "d2": "DFT-D2 (Grimme, doi 10.1002/jcc.20495)",
    "d3bj": "DFT-D3(BJ) (Grimme et al., doi 10.1002/jcc.21759)",
    "d4": "DFT-D4 (Caldeweyher et al., doi 10.1063/1.5090222)",
}
"""What each name stands for."""

MODULES = {"d2": "torch_dftd", "d3bj": "dftd3", "d4": "dftd4"}
"""Python package behind each."""

D2_FUNCTIONALS = {"pbe": "pbe"}
D2_REACH_ANG = 30.0
"""Pairs farther apart are left out of D2, in angstrom. On a 108-atom slab of LATP the energy then
is within 2 meV of that at 40 A; what is left out is nearly the same with and without a molecule."""
HEAVIEST = {"d2": 86, "d3bj": 103, "d4": 103}
"""Largest atomic number that each has parameters for."""


def dispersion_calculator(kind: str, functional: str) -> BaseCalculator:
    """Return an ASE calculator of a dispersion correction alone.

    Parameters
    ----------
    kind
        A key of `DISPERSIONS`.
    functional
        Whose damping parameters to take, such as ``pbe``.

    Raises
    ------
    TheoryError
        The correction is unknown, has no parameters for the functional, or its package is missing.
    """
    if kind not in DISPERSIONS:
        raise TheoryError(
            f"Unknown dispersion correction '{kind}'. Known: {', '.join(DISPERSIONS)}."
        )
    if importlib.util.find_spec(MODULES[kind]) is None:
        raise TheoryError(
            f"The Python package '{MODULES[kind]}' is not installed here; install it for "
            f"'+{kind}', or choose another dispersion correction ({', '.join(DISPERSIONS)})."
        )
    if kind == "d3bj":
        from dftd3.ase import DFTD3

        d3: BaseCalculator = DFTD3(method=functional, damping="d3bj")
        return d3
    if kind == "d4":
        from dftd4.ase import DFTD4

        d4: BaseCalculator = DFTD4(method=functional)
        return d4
    if functional not in D2_FUNCTIONALS:
        raise TheoryError(
            f"DFT-D2 is offered for {', '.join(D2_FUNCTIONALS)} only; got '{functional}'."
        )
    from superionic.workflows.calculators import GrimmeD2

    return GrimmeD2(functional=D2_FUNCTIONALS[functional], reach_ang=D2_REACH_ANG)


def dispersion_energy(structure: Structure, kind: str, functional: str) -> float:
    """Return the energy of a dispersion correction alone, in eV.

    Raises
    ------
    TheoryError
        As `dispersion_calculator`.
    UnknownElementError
        It has no parameters for an element.
    """
    check_dispersion(structure, kind)
    atoms = structure.to_ase()
    atoms.calc = dispersion_calculator(kind, functional)
    return float(atoms.get_potential_energy())


def check_dispersion(structure: Structure, kind: str) -> None:
    """Raise unless a dispersion correction has parameters for all elements.

    Raises
    ------
    UnknownElementError
        Names the elements.
    """
    heaviest = HEAVIEST[kind]
    heavy = sorted({s for s, z in zip(structure.symbols, structure.numbers, strict=True)
                    if z > heaviest})  # fmt: skip
    if heavy:
        raise UnknownElementError(
            f"+{kind} has no parameters for {', '.join(heavy)}. Choose another dispersion "
            f"correction ({', '.join(DISPERSIONS)}) or none."
        )
