"""What a plane-wave calculation is asked for, in one value that the decks of all codes share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from ase.data import atomic_numbers

from superionic.inputs.dft_parts import (
    Band,
    FixedAtom,
    KGrid,
    Relaxation,
    Smearing,
    Spin,
    check_choice,
    positive,
    shortest_moments,
    tidy,
)
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from superionic.structures.structure import Structure

__all__ = [
    "Axis",
    "Band",
    "DFTSpec",
    "Dispersion",
    "FixedAtom",
    "Functional",
    "KGrid",
    "Relaxation",
    "Smearing",
    "Spin",
    "Task",
]

Functional = Literal[
    "lda", "pw91", "pbe", "pbesol", "rpbe", "revpbe", "scan", "rscan", "r2scan", "pbe0", "hse06",
    "b3lyp",
]  # fmt: skip
Dispersion = Literal["none", "d2", "d3", "d3bj", "d4", "ts", "mbd"]
Axis = Literal["none", "a", "b", "c"]
Task = Literal["static", "relax", "neb"]


@dataclass(frozen=True)
class DFTSpec:
    """Everything about a calculation but its atoms and the habits of a code.

    Attributes
    ----------
    functional : str
        Exchange and correlation.
    cutoff_eV : float
        Plane-wave cutoff of the wave functions in eV.
    kgrid : KGrid
        Sampling of the Brillouin zone.
    dispersion : str
        Added dispersion correction.
    smearing : Smearing
        Occupations.
    spin : Spin
        Polarisation and starting moments.
    charge_e : float
        Charge of the cell in e, to six decimals; a uniform background makes up for it.
    charge_statement : str
        How the energies of a charged cell are to be read, in one line of the author's words. A
        charged slab needs it.
    hubbard_u_eV : dict of str to float
        Effective U in eV (doi 10.1103/PhysRevB.57.1505) by element and shell, such as ``Fe-d``.
    scf_energy_eV : float
        Change of the energy of the whole cell that ends self-consistency, in eV.
    scf_max_steps : int
        Cycles of self-consistency at most.
    fixed : tuple of FixedAtom
        Atoms that may not move freely.
    dipole_axis : {"none", "a", "b", "c"}
        Lattice vector along which the dipole is corrected for.
    relax : Relaxation or None
        Relax the atoms.
    band : Band or None
        Relax a band between two minima. Without `relax` and `band` the task is static.

    Raises
    ------
    DeckError
        An unknown name, a number out of range, or settings that exclude each other.
    """

    functional: Functional
    cutoff_eV: float
    kgrid: KGrid = field(default_factory=KGrid)
    dispersion: Dispersion = "none"
    smearing: Smearing = field(default_factory=Smearing)
    spin: Spin = field(default_factory=Spin)
    charge_e: float = 0.0
    charge_statement: str = ""
    hubbard_u_eV: Mapping[str, float] = field(default_factory=dict)
    scf_energy_eV: float = 1e-6
    scf_max_steps: int = 100
    fixed: tuple[FixedAtom, ...] = ()
    dipole_axis: Axis = "none"
    relax: Relaxation | None = None
    band: Band | None = None

    def __post_init__(self) -> None:
        """Validate and bring into one form."""
        check_choice("functional", self.functional, Functional)
        check_choice("dispersion", self.dispersion, Dispersion)
        check_choice("dipole_axis", self.dipole_axis, Axis)
        for name in ("cutoff_eV", "scf_energy_eV", "scf_max_steps"):
            positive(self, name)
        if not math.isfinite(self.charge_e):
            raise DeckError(f"charge_e must be finite; got {self.charge_e}.")
        set_ = object.__setattr__
        set_(self, "charge_e", round(float(self.charge_e), 6) + 0.0)
        statement = " ".join(self.charge_statement.split())
        set_(self, "charge_statement", statement if self.charge_e else "")
        set_(self, "hubbard_u_eV", _checked_u(self.hubbard_u_eV))
        set_(self, "fixed", tuple(sorted(self.fixed, key=lambda f: f.index)))
        places = [f.index for f in self.fixed]
        if len(set(places)) < len(places):
            raise DeckError(f"An atom is fixed twice among {places}. Name each atom once.")
        if self.relax is not None and self.band is not None:
            raise DeckError("A calculation relaxes its atoms or a band, not both: drop one.")

    @property
    def task(self) -> Task:
        """What is computed."""
        if self.band is not None:
            return "neb"
        return "static" if self.relax is None else "relax"

    def as_static(self) -> DFTSpec:
        """Return the same calculation at fixed atoms."""
        return replace(self, relax=None, band=None)

    def for_structure(self, structure: Structure, order: tuple[int, ...] = ()) -> DFTSpec:
        """Return the specification in the form that a deck of these atoms reads back.

        Moments and U of absent elements go; moments are named by element where all its atoms
        share one, by place otherwise; zeros are left out.

        Parameters
        ----------
        structure
            The atoms, in their final order.
        order
            Where each of them was when places were counted; empty for the same order.

        Raises
        ------
        DeckError
            An atom is named that is not there.
        """
        count = len(structure)
        named = {f.index for f in self.fixed}
        named |= {int(k) for k in self.spin.initial_moments if k.isdecimal()}
        if named and max(named) >= count:
            raise DeckError(
                f"The specification names atom {max(named)}, but the structure has {count} atoms, "
                f"counted from 0 to {count - 1}."
            )
        new = {old: k for k, old in enumerate(order or range(count))}
        fixed = tuple(FixedAtom(new[f.index], f.axes) for f in self.fixed)
        given = self.spin.initial_moments.items()
        moved = {str(new[int(k)]) if k.isdecimal() else k: v for k, v in given}
        moments = replace(self.spin, initial_moments=moved).moments(structure)
        spin = replace(self.spin, initial_moments=shortest_moments(structure.symbols, moments))
        present = set(structure.symbols)
        u = {k: v for k, v in self.hubbard_u_eV.items() if k.split("-")[0] in present}
        return replace(self, fixed=fixed, spin=spin, hubbard_u_eV=u)


def _checked_u(table: Mapping[str, float]) -> dict[str, float]:
    """Return Hubbard U by element and shell, sorted, zeros left out."""
    for key, value in table.items():
        match = re.fullmatch(r"([A-Z][a-z]?)-([spdf])", key)
        if match is None or match[1] not in atomic_numbers or not math.isfinite(value):
            raise DeckError(
                f"A Hubbard U is a finite number of eV for an element and shell such as 'Fe-d'; "
                f"got '{key}' = {value}."
            )
    if len({key.split("-")[0] for key in table}) < len(table):
        raise DeckError(f"One shell an element may have a U; got {', '.join(table)}.")
    return {key: tidy(value) for key, value in sorted(table.items()) if value}
