"""Parameters of one molecule: the row of each atom and of each bonded term."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from superionic.inputs.atom_types import sites_of
from superionic.inputs.bonded import BondedTerms, bonded_terms
from superionic.inputs.forcefields import AtomRow, TermRow, find_atom, find_term
from superionic.inputs.rigid import rigid_terms
from superionic.structures.errors import ForceFieldError, MissingParametersError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.box import Component
    from superionic.structures.molecule import Molecule

LennardJones = Literal["clp-2025", "clp-2004"]
"""Versions of the Lennard-Jones parameters of TFSI-."""

Cations = Literal["aqvist", "jensen-jorgensen", "clp-2025"]
"""Sets of Li+ and Na+."""

SPREAD_E = 0.01
"""Charges that were given may miss the charge of their molecule by this (e): the rest is spread."""

ROUNDING_E = 1e-9
"""A smaller remainder is left."""

TRANS_DEG = 135.0
"""Angles at an octahedral centre beyond this have no term: the row is that of neighbours in cis."""

NOT_METALS = frozenset(("H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Se", "Br", "I"))
"""Elements whose bonds are those of molecules."""

TERM_NAMES = {2: "bond", 3: "angle", 4: "torsion"}


@dataclass(frozen=True, eq=False)
class MoleculeParameters:
    """Parameters of one molecule of a component."""

    rows: tuple[AtomRow, ...]
    sites: tuple[str, ...]
    charges_e: NDArray[np.float64]
    terms: tuple[tuple[tuple[int, ...], TermRow], ...]
    springs: tuple[tuple[int, int], ...]
    spring_length_ang: tuple[float, ...]
    excluded: tuple[tuple[int, int], ...]
    pairs_14: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Choice:
    """Which sets of rows, and how charges are scaled; see `superionic.inputs.forcefield`."""

    lennard_jones: LennardJones
    cations: Cations
    charge_scale: float
    estimates: bool

    def check(self) -> None:
        """Raise `ForceFieldError` where an option is out of range."""
        if self.lennard_jones not in get_args(LennardJones):
            raise ForceFieldError(
                f"Unknown version {self.lennard_jones!r} of the TFSI- rows. Known: "
                f"{' and '.join(get_args(LennardJones))}."
            )
        if self.cations not in get_args(Cations):
            raise ForceFieldError(
                f"Unknown set {self.cations!r} of cations. Known: {', '.join(get_args(Cations))}."
            )
        if not 0.0 < self.charge_scale <= 1.5:
            raise ForceFieldError(
                f"The charge scale must lie above 0 and not above 1.5; got {self.charge_scale}. 1 "
                "leaves the charges as they are, 0.8 is usual for ions."
            )

    def set_of(self, site: str) -> str:
        """Return the set that a site's row is taken from."""
        if site.startswith("TFSI"):
            return self.lennard_jones
        if site in ("Li+", "Na+"):
            return self.cations
        if site.startswith("uff-"):
            return "uff"
        return "clp-2025" if site.startswith("PF6") else "opls-aa"


def molecule_parameters(
    component: Component, choice: Choice, given: ArrayLike | None
) -> MoleculeParameters:
    """Return the parameters of one molecule of a component, charges scaled.

    Raises
    ------
    MissingParametersError, ForceFieldError
        See `superionic.inputs.forcefield.assign_parameters`.
    """
    molecule = component.molecule
    if component.rigid:
        sites: tuple[str | None, ...] = tuple(f"uff-{s}" for s in molecule.symbols)
        if given is None:
            raise MissingParametersError(
                f"{component.name} is rigid and has no charges: give {len(molecule)} of them in e "
                f"for it (charges={{{component.name!r}: ...}}, or --charges "
                f"{component.name}=FILE or =gfn1-xtb), such as those of the free molecule."
            )
    else:
        sites = sites_of(molecule)
    rows = _atom_rows(component, sites, choice)
    charges = _charges(component, [r.charge_e for r in rows] if given is None else given)
    if molecule.charge:
        charges = charges * choice.charge_scale
    names = tuple(str(s) for s in sites)
    if component.rigid:
        springs, lengths, pairs = rigid_terms(molecule.positions)
        return MoleculeParameters(rows, names, charges, (), springs, lengths, pairs, ())
    found = bonded_terms(molecule.neighbours)
    terms = _terms(component, found, rows, estimates=choice.estimates)
    return MoleculeParameters(rows, names, charges, terms, (), (), found.excluded, found.pairs_14)


