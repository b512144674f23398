"""Put force-field parameters on a box: sites, rows, charges, exclusions; nothing by default."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.forcefields import AtomRow, TermRow
from superionic.inputs.parametrised import (
    Mixing,
    ParameterRow,
    ParametrisedBox,
    check_mixing,
)
from superionic.inputs.templates import (
    TERM_NAMES,
    Cations,
    Choice,
    LennardJones,
    MoleculeParameters,
    molecule_parameters,
)
from superionic.structures.errors import ForceFieldError
from superionic.structures.tiling import tiled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.box import Box, Component

_VALUES = {
    2: ("length_ang", "k_kJ_per_mol_ang2"),
    3: ("angle_deg", "k_kJ_per_mol_rad2"),
    4: ("V1_kJ_per_mol", "V2_kJ_per_mol", "V3_kJ_per_mol", "V4_kJ_per_mol"),
}


def assign_parameters(
    box: Box,
    *,
    charge_scale: float,
    lennard_jones: LennardJones = "clp-2025",
    cations: Cations = "aqvist",
    mixing: Mixing = "geometric",
    charges: Mapping[str, ArrayLike] | None = None,
    charge_sources: Mapping[str, str] | None = None,
    estimates: bool = False,
    spring_k_kJ_per_mol_ang2: float = 300.0,
) -> ParametrisedBox:
    """Put force-field parameters on every atom and bond of a box.

    Flexible molecules get OPLS-AA and CL&P by the rules of `superionic.inputs.atom_types`. A rigid
    component gets UFF Lennard-Jones parameters by element and the charges that are given for it;
    its atoms do not interact with each other, and springs between atoms up to
    `superionic.inputs.rigid.SPRING_REACH_ANG` apart, at rest in the geometry of its molecule, keep
    its shape. Mixing UFF with OPLS is a choice that nothing was fitted for.

    Parameters
    ----------
    box
        Molecules, ions and fillers.
    charge_scale
        Factor on the charges of every molecule that bears a net charge; 1 for none, 0.8 is usual.
        Density and ion pairing move with it, so it has no default. Doherty et al., J. Chem. Theory
        Comput. 13 (2017) 6131, doi 10.1021/acs.jctc.7b00520.
    lennard_jones
        Version of the TFSI- rows.
    cations
        Set of the Li+ and Na+ rows.
    mixing
        OPLS and CL&P were fitted with the geometric rule. The other one moves the pressure by 1000
        bar.
    charges
        Charges in e by component, before scaling, in the order of the atoms of one molecule. Needed
        for rigid components; for others they go before those of the rows.
    charge_sources
        Where those come from, by component, for the table of parameters.
    estimates
        Whether rows that were put in by analogy may be used.
    spring_k_kJ_per_mol_ang2
        Force constant of the springs.

    Returns
    -------
    ParametrisedBox

    Raises
    ------
    MissingParametersError
        An atom that no rule covers, or a term without a row; names the component and the classes.
    ForceFieldError
        An option out of range, or charges that do not add up.
    """
    choice = Choice(lennard_jones, cations, charge_scale, estimates)
    check_mixing(mixing)
    choice.check()
    _check_spring(spring_k_kJ_per_mol_ang2)
    given = dict(charges or {})
    unknown = sorted(set(given) - {c.name for c in box.components})
    if unknown:
        raise ForceFieldError(
            f"Charges were given for {', '.join(unknown)}; the box holds "
            f"{', '.join(c.name for c in box.components)}."
        )
    templates = [molecule_parameters(c, choice, given.get(c.name)) for c in box.components]
    told = {name: (charge_sources or {}).get(name, "not said") for name in given}
    rows = _used(box, templates, told, spring_k_kJ_per_mol_ang2)
    return _assemble(box, templates, choice, mixing, spring_k_kJ_per_mol_ang2, rows)


def _check_spring(spring: float) -> None:
    if not 0.0 < spring < 1e5:
        raise ForceFieldError(
            f"The force constant of springs must be positive, in kJ/mol/A^2; got {spring}."
        )


def _assemble(
    box: Box,
    templates: Sequence[MoleculeParameters],
    choice: Choice,
    mixing: Mixing,
    spring: float,
    rows: tuple[ParameterRow, ...],
) -> ParametrisedBox:
    """Repeat the parameters of each molecule over the box."""
    parts = box.components
    names = list(dict.fromkeys(r.type for t in templates for r in t.rows))
    bonds, angles, torsions = (_terms(parts, templates, size) for size in (2, 3, 4))
    keep = (torsions[1] != 0).any(axis=1)
    springs = tiled(parts, [t.springs for t in templates], 2)
    lengths = [np.tile(t.spring_length_ang, c.count) for c, t in zip(parts, templates, strict=True)]
    return ParametrisedBox(
        box=box,
        types=tuple(names),
        type_index=np.asarray(
            _of_atoms(parts, [[names.index(r.type) for r in t.rows] for t in templates]),
            dtype=np.int64,
        ),
        masses_amu=_of_atoms(parts, [[r.mass_amu for r in t.rows] for t in templates]),
        charges_e=_of_atoms(parts, [t.charges_e for t in templates]),
        sigma_ang=_of_atoms(parts, [[r.sigma_ang for r in t.rows] for t in templates]),
        epsilon_kJ_per_mol=_of_atoms(
            parts, [[r.epsilon_kJ_per_mol for r in t.rows] for t in templates]
        ),
        bonds=bonds[0],
        bond_length_ang=bonds[1][:, 0],
        bond_k_kJ_per_mol_ang2=bonds[1][:, 1],
        angles=angles[0],
        angle_deg=angles[1][:, 0],
        angle_k_kJ_per_mol_rad2=angles[1][:, 1],
        torsions=torsions[0][keep],
        torsion_fourier_kJ_per_mol=torsions[1][keep],
        springs=springs,
        spring_length_ang=np.concatenate(lengths),
        spring_k_kJ_per_mol_ang2=spring,
        excluded=tiled(parts, [t.excluded for t in templates], 2),
        pairs_14=tiled(parts, [t.pairs_14 for t in templates], 2),
        mixing=mixing,
        lennard_jones=choice.lennard_jones,
        cations=choice.cations,
        charge_scale=choice.charge_scale,
        rows=rows,
    )


def _of_atoms(components: Sequence[Component], values: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Return values of the atoms of one molecule of each component for all atoms."""
    return np.concatenate([np.tile(v, c.count) for c, v in zip(components, values, strict=True)])


