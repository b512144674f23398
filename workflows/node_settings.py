"""How adsorption at metal nodes is found: which nodes, what adsorbs, how starts are relaxed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from superionic.structures.errors import InvalidStructureError, ProtocolError
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.scf_settings import ScfSettings, check_energy_grid
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.structures.molecule import Molecule
    from superionic.structures.node import Node

__all__ = [
    "ATTACHED",
    "Guest",
    "NodeSettings",
    "find_shape",
    "named_nodes",
    "node_name",
    "parse_metals",
]

ATTACHED = "&"
"""Joins an anion and a single cation in the name of a shape: ``tfsi-cis & na+``."""


@dataclass(frozen=True)
class Guest:
    """What adsorbs.

    Attributes
    ----------
    label : str
        How tables and figures call it.
    shapes : dict
        Geometry -> modes in which it is put at a metal (``O``, ``O,O``, ``N,O``, ``Na``); an empty
        list stands for no start, the shape is a reference only. A geometry is a packaged name, a
        SMILES or a file, or ``anion & cation`` for the cation at its best place beside the anion.
        The lowest of all by itself is the reference.
    nodes : tuple of str
        Names of the nodes where it is put; empty for all.
    upon : str
        Label of the anion upon whose best complexes its cation is put as well, which gives further
        starts; empty for none.
    places : int
        How many places of the cation on each of those.
    """

    label: str
    shapes: dict[str, tuple[str, ...]]
    nodes: tuple[str, ...] = ()
    upon: str = ""
    places: int = 2

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not self.shapes or self.places < 1:
            raise ProtocolError(f"{self.label} needs at least one shape, and places >= 1.")

    def molecules(self) -> dict[str, Molecule]:
        """Return the shapes.

        Raises
        ------
        UnknownMoleculeError
            A name stands for nothing.
        InvalidStructureError
            They are different molecules.
        """
        found = {name: find_shape(name) for name in self.shapes}
        kinds = {
            (m.symbols, frozenset((i, j) for i, j, _ in m.bonds), m.charge) for m in found.values()
        }
        if len(kinds) > 1:
            raise InvalidStructureError(
                f"The shapes of {self.label} are one molecule, its atoms in one order; got "
                f"{', '.join(f'{k} ({m.formula}, {m.charge:+d} e)' for k, m in found.items())}."
            )
        return found


def find_shape(name: str) -> Molecule:
    """Return the molecule that the name of a shape stands for; see `Guest`."""
    from superionic.structures.ion_pairs import attach_ions
    from superionic.structures.molecules import find_molecule

    if ATTACHED not in name:
        return find_molecule(name)
    anion, cation = (find_molecule(part.strip()) for part in name.split(ATTACHED, 1))
    if len(cation) != 1 or cation.charge < 1:
        raise InvalidStructureError(
            f"'{name}': expected a single cation after '{ATTACHED}', such as na+; got "
            f"{cation.formula} with {cation.charge:+d} e."
        )
    return attach_ions(anion, [(int(cation.structure.numbers[0]), cation.charge)])[0]


@dataclass(frozen=True)
class NodeSettings:
    """How adsorption energies at nodes are found.

    Attributes
    ----------
    relax : RelaxSettings
        Criterion and limit of steps of every term; reaching the limit is no result. The rattle is
        for bare nodes only, which are built symmetric.
    starts : int
        Seeded starts for each site, shape and mode.
    sites : {"elements", "ions"}
        Put the adsorbate at one metal of each element, the one of highest oxidation state; or at
        one of each oxidation state too.
    screen_steps : int
        Optimiser steps of every start before the best are chosen; none where a guest has no more
        starts of a site and mode than are kept.
    keep : int
        How many for each site and mode, the lowest in energy after those steps, are relaxed to the
        end.
    lower_eV : float
        A bare node found lower from a complex by more than this, in eV, takes the place of the
        first.
    tolerance_ang : float
        A donor is bound below the sum of radii plus this, in angstrom.
    levels : tuple of str
        Other levels of theory: single points for the best start of each mode.
    scf : ScfSettings
        How those of density-functional theory are made self-consistent.
    seed : int
        Of the starts.
    """

    relax: RelaxSettings = field(
        default_factory=lambda: RelaxSettings(fmax_eV_per_A=0.03, max_steps=400, rattle_ang=0.03)
    )
    starts: int = 2
    sites: Literal["elements", "ions"] = "elements"
    screen_steps: int = 12
    keep: int = 1
    lower_eV: float = 0.001
    tolerance_ang: float = 0.5
    levels: tuple[str, ...] = ()
    scf: ScfSettings = field(default_factory=lambda: ScfSettings(grid_level=3, energy_eV=1e-5))
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work before anything is computed."""
        if self.relax.cell != "fixed":
            raise ProtocolError("A molecule has no cell to relax: use cell = 'fixed'.")
        if self.starts < 1 or self.keep < 1 or self.screen_steps < 0 or self.tolerance_ang < 0:
            raise ProtocolError(
                "Nodes need starts >= 1, keep >= 1, screen_steps >= 0 and tolerance_ang >= 0; got "
                f"{self.starts}, {self.keep}, {self.screen_steps} and {self.tolerance_ang}."
            )
        if self.sites not in ("elements", "ions"):
            raise ProtocolError(f"sites is 'elements' or 'ions'; got '{self.sites}'.")
        for name in self.levels:
            if get_theory(name).code == "pyscf":
                check_energy_grid(self.scf)

    @property
    def text(self) -> str:
        """The rule of the search in words."""
        kind = "element" if self.sites == "elements" else "element and oxidation state"
        seeded = "seeded starts" if self.starts > 1 else "seeded start"
        return (
            f"{self.starts} {seeded} for each shape and mode at one metal of each {kind}. Where a "
            f"guest has more than {self.keep} of a site and mode, all its starts are relaxed for "
            f"{self.screen_steps} steps and the {self.keep} lowest of each kept. Those kept are "
            f"relaxed until no force exceeds {self.relax.fmax_eV_per_A:g} eV/A. One that needs "
            f"more than {self.relax.max_steps} steps, breaks a bond or lets go has no value."
        )