def _atom_rows(
    component: Component, sites: Sequence[str | None], choice: Choice
) -> tuple[AtomRow, ...]:
    rows = [None if s is None else find_atom(s, choice.set_of(s)) for s in sites]
    bad = [k for k, row in enumerate(rows) if row is None]
    if bad:
        symbols = component.molecule.symbols
        lacking = Counter(symbols[k] for k in bad)
        listed = ", ".join(f"{n} {s}" for s, n in sorted(lacking.items()))
        raise MissingParametersError(
            f"No force-field row covers {listed} of {component.name} "
            f"({component.molecule.formula}, charge {component.molecule.charge:+d}; first: atom "
            f"{bad[0]}, {symbols[bad[0]]}). Covered are linear ethers (PEO, glymes), nitriles such "
            "as succinonitrile, TFSI-, PF6-, Li+ and Na+, and rigid molecules of the elements of "
            f"UFF (`superionic forcefield list`).{_what_is_lacking(component)}"
        )
    return tuple(r for r in rows if r is not None)


def _what_is_lacking(component: Component) -> str:
    """Return what a force field would need for a molecule that people ask for, and what helps."""
    symbols = set(component.molecule.symbols)
    if component.molecule.formula == "ClO4":
        return (
            " For ClO4- the tables lack charges and Lennard-Jones parameters of Cl and O, the bond "
            "Cl-O and the angle O-Cl-O: neither OPLS-AA nor CL&P has it. Take TFSI- or PF6-, or "
            "add rows with their source to inputs/forcefields."
        )
    if not component.rigid and len(component.molecule) > 1 and symbols - NOT_METALS:
        return (
            f" {component.name} is flexible: that needs bonds, angles and torsions around its "
            "metals, which no table here has. Keep it rigid (without --flexible-filler): springs "
            "hold its shape, and it moves as a body."
        )
    return ""


def _charges(component: Component, values: ArrayLike) -> NDArray[np.float64]:
    """Return charges that add up to the charge of the molecule."""
    found = np.asarray(values, dtype=float)
    size, wanted = len(component.molecule), component.molecule.charge
    if found.shape != (size,) or not np.isfinite(found).all():
        raise ForceFieldError(
            f"{component.name} needs {size} finite charges in e, one an atom; got an array of "
            f"shape {found.shape}."
        )
    rest = wanted - float(found.sum())
    if abs(rest) > SPREAD_E:
        raise ForceFieldError(
            f"The charges of {component.name} add up to {found.sum():+.4f} e; expected "
            f"{wanted:+d} e within {SPREAD_E} e. Correct them, or the charge of the molecule."
        )
    return np.asarray(found + rest / size) if abs(rest) > ROUNDING_E else found


def _terms(
    component: Component, found: BondedTerms, rows: Sequence[AtomRow], *, estimates: bool
) -> tuple[tuple[tuple[int, ...], TermRow], ...]:
    """Return each bonded term with its row, or raise with all that lack one."""
    terms, missing = [], Counter[tuple[str, ...]]()
    angles = [a for a in found.angles if not _is_trans(component.molecule, a, found)]
    tuples: Iterable[tuple[int, ...]] = (*found.bonds, *angles, *found.torsions)
    for atoms in tuples:
        classes = tuple(rows[k].cls for k in atoms)
        row = find_term(classes, estimates=estimates)
        if row is None:
            missing[min(classes, classes[::-1])] += 1
        else:
            terms.append((atoms, row))
    if missing:
        listed = "; ".join(
            f"{TERM_NAMES[len(c)]} {'-'.join(c)} ({n} times)" for c, n in sorted(missing.items())
        )
        by_analogy = all(find_term(c, estimates=True) for c in missing)
        help_ = (
            "A row by analogy is there: allow it with estimates=True (--estimates)."
            if by_analogy
            else "Add rows with their source to the tables in inputs/forcefields."
        )
        raise MissingParametersError(
            f"The force field has no row for these terms of {component.name}: {listed}. {help_}"
        )
    return tuple(terms)


def _is_trans(molecule: Molecule, angle: tuple[int, int, int], found: BondedTerms) -> bool:
    """Whether an angle lies across an octahedral centre, in the geometry of the template."""
    i, j, k = angle
    if sum(j in bond for bond in found.bonds) < 6:
        return False
    a = molecule.positions[i] - molecule.positions[j]
    b = molecule.positions[k] - molecule.positions[j]
    cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    return bool(cosine < np.cos(np.radians(TRANS_DEG)))
