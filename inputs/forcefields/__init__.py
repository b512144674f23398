"""Rows of force fields as data, each with where it was read from.

``atoms.csv`` holds charges and Lennard-Jones parameters by site (`superionic.inputs.atom_types`
says which atom is which site), the others hold bonded terms by class. ``uff.csv`` is for rigid
fillers, whose bonded terms are not used.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ase.data import atomic_masses, atomic_numbers

from superionic.structures.errors import ForceFieldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KJ_PER_KCAL = 4.184
ANY = "X"
"""Class that stands for any other in a torsion."""

ESTIMATE = "estimate"
"""Set of rows that were put in by analogy, used only where estimates are allowed."""

UFF_SOURCE = "superionic inputs/forcefields/uff.csv"
UFF_REFERENCE = "Rappe et al., J. Am. Chem. Soc. 114 (1992) 10024, doi 10.1021/ja00051a040"

ABOUT = {
    "opls-aa": "ethers (PEO), alkane ends and nitriles, all-atom; bonded terms too",
    "clp": "bonded terms of TFSI- and PF6- in CL&P",
    "clp-2025": "TFSI- with O and F as revised in il.ff 2025/12/19; PF6-, Li+, Na+",
    "clp-2004": "TFSI- with the first Lennard-Jones parameters of CL&P (OPLS-2009IL)",
    "aqvist": "Li+ and Na+ of Aqvist, as in OPLS-AA",
    "jensen-jorgensen": "Li+ and Na+ of Jensen and Jorgensen, fitted in TIP4P water",
    "uff": "Lennard-Jones only, by element, for rigid fillers such as nodes of frameworks",
    ESTIMATE: "terms by analogy where the force field has none; used only on request",
}
"""What each set is for."""


@dataclass(frozen=True)
class AtomRow:
    """Charge, mass and Lennard-Jones parameters of a kind of atom.

    Attributes
    ----------
    set, site, type, cls : str
        Set, what the typing rules call the atom, its name in the source, and its class in bonded
        terms.
    element : str
        Chemical symbol.
    mass_amu, charge_e : float
        Mass in g/mol, charge in e before any scaling.
    sigma_ang, epsilon_kJ_per_mol : float
        Of 4 epsilon ((sigma/r)^12 - (sigma/r)^6).
    source, reference : str
        The file it was read from, and the paper behind it.
    """

    set: str
    site: str
    type: str
    cls: str
    element: str
    mass_amu: float
    charge_e: float
    sigma_ang: float
    epsilon_kJ_per_mol: float
    source: str
    reference: str


@dataclass(frozen=True)
class TermRow:
    """One bonded term.

    Attributes
    ----------
    set : str
        Set it belongs to.
    classes : tuple of str
        Classes of its two, three or four atoms.
    values : tuple of float
        Bond k/2 (r - r0)^2: r0 in angstrom, k in kJ/mol/A^2. Angle k/2 (t - t0)^2: t0 in degrees,
        k in kJ/mol/rad^2. Torsion V1/2 (1 + cos p) + V2/2 (1 - cos 2p) + V3/2 (1 + cos 3p)
        + V4/2 (1 - cos 4p): V1 to V4 in kJ/mol.
    source : str
        The file it was read from.
    """

    set: str
    classes: tuple[str, ...]
    values: tuple[float, ...]
    source: str


TERMS = {2: "bonds.csv", 3: "angles.csv", 4: "torsions.csv"}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("superionic.inputs").joinpath("forcefields", name).read_text("utf-8")
    yield from csv.DictReader(x for x in text.splitlines() if x and not x.startswith("#"))


@cache
def atom_rows() -> tuple[AtomRow, ...]:
    """Return the rows of all kinds of atoms but those of UFF."""
    return tuple(
        AtomRow(
            set=r["set"], site=r["site"], type=r["type"], cls=r["class"], element=r["element"],
            mass_amu=float(r["mass_amu"]), charge_e=float(r["charge_e"]),
            sigma_ang=float(r["sigma_ang"]), epsilon_kJ_per_mol=float(r["epsilon_kJ_per_mol"]),
            source=r["source"], reference=r["reference"],
        )
        for r in _rows("atoms.csv")
    )  # fmt: skip


@cache
def uff_rows() -> tuple[AtomRow, ...]:
    """Return the rows of UFF, one an element, without charges.

    UFF gives the distance x and the depth D of the minimum; sigma is x / 2^(1/6).
    """
    return tuple(
        AtomRow(
            set="uff", site=f"uff-{e}", type=f"UFF_{e}", cls=f"UFF_{e}", element=e,
            mass_amu=float(atomic_masses[atomic_numbers[e]]), charge_e=0.0,
            sigma_ang=float(r["x_ang"]) / 2 ** (1 / 6),
            epsilon_kJ_per_mol=float(r["D_kcal_per_mol"]) * KJ_PER_KCAL,
            source=UFF_SOURCE, reference=UFF_REFERENCE,
        )
        for r in _rows("uff.csv")
        for e in [r["element"]]
    )  # fmt: skip


@cache
def term_rows(atoms: int) -> tuple[TermRow, ...]:
    """Return the bonds (2 atoms), angles (3) or torsions (4)."""
    names = ("i", "j", "k", "l")[:atoms]
    return tuple(
        TermRow(
            set=r["set"],
            classes=tuple(r[n] for n in names),
            values=tuple(float(r[n]) for n in r if n not in ("set", "source", *names)),
            source=r["source"],
        )
        for r in _rows(TERMS[atoms])
    )


def set_names() -> tuple[str, ...]:
    """Return the names of the sets."""
    return tuple(ABOUT)


def rows_of(name: str) -> tuple[AtomRow | TermRow, ...]:
    """Return all rows of a set.

    Raises
    ------
    ForceFieldError
        There is no such set; names those there are.
    """
    if name not in ABOUT:
        raise ForceFieldError(
            f"There is no set of force-field rows {name!r}. Known: {', '.join(ABOUT)}."
        )
    rows: list[AtomRow | TermRow] = [*atom_rows(), *uff_rows()]
    rows += [row for n in TERMS for row in term_rows(n)]
    return tuple(r for r in rows if r.set == name)


def find_atom(site: str, chosen: str) -> AtomRow | None:
    """Return the row of a site in a set, or None."""
    rows = uff_rows() if chosen == "uff" else atom_rows()
    return next((r for r in rows if r.set == chosen and r.site == site), None)


def find_term(classes: Sequence[str], *, estimates: bool = False) -> TermRow | None:
    """Return the row of a bonded term in either direction, or None.

    A row that names all classes goes before one with `ANY`; rows of `ESTIMATE` come last, and
    only where they are allowed.
    """
    wanted = tuple(classes)
    found = [
        row
        for row in term_rows(len(wanted))
        if (row.set != ESTIMATE or estimates) and _fits(row.classes, wanted)
    ]
    found.sort(key=lambda row: (row.set == ESTIMATE, row.classes.count(ANY)))
    return found[0] if found else None


def _fits(row: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return any(
        all(a in (ANY, b) for a, b in zip(row, way, strict=True)) for way in (wanted, wanted[::-1])
    )
