"""`superionic structure cluster`: a metal node, built or cut, and starts of ions at it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from superionic.structures.errors import InvalidStructureError
from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_facts,
    emit_json,
    emit_table,
    note,
)
from superionic.workflows.commands.loading import load_atoms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.structures.node import Node
    from superionic.structures.node_starts import NodeStart
    from superionic.workflows.serialise import Json

STARTS = "starts.json"
"""Lists the starts of a folder."""


@dataclass(frozen=True)
class ClusterRequest:
    """How a node is asked for; see `superionic.structures.clusters.build_node`.

    Attributes
    ----------
    metals : tuple of str
        Symbols; none where it is cut.
    cap : str
        What ends the carboxylates.
    water : bool
        Whether waters close the open metals.
    states : tuple of int or None
        Oxidation states.
    charge, multiplicity : int or None
        Of the whole node.
    distances_ang : dict
        Metal -> distance to its oxygens in angstrom.
    source : str or None
        Framework to cut it out of.
    metal : int or None
        A metal of the wanted node there.
    terminal : str
        ``remove`` or ``keep``.
    """

    metals: tuple[str, ...]
    cap: str
    water: bool
    states: tuple[int, ...] | None
    charge: int | None
    multiplicity: int | None
    distances_ang: dict[str, float]
    source: str | None
    metal: int | None
    terminal: Literal["remove", "keep"]

    def build(self) -> Node:
        """Build or cut the node."""
        try:
            return self._built() if self.source is None else self._cut(self.source)
        except InvalidStructureError as error:
            raise InvalidStructureError(as_options(str(error))) from error

    def _built(self) -> Node:
        from superionic.structures.clusters import build_node

        if not self.metals:
            raise typer.BadParameter(
                "name two or three metals, or a framework with --from.", param_hint="METAL..."
            )
        if self.metal is not None or self.terminal != "remove":
            raise typer.BadParameter("--metal and --terminal go with --from.", param_hint="--from")
        return build_node(
            self.metals, cap=self.cap, water=self.water, oxidation_states=self.states,
            charge=self.charge, spin_multiplicity=self.multiplicity,
            metal_oxygen_ang=self.distances_ang,
        )  # fmt: skip

    def _cut(self, source: str) -> Node:
        from superionic.structures.node_cut import cut_node

        if self.distances_ang:
            raise typer.BadParameter(
                "a node that is cut out keeps its distances.", param_hint="--metal-oxygen"
            )
        node = cut_node(
            load_atoms(source).structure, metal=self.metal, cap=self.cap,
            terminal=self.terminal, water=self.water, oxidation_states=self.states,
            charge=self.charge, spin_multiplicity=self.multiplicity,
        )  # fmt: skip
        found = [ion.symbol for ion in node.ions]
        if self.metals and sorted(self.metals) != sorted(found):
            raise InvalidStructureError(
                f"The node cut out of {source} holds {' '.join(found)}, but "
                f"{' '.join(self.metals)} were named. Leave the metals out, or choose another node "
                "with --metal."
            )
        return node


def as_options(message: str) -> str:
    """Return a message about nodes with the library's keywords as options of the command."""
    words = {
        r"\bmetal_oxygen_ang\b": "--metal-oxygen",
        r"\bterminal='(\w+)'": r"--terminal \1",
        r"\bwater=True\b": "--water",
    }
    for pattern, option in words.items():
        message = re.sub(pattern, option, message)
    return message


@dataclass(frozen=True)
class StartsRequest:
    """How starts are asked for; see `superionic.structures.node_starts.node_starts`.

    Attributes
    ----------
    adsorbate : str
        File, packaged name or SMILES.
    count : int
        For each metal and mode.
    modes : tuple of str
        None for all.
    seed : int
        Of every random choice.
    """

    adsorbate: str
    count: int
    modes: tuple[str, ...]
    seed: int


def parse_states(text: str | None) -> tuple[int, ...] | None:
    """Return oxidation states from ``3,3,2``."""
    if text is None:
        return None
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"expected whole numbers such as 3,3,2; got {text!r}.", param_hint="--states"
        ) from None


def parse_distances(pairs: Sequence[str]) -> dict[str, float]:
    """Return distances in angstrom from words such as ``Fe=1.95``."""
    found: dict[str, float] = {}
    for pair in pairs:
        symbol, _, value = pair.partition("=")
        try:
            found[symbol.strip()] = float(value)
        except ValueError:
            raise typer.BadParameter(
                f"expected METAL=ANG such as Fe=1.95; got {pair!r}.", param_hint="--metal-oxygen"
            ) from None
    return found


