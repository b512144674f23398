"""Levels of theory by name: what computes energies and forces, and what it may be asked.

Workflows take a name such as ``"chgnet-0.3.0"``, ``"sevennet-l3i5+d3bj"`` or ``"gfn1-xtb"``, and
never a calculator class. ``"gfn1-xtb@eps7.5"`` and ``"pyscf-pbe@eps7.5+d3bj"`` are in a continuum
of that relative permittivity.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import TheoryError, UnknownElementError
from superionic.workflows.dispersion import DISPERSIONS, check_dispersion, dispersion_calculator
from superionic.workflows.theory_calculators import SOLVENT_CODES, Code, base_calculator

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator

    from superionic.structures.structure import Structure


@dataclass(frozen=True)
class _Level:
    """What stands behind a name, dispersion left out."""

    code: Code
    model: str
    functional: str = ""


_LEVELS = {
    "chgnet-0.3.0": _Level("chgnet", "0.3.0", "pbe"),
    "chgnet-r2scan": _Level("chgnet", "r2scan", "r2scan"),
    "sevennet-0": _Level("sevennet", "7net-0", "pbe"),
    "sevennet-l3i5": _Level("sevennet", "7net-l3i5", "pbe"),
    "gfn1-xtb": _Level("tblite", "GFN1-xTB", "gfn1-xtb"),
    "gfn2-xtb": _Level("tblite", "GFN2-xTB", "gfn2-xtb"),
    "pyscf-pbe": _Level("pyscf", "pbe", "pbe"),
    "emt": _Level("emt", ""),
    "lj": _Level("lj", ""),
}
CUTOFFS_ANG = {
    "chgnet": 6.0, "sevennet": 5.0, "emt": 6.0, "lj": 10.0, "tblite": 10.0, "pyscf": 10.0,
}  # fmt: skip
"""Reach of one interaction in angstrom; a vacuum thinner than this lets images meet. Electrostatic
forces of the quantum-chemical codes reach farther."""
UNTRAINED = {
    "0.3.0": frozenset({"Po", "At", "Rn", "Fr", "Ra"}),
    "r2scan": frozenset({"Po", "At", "Rn", "Fr", "Ra", "Yb"}),
}
"""Elements up to Pu that a CHGNet model takes in but was never trained on: 89 of the 94 occur in
its data (doi 10.1038/s42256-023-00716-3); the reference energies of these are as initialised."""
D3_FUNCTIONALS = {
    "chgnet-0.3.0": "pbe", "sevennet-0": "pbe", "sevennet-l3i5": "pbe", "pyscf-pbe": "pbe",
}  # fmt: skip
"""Functional whose dispersion parameters (D2, D3(BJ), D4) fit a level without any of its own."""
HEAVIEST = {"tblite": 86, "pyscf": 36}
"""Largest atomic number of the quantum-chemical codes: radon; krypton, up to which the basis set
needs no core potential."""
GAMMA_CELL_ANG = 8.0
"""tblite samples a periodic structure at the centre of the Brillouin zone only: in a cell with a
shorter lattice vector, in angstrom, that is too coarse for anything."""
CONTINUUM = "@eps"
"""Stands between the name of a level and the relative permittivity of the continuum."""


@dataclass(frozen=True)
class Theory:
    """A level of theory.

    Attributes
    ----------
    name : str
        ``code-model`` with ``@eps7.5`` in a continuum, and ``+d2``, ``+d3bj`` or ``+d4`` where
        dispersion is added.
    code : {"chgnet", "sevennet", "emt", "lj", "tblite", "pyscf"}
        Which code computes it.
    model : str
        The code's own name of the model, method or functional.
    dispersion : {"", "d2", "d3bj", "d4"}
        Added dispersion correction.
    functional : str
        What the model was trained to reproduce, or what it is; empty for toys.
    permittivity : float or None
        Relative permittivity of the continuum around a molecule (C-PCM, electrostatics only: no
        cavity or dispersion terms); None in free space.
    """

    name: str
    code: Code
    model: str
    dispersion: str
    functional: str
    permittivity: float | None = None

    @property
    def base(self) -> str:
        """The name without its dispersion correction."""
        return self.name.partition("+")[0]

    @property
    def dispersion_functional(self) -> str:
        """Functional whose parameters an added dispersion takes.

        Raises
        ------
        KeyError
            None can be added.
        """
        return D3_FUNCTIONALS[self.base.partition(CONTINUUM)[0]]

    @property
    def cutoff_ang(self) -> float:
        """Reach of a single interaction in angstrom (dispersion left out)."""
        return CUTOFFS_ANG[self.code]

    @property
    def takes_charge(self) -> bool:
        """Whether it knows of total charge and spin; potentials learnt from crystals do not.

        For those a spin multiplicity is left out of account: they give the state they have learnt.
        """
        return self.code in SOLVENT_CODES

    @property
    def periodic(self) -> bool:
        """Whether it can compute what repeats."""
        return self.code != "pyscf" and self.permittivity is None

    @property
    def needs_box(self) -> bool:
        """Whether a molecule has to be put into a periodic box for it."""
        return self.code in ("chgnet", "sevennet")

    @property
    def own_dispersion(self) -> bool:
        """Whether dispersion is part of the method and cannot be told apart."""
        return self.code == "tblite"

    def check(self, structure: Structure, *, charge: int = 0, spin_multiplicity: int = 1) -> None:
        """Raise unless this level of theory can compute a structure.

        Parameters
        ----------
        structure
            The atoms.
        charge
            Total charge in e.
        spin_multiplicity
            2S + 1.

        Raises
        ------
        UnknownElementError
            Names the unknown elements.
        TheoryError
            It takes no charge, or cannot compute a periodic structure, or this one is too small
            for the one k point it has.
        """
        unknown = sorted(set(structure.symbols) - known_elements(self.name))
        if unknown:
            raise UnknownElementError(
                f"{self.name} has no parameters for {', '.join(unknown)}. Choose another level of "
                f"theory ({', '.join(theory_names())})."
            )
        if self.dispersion:
            check_dispersion(structure, self.dispersion)
        self.check_charge(charge)
        if any(structure.pbc) and not self.periodic:
            raise TheoryError(
                f"{self.name} computes molecules in free space only, and this structure repeats "
                f"(pbc={structure.pbc}). Choose a level of theory for periodic structures."
            )
        lengths = np.linalg.norm(structure.cell, axis=1)[list(structure.pbc)]
        if self.code == "tblite" and len(lengths) and lengths.min() < GAMMA_CELL_ANG:
            raise TheoryError(
                f"{self.name} has one k point only, and the cell is {lengths.min():.2f} A long in "
                f"one direction. Repeat it to at least {GAMMA_CELL_ANG:g} A."
            )

    def check_charge(self, charge: int) -> None:
        """Raise if a charge is asked of a level of theory that knows of none.

        Raises
        ------
        TheoryError
            It is a potential without charges.
        """
        if charge and not self.takes_charge:
            raise TheoryError(
                f"{self.name} has no total charge: one of {charge:+d} e would be computed as if it "
                "were neutral. Choose gfn1-xtb, gfn2-xtb or pyscf-pbe."
            )

    def calculator(self, *, charge: int = 0, spin_multiplicity: int = 1) -> BaseCalculator:
        """Return an ASE calculator; the model behind it is loaded once a process.

        Parameters
        ----------
        charge
            Total charge in e.
        spin_multiplicity
            2S + 1.

        Raises
        ------
        TheoryError
            The code is not installed, or takes no charge.
        """
        self.check_charge(charge)
        base = base_calculator(self.code, self.model, charge, spin_multiplicity, self.permittivity)
        if not self.dispersion:
            return base
        from ase.calculators.mixing import SumCalculator

        added = dispersion_calculator(self.dispersion, self.dispersion_functional)
        return SumCalculator([base, added])


def theory_names() -> tuple[str, ...]:
    """Return the names of all levels of theory, without their dispersion variants."""
    return tuple(_LEVELS)


def get_theory(name: str) -> Theory:
    """Look up a level of theory.

    Parameters
    ----------
    name
        One of `theory_names`; those in `D3_FUNCTIONALS` also with ``+d2``, ``+d3bj`` or ``+d4``;
        those of `SOLVENT_CODES` also with ``@eps7.5``, before the dispersion.

    Raises
    ------
    TheoryError
        No such level; the message lists them.
    """
    whole, plus, dispersion = name.partition("+")
    base, at, permittivity = whole.partition(CONTINUUM)
    if base not in _LEVELS or (plus and dispersion not in DISPERSIONS):
        raise TheoryError(
            f"Unknown level of theory '{name}'. Known: {', '.join(theory_names())}; with "
            f"{', '.join('+' + d for d in DISPERSIONS)} also {', '.join(D3_FUNCTIONALS)}."
        )
    if dispersion and base not in D3_FUNCTIONALS:
        raise TheoryError(
            f"'{name}': dispersion is parametrised here for PBE only "
            f"({', '.join(D3_FUNCTIONALS)}); xTB has its own."
        )
    level = _LEVELS[base]
    return Theory(
        name=name,
        code=level.code,
        model=level.model,
        dispersion=dispersion,
        functional=level.functional,
        permittivity=_permittivity(name, level.code, permittivity) if at else None,
    )


def _permittivity(name: str, code: Code, text: str) -> float:
    """Return the relative permittivity in a name, in its one spelling."""
    if code not in SOLVENT_CODES:
        raise TheoryError(
            f"'{name}': only gfn1-xtb, gfn2-xtb and pyscf-pbe can put a molecule into a continuum."
        )
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1.0 < value <= 1000.0 or f"{value:g}" != text:
        raise TheoryError(
            f"'{name}': expected a relative permittivity above 1 after '{CONTINUUM}', such as "
            f"{CONTINUUM}7.5; got '{text}'."
        )
    return value


@functools.cache
def known_elements(name: str) -> frozenset[str]:
    """Return the chemical symbols a level of theory has parameters for."""
    from ase.data import chemical_symbols

    theory = get_theory(name)
    if theory.code == "emt":
        from ase.calculators.emt import parameters

        return frozenset(parameters)
    if theory.code == "lj":
        return frozenset(chemical_symbols[1:])
    if theory.code in HEAVIEST:
        return frozenset(chemical_symbols[1 : HEAVIEST[theory.code] + 1])
    if theory.code == "chgnet":
        return frozenset(chemical_symbols[1:95]) - UNTRAINED[theory.model]
    calculator: Any = base_calculator(theory.code, theory.model)
    return frozenset(chemical_symbols[z] for z in calculator.type_map)