def _terms(
    components: Sequence[Component], templates: Sequence[MoleculeParameters], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return atoms and numbers of all terms with so many atoms."""
    own = [[(a, r) for a, r in t.terms if len(a) == size] for t in templates]
    width = len(_VALUES[size])
    values = [
        np.tile(np.array([r.values for _, r in x]).reshape(-1, width), (c.count, 1))
        for c, x in zip(components, own, strict=True)
    ]
    return tiled(components, [[a for a, _ in x] for x in own], size), np.concatenate(values)


def _used(
    box: Box, templates: Sequence[MoleculeParameters], told: Mapping[str, str], spring: float
) -> tuple[ParameterRow, ...]:
    """Return every parameter in use, with its source and how often it occurs."""
    atoms, terms = Counter[tuple[AtomRow, str, float, str]](), Counter[TermRow]()
    springs = 0
    for component, template in zip(box.components, templates, strict=True):
        rows = zip(template.rows, template.sites, template.charges_e.tolist(), strict=True)
        for row, site, charge in rows:
            source = row.source
            if component.name in told:
                source += f"; charge: {told[component.name]}"
            atoms[row, f"{component.name} {site}", charge, source] += component.count
        for _, term in template.terms:
            terms[term] += component.count
        springs += component.count * len(template.springs)
    found = [_atom_used(*key, n) for key, n in atoms.items()]
    order = sorted(terms.items(), key=lambda x: (len(x[0].classes), x[0].classes))
    for term, n in order:
        size = len(term.classes)
        values = dict(zip(_VALUES[size], term.values, strict=True))
        found.append(
            ParameterRow(
                TERM_NAMES[size], "-".join(term.classes), "", values, term.set, term.source, "", n
            )
        )
    if springs:
        found.append(
            ParameterRow(
                kind="spring",
                name="rigid",
                site="",
                values={"k_kJ_per_mol_ang2": spring},
                set="given",
                source="chosen, not fitted: keeps rigid molecules in shape",
                reference="",
                count=springs,
            )
        )
    return tuple(found)


def _atom_used(row: AtomRow, site: str, charge: float, source: str, count: int) -> ParameterRow:
    values = {
        "mass_amu": row.mass_amu, "charge_e": charge, "charge_of_row_e": row.charge_e,
        "sigma_ang": row.sigma_ang, "epsilon_kJ_per_mol": row.epsilon_kJ_per_mol,
    }  # fmt: skip
    return ParameterRow("atom", row.type, site, values, row.set, source, row.reference, count)