def write(request: ClusterRequest, *, out: Path | None, as_json: bool) -> None:
    """Write a node, and say what it is."""
    from superionic.structures.molecule_files import check_molecule_suffix
    from superionic.structures.molecules import write_molecule

    if out is not None:
        check_molecule_suffix(out)
    with chatter_to_stderr():
        node = request.build()
        if out is not None:
            write_molecule(node.molecule, out)
    facts = {"file": None if out is None else str(out), **described(node)}
    if as_json:
        emit_json(facts)
        return
    emit_facts({key: _plain(value) for key, value in facts.items()})
    if out is None:
        note("note: nothing was written; name a file with -o.")


def described(node: Node) -> dict[str, Any]:
    """Return what a reader wants to know of a node."""
    from superionic.structures.node_bonds import check_clashes

    return {
        "name": node.molecule.name,
        "kind": node.kind,
        "formula": node.molecule.formula,
        "atoms": len(node),
        "ions": [str(ion) for ion in node.ions],
        "charge": node.molecule.charge,
        "spin_multiplicity": node.molecule.spin_multiplicity,
        "coordination": dict(zip(node.labels, node.coordination, strict=True)),
        "bridges": node.bridges,
        "metal_donor_ang": _lengths(node),
        "open_sites": [node.label(site.metal) for site in node.sites],
        "closest_contact_of_vdw": check_clashes(node.molecule),
        "source": node.molecule.source,
    }


def _lengths(node: Node) -> dict[str, list[float]]:
    """Return the bond lengths of each metal in angstrom, shortest first."""
    points = node.molecule.positions
    return {
        label: sorted(
            round(float(((points[k] - points[metal]) ** 2).sum() ** 0.5), 4)
            for k in node.donors(metal)
        )
        for metal, label in zip(node.metals, node.labels, strict=True)
    }


def _plain(value: Any) -> Cell:
    """Return a value as one cell of text."""
    if isinstance(value, dict):
        return "; ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in value) or "none"
    cell: Cell = value
    return cell


def write_starts(
    request: ClusterRequest, wanted: StartsRequest, *, out: Path | None, as_json: bool
) -> None:
    """Write the node, the adsorbate and all starts into a folder, and list them."""
    from superionic.structures.molecules import find_molecule, write_molecule
    from superionic.structures.node_starts import node_starts
    from superionic.workflows.commands.folders import claim_folder
    from superionic.workflows.serialise import canonical_hash, write_json_atomic

    if out is None:
        raise typer.BadParameter("name a folder for the starts.", param_hint="--out / -o")
    with chatter_to_stderr():
        node = request.build()
        guest = find_molecule(wanted.adsorbate, seed=wanted.seed)
        starts = node_starts(
            node, guest, count=wanted.count, modes=wanted.modes or None, seed=wanted.seed
        )
        asked: dict[str, Json] = {
            "node_atoms": canonical_hash(node.molecule)[:16],
            "adsorbate_atoms": canonical_hash(guest)[:16],
            **_listable(asdict(request)),
            **_listable(asdict(wanted)),
        }
        folder = claim_folder(out, "structure cluster", asked)
        write_molecule(node.molecule, folder / "node.sdf")
        write_molecule(guest, folder / "adsorbate.sdf")
        for start in starts:
            write_molecule(start.molecule, folder / _file(start))
        listed = [_listed(start) for start in starts]
        write_json_atomic(folder / STARTS, {"starts": [dict(row) for row in listed]})
    if as_json:
        emit_json(listed)
        return
    rows: list[list[Cell]] = [
        [s.key, " ".join(f"{d:.3f}" for d in s.distances_ang), s.molecule.charge,
         s.molecule.spin_multiplicity]
        for s in starts
    ]  # fmt: skip
    emit_table(["start", "contacts A", "charge e", "multiplicity"], rows)
    note(f"{len(starts)} starts are in {folder}, with node.sdf and adsorbate.sdf.")


def _listable(values: dict[str, Any]) -> dict[str, Json]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def _file(start: NodeStart) -> str:
    return f"{start.key.replace(',', '')}.sdf"


def _listed(start: NodeStart) -> dict[str, Json]:
    return {
        "key": start.key,
        "file": _file(start),
        "site": start.site,
        "mode": start.mode,
        "metal": start.metal,
        "donors": list(start.donors),
        "distances_ang": list(start.distances_ang),
        "adsorbate": list(start.adsorbate),
        "charge": start.molecule.charge,
        "spin_multiplicity": start.molecule.spin_multiplicity,
    }
