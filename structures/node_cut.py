"""Cutting a metal node out of a framework crystal, with its linkers capped."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.structures.caps import ACID_OH_ANG, acid_hydrogen, find_cap
from superionic.structures.clusters import with_waters
from superionic.structures.errors import InvalidStructureError
from superionic.structures.framework_net import GUESTS, HOME, FrameworkNet, Image
from superionic.structures.metals import is_metal
from superionic.structures.molecule import Molecule, framed
from superionic.structures.node import Node, node_of, states_of
from superionic.structures.node_bonds import (
    bonds_by_distance,
    check_clashes,
    ligand_charges,
)
from superionic.structures.structure import check_no_overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.structures.structure import Structure

LINKER = "linker"
"""Keeps whole linkers, their other carboxylates as free acids."""


@dataclass
class _Core:
    """The inorganic part of a node: metals, what they share, and carboxylates."""

    metals: list[Image] = field(default_factory=list)
    shared: list[list[Image]] = field(default_factory=list)
    terminal: list[list[Image]] = field(default_factory=list)
    carbons: list[Image] = field(default_factory=list)


def metal_nodes(structure: Structure) -> tuple[tuple[int, ...], ...]:
    """Return the metals of each node of a framework, in order of their first atom.

    Metals belong together where a carboxylate, an oxygen or a small ligand holds them.

    Raises
    ------
    InvalidStructureError
        No metals, metals in endless rods, or a linker that is no carboxylate.
    """
    net = FrameworkNet.of(structure)
    nodes: list[tuple[int, ...]] = []
    done: set[int] = set()
    for k, symbol in enumerate(structure.symbols):
        if _is_of_a_node(symbol) and k not in done:
            members = tuple(sorted(image[0] for image in _core(net, k).metals))
            done.update(members)
            nodes.append(members)
    if not nodes:
        raise InvalidStructureError(f"{structure.formula} holds no metal, so no node.")
    return tuple(nodes)


def cut_node(
    structure: Structure,
    *,
    metal: int | None = None,
    cap: str = "formate",
    terminal: Literal["remove", "keep"] = "remove",
    water: bool = False,
    oxidation_states: Sequence[int] | None = None,
    charge: int | None = None,
    spin_multiplicity: int | None = None,
    ligand_charge: int | None = None,
) -> Node:
    """Cut a node out of a framework, in the geometry that it has there.

    Parameters
    ----------
    structure
        The framework, ordered, in its cell. Alkali ions (`framework_net.GUESTS`) are left behind.
    metal
        Index of a metal of the wanted node; by default the first one of the structure.
    cap
        What ends the carboxylates: a cap of `superionic.structures.caps.caps` in place of the
        linker, along the bond it had; or ``linker``, which keeps whole linkers and makes their
        other carboxylates free acids.
    terminal
        What becomes of ligands at one metal only, such as solvent: they leave open sites, or stay.
    water
        Whether waters close the open sites.
    oxidation_states, charge, spin_multiplicity
        As in `superionic.structures.clusters.trinuclear_node`.
    ligand_charge
        Charge of all ligands in e, where they include one whose charge is not known.

    Returns
    -------
    Node
        Atoms: the metals, then what they share, then each carboxylate (O, O, C, rest).

    Raises
    ------
    InvalidStructureError
        The atom is no metal; the metals make endless rods; a linker is no carboxylate; hydrogens
        are missing; charges do not fit.
    """
    check_no_overlap(structure)
    start = _first_metal(structure) if metal is None else metal
    if not 0 <= start < len(structure) or not _is_of_a_node(structure.symbols[start]):
        raise InvalidStructureError(
            f"Expected the index of a metal atom of a node; atom {start} of {structure.formula} is "
            "none."
        )
    net = FrameworkNet.of(structure)
    core = _core(net, start)
    numbers, positions = _atoms(net, core, cap, keep=terminal == "keep")
    symbols = [structure.symbols[image[0]] for image in core.metals]
    bonds = bonds_by_distance(numbers, positions)
    draft = Molecule(
        structure=framed(numbers, positions),
        spin_multiplicity=1 + int(numbers.sum()) % 2,
        name=f"{''.join(symbols)}-{cap}",
        source=f"cut out of {structure.formula}",
        bonds=bonds,
    )
    check_clashes(draft)
    if ligand_charge is None:
        ligand_charge = round(float(ligand_charges(draft).sum()))
    ions, total, spin = states_of(
        symbols, ligand_charge, oxidation_states=oxidation_states, charge=charge,
        spin_multiplicity=spin_multiplicity,
    )  # fmt: skip
    note = f"{', '.join(str(ion) for ion in ions)}; geometry of the crystal, not relaxed."
    node = node_of(
        replace(draft, charge=total, spin_multiplicity=spin, note=note),
        oxidation_states=[ion.oxidation_state for ion in ions],
        ligand_charge=ligand_charge,
        cap=cap if cap == LINKER else find_cap(cap).name,
    )
    return with_waters(node) if water else node


def _is_of_a_node(symbol: str) -> bool:
    return is_metal(symbol) and symbol not in GUESTS


def _first_metal(structure: Structure) -> int:
    found = [k for k, symbol in enumerate(structure.symbols) if _is_of_a_node(symbol)]
    if not found:
        raise InvalidStructureError(f"{structure.formula} holds no metal, so no node.")
    return found[0]


def _core(net: FrameworkNet, start: int) -> _Core:
    """Collect the metals that carboxylates and small ligands hold together."""
    core = _Core(metals=[(start, HOME)])
    homes = {start: HOME}
    seen: set[Image] = set()
    for metal in core.metals:
        for donor in net.partners(metal, dative=True):
            if donor in seen:
                continue
            carbon = net.carboxyl_of(donor)
            if carbon is not None:
                group = net.oxygens(carbon)
                core.carbons.append(carbon)
            else:
                group = net.piece(donor)
                _file_ligand(net, core, donor, group)
            seen.update(group)
            for image in group:
                for other in net.partners(image, dative=True):
                    if homes.setdefault(other[0], other[1]) != other[1]:
                        _refuse_rod(net, start)
                    if other not in core.metals:
                        core.metals.append(other)
    return core


def _refuse_rod(net: FrameworkNet, start: int) -> None:
    raise InvalidStructureError(
        f"The metals around atom {start} ({net.structure.labels[start]}) are joined into endless "
        "rods or layers: there is no node of finite size to cut out."
    )


def _file_ligand(net: FrameworkNet, core: _Core, donor: Image, group: list[Image]) -> None:
    """Note a ligand that is no carboxylate as shared or terminal; refuse a linker."""
    ends = {metal for image in group for metal in net.partners(image, dative=True)}
    if len(ends) == 1:
        core.terminal.append(group)
        return
    heavy = [image for image in group if net.symbols[image[0]] != "H"]
    if len(heavy) > 1:
        names = "".join(sorted(net.symbols[image[0]] for image in group))
        raise InvalidStructureError(
            f"The ligand at atom {donor[0]} ({net.structure.labels[donor[0]]}), {len(group)} atoms "
            f"({names[:40]}), joins {len(ends)} metals and binds through {net.symbols[donor[0]]} "
            "that is not of a carboxylate. Only carboxylate linkers can be cut and capped."
        )
    core.shared.append(group)


def _atoms(
    net: FrameworkNet, core: _Core, cap: str, *, keep: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return atomic numbers and positions of a capped node, in angstrom."""
    images = list(core.metals)
    for group in core.shared:
        images += group
    extra: list[tuple[int, NDArray[np.float64]]] = []
    if cap == LINKER:
        linkers, extra = _whole_linkers(net, core)
        images += linkers
    else:
        rest = find_cap(cap)
    numbers = [int(net.structure.numbers[image[0]]) for image in images]
    positions = [net.position(image) for image in images]
    if cap != LINKER:
        for carbon in core.carbons:
            first, second = (net.position(image) for image in net.oxygens(carbon))
            centre = net.position(carbon)
            along = (first - second) / np.linalg.norm(first - second)
            out = _outward(net, carbon, along)
            numbers += [8, 8, 6, *(int(z) for z in rest.numbers)]
            positions += [first, second, centre]
            positions += list(rest.placed(centre, along, out, np.cross(along, out)))
    if keep:
        for group in core.terminal:
            _check_hydrogens(net, group)
            numbers += [int(net.structure.numbers[image[0]]) for image in group]
            positions += [net.position(image) for image in group]
    numbers += [number for number, _ in extra]
    positions += [position for _, position in extra]
    return np.array(numbers), np.array(positions)


