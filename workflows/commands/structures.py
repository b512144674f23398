"""`superionic structure check` and `list`: what a crystal looks like to a chemist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_facts,
    emit_json,
    emit_table,
    plain,
    say,
)
from superionic.workflows.commands.loading import (
    charges_as_options,
    load_crystal,
    parse_charges,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.structures.disordered import DisorderedStructure
    from superionic.structures.sanity import SanityReport


def check(source: str, *, charges: Sequence[str], as_json: bool) -> None:
    """Write what a chemist would look at; leave with exit code 1 where something is wrong."""
    from superionic.structures.sanity import check_structure

    with chatter_to_stderr():
        crystal = load_crystal(source)
        with charges_as_options():
            report = check_structure(crystal, oxidation_states=parse_charges(charges))
    if as_json:
        head = {"formula": crystal.reduced_formula, "sites": len(crystal), "ok": report.ok}
        emit_json({**head, **plain(report)})
    else:
        _show_report(crystal, report)
    if not report.ok:
        raise typer.Exit(1)


def _show_report(crystal: DisorderedStructure, report: SanityReport) -> None:
    say(f"{crystal.reduced_formula}, {len(crystal)} sites in {crystal.volume:.1f} A3")
    say()
    rows: list[list[Cell]] = [
        [label, total, *report.bond_valence_ranges[label], report.expected_valences[label]]
        for label, total in report.bond_valence_sums.items()
    ]
    if rows:
        emit_table(["site", "bond valence", "least", "most", "expected"], rows, decimals=2)
        say()
    emit_table(["pair", "shortest A"], [[k, v] for k, v in report.shortest_distances_ang.items()])
    say()
    emit_facts(
        {
            "formal charge": f"{report.formal_charge_e:+.3f} e",
            "density": f"{report.density_g_cm3:.3f} g/cm3",
        }
    )
    for text in report.notes:
        say(f"note: {text}")
    if not crystal.is_ordered:
        say("note: some sites are shared or partly empty; `superionic structure order` orders them")
    for text in report.problems:
        say(f"problem: {text}")
    say("ok" if report.ok else f"{len(report.problems)} problem(s)")


def show_packaged(*, as_json: bool) -> None:
    """List the packaged reference crystals."""
    from superionic.structures.crystals import reference_crystal, reference_crystals

    crystals = [reference_crystal(name) for name in reference_crystals()]
    if as_json:
        emit_json(
            [
                {"name": c.name, "formula": c.formula, "source": c.source, "note": c.note}
                for c in crystals
            ]
        )
        return
    for crystal in crystals:
        say(f"{crystal.name}: {crystal.formula}")
        say(f"  {crystal.source}")
        say(f"  {crystal.note}")


def mobile_ion(crystal: DisorderedStructure) -> str:
    """Return the only mobile ion of a crystal.

    Raises
    ------
    typer.BadParameter
        There is none, or more than one.
    """
    from superionic.structures.axes import MOBILE

    found = [s for s in crystal.composition if s in MOBILE]
    if len(found) != 1:
        raise typer.BadParameter(
            f"name the mobile ion of {crystal.reduced_formula}; it holds "
            f"{' and '.join(found) or 'none of ' + ', '.join(MOBILE)}.",
            param_hint="--ion",
        )
    return found[0]
