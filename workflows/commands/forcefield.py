"""`superionic forcefield`: rows, their sources, and what a box would get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_facts,
    emit_json,
    emit_table,
)

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.workflows.commands.md_inputs import ForceFieldRequest


def list_sets(*, as_json: bool) -> None:
    """List the sets of rows."""
    from superionic.inputs.forcefields import ABOUT, rows_of

    counts = {name: len(rows_of(name)) for name in ABOUT}
    if as_json:
        emit_json([{"set": k, "rows": counts[k], "about": v} for k, v in ABOUT.items()])
        return
    rows: list[list[Cell]] = [[k, counts[k], v] for k, v in ABOUT.items()]
    emit_table(["set", "rows", "about"], rows)


def show_set(name: str, *, as_json: bool) -> None:
    """Show the rows of a set."""
    from superionic.inputs.forcefields import AtomRow, TermRow, rows_of

    found = rows_of(name)
    if as_json:
        emit_json(list(found))
        return
    atoms = [r for r in found if isinstance(r, AtomRow)]
    terms = [r for r in found if isinstance(r, TermRow)]
    if atoms:
        rows: list[list[Cell]] = [
            [r.site, r.type, r.cls, r.charge_e, r.sigma_ang, r.epsilon_kJ_per_mol, r.source]
            for r in atoms
        ]
        heads = ["site", "type", "class", "charge e", "sigma A", "epsilon kJ/mol", "source"]
        emit_table(heads, rows, decimals=5)
    if terms:
        kinds = {2: "bond: A, kJ/mol/A2", 3: "angle: deg, kJ/mol/rad2", 4: "torsion: V1-V4 kJ/mol"}
        lines: list[list[Cell]] = [
            ["-".join(r.classes), kinds[len(r.classes)], " ".join(f"{v:g}" for v in r.values),
             r.source]
            for r in terms
        ]  # fmt: skip
        emit_table(["classes", "term", "values", "source"], lines)


def show_box(folder: Path, request: ForceFieldRequest, *, as_json: bool) -> None:
    """Show the parameters that a box would get."""
    from superionic.inputs.parameter_table import parameter_table, values_text

    with chatter_to_stderr():
        box = request.apply(folder)
    table = parameter_table(box)
    if as_json:
        emit_json({"charge_e": box.total_charge_e, "atoms": len(box), "parameters": table})
        return
    rows: list[list[Cell]] = [
        [r.kind, r.name, r.site, r.count, values_text(r), r.set, r.source] for r in table
    ]
    emit_table(["kind", "name", "site", "count", "values", "set", "source"], rows)
    emit_facts({"atoms": len(box), "total charge e": round(box.total_charge_e, 9) + 0.0})
