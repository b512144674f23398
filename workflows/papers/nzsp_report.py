"""The report of the NZSP reproduction: figures, tables, evidence, and what it does not show."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from superionic.analysis.claims import climb_from_lower_end
from superionic.workflows.papers.nzsp_methods import nzsp_methods
from superionic.workflows.papers.nzsp_protocol import NzspProtocol
from superionic.workflows.papers.nzsp_results import Comparison
from superionic.workflows.papers.summary import PaperReport
from superionic.workflows.report.agreement import NOT_PRINTED, claim_mark
from superionic.workflows.report.blocks import figure_block, path_viewer
from superionic.workflows.report.content import (
    Fact,
    Section,
)
from superionic.workflows.report.provenance import TONES
from superionic.workflows.report.tables import Comparison as Row
from superionic.workflows.report.tables import (
    comparison_table,
    hop_table,
)
from superionic.workflows.serialise import write_bytes_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.analysis.barriers import BarrierResult
    from superionic.workflows.annealing import OrderResult
    from superionic.workflows.papers.nzsp_results import Cell
    from superionic.workflows.report.content import Block

PAPER = "Nano-Micro Lett. 2026, 18, 195, doi 10.1007/s40820-025-02032-4"
CLAIM = "barrier(B, surface) < barrier(A, inner channel)"


def nzsp_report(
    folder: Path, protocol: NzspProtocol, comparisons: Sequence[Comparison]
) -> PaperReport:
    """Draw the figures and write the tables to a folder; return what the report says.

    Parameters
    ----------
    folder
        Where to.
    protocol
        What was run.
    comparisons
        One a composition.
    """
    _write_table(folder / "comparison.csv", comparisons, protocol)
    return PaperReport(
        title="Na+ migration in NZSP: inner channel against the (001) surface",
        subtitle=f"Fig. 6 of {PAPER}; fidelity {protocol.fidelity}, {protocol.theory}.",
        facts=tuple(_fact(c) for c in comparisons),
        sections=(
            Section("Computed and published", _summary(comparisons, protocol)),
            *(Section(f"Hops at {c.name}", _composition(c, folder, protocol)) for c in comparisons),
            Section("Paths in three dimensions", _viewer(comparisons)),
            Section("What this does not show", _limits(protocol), caution=True),
        ),
        lines=tuple(map(_line, comparisons)),
        ok=_ok(comparisons),
        methods=nzsp_methods(protocol),
    )


def _ok(comparisons: Sequence[Comparison]) -> bool:
    """Tell whether bulk and surface of every composition have a barrier to compare.

    Whether those are enough for a verdict is the verdict's own business.
    """
    return all(c.verdict.bulk_hops and c.verdict.surface_hops for c in comparisons)


def _line(comparison: Comparison) -> str:
    v = comparison.verdict
    return (
        f"{comparison.name}: bulk {_eV(v.bulk_median_eV)} ({_hops(v.bulk_hops)}), surface "
        f"{_eV(v.surface_median_eV)} ({_hops(v.surface_hops)}); B < A {v.state}. {v.reason}"
    )


def _eV(value: float | None) -> str:
    return "no value" if value is None else f"{value:.3f} eV"


def _hops(count: int) -> str:
    return f"{count} hop{'' if count == 1 else 's'}"


def _fact(comparison: Comparison) -> Fact:
    v = comparison.verdict
    return Fact(
        label=f"B < A at {comparison.name}", value=v.state, detail=v.reason, tone=TONES[v.state]
    )


def _summary(comparisons: Sequence[Comparison], protocol: NzspProtocol) -> tuple[Block, ...]:
    rows = []
    for c in comparisons:
        v = c.verdict
        for name, value, hops, results in (
            ("A, inner channel", v.bulk_median_eV, v.bulk_hops, c.bulk),
            ("B, (001) surface", v.surface_median_eV, v.surface_hops, c.surface),
        ):
            rows.append(
                Row(
                    quantity=f"Na+ barrier, {name}, {c.name} (median climb)",
                    unit="eV",
                    computed=value,
                    published=None,
                    fidelity=protocol.fidelity,
                    verdict=NOT_PRINTED,
                    note=f"{_hops(hops)} converged",
                    of=_climbs(results),
                )
            )
        gap = (
            v.surface_median_eV - v.bulk_median_eV
            if v.surface_median_eV is not None and v.bulk_median_eV is not None
            else None
        )
        rows.append(
            Row(
                quantity=f"Barrier B less barrier A, {c.name}",
                unit="eV",
                computed=gap,
                published="negative",
                fidelity=protocol.fidelity,
                verdict=claim_mark(v.state),
                note=v.reason,
                of=(*_climbs(c.bulk), *_climbs(c.surface)),
            )
        )
    return (
        f"The paper's claim is {CLAIM}. Its curves (Fig. 6c) are printed without numbers, so the "
        "sign of the difference is what can be compared.",
        comparison_table(rows, caption="Computed beside published."),
        f"Rule, fixed in the protocol before the run: {protocol.claim.text}",
    )


def _climbs(results: Sequence[BarrierResult]) -> tuple[object, ...]:
    """Return what a median of climbs is worked out from."""
    return tuple(climb_from_lower_end(r) for r in results)


def _composition(comparison: Comparison, folder: Path, protocol: NzspProtocol) -> tuple[Block, ...]:
    from superionic.workflows.papers.nzsp_figures import (
        draw_chains,
        draw_distribution,
        draw_profiles,
        draw_structures,
    )

    blocks: list[Block] = [_origin(cell) for cell in comparison.cells]
    profiles = draw_profiles(comparison, folder, fidelity=protocol.fidelity)
    if profiles is not None:
        blocks.append(
            figure_block(
                profiles,
                caption=(
                    f"Fig. 6c, {comparison.name}: energy along one hop of route A and of route B. "
                    "Rigid scan and framework-relaxed scan in steps of 0.05, and climbing-image "
                    "NEB. Drawn is the first converged hop of each group in the order they were "
                    "taken (by geometry or seed, not by energy)."
                ),
                alt=f"Energy profiles of Na hops along routes A and B at {comparison.name}",
            )
        )
    chains = draw_chains(comparison, folder, fidelity=protocol.fidelity)
    if chains is not None:
        saved, found = chains
        joints = "; ".join(
            f"{route}: {chain.keys[0]} and {chain.keys[1]}, whose shared state differs by "
            f"{chain.junction_mismatch_eV:.3f} eV between the two"
            for route, chain in found.items()
        )
        blocks.append(
            figure_block(
                saved,
                caption=(
                    f"Routes as chains, {comparison.name}: a vacancy's way from one Na2 site over "
                    f"Na1 to the next, NEB, joined at the shared state. {joints}. A route that is "
                    "missing has no two converged hops that share a site."
                ),
                alt=f"Energy along chains of two hops of routes A and B at {comparison.name}",
            )
        )
    blocks.append(
        figure_block(
            draw_distribution(
                comparison, folder, fidelity=protocol.fidelity, rule=protocol.claim.text
            ),
            caption=f"All matched hops tried at {comparison.name}, with and without a value.",
            alt=f"Barriers of all bulk and surface hops at {comparison.name}",
        )
    )
    for saved, letter in zip(draw_structures(comparison, folder), "ab", strict=False):
        blocks.append(
            figure_block(
                saved,
                caption=f"Fig. 6{letter}, {comparison.name}: structure and path of the hops drawn.",
                alt=f"Structure of NZSP with Na paths at {comparison.name}",
            )
        )
    hops = (*comparison.bulk, *comparison.surface)
    blocks.append(hop_table(hops, caption=f"Every hop tried at {comparison.name}."))
    return tuple(blocks)


def _origin(c: Cell) -> str:
    """Say where bulk and slab come from, with the evidence of their annealing."""
    parts = [f"Bulk: {c.bulk_structure.formula}."]
    if c.ordering is not None:
        energies = c.ordering.candidate_energies_eV
        parts.append(
            f"Order: {len(energies)} Ewald candidates relaxed (spread "
            f"{max(energies) - min(energies):.3f} eV), number {c.ordering.ewald_rank + 1} in "
            "Ewald energy taken here; " + _anneal_text(c.ordering)
        )
    if c.slab is not None and c.annealed is not None:
        spread = max(c.slab_energies_eV) - min(c.slab_energies_eV)
        parts.append(
            f"Slab: {c.slab.structure.formula}, {c.slab.layers} layers, {c.slab.repeat[0]} x "
            f"{c.slab.repeat[1]} in the plane, termination {c.slab.termination}, dipole by formal "
            f"charges {c.slab.dipole_e_ang:.2f} e Å per cell; lowest of "
            f"{len(c.slab_energies_eV)} minima found by heating and quenching (spread "
            f"{spread:.2f} eV per cell: surface tetrahedra turn to complete the coordination of "
            f"Zr; {c.slab_unconverged} more did not converge and are left out); "
            + _anneal_text(c.annealed)
        )
    parts.append(
        f"Matched hops found: {c.bulk_found} bulk, {c.surface_found} surface; tried: "
        f"{len(c.bulk)} and {len(c.surface)}."
    )
    return " ".join(parts)


def _anneal_text(result: OrderResult) -> str:
    end = (
        "no move of the tried set lowers the energy further"
        if result.exhausted
        else "stopped at the limit of trials, so a lower arrangement may exist"
    )
    state = "" if result.converged else f" (final fmax {result.fmax_eV_per_A:.3f} eV/Å)"
    return (
        f"annealing tried {result.moves_tried} single-ion moves, took {result.moves_accepted} and "
        f"fell by {result.fell_eV:.3f} eV; {end}{state}."
    )


def _viewer(comparisons: Sequence[Comparison]) -> tuple[Block, ...]:
    hops = [r for c in comparisons for r in (*c.bulk, *c.surface)]
    viewer = path_viewer(hops, caption="Choose a hop; play its images.")
    return (viewer,) if viewer is not None else ("No hop has images to show.",)


def _limits(protocol: NzspProtocol) -> tuple[Block, ...]:
    return (
        f"These are barriers of single Na+ hops with {protocol.theory}, a potential trained on "
        "density-functional data, not the paper's CASTEP (PBE, ultrasoft pseudopotentials, "
        "370 eV). Potentials of this kind are known to be too soft away from minima, so barriers "
        "tend to be too low; the difference between two matched hops suffers less.",
        "The paper does not say how its slab was terminated, how Si/P and Na were ordered, whether "
        "the framework relaxed along the routes, or how many hops its curves stand for. Here the "
        "slab is the stoichiometric cut through a Na1 plane, whole tetrahedra kept.",
        "The slabs are thinner and narrower than the paper's 2 x 2 slab. Single-ion hops leave out "
        "concerted motion, which molecular dynamics finds important in NASICON "
        "(doi 10.1002/aenm.202001486). Removing an ion leaves the cell neutral here.",
        "Which hops are taken was settled after first runs: many ends at the surface were no "
        f"minima, so a hop without a value is replaced by the next in order, down to a depth of "
        f"{protocol.choice.surface_depth_ang:g} Å (3 Å at first). The rule of the verdict is as it "
        "was before any run.",
        "Standard fidelity adds a more accurate potential, thicker slabs, more hops and tighter "
        "criteria; paper fidelity would be the printed CASTEP settings on a cluster.",
    )


def _write_table(path: Path, comparisons: Sequence[Comparison], protocol: NzspProtocol) -> None:
    """Write every hop with its evidence as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    fields = (
        "key", "environment", "mechanism", "length_ang", "depth_ang", "direction", "verdict",
        "forward_barrier_eV", "reverse_barrier_eV", "reaction_energy_eV", "fmax_eV_per_A",
        "force_calls", "other_ion_displacement_ang", "theory", "seed", "reason",
    )  # fmt: skip
    writer.writerow(("composition", "fidelity", "climb_eV", *fields))
    for c in comparisons:
        for r in (*c.bulk, *c.surface):
            values = [getattr(r, name) for name in fields]
            writer.writerow((c.name, protocol.fidelity, climb_from_lower_end(r), *values))
    write_bytes_atomic(path, buffer.getvalue().encode())
