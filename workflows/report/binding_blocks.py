"""Tables and views of binding energies, for any report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.binding import SIGN_CONVENTION
from superionic.workflows.report.content import (
    Badge,
    Cell,
    ReportTable,
    ReportViewer,
    Traced,
    ViewerModel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from superionic.analysis.binding import BindingParts, BindingResult, LevelBinding
    from superionic.workflows.report.content import Tone

STATE_TONES: dict[str, Tone] = {
    "converged": "good", "unconverged": "warn", "screened-out": "plain",
}  # fmt: skip


def level_table(
    results: Sequence[BindingResult],
    *,
    caption: str,
    published_eV: Mapping[str, float] | None = None,
) -> ReportTable:
    """Return a row for each molecule and level: value, parts, and what was published."""
    published = dict(published_eV or {})
    rows: list[tuple[Cell, ...]] = []
    for result in results:
        rows += [
            (
                result.molecule,
                level.theory,
                level.kind,
                Traced(level.binding_energy_eV, _behind(result, level)),
                "not bound"
                if level.binding_strength_eV is None
                else Traced(level.binding_strength_eV, _behind(result, level)),
                published.get(result.molecule),
                *_part_cells(level.parts, _behind(result, level)),
            )
            for level in result.levels
        ]
        if not result.levels:
            rows.append(
                (result.molecule, result.theory, result.verdict, None, "no value",
                 published.get(result.molecule), None, None, None, None)
            )  # fmt: skip
    return ReportTable(
        caption=f"{caption} {SIGN_CONVENTION}",
        header=(
            "Molecule", "Level of theory", "Kind", "E_b (eV)", "Strength |E_b| (eV)",
            "Published (eV)", "Surface deformed (eV)", "Molecule deformed (eV)", "Dispersion (eV)",
            "Rest (eV)",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _behind(result: BindingResult, level: LevelBinding) -> tuple[object, ...]:
    """Return what a binding energy is worked out from: the geometries, and the level's energies."""
    return (*level.energies, *result.terms)


def _part_cells(parts: BindingParts | None, of: tuple[object, ...]) -> tuple[Cell, ...]:
    """Return the parts of a value, empty where they were not computed."""
    if parts is None:
        return (None,) * 4
    values = (parts.surface_deformation_eV, parts.molecule_deformation_eV, parts.dispersion_eV)
    first, second, third = (None if v is None else Traced(v, of) for v in values)
    dispersion: Cell = "in rest" if third is None else third
    return first, second, dispersion, Traced(parts.rest_eV, of)


def start_table(results: Sequence[BindingResult], *, caption: str) -> ReportTable:
    """Return every start, those without a value with the reason."""
    rows: list[tuple[Cell, ...]] = [
        (
            result.molecule,
            start.key,
            Badge(start.state, STATE_TONES.get(start.state, "bad")),
            None
            if start.binding_energy_eV is None
            else Traced(start.binding_energy_eV, (start, *result.terms[1:])),
            "best" if start.key == result.best_start else "",
            start.screen_eV,
            start.fmax_eV_per_A,
            start.force_calls,
            start.reason,
        )
        for result in results
        for start in result.starts
    ]
    return ReportTable(
        caption=caption,
        header=(
            "Molecule", "Start", "State", "E_b (eV)", "", "After screening (eV)", "fmax (eV/Å)",
            "Force calls", "Remark",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def term_table(results: Sequence[BindingResult], *, caption: str) -> ReportTable:
    """Return the terms of each value with what they share."""
    rows: list[tuple[Cell, ...]] = [
        (
            result.molecule,
            term.role,
            term.structure.formula,
            term.energy_eV,
            term.fmax_eV_per_A,
            len(term.held),
            term.origin,
            term.settings_hash[:12],
        )
        for result in results
        for term in result.terms
    ]
    return ReportTable(
        caption=caption,
        header=(
            "Molecule", "Term", "Atoms", "Energy (eV)", "fmax (eV/Å)", "Held atoms", "Relaxed",
            "Settings",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def charge_table(results: Sequence[BindingResult], *, caption: str) -> ReportTable:
    """Return the charge that moved, by each model."""
    rows: list[tuple[Cell, ...]] = [
        (
            result.molecule,
            moved.model,
            moved.molecule_e,
            "; ".join(f"{formula} {charge:+.2f}" for formula, charge in moved.fragments),
        )
        for result in results
        for moved in result.charges
    ]
    return ReportTable(
        caption=caption,
        header=("Molecule", "Model of charges", "Charge of the molecule (e)", "Its parts (e)"),
        rows=tuple(rows),
    )


def ion_table(results: Sequence[BindingResult], *, caption: str) -> ReportTable | None:
    """Return a salt's value against both references; None where there is no salt."""
    rows: list[tuple[Cell, ...]] = [
        (
            result.molecule,
            level.theory,
            Traced(level.binding_energy_eV, _behind(result, level)),
            "no value" if level.separated_ions_eV is None else level.separated_ions_eV,
            level.separated_reason,
        )
        for result in results
        for level in result.levels
        if level.separated_ions_eV is not None or level.separated_reason
    ]
    if not rows:
        return None
    return ReportTable(
        caption=caption,
        header=(
            "Salt", "Level of theory", "Against the neutral pair (eV)",
            "Against separated ions (eV)", "Remark",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def complex_viewer(results: Sequence[BindingResult], *, caption: str) -> ReportViewer | None:
    """Return a view of the best complexes; None where no molecule has a value."""
    models = tuple(
        ViewerModel(
            name=f"{result.molecule} on {result.surface_formula}",
            group=result.theory,
            structure=result.terms[0].structure,
            frames=result.terms[0].structure.positions[None],
            note=summary_line(result),
        )
        for result in results
        if result.terms
    )
    return ReportViewer(caption=caption, models=models) if models else None


def summary_line(result: BindingResult) -> str:
    """Return one sentence with the value, or why there is none."""
    if result.binding_energy_eV is None:
        return f"{result.molecule}: no value ({result.verdict}). {result.reason}"
    spread = "" if result.spread_eV is None else f", spread {result.spread_eV:.2f} eV"
    bound = (
        "not bound"
        if result.binding_strength_eV is None
        else f"binding strength {result.binding_strength_eV:.2f} eV"
    )
    return (
        f"{result.molecule}: E_b = {result.binding_energy_eV:+.3f} eV ({bound}) with "
        f"{result.theory}; {result.converged_starts} of {result.relaxed_starts} relaxed starts "
        f"converged{spread}."
    )
