"""Where relaxations of an ion or salt at a node start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import AdsorptionError, InvalidStructureError
from superionic.structures.ion_pairs import HALOGENS, contacts, lone_pairs
from superionic.structures.molecule import framed
from superionic.structures.node_starts import node_starts
from superionic.workflows.node_settings import chosen_sites

if TYPE_CHECKING:
    from superionic.structures.molecule import Molecule
    from superionic.structures.node import Node
    from superionic.workflows.node_settings import Guest, NodeSettings
    from superionic.workflows.node_study import NodeStudy

APART_ANG = 0.8
"""Places of a cation nearer to each other than this are one, in angstrom."""


@dataclass(frozen=True, eq=False)
class Start:
    """An adsorbate put at a node.

    Attributes
    ----------
    key, site, mode : str
        Its name, the metal, and what holds on.
    molecule : Molecule
        Atoms of the node, then those of the adsorbate in the order of its shapes.
    """

    key: str
    site: str
    mode: str
    molecule: Molecule


def rigid_starts(
    node: Node,
    molecule: Molecule,
    *,
    shape: str,
    mode: str,
    settings: NodeSettings,
    notes: list[str],
) -> list[Start]:
    """Return seeded starts of one shape in one mode at every chosen metal.

    Parameters
    ----------
    node
        Relaxed.
    molecule
        What adsorbs, in this shape.
    shape, mode
        Their names.
    settings
        How many, where, and the seed.
    notes
        Takes up where it does not fit.
    """
    found: list[Start] = []
    for site in chosen_sites(node, settings.sites):
        try:
            made = node_starts(
                node, molecule, count=settings.starts, modes=[mode], sites=[site],
                seed=settings.seed,
            )  # fmt: skip
        except AdsorptionError as error:
            notes.append(f"No start of {shape} through {mode} at {site}: {error}")
            continue
        found += [Start(f"{shape} {m.key}", m.site, m.mode, m.molecule) for m in made]
    return found


def starts_upon(
    anion: NodeStudy, pair: Molecule, *, node: Node, guest: Guest, notes: list[str]
) -> list[Start]:
    """Return starts with a cation beside an anion as it relaxed, in each of its modes.

    Parameters
    ----------
    anion
        Relaxed at the same kind of node.
    pair
        The atoms of the anion in their order, then the cation.
    node
        Relaxed.
    guest
        The pair, and how many places to take.
    notes
        Takes up where there is no place.

    Raises
    ------
    InvalidStructureError
        The pair is not the anion and a single cation.
    """
    cations = [k for k in range(len(pair)) if _single(pair, k)]
    if cations != [len(pair) - 1] or pair.symbols[:-1] != anion.free.symbols:
        raise InvalidStructureError(
            f"{guest.label}: expected the atoms of {anion.guest.label} in their order, "
            f"then a single cation to put upon it; got {pair.formula}."
        )
    number, charge = int(pair.structure.numbers[-1]), pair.charge - anion.free.charge
    found: list[Start] = []
    for k in anion.best_of_modes():
        body = anion.complex(k)
        spread = np.r_[node.formal_charges, _spread_charges(anion.free)]
        try:
            places = contacts(body, number, charge, charges=spread)
        except InvalidStructureError as error:
            notes.append(f"No place upon {anion.starts[k].key}: {error}")
            continue
        points: list[np.ndarray[Any, Any]] = []
        for place in places:
            point = np.array(place.position)
            if all(np.linalg.norm(point - other) > APART_ANG for other in points):
                points.append(point)
            if len(points) == guest.places:
                break
        start = anion.starts[k]
        found += [
            Start(
                key=f"{start.key} & {pair.symbols[-1]}-{n}",
                site=start.site,
                mode=f"{start.mode} & {pair.symbols[-1]}",
                molecule=_with_ion(body, number, charge, point),
            )
            for n, point in enumerate(points)
        ]
    return found


def _spread_charges(free: Molecule) -> np.ndarray[Any, Any]:
    """Return the charge of a free adsorbate shared by its donors, in e. shape=(atoms,)."""
    giving = [k for k in lone_pairs(free) if free.symbols[k] not in HALOGENS]
    charges = np.zeros(len(free))
    charges[giving] = free.charge / max(len(giving), 1)
    return charges


def _with_ion(
    molecule: Molecule, number: int, charge: int, point: np.ndarray[Any, Any]
) -> Molecule:
    """Return a molecule with one more atom, a closed-shell ion without bonds."""
    structure = framed(
        np.append(molecule.structure.numbers, number), np.vstack([molecule.positions, point])
    )
    return replace(molecule, structure=structure, charge=molecule.charge + charge)


def _single(molecule: Molecule, atom: int) -> bool:
    """Return whether an atom is an ion of its own."""
    return not any(atom in (i, j) for i, j, _ in molecule.bonds)
