"""`superionic box`: pack a polymer electrolyte, write it, and say what is in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import typer

from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_facts,
    emit_json,
    emit_table,
    note,
)

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.structures.box import Box, Component
    from superionic.structures.molecule import Molecule
    from superionic.structures.polymers import Ends
    from superionic.structures.recipe import BoxSpec
    from superionic.workflows.serialise import Json

_POLYMER = re.compile(r"PEO:(\d+)[x*](\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class BoxRequest:
    """How a box is asked for on the command line; see `superionic.structures.recipe.BoxSpec`.

    Attributes
    ----------
    polymer : str
        ``PEO:50x10``.
    salt : str or None
        Its name.
    ratio : float or None
        EO units per cation.
    add : tuple of str
        ``NAME=COUNT`` of further small molecules.
    filler : str or None
        File, packaged name or SMILES.
    wt_percent : float or None
        Weight percent of the filler.
    filler_charge : int or None
        Its charge in e; None takes that of the file.
    flexible : bool
        Whether the filler may change its geometry in simulations.
    ends : str
        ``methyl`` or ``hydroxyl``.
    density_g_cm3 : float or None
        Packing density; None takes the default.
    temperature_K : float
        Of the rotational states.
    seed : int
        Of all random choices.
    """

    polymer: str
    salt: str | None
    ratio: float | None
    add: tuple[str, ...]
    filler: str | None
    wt_percent: float | None
    filler_charge: int | None
    flexible: bool
    ends: Ends
    density_g_cm3: float | None
    temperature_K: float
    seed: int

    def spec(self) -> BoxSpec:
        """Return the recipe."""
        from superionic.structures.recipe import DENSITY_G_CM3, BoxSpec, find_salt

        units, chains = parse_polymer(self.polymer)
        self._check_pairs()
        return BoxSpec(
            units=units,
            chains=chains,
            ends=self.ends,
            salt=None if self.salt is None else find_salt(self.salt),
            units_per_cation=self.ratio,
            extras=tuple(parse_added(word, self.seed) for word in self.add),
            filler=None if self.filler is None else load_filler(self.filler, self.filler_charge),
            filler_wt_percent=self.wt_percent or 0.0,
            filler_rigid=not self.flexible,
            density_g_cm3=DENSITY_G_CM3 if self.density_g_cm3 is None else self.density_g_cm3,
            temperature_K=self.temperature_K,
            seed=self.seed,
        )

    def _check_pairs(self) -> None:
        if (self.salt is None) != (self.ratio is None):
            raise typer.BadParameter(
                "name both a salt and its ratio, or neither: --salt NaTFSI --ratio 20.",
                param_hint="--salt / --ratio",
            )
        if (self.filler is None) != (not self.wt_percent):
            raise typer.BadParameter(
                "name both a filler and its weight percent, or neither: --filler FILE --wt 10.",
                param_hint="--filler / --wt",
            )


def parse_polymer(word: str) -> tuple[int, int]:
    """Return units and chains of a word such as ``PEO:50x10``."""
    found = _POLYMER.fullmatch(word.strip())
    if found is None:
        raise typer.BadParameter(
            f"expected PEO:UNITSxCHAINS, such as PEO:50x10 for ten chains of fifty EO units; got "
            f"{word!r}.",
            param_hint="--polymer",
        )
    return int(found[1]), int(found[2])


def parse_added(word: str, seed: int) -> Component:
    """Return the small molecules of a word such as ``succinonitrile=20``."""
    from superionic.structures.molecules import find_molecule
    from superionic.structures.recipe import small_molecule

    source, sign, count = word.rpartition("=")
    if not sign or not count.isdecimal() or int(count) < 1:
        raise typer.BadParameter(
            f"expected MOLECULE=COUNT, such as succinonitrile=20; got {word!r}.",
            param_hint="--add",
        )
    with chatter_to_stderr():
        return small_molecule(find_molecule(source, seed=seed), int(count))


def load_filler(source: str, charge: int | None) -> Molecule:
    """Return the molecule of a filler, with the bonds of its metals."""
    from superionic.structures.metals import is_metal
    from superionic.structures.molecules import find_molecule
    from superionic.structures.node_bonds import bonds_by_distance

    with chatter_to_stderr():
        found = find_molecule(source, charge=charge)
    if not any(is_metal(symbol) for symbol in found.symbols):
        return found
    known = {(i, j): order for i, j, order in found.bonds}
    near = bonds_by_distance(found.structure.numbers, found.positions)
    return replace(found, bonds=tuple((i, j, known.get((i, j), order)) for i, j, order in near))


def pack(request: BoxRequest, *, out: Path, as_json: bool) -> None:
    """Pack a box, or find the one that the folder holds, and say what is in it."""
    from superionic.structures.packing import build_box
    from superionic.structures.recipe import components_of
    from superionic.workflows.boxes import BOX, draw_box, read_box, write_box
    from superionic.workflows.commands.folders import claim_folder
    from superionic.workflows.serialise import canonical_hash

    spec = request.spec()
    components_of(spec)  # so that no folder is made for what cannot be built
    inputs: dict[str, Json] = {
        "polymer": request.polymer, "salt": spec.salt, "ratio": spec.units_per_cation,
        "added molecules": list(request.add), "filler": request.filler,
        "wt": spec.filler_wt_percent, "density": spec.density_g_cm3, "seed": spec.seed,
        "recipe": canonical_hash(spec),
    }  # fmt: skip
    if out.exists():
        claim_folder(out, "box", inputs)
    if not (out / BOX).exists():
        box = build_box(spec)
        folder = claim_folder(out, "box", inputs)
        write_box(box, folder)
        draw_box(box, folder)
    else:
        folder = claim_folder(out, "box", inputs)
        box = read_box(folder)
        note(f"note: {folder} holds this box already.")
    facts = described(box, folder)
    if as_json:
        emit_json(facts)
        return
    _show(box, facts)


def described(box: Box, folder: Path) -> dict[str, Any]:
    """Return what a reader wants to know of a box."""
    from superionic.structures.box_contacts import box_contacts

    contacts = box_contacts(box)
    return {
        "folder": str(folder),
        "atoms": len(box),
        "molecules": box.molecules,
        "edges_ang": box.edges_ang.tolist(),
        "density_g_cm3": box.density_g_cm3,
        "charge": box.charge,
        "EO_per_cation": box.units_per_cation,
        "filler_wt_percent": 100 * box.filler_weight_fraction,
        "seed": box.seed,
        "components": [_component(box, c) for c in box.components],
        "shortest_nonbonded_ang": contacts.shortest_ang,
    }


def _component(box: Box, component: Component) -> dict[str, Any]:
    return {
        "name": component.name,
        "molecule": component.molecule.name or component.molecule.formula,
        "count": component.count,
        "units": component.units,
        "atoms": component.atoms,
        "charge": component.molecule.charge,
        "wt_percent": 100 * box.weight_fraction(component.name),
        "rigid": component.rigid,
    }


def _show(box: Box, facts: dict[str, Any]) -> None:
    """Write the facts of a box as text."""
    rows: list[list[Cell]] = [
        [c["name"], c["molecule"], c["count"], c["atoms"], c["charge"], c["wt_percent"], c["rigid"]]
        for c in facts["components"]
    ]
    header = ["name", "molecule", "count", "atoms each", "charge e", "wt %", "rigid"]
    shortest = facts["shortest_nonbonded_ang"]
    near = sorted(shortest, key=lambda pair: shortest[pair])
    words = {
        "edges_ang": " x ".join(f"{x:.3f}" for x in facts["edges_ang"]),
        "shortest_nonbonded_ang": ", ".join(f"{p} {shortest[p]:.2f}" for p in near[:6]),
    }
    plain = {k: words.get(k, v) for k, v in facts.items() if k != "components"}
    emit_facts(plain)
    emit_table(header, rows, decimals=2)
    note(
        f"note: packed at {box.density_g_cm3:.3f} g/cm3, not at equilibrium: minimise, then bring "
        "it to density at constant pressure."
    )