def parse_metals(text: str) -> tuple[str, ...]:
    """Return the metals of ``FeFeNi``, ``Fe2Ni``, ``Fe,Fe,Ni`` or ``Fe Fe Ni``.

    Raises
    ------
    InvalidStructureError
        It is no row of chemical symbols, or one of them is no metal.
    """
    from superionic.structures.metals import check_metal

    bare = re.sub(r"[\s,]+", "", text)
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", bare)
    if not parts or "".join(s + n for s, n in parts) != bare or any(n == "0" for _, n in parts):
        raise InvalidStructureError(
            f"Expected the metals of a node, such as FeFeNi or Fe2Ni; got {text!r}."
        )
    metals = tuple(s for s, n in parts for _ in range(int(n or 1)))
    for symbol in metals:
        check_metal(symbol)
    return metals


def node_name(metals: Sequence[str]) -> str:
    """Return a short name: ``Fe2Ni``, ``Ni3``."""
    return "".join(f"{s}{n if n > 1 else ''}" for s, n in Counter(metals).items())


def named_nodes(wanted: Sequence[str], *, cap: str, charge: int = 0) -> dict[str, Node]:
    """Build the nodes of a screen by one convention: one total charge, parallel high spins.

    Parameters
    ----------
    wanted
        Such as ``("Fe3", "Fe2Ni")``.
    cap
        What ends their carboxylates.
    charge
        Total charge of every bare node in e.

    Returns
    -------
    dict
        Short name -> node.

    Raises
    ------
    InvalidStructureError
        A metal cannot have the oxidation state that the charge asks for, or two names are one node.
    """
    from superionic.structures.clusters import build_node

    found: dict[str, Node] = {}
    for text in wanted:
        metals = parse_metals(text)
        name = node_name(metals)
        if name in found:
            raise InvalidStructureError(f"The node {name} is named twice.")
        try:
            found[name] = build_node(metals, cap=cap, charge=charge)
        except InvalidStructureError as error:
            raise InvalidStructureError(f"{name} with {charge:+d} e: {error}") from error
    return found


def chosen_sites(node: Node, sites: str) -> tuple[str, ...]:
    """Return the labels of the metals where starts are put; see `NodeSettings.sites`."""
    open_metals = {site.metal for site in node.sites}
    best: dict[tuple[str, int], tuple[int, str]] = {}
    for metal, label, ion in zip(node.metals, node.labels, node.ions, strict=True):
        if metal not in open_metals:
            continue
        key = (ion.symbol, ion.oxidation_state if sites == "ions" else 0)
        rank = (ion.oxidation_state, label)
        if key not in best or rank[0] > best[key][0]:
            best[key] = rank
    return tuple(label for _, label in best.values())