def _outward(net: FrameworkNet, carbon: Image, along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the direction of a carboxylate's bond to its linker, at right angles to O...O."""
    oxygens = net.oxygens(carbon)
    linker = next(i for i in net.partners(carbon, dative=False) if i not in oxygens)
    out = net.position(linker) - net.position(carbon)
    out = out - (out @ along) * along
    return np.asarray(out / np.linalg.norm(out))


def _whole_linkers(
    net: FrameworkNet, core: _Core
) -> tuple[list[Image], list[tuple[int, NDArray[np.float64]]]]:
    """Return the images of all linkers, and hydrogens where they are cut from other nodes."""
    own = set(core.metals)
    images: list[Image] = []
    extra: list[tuple[int, NDArray[np.float64]]] = []
    seen: set[Image] = set()
    for carbon in core.carbons:
        if carbon in seen:
            continue
        oxygens = net.oxygens(carbon)
        piece = [*oxygens, *net.piece(carbon, without=tuple(oxygens))]
        seen.update(piece)
        images += piece
        closed: set[Image] = set()
        for image in piece:
            ends = net.partners(image, dative=True)
            if not ends or own & set(ends) or net.symbols[image[0]] != "O":
                continue
            acid = net.carboxyl_of(image)
            if acid is None:  # a phenolate: the hydrogen goes where the metal was
                arm = net.position(ends[0]) - net.position(image)
                extra.append((1, net.position(image) + ACID_OH_ANG * arm / np.linalg.norm(arm)))
            elif acid not in closed and acid not in core.carbons:
                closed.add(acid)
                other = next(o for o in net.oxygens(acid) if o != image)
                points = [net.position(x) for x in (acid, image, other)]
                extra.append((1, acid_hydrogen(*points)))
    return images, extra


def _check_hydrogens(net: FrameworkNet, group: list[Image]) -> None:
    """Refuse a terminal oxygen whose hydrogens a crystal structure does not show."""
    if len(group) == 1 and net.symbols[group[0][0]] == "O":
        k = group[0][0]
        raise InvalidStructureError(
            f"Oxygen {net.structure.labels[k]} (atom {k}) at a single metal has no hydrogen; it "
            "would count as oxide. Add hydrogens, or use terminal='remove', with water=True for "
            "waters."
        )
