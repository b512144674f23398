"""Metal nodes of carboxylate frameworks, built from metal-oxygen distances.

Two kinds: the oxo-centred trinuclear node M3(mu3-O)(O2C-R)6 of MIL-100 and MIL-101, and the
paddlewheel M2(O2C-R)4 of HKUST-1. Distances are sums of Shannon's radii for each metal's oxidation
state and number of neighbours (`superionic.structures.metals`). Geometries are starts: relax them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.bridges import BITE_ANG, bridge_between, tilted_bridge
from superionic.structures.caps import Cap, caps, find_cap
from superionic.structures.errors import InvalidStructureError
from superionic.structures.metals import MetalIon, check_metal
from superionic.structures.molecule import Molecule, framed
from superionic.structures.node import Node, node_of, open_sites, states_of
from superionic.structures.node_bonds import check_clashes
from superionic.structures.node_draft import NodeDraft, distances_given, oxygen_distance_ang

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


__all__ = [
    "OUT_OF_PLANE_ANG",
    "SOURCE",
    "Node",
    "build_node",
    "caps",
    "node_of",
    "paddlewheel_node",
    "trinuclear_node",
    "with_waters",
]

OUT_OF_PLANE_ANG = 0.20
"""How far the metal of a paddlewheel stands out of the plane of its four oxygens, in angstrom: that
of copper in HKUST-1 (S. S.-Y. Chui et al. 1999, doi:10.1126/science.283.5405.1148)."""

SOURCE = "built from sums of Shannon radii (doi:10.1107/S0567739476001551)"


def build_node(
    metals: Sequence[str],
    *,
    cap: str = "formate",
    water: bool = False,
    oxidation_states: Sequence[int] | None = None,
    charge: int | None = None,
    spin_multiplicity: int | None = None,
    metal_oxygen_ang: Mapping[str, float] | None = None,
) -> Node:
    """Build the node that a number of metals makes: three the trinuclear one, two the paddlewheel.

    See `trinuclear_node` and `paddlewheel_node`.

    Raises
    ------
    InvalidStructureError
        Neither two nor three metals, or what the builders refuse.
    """
    if len(metals) not in (2, 3):
        raise InvalidStructureError(
            f"Expected three metals (M3O(O2CR)6) or two (paddlewheel); got {len(metals)}: "
            f"{' '.join(metals) or 'none'}."
        )
    builder = trinuclear_node if len(metals) == 3 else paddlewheel_node
    return builder(
        metals, cap=cap, water=water, oxidation_states=oxidation_states, charge=charge,
        spin_multiplicity=spin_multiplicity, metal_oxygen_ang=metal_oxygen_ang,
    )  # fmt: skip


def trinuclear_node(
    metals: Sequence[str],
    *,
    cap: str = "formate",
    water: bool = False,
    oxidation_states: Sequence[int] | None = None,
    charge: int | None = None,
    spin_multiplicity: int | None = None,
    metal_oxygen_ang: Mapping[str, float] | None = None,
) -> Node:
    """Build M3(mu3-O)(O2C-R)6.

    Metals lie in a plane around the oxygen, 120 degrees apart; each pair has one carboxylate above
    and one below that plane, coplanar with its two metals and tilted so that the four carboxylate
    oxygens of a metal make a square as seen along its axis. Three like metals give D3h.

    Parameters
    ----------
    metals
        Three symbols.
    cap
        R: ``formate``, ``acetate``, ``benzoate`` or ``trimesate``.
    water
        Whether a water closes each metal; else the sites are open.
    oxidation_states
        One a metal. By default shared out to give the charge: M(II)M(III)2 is neutral, the metal
        of highest third ionisation energy divalent; M(III)3 is +1, M(II)3 is -2.
    charge
        Total charge in e; by default that of the oxidation states, 0 without them.
    spin_multiplicity
        2S + 1; by default that of parallel high spins.
    metal_oxygen_ang
        Distance of a metal (by symbol) to its carboxylate oxygens in angstrom, instead of the sum
        of radii; that to the central oxygen is 0.01 A longer. Metals of the node only.

    Returns
    -------
    Node
        Atoms: the metals, the oxygen, then each carboxylate (O, O, C, R), then waters.

    Raises
    ------
    InvalidStructureError
        Charges, states and multiplicity do not fit, a metal has no radius, a distance is one of a
        metal that is not there, or atoms clash.
    """
    rest = find_cap(cap)
    ions, total, spin = _ions(metals, 3, -8, oxidation_states, charge, spin_multiplicity)
    neighbours = 6 if water else 5
    given = distances_given(metal_oxygen_ang, ions)
    short = [oxygen_distance_ang(ion, neighbours, 2, given) for ion in ions]
    radial = [oxygen_distance_ang(ion, neighbours, 3, given) for ion in ions]
    turns = 2 * np.pi / 3 * np.arange(3)
    spokes = np.column_stack([np.cos(turns), np.sin(turns), np.zeros(3)])
    draft = NodeDraft()
    for ion, spoke, length in zip(ions, spokes, radial, strict=True):
        draft.add(ion.symbol, length * spoke)
    draft.add("O", np.zeros(3), 0, 1, 2)
    up = np.array([0.0, 0.0, 1.0])
    for i, j in ((0, 1), (1, 2), (2, 0)):
        bridge, across, lift = tilted_bridge(
            draft.positions[i], draft.positions[j], short[i], short[j]
        )
        for side in (up, -up):
            outward = np.cos(lift) * across + np.sin(lift) * side
            draft.add_carboxylate(bridge, (i, j), outward, side, rest)
    if water:
        for k, ion in enumerate(ions):
            draft.add_water(k, ion, spokes[k], np.cross(up, spokes[k]), given)
    return _finished(draft, "trinuclear", ions, -8, rest, total, spin)


def paddlewheel_node(
    metals: Sequence[str],
    *,
    cap: str = "formate",
    water: bool = False,
    oxidation_states: Sequence[int] | None = None,
    charge: int | None = None,
    spin_multiplicity: int | None = None,
    metal_oxygen_ang: Mapping[str, float] | None = None,
    metal_metal_ang: float | None = None,
) -> Node:
    """Build M2(O2C-R)4, four carboxylates around the line of both metals; D4h for like metals.

    Parameters
    ----------
    metals
        Two symbols.
    cap, water, oxidation_states, charge, spin_multiplicity, metal_oxygen_ang
        As in `trinuclear_node`; M(II)2 is neutral.
    metal_metal_ang
        Distance of the metals in angstrom; by default such that they stand `OUT_OF_PLANE_ANG` out
        of the planes of their oxygens. Multiple bonds (Cr, Mo) are shorter.

    Returns
    -------
    Node
        Atoms: the metals, then each carboxylate (O, O, C, R), then waters.

    Raises
    ------
    InvalidStructureError
        As `trinuclear_node`; or the metals are too far apart for a carboxylate.
    """
    rest = find_cap(cap)
    ions, total, spin = _ions(metals, 2, -4, oxidation_states, charge, spin_multiplicity)
    given = distances_given(metal_oxygen_ang, ions)
    # the other metal is the fifth neighbour
    first, second = (oxygen_distance_ang(ion, 5, 2, given) for ion in ions)
    length = BITE_ANG + 2 * OUT_OF_PLANE_ANG if metal_metal_ang is None else metal_metal_ang
    axis = np.array([0.0, 0.0, 1.0])
    draft = NodeDraft()
    draft.add(ions[0].symbol, axis * length / 2)
    draft.add(ions[1].symbol, -axis * length / 2)
    bridge = bridge_between(first, second, length)
    for turn in np.pi / 2 * np.arange(4):
        outward = np.array([np.cos(turn), np.sin(turn), 0.0])
        draft.add_carboxylate(bridge, (0, 1), outward, np.cross(axis, outward), rest)
    if water:
        across = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)
        for k, ion in enumerate(ions):
            draft.add_water(k, ion, (axis, -axis)[k], across, given)
    return _finished(draft, "paddlewheel", ions, -4, rest, total, spin)


def _ions(
    metals: Sequence[str],
    count: int,
    ligand_charge: int,
    oxidation_states: Sequence[int] | None,
    charge: int | None,
    spin_multiplicity: int | None,
) -> tuple[tuple[MetalIon, ...], int, int]:
    """Return metals with oxidation states, the charge and the multiplicity of a node."""
    if len(metals) != count:
        raise InvalidStructureError(
            f"This node has {count} metals; got {len(metals)}: {' '.join(metals) or 'none'}."
        )
    for symbol in metals:
        check_metal(symbol)
    return states_of(
        metals, ligand_charge, oxidation_states=oxidation_states, charge=charge,
        spin_multiplicity=spin_multiplicity,
    )  # fmt: skip


def _finished(
    draft: NodeDraft,
    kind: str,
    ions: Sequence[MetalIon],
    ligand_charge: int,
    cap: Cap,
    charge: int,
    spin: int,
) -> Node:
    """Return the node, checked for clashes."""
    names = "".join(ion.symbol for ion in ions)
    middle = "O" if kind == "trinuclear" else ""
    molecule = Molecule(
        structure=framed(np.array(draft.numbers), np.array(draft.positions)),
        charge=charge,
        spin_multiplicity=spin,
        name=f"{names}{middle}-{cap.name}",
        source=SOURCE,
        note=f"{kind} node, {', '.join(str(ion) for ion in ions)}; not relaxed.",
        bonds=tuple(draft.bonds),
    )
    check_clashes(molecule)
    metals = tuple(range(len(ions)))
    return Node(
        molecule=molecule,
        kind=kind,
        metals=metals,
        oxidation_states=tuple(ion.oxidation_state for ion in ions),
        ligand_charge=ligand_charge,
        cap=cap.name,
        sites=open_sites(molecule, metals),
    )


def with_waters(node: Node) -> Node:
    """Close every open site of a node with a water."""
    if not node.sites:
        return node
    molecule = node.molecule
    draft = NodeDraft(
        [int(z) for z in molecule.structure.numbers], list(molecule.positions), list(molecule.bonds)
    )
    ions = dict(zip(node.metals, node.ions, strict=True))
    for site in node.sites:
        out = site.direction
        across = np.cross(out, np.eye(3)[int(np.argmin(np.abs(out)))])
        draft.add_water(site.metal, ions[site.metal], out, across / np.linalg.norm(across), {})
    closed = replace(
        molecule,
        structure=framed(np.array(draft.numbers), np.array(draft.positions)),
        bonds=tuple(draft.bonds),
    )
    check_clashes(closed)
    return replace(node, molecule=closed, sites=open_sites(closed, node.metals))
