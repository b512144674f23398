"""Tables and views of adsorption at nodes, for any report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.node_binding import SIGN_CONVENTION
from superionic.workflows.report.content import Badge, Cell, ReportTable, ReportViewer, ViewerModel
from superionic.workflows.report.provenance import TONES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from superionic.analysis.node_binding import NodeAdsorption, NodeStart, PairBinding
    from superionic.analysis.node_claims import RankingClaim
    from superionic.structures.molecule import Molecule
    from superionic.workflows.node_screen import FreeEnergy
    from superionic.workflows.report.content import Tone

STATE_TONES: dict[str, Tone] = {
    "converged": "good", "cap-hit": "warn", "screened-out": "plain", "desorbed": "warn",
}  # fmt: skip


def adsorption_table(
    results: Sequence[NodeAdsorption],
    *,
    caption: str,
    published_eV: Mapping[str, float] | None = None,
) -> ReportTable:
    """Return a row for each node, level and way of holding on, with what it rests on.

    What has no value has a row with the reason.
    """
    rows: list[tuple[Cell, ...]] = []
    for result in results:
        for theory in result.theories:
            for mode in result.modes:
                found = result.best(theory, mode=mode)
                if found is not None:
                    start = result.start(found.start)
                    rows.append(_row(result, start, theory, found.adsorption_energy_eV))
        lacking = result.missing if result.theories else ((result.theory, result.reason),)
        rows += [
            (result.adsorbate, result.node, "", theory, "no value", "", None, result.charge,
             result.spin_multiplicity, Badge(result.verdict, "good" if result.theories else "bad"),
             "", why)
            for theory, why in lacking
        ]  # fmt: skip
    header: tuple[str, ...] = (
        "Adsorbate", "Node", "Held by", "Level of theory", "E_ads (eV)", "",
        "Spread of starts (eV)", "Charge (e)", "2S + 1", "Geometry", "SCF",
        "Contacts (Å) or remark",
    )  # fmt: skip
    if published_eV:  # after the energy
        header = (*header[:5], "Published (eV)", *header[5:])
        rows = [(*row[:5], published_eV.get(str(row[1])), *row[5:]) for row in rows]
    return ReportTable(caption=f"{caption} {SIGN_CONVENTION}", header=header, rows=tuple(rows))


def _row(result: NodeAdsorption, start: NodeStart, theory: str, value: float) -> tuple[Cell, ...]:
    lowest = result.best(theory)
    leads = lowest is not None and lowest.start == start.key
    return (
        result.adsorbate,
        result.node,
        start.held_by,
        theory,
        value,
        "lowest" if leads else "",
        result.spread_eV if leads and theory == result.theory else None,
        result.charge,
        result.spin_multiplicity,
        Badge("converged", "good"),
        "converged" if start.scf_converged else "not converged",
        "; ".join(contact.text for contact in start.contacts),
    )


def start_table(results: Sequence[NodeAdsorption], *, caption: str) -> ReportTable:
    """Return every start, those without a value with the reason."""
    rows: list[tuple[Cell, ...]] = [
        (
            result.adsorbate,
            result.node,
            start.key,
            Badge(start.state, STATE_TONES.get(start.state, "bad")),
            start.adsorption_energy_eV,
            start.start_mode,
            start.mode,
            start.denticity,
            start.fmax_eV_per_A,
            "converged" if start.scf_converged else "not converged",
            start.force_calls,
            start.reason,
        )
        for result in results
        for start in result.starts
    ]
    return ReportTable(
        caption=caption,
        header=(
            "Adsorbate", "Node", "Start", "State", "E_ads (eV)", "Started by", "Ended by",
            "Denticity", "fmax (eV/Å)", "SCF", "Force calls", "Remark",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def part_table(
    nodes: Mapping[str, FreeEnergy], guests: Mapping[str, FreeEnergy], *, caption: str
) -> ReportTable:
    """Return nodes and adsorbates by themselves: the references of all values."""
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            one.molecule.formula,
            one.molecule.charge,
            one.molecule.spin_multiplicity,
            one.fmax_eV_per_A,
            one.origin,
            "; ".join(f"{theory} {energy:.4f}" for theory, energy in one.energies_eV.items()),
            "; ".join(f"{theory}: {why}" for theory, why in one.missing.items()),
        )
        for name, one in (*nodes.items(), *guests.items())
    ]
    return ReportTable(
        caption=caption,
        header=("Part", "Atoms", "Charge (e)", "2S + 1", "fmax (eV/Å)", "Relaxed from",
                "Energies (eV)", "Missing"),
        rows=tuple(rows),
    )  # fmt: skip


def pair_table(pairs: Sequence[PairBinding], *, caption: str) -> ReportTable:
    """Return the binding of cation and anion, bare and at nodes."""
    rows: list[tuple[Cell, ...]] = [
        (
            p.node, p.theory, p.anion_eV, p.anion_mode, p.pair_eV, p.pair_mode, p.bare_eV,
            p.at_node_eV, p.weakened_eV,
        )
        for p in pairs
    ]  # fmt: skip
    return ReportTable(
        caption=caption,
        header=(
            "Node", "Level of theory", "Anion at node (eV)", "Held by", "Pair at node (eV)",
            "Held by ", "Bare pair (eV)", "Cation to anion at node (eV)", "Weakened by (eV)",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def claim_table(claim: RankingClaim, *, caption: str) -> ReportTable:
    """Return every comparison behind a verdict on a ranking."""
    rows: list[tuple[Cell, ...]] = [
        (
            c.theory,
            c.mode or "lowest start of each",
            Badge(c.state, TONES[c.state]),
            len(c.held),
            len(c.reversed),
            len(c.even),
            ", ".join(f"{name} {value:+.2f}" for name, value in c.energies),
            ", ".join(c.reversed),
        )
        for c in claim.comparisons
    ]
    return ReportTable(
        caption=caption,
        header=("Level of theory", "Like with like", "Says", "Orderings held", "Reversed",
                "Within the margin", "E_ads (eV), strongest first", "Reversed are"),
        rows=tuple(rows),
    )  # fmt: skip


def complex_viewer(
    results: Sequence[NodeAdsorption], complexes: Mapping[str, Molecule], *, caption: str
) -> ReportViewer | None:
    """Return a view of the lowest complexes; None where there is none."""
    models = tuple(
        ViewerModel(
            name=f"{result.adsorbate} at {result.node}",
            group=result.adsorbate,
            structure=found.structure,
            frames=found.positions[None],
            note=summary_line(result),
        )
        for result in results
        if (found := complexes.get(f"{result.node} {result.adsorbate}")) is not None
    )
    return ReportViewer(caption=caption, models=models) if models else None


def summary_line(result: NodeAdsorption) -> str:
    """Return one sentence with the value, or why there is none."""
    best = result.best()
    if best is None:
        return f"{result.adsorbate} at {result.node}: no value ({result.verdict}). {result.reason}"
    start = result.start(best.start)
    spread = "" if result.spread_eV is None else f", spread {result.spread_eV:.2f} eV"
    return (
        f"{result.adsorbate} at {result.node}: E_ads = {best.adsorption_energy_eV:+.3f} eV with "
        f"{result.theory}, held by {start.held_by}; {result.converged_starts} of "
        f"{result.relaxed_starts} relaxed starts converged{spread}."
    )
