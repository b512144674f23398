"""Blocks of a report about hops along a chain: what was tried, what came out, and what held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.figures.chain_hops import short_set
from superionic.workflows.report.blocks import path_model
from superionic.workflows.report.content import Badge, ReportTable, ReportViewer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.analysis.chain_hops import ChainHop
    from superionic.workflows.chain_pockets import RelaxedPocket
    from superionic.workflows.report.content import Cell, Tone


def chain_hop_line(hop: ChainHop) -> str:
    """Return one sentence with the value, or why there is none."""
    found = hop.barrier
    way = f"{short_set(hop.ends[0])} to {short_set(hop.ends[1])}"
    if hop.climb_eV is None:
        return f"{hop.name}: no value ({found.verdict}). {found.reason}"
    return (
        f"{hop.name}: {way}, {found.forward_barrier_eV:.2f} eV forward and "
        f"{found.reverse_barrier_eV:.2f} eV back with {found.theory}, in {len(hop.steps_eV)} "
        "elementary step(s)."
    )


def chain_hop_table(hops: Sequence[ChainHop], *, caption: str) -> ReportTable:
    """Return every hop with its evidence, those without a value with the reason."""
    rows: list[tuple[Cell, ...]] = []
    for hop in hops:
        found = hop.barrier
        tone: Tone = "good" if found.verdict == "converged" else "bad"
        spring = float(hop.spring_eV.max() - hop.spring_eV[0]) if len(hop.spring_eV) else None
        rows.append(
            (
                hop.name,
                short_set(hop.ends[0]),
                short_set(hop.ends[1]),
                Badge(found.verdict, tone),
                found.forward_barrier_eV,
                found.reverse_barrier_eV,
                found.reaction_energy_eV,
                ", ".join(f"{step:.2f}" for step in hop.steps_eV),
                " / ".join(short_set(s) for s in hop.stations),
                *hop.drag_climbs_eV,
                hop.hysteresis_eV,
                spring,
                found.fmax_eV_per_A,
                found.length_ang,
                found.force_calls,
                hop.charge,
                hop.spin_multiplicity,
                found.theory,
                found.reason,
            )
        )
    return ReportTable(
        caption=caption,
        header=(
            "Hop", "From", "To", "Verdict", "Forward (eV)", "Reverse (eV)", "Reaction (eV)",
            "Elementary steps (eV)", "Held by, at each minimum", "Drag along (eV)",
            "Drag against (eV)", "Hysteresis (eV)", "Springs (eV)", "fmax (eV/Å)",
            "Ion moves (Å)", "Force calls", "Charge (e)", "2S + 1", "Theory", "Reason",
        ),
        rows=tuple(rows),
        decimals=2,
    )  # fmt: skip


def pocket_table(
    groups: Sequence[tuple[str, Sequence[RelaxedPocket]]], *, caption: str
) -> ReportTable:
    """Return every pocket that was tried: where the ion was put and what held it in the end."""
    rows: list[tuple[Cell, ...]] = []
    for name, pockets in groups:
        known = [p.relaxed.energy_eV for p in pockets if p.verdict == "converged"]
        for k, one in enumerate(pockets):
            ok = one.verdict == "converged"
            above = one.relaxed.energy_eV - min(known) if ok else None
            rows.append(
                (
                    name,
                    k + 1,
                    short_set(one.held_by),
                    Badge(one.verdict, "good" if ok else "bad"),
                    above,
                    one.relaxed.fmax_eV_per_A,
                    one.relaxed.force_calls,
                    one.reason,
                )
            )
    return ReportTable(
        caption=caption,
        header=(
            "System", "Pocket", "Held by", "Verdict", "Above the lowest (eV)", "fmax (eV/Å)",
            "Force calls", "Reason",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def chain_hop_viewer(hops: Sequence[ChainHop], *, caption: str) -> ReportViewer | None:
    """Return a view of all bands, or None where none has images."""
    models = tuple(
        model
        for hop in hops
        if (model := path_model(hop.barrier, name=hop.name, group=hop.barrier.theory)) is not None
    )
    return ReportViewer(caption=caption, models=models) if models else None


def single_point_table(hops: Sequence[ChainHop], *, caption: str) -> ReportTable | None:
    """Return the stationary images at other levels of theory; None where there are none."""
    rows: list[tuple[Cell, ...]] = [
        (hop.name, level.theory, k, short_set(hop.sets[k]), float(e))
        for hop in hops
        for level in hop.levels
        for k, e in zip(level.images, level.energies_eV, strict=True)
    ]
    if not rows:
        return None
    return ReportTable(
        caption=caption,
        header=("Hop", "Level of theory", "Image", "Held by", "Energy (eV)"),
        rows=tuple(rows),
    )
