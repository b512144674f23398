"""Molecules from SMILES: seeded embedding, force-field relaxation, distinct conformers.

RDKit embeds (ETKDGv3: Riniker and Landrum, J. Chem. Inf. Model. 55, 2562 (2015),
doi:10.1021/acs.jcim.5b00654) and relaxes with MMFF94s (Halgren, J. Comput. Chem. 20, 720 (1999)),
or with UFF where MMFF has no parameters. The geometries are sensible starts, not results: relax
them at the level of theory in use. Neither force field describes a bare metal ion; it is placed
beside its anion by ionic radii (`superionic.structures.ion_pairs`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.errors import ConformerError, InvalidStructureError
from superionic.structures.ion_pairs import attach_ions
from superionic.structures.molecule import Bond, Molecule, framed
from superionic.structures.smiles import SmilesParts, formal_charge, parts_of_smiles
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

ATTEMPTS = 60
"""Embeddings tried by default."""
WINDOW_EV = 0.5
"""Conformers this much above the lowest are dropped by default, in eV."""
SAME_SHAPE_ANG = 0.15
"""Two conformers are one when no sorted distance between heavy atoms differs by more."""
MAX_ITERATIONS = 5000
"""Steps of the force-field relaxation."""
KCAL_PER_MOL_EV = 0.0433641
"""One kcal/mol in eV."""


@dataclass(frozen=True, eq=False)
class Conformer:
    """One shape of a molecule.

    Attributes
    ----------
    molecule : Molecule
        The geometry, relaxed with the force field.
    energy_eV : float
        Above the lowest conformer found, in eV: of the force field, for a salt with the Coulomb
        energy of its single ions among the force field's charges.
    force_field : str
        ``MMFF94s``, ``UFF``, or ``none`` for single atoms.
    found : int
        Embeddings that ended in this shape.
    """

    molecule: Molecule
    energy_eV: float
    force_field: str
    found: int


@dataclass(frozen=True, eq=False)
class _Shape:
    """Coordinates in angstrom of the polyatomic part, its energy in eV, and how it came about."""

    positions: NDArray[np.float64]
    energy_eV: float
    force_field: str
    charges: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", readonly(self.positions, np.float64))


def molecule_from_smiles(
    smiles: str,
    *,
    name: str = "",
    charge: int | None = None,
    spin_multiplicity: int | None = None,
    conformers: int = ATTEMPTS,
    seed: int = 0,
) -> Molecule:
    """Return the lowest conformer found of a molecule, an ion, or a contact ion pair.

    Parameters
    ----------
    smiles
        SMILES; a dot parts ions: ``[Li+].[O-]Cl(=O)(=O)=O``. At most one part may have more than
        one atom; the single ions are put next to it, two-coordinate where it has two donors near
        each other.
    name
        What to call it; by default its canonical SMILES.
    charge
        Total charge in e. Needed where the parts of a salt do not balance; checked where given.
    spin_multiplicity
        2S + 1; by default one more than the radical electrons of the SMILES.
    conformers
        Embeddings to try.
    seed
        Of the embedding; with one RDKit the same seed gives the same geometry.

    Raises
    ------
    InvalidStructureError
        The SMILES does not parse, is charged without being declared so, or has several parts of
        more than one atom.
    ConformerError
        No three-dimensional geometry was found.
    """
    return find_conformers(
        smiles, name=name, charge=charge, spin_multiplicity=spin_multiplicity,
        attempts=conformers, seed=seed,
    )[0].molecule  # fmt: skip


def find_conformers(
    smiles: str,
    *,
    name: str = "",
    charge: int | None = None,
    spin_multiplicity: int | None = None,
    attempts: int = ATTEMPTS,
    seed: int = 0,
    window_eV: float = WINDOW_EV,
) -> tuple[Conformer, ...]:
    """Return the distinct conformers found, the lowest first; mirror images count as one.

    Parameters
    ----------
    smiles, name, charge, spin_multiplicity, seed
        As in `molecule_from_smiles`.
    attempts
        Embeddings to try.
    window_eV
        Drop conformers this much above the lowest, in eV.

    Raises
    ------
    InvalidStructureError, ConformerError
        As in `molecule_from_smiles`.
    """
    if attempts < 1:
        raise InvalidStructureError(f"Expected at least one embedding, got {attempts}.")
    parts = parts_of_smiles(smiles, charge)
    shapes = _shapes(parts, attempts, seed)
    built = [_built(parts, shape, name, spin_multiplicity, seed) for shape in shapes]
    lowest = min(conformer.energy_eV for conformer in built)
    kept: list[Conformer] = []
    for new in sorted(built, key=lambda c: c.energy_eV):
        above = new.energy_eV - lowest
        if above > window_eV:
            break
        for k, other in enumerate(kept):
            if same_shape(new.molecule, other.molecule):
                kept[k] = replace(other, found=other.found + 1)
                break
        else:
            kept.append(replace(new, energy_eV=above))
    return tuple(kept)


def same_shape(first: Molecule, second: Molecule, *, tolerance_ang: float = SAME_SHAPE_ANG) -> bool:
    """Return whether two geometries agree up to motion, reflection and equal atoms.

    The sorted distances between heavy atoms are compared, element pair by element pair; of a
    molecule with one heavy atom or none, all atoms.

    Parameters
    ----------
    first, second
        Geometries of one molecule.
    tolerance_ang
        Largest difference of a distance in angstrom.
    """
    tables = [_distances(molecule) for molecule in (first, second)]
    if tables[0].keys() != tables[1].keys():
        return False
    return all(
        len(tables[0][k]) == len(tables[1][k])
        and float(np.abs(tables[0][k] - tables[1][k]).max()) <= tolerance_ang
        for k in tables[0]
    )


def _distances(molecule: Molecule) -> dict[tuple[int, int], NDArray[np.float64]]:
    numbers = molecule.structure.numbers
    chosen = np.flatnonzero(numbers > 1)
    if len(chosen) < 2:
        chosen = np.arange(len(numbers))
    points, kinds = molecule.positions[chosen], numbers[chosen]
    i, j = np.triu_indices(len(chosen), 1)
    lengths = np.linalg.norm(points[i] - points[j], axis=1)
    pairs = np.sort(np.column_stack([kinds[i], kinds[j]]), axis=1)
    return {
        (int(a), int(b)): np.sort(lengths[(pairs == (a, b)).all(axis=1)])
        for a, b in np.unique(pairs, axis=0)
    }


def _shapes(parts: SmilesParts, attempts: int, seed: int) -> list[_Shape]:
    """Embed and relax; raise where no attempt gave a geometry."""
    from rdkit import rdBase
    from rdkit.Chem import rdDistGeom

    graph = parts.host
    if graph.GetNumAtoms() == 1:
        return [_Shape(np.zeros((1, 3)), 0.0, "none", np.array([float(formal_charge(graph))]))]
    parameters: Any = rdDistGeom.ETKDGv3()
    parameters.randomSeed = int(np.random.default_rng(seed).integers(1, 2**31 - 1))
    parameters.numThreads = 1
    with rdBase.BlockLogs():
        ids = list(rdDistGeom.EmbedMultipleConfs(graph, attempts, parameters))
        if not ids:
            parameters.useRandomCoords = True
            ids = list(rdDistGeom.EmbedMultipleConfs(graph, attempts, parameters))
        shapes = _relaxed(graph) if ids else []
    if not shapes:
        raise ConformerError(
            f"No three-dimensional geometry was found for {parts.smiles!r} in {attempts} "
            "attempts. Look for impossible stereochemistry or rings, or read a geometry from a "
            "file (`read_molecule`)."
        )
    return shapes


def _relaxed(graph: Any) -> list[_Shape]:
    """Relax all embedded geometries; those that did not finish or are not finite are dropped."""
    from rdkit.Chem import rdForceFieldHelpers as fields

    properties = fields.MMFFGetMoleculeProperties(graph, mmffVariant="MMFF94s")
    if properties is not None:
        name = "MMFF94s"
        ends = fields.MMFFOptimizeMoleculeConfs(
            graph, numThreads=1, maxIters=MAX_ITERATIONS, mmffVariant="MMFF94s"
        )
        charges = [properties.GetMMFFPartialCharge(k) for k in range(graph.GetNumAtoms())]
    elif fields.UFFHasAllMoleculeParams(graph):
        name = "UFF"
        ends = fields.UFFOptimizeMoleculeConfs(graph, numThreads=1, maxIters=MAX_ITERATIONS)
        charges = _gasteiger(graph)
    else:
        name, charges = "none", [float(a.GetFormalCharge()) for a in graph.GetAtoms()]
        ends = [(0, 0.0)] * graph.GetNumConformers()
    shapes = []
    for geometry, (unfinished, energy) in zip(graph.GetConformers(), ends, strict=True):
        points = np.array(geometry.GetPositions())
        if unfinished == 0 and np.isfinite(points).all() and np.isfinite(energy):
            shapes.append(_Shape(points, energy * KCAL_PER_MOL_EV, name, np.array(charges)))
    return shapes


def _gasteiger(graph: Any) -> list[float]:
    """Return Gasteiger charges, or formal charges where they are not defined."""
    from rdkit.Chem import rdPartialCharges

    rdPartialCharges.ComputeGasteigerCharges(graph)
    charges = [float(a.GetProp("_GasteigerCharge")) for a in graph.GetAtoms()]
    if np.isfinite(charges).all():
        return charges
    return [float(a.GetFormalCharge()) for a in graph.GetAtoms()]


def _built(
    parts: SmilesParts, shape: _Shape, name: str, spin_multiplicity: int | None, seed: int
) -> Conformer:
    """Make a molecule of one shape, with its ions."""
    host = Molecule(
        structure=framed([a.GetAtomicNum() for a in parts.host.GetAtoms()], shape.positions),
        charge=formal_charge(parts.host),
        spin_multiplicity=parts.radicals + 1 if spin_multiplicity is None else spin_multiplicity,
        name=name or parts.smiles,
        smiles=parts.smiles,
        source=f"RDKit ETKDGv3 with seed {seed}, force field {shape.force_field}",
        note=parts.note,
        bonds=_bonds(parts.host),
    )
    if not parts.ions:
        return Conformer(host, shape.energy_eV, shape.force_field, 1)
    ions = [(atomic_numbers[symbol], q) for symbol, q in parts.ions]
    whole, coulomb_eV = attach_ions(host, ions, charges=shape.charges)
    return Conformer(whole, shape.energy_eV + coulomb_eV, shape.force_field, 1)


def _bonds(graph: Any) -> tuple[Bond, ...]:
    return tuple(
        (b.GetBeginAtomIdx(), b.GetEndAtomIdx(), b.GetBondTypeAsDouble()) for b in graph.GetBonds()
    )
