"""Parts of a specification of a plane-wave calculation: grid, smearing, spin, motion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from ase.data import atomic_numbers

from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from superionic.structures.structure import Structure

__all__ = [
    "DIGITS",
    "NO_WIDTH",
    "Band",
    "CellFreedom",
    "FixedAtom",
    "KGrid",
    "Optimiser",
    "Relaxation",
    "Smearing",
    "SmearingKind",
    "Spin",
]

SmearingKind = Literal["fixed", "gaussian", "fermi-dirac", "methfessel-paxton", "tetrahedron"]
Optimiser = Literal[
    "cg", "quasi-newton", "damped-md", "bfgs", "lbfgs", "fire", "tpsd", "quick-min", "ode12r"
]
CellFreedom = Literal["fixed", "full"]

NO_WIDTH = ("fixed", "tetrahedron")
DIGITS = 12
"""Numbers are kept to so many significant digits, more than any code uses; what a deck states in
another unit (per atom, say) then reads back as the very same number."""


def tidy(number: float) -> float:
    """Return a number at `DIGITS` significant digits."""
    return float(f"{number:.{DIGITS}g}") + 0.0


def check_choice(name: str, value: object, allowed: Any) -> None:
    """Raise unless a value is one of a ``Literal``.

    Raises
    ------
    DeckError
        Suggests the nearest of those there are.
    """
    from superionic.inputs.typed import did_you_mean

    known = get_args(allowed)
    if value not in known:
        guess = did_you_mean(str(value).lower(), known)
        every = "" if guess.startswith("Known") else f" All of them: {', '.join(known)}."
        raise DeckError(f"There is no {name.replace('_', ' ')} '{value}'. {guess}{every}")


def positive(owner: object, name: str) -> None:
    """Keep a field of a frozen dataclass at `DIGITS` digits; raise unless finite and positive.

    Raises
    ------
    DeckError
        Names the field and its value.
    """
    value = getattr(owner, name)
    if not (math.isfinite(value) and value > 0):
        raise DeckError(f"{name} must be a finite number above 0; got {value}.")
    kind = next(str(f.type) for f in fields(owner) if f.name == name)  # type: ignore[arg-type]
    if kind.startswith("float"):
        object.__setattr__(owner, name, tidy(float(value)))
    elif int(value) != value:
        raise DeckError(f"{name} must be a whole number; got {value}.")


@dataclass(frozen=True)
class KGrid:
    """An even grid of k points.

    Attributes
    ----------
    divisions : tuple of int
        Along the three reciprocal vectors.
    gamma_centred : bool
        Whether the grid holds the zone centre. The grid of Monkhorst and Pack
        (doi 10.1103/PhysRevB.13.5188) does so only along odd divisions; a grid of odd divisions
        alone is the same either way, and always stored as centred.

    Raises
    ------
    DeckError
        Fewer than one division.
    """

    divisions: tuple[int, int, int] = (1, 1, 1)
    gamma_centred: bool = True

    def __post_init__(self) -> None:
        """Validate."""
        divisions = tuple(int(n) for n in self.divisions)
        if len(divisions) != 3 or min(divisions) < 1:
            raise DeckError(
                f"A k grid is three whole numbers, each at least 1; got {self.divisions}."
            )
        object.__setattr__(self, "divisions", divisions)
        if all(n % 2 for n in divisions):
            object.__setattr__(self, "gamma_centred", True)


@dataclass(frozen=True)
class Smearing:
    """Occupation of states near the Fermi level.

    Attributes
    ----------
    kind : str
        ``fixed`` fills whole bands of an insulator; ``tetrahedron`` is the method with Bloechl's
        corrections (doi 10.1103/PhysRevB.49.16223).
    width_eV : float
        Width in eV; 0 for the kinds that have none.
    order : int
        Order of Methfessel and Paxton (doi 10.1103/PhysRevB.40.3616), from 1; 0 for other kinds.

    Raises
    ------
    DeckError
        A kind with a width that is not positive, or an order that does not fit.
    """

    kind: SmearingKind = "gaussian"
    width_eV: float = 0.05
    order: int = 0

    def __post_init__(self) -> None:
        """Validate."""
        check_choice("smearing", self.kind, SmearingKind)
        if self.kind in NO_WIDTH:
            object.__setattr__(self, "width_eV", 0.0)
        else:
            positive(self, "width_eV")
        if (self.order > 0) != (self.kind == "methfessel-paxton"):
            raise DeckError(
                f"Only methfessel-paxton smearing has an order, and needs one from 1 on; got "
                f"{self.kind} with order {self.order}."
            )


@dataclass(frozen=True)
class Spin:
    """Spin polarisation.

    Attributes
    ----------
    polarised : bool
        Two spin channels.
    initial_moments : dict of str to float
        Moments to start from in Bohr magnetons, by chemical symbol, or by the place of an atom
        counted from 0 (``"12"``), which outranks its symbol. Those left out start from 0.
    total_moment : float or None
        Moment of the cell in Bohr magnetons, held fixed; None leaves it free.

    Raises
    ------
    DeckError
        Moments without polarisation, or a key that is neither a symbol nor a place.
    """

    polarised: bool = False
    initial_moments: Mapping[str, float] = field(default_factory=dict)
    total_moment: float | None = None

    def __post_init__(self) -> None:
        """Validate."""
        moments = {str(k): tidy(float(v)) for k, v in self.initial_moments.items()}
        if not self.polarised and (moments or self.total_moment is not None):
            raise DeckError(
                "Magnetic moments need spin polarisation: set polarised = true, or leave them out."
            )
        for key, value in moments.items():
            if key not in atomic_numbers and not key.isdecimal():
                raise DeckError(
                    "A moment belongs to a chemical symbol, or to an atom counted from 0; got "
                    f"'{key}'."
                )
            if not math.isfinite(value):
                raise DeckError(f"The moment of {key} must be finite; got {value}.")
        object.__setattr__(self, "initial_moments", moments)
        if self.total_moment is not None:
            object.__setattr__(self, "total_moment", tidy(self.total_moment))

    def moments(self, structure: Structure) -> tuple[float, ...]:
        """Return the starting moment of each atom in Bohr magnetons."""
        table = self.initial_moments
        return tuple(
            table.get(str(k), table.get(symbol, 0.0)) for k, symbol in enumerate(structure.symbols)
        )


@dataclass(frozen=True)
class Relaxation:
    """Relaxation of atoms to a minimum.

    Attributes
    ----------
    force_eV_per_A : float or None
        Largest residual force on a free atom, in eV/A.
    energy_eV : float or None
        Change of the energy of the whole cell between steps, in eV.
    max_steps : int
        Steps at most.
    optimiser : str
        Which algorithm. Each code has some of them.
    cell : {"fixed", "full"}
        Whether the lattice vectors relax as well.

    Raises
    ------
    DeckError
        No criterion, or one that is not positive.
    """

    force_eV_per_A: float | None = None
    energy_eV: float | None = None
    max_steps: int = 200
    optimiser: Optimiser = "cg"
    cell: CellFreedom = "fixed"

    def __post_init__(self) -> None:
        """Validate."""
        if self.force_eV_per_A is None and self.energy_eV is None:
            raise DeckError("A relaxation needs a criterion: set force_eV_per_A or energy_eV.")
        for name in ("force_eV_per_A", "energy_eV"):
            if getattr(self, name) is not None:
                positive(self, name)
        positive(self, "max_steps")
        check_choice("optimiser", self.optimiser, Optimiser)
        check_choice("cell", self.cell, CellFreedom)


@dataclass(frozen=True)
class Band:
    """A nudged elastic band (doi 10.1063/1.1329672).

    Attributes
    ----------
    images : int
        Moving images between the ends.
    climb : bool
        Whether the highest image climbs.
    spring_eV_per_A2 : float
        Spring constant in eV/A2.
    force_eV_per_A : float
        Largest residual force in eV/A.
    max_steps : int
        Steps at most.
    optimiser : str
        Which algorithm. Each code has some of them.

    Raises
    ------
    DeckError
        A number that is not positive.
    """

    images: int = 5
    climb: bool = True
    spring_eV_per_A2: float = 5.0
    force_eV_per_A: float = 0.05
    max_steps: int = 200
    optimiser: Optimiser = "fire"

    def __post_init__(self) -> None:
        """Validate."""
        for name in ("images", "spring_eV_per_A2", "force_eV_per_A", "max_steps"):
            positive(self, name)
        check_choice("optimiser", self.optimiser, Optimiser)


@dataclass(frozen=True)
class FixedAtom:
    """An atom that may not move, or not along some lattice vectors.

    Attributes
    ----------
    index : int
        Place of the atom, counted from 0.
    axes : tuple of bool
        Which of its three fractional coordinates are held.

    Raises
    ------
    DeckError
        A negative place, or no coordinate held.
    """

    index: int
    axes: tuple[bool, bool, bool] = (True, True, True)

    def __post_init__(self) -> None:
        """Validate."""
        object.__setattr__(self, "axes", tuple(bool(x) for x in self.axes))
        if self.index < 0 or len(self.axes) != 3 or not any(self.axes):
            raise DeckError(
                "A fixed atom has a place from 0 on and at least one of three coordinates held; "
                f"got {self.index} with {self.axes}."
            )


def shortest_moments(
    symbols: tuple[str, ...], moments: tuple[float, ...] | list[float]
) -> dict[str, float]:
    """Return moments by element where all its atoms share one, by place otherwise; no zeros."""
    table: dict[str, float] = {}
    for symbol in dict.fromkeys(symbols):
        places = [k for k, s in enumerate(symbols) if s == symbol]
        values = {moments[k] for k in places}
        if len(values) == 1:
            table[symbol] = moments[places[0]]
        else:
            table |= {str(k): moments[k] for k in places}
    return {k: tidy(v) for k, v in table.items() if v}
