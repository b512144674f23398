"""The report of the PEO reproduction: figures, tables, evidence, and what it does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.papers.peo_comparison import comparison_rows
from superionic.workflows.papers.peo_figures import (
    draw_boxes,
    draw_distributions,
    draw_ether_distributions,
    draw_hops,
    draw_motion,
)
from superionic.workflows.papers.peo_methods import peo_methods
from superionic.workflows.papers.peo_protocol import PUBLISHED_PEAKS_ANG
from superionic.workflows.papers.summary import PaperReport
from superionic.workflows.report.blocks import figure_block
from superionic.workflows.report.chain_hop_blocks import (
    chain_hop_line,
    chain_hop_table,
    chain_hop_viewer,
    pocket_table,
    single_point_table,
)
from superionic.workflows.report.content import Badge, Fact, ReportTable, Section
from superionic.workflows.report.provenance import TONES
from superionic.workflows.report.tables import comparison_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.analysis.diffusivity import Diffusivity
    from superionic.analysis.figures.style import SavedFigure
    from superionic.workflows.electrolyte_md import ElectrolyteRun
    from superionic.workflows.papers.peo_protocol import PeoProtocol
    from superionic.workflows.papers.peo_results import PeoResults
    from superionic.workflows.report.content import Block, Cell

PAPER = "EES Batteries 2025, 1, 1569, doi 10.1039/d5eb00117j"
CLAIMS = ("hops are easier beside the node", "the filler frees Na+ of TFSI-", "Na+ moves faster")

STEADY_PERCENT = 1.0
"""A density that goes farther than this over the second half of the equilibration, in percent, is
not at rest."""


def peo_report(folder: Path, protocol: PeoProtocol, results: PeoResults) -> PaperReport:
    """Draw the figures and write the tables to a folder; return what the report says.

    Parameters
    ----------
    folder
        Where to.
    protocol
        What was run.
    results
        What was found.
    """
    boxes = 2 * protocol.electrolyte.boxes
    return PaperReport(
        title="PEO/NaTFSI with and without Fe-Ni nodes: structure, motion, hops",
        subtitle=f"Fig. 4d, e, f, h of {PAPER}; fidelity {protocol.fidelity}.",
        facts=_facts(results),
        sections=(
            Section("Computed and published", _summary(results, protocol)),
            Section("Boxes (Fig. 4d)", _boxes(results, folder, protocol)),
            Section("Na+ and oxygen (Fig. 4e)", _structure(results, folder)),
            Section("Motion of Na+ (Fig. 4f)", _motion(results, folder)),
            Section("Hops along PEO (Fig. 4h)", _hops(results, folder, protocol)),
            Section("What this does not show", _limits(protocol), caution=True),
        ),
        lines=_lines(results),
        ok=len(results.runs) == boxes and all(s.hop is not None for s in results.hops),
        methods=peo_methods(protocol),
    )


def _verdicts(results: PeoResults) -> list[tuple[str, str, str]]:
    """Return claim, state and reason of all three."""
    hops, pairing, motion = results.hop_claim, results.pairing, results.motion
    return [
        (CLAIMS[0], hops.state, hops.reason),
        (CLAIMS[1], pairing.state, pairing.reason),
        (CLAIMS[2], motion.state, motion.reason),
    ]


def _lines(results: PeoResults) -> tuple[str, ...]:
    hops = [
        chain_hop_line(s.hop) if s.hop is not None else f"{s.name}: no hop. {s.reason}"
        for s in results.hops
    ]
    runs = [f"{r.name}: {r.cation_motion.summary}" for r in results.runs]
    return (*hops, *runs, *(f"{t}: {state}. {why}" for t, state, why in _verdicts(results)))


def _facts(results: PeoResults) -> tuple[Fact, ...]:
    facts = [
        Fact(
            f"Hop, {study.name}",
            "no value"
            if study.hop is None or study.hop.climb_eV is None
            else f"{study.hop.climb_eV:.2f} eV",
            study.reason if study.hop is None else chain_hop_line(study.hop),
        )
        for study in results.hops
    ]
    facts += [Fact(text, state, why, TONES[state]) for text, state, why in _verdicts(results)]
    return tuple(facts)


def _summary(results: PeoResults, protocol: PeoProtocol) -> tuple[Block, ...]:
    text = "; ".join(f"{name}: {state}. {why}" for name, state, why in _verdicts(results))
    return (
        comparison_table(
            comparison_rows(results, protocol),
            caption="Computed beside published. Climbs agree within "
            f"{protocol.hop_claim.margin_eV:g} eV, the margin of the rule below, peaks within the "
            "rounding of the printed ones, diffusion coefficients where the printed one is in the "
            "95 % interval.",
        ),
        f"Rule for the hops, fixed in the protocol before the run: {protocol.hop_claim.text}",
        f"Rules for the boxes, fixed likewise: {protocol.electrolyte_claim.text}",
        f"Verdicts. {text}",
        *(f"Failed: {told}" for told in results.failures),
    )


def _figure(saved: SavedFigure | None, *, caption: str, alt: str) -> tuple[Block, ...]:
    return () if saved is None else (figure_block(saved, caption=caption, alt=alt),)


def _boxes(results: PeoResults, folder: Path, protocol: PeoProtocol) -> tuple[Block, ...]:
    made = protocol.electrolyte
    charges = results.node.filler.source
    text = (
        f"{made.chains} chains of {made.units} EO units, {made.salt} at {made.units_per_cation:g} "
        f"EO a cation, {protocol.run.settings.temperature_K:g} K. The paper names none of these. "
        f"The filler is {results.node.molecule.formula}, rigid, with {charges} and UFF "
        f"Lennard-Jones parameters mixed with OPLS: nothing was fitted for that. Charges of ions "
        f"are scaled by {protocol.force_field.charge_scale:g}."
    )
    if not results.runs:
        return (text, "No box came to its end.")
    return (
        text,
        *_figure(
            draw_boxes(results, folder),
            caption="Last frames of the first box of either kind, hydrogens left out.",
            alt="Pictures of the boxes without and with nodes",
        ),
        _run_table(results.runs),
    )


def _run_table(runs: Sequence[ElectrolyteRun]) -> ReportTable:
    rows: list[tuple[Cell, ...]] = [
        (
            run.name,
            run.atoms,
            ", ".join(f"{n} {name}" for name, n in run.counts.items()),
            run.filler_wt_percent,
            run.density_g_cm3,
            run.density_drift_percent,
            _steady(run.density_drift_percent),
            run.temperature_K,
            run.production_ps,
            run.dt_ps,
            run.platform,
            run.seed,
        )
        for run in runs
    ]
    return ReportTable(
        caption=(
            "Runs. Drift: change of the density over the second half of the equilibration; at rest "
            f"within {STEADY_PERCENT:g} %."
        ),
        header=(
            "Box", "Atoms", "Molecules", "Filler (wt%)", "Density (g/cm³)", "Drift (%)",
            "Density",
            "Temperature (K)", "Production (ps)", "Between frames (ps)", "Platform", "Seed",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _steady(drift_percent: float | None) -> Badge:
    """Say whether the density had come to rest when production began."""
    if drift_percent is not None and abs(drift_percent) <= STEADY_PERCENT:
        return Badge("steady", "good")
    return Badge("not at rest", "warn")


def _structure(results: PeoResults, folder: Path) -> tuple[Block, ...]:
    if not results.runs:
        return ("No box came to its end.",)
    peaks = " and ".join(f"{p:g}" for p in PUBLISHED_PEAKS_ANG)
    return (
        *_figure(
            draw_distributions(results, folder),
            caption=(
                "Oxygens of TFSI- around Na+: g(r) as lines, n(r) dashed. Dotted: the published "
                f"peaks at {peaks} Å. Intervals are from stretches of one run and do not know how "
                "other packings would differ."
            ),
            alt="Radial distribution functions of Na+ and oxygens of TFSI-",
        ),
        *_figure(
            draw_ether_distributions(results, folder),
            caption="Ether oxygens around Na+, which hold most of it.",
            alt="Radial distribution functions of Na+ and ether oxygens",
        ),
    )


def _motion(results: PeoResults, folder: Path) -> tuple[Block, ...]:
    if not results.runs:
        return ("No box came to its end.",)
    return (
        *_figure(
            draw_motion(results, folder),
            caption=(
                "Mean squared displacement of Na+ on logarithmic axes. A diffusion coefficient is "
                "given only where the slope is 1."
            ),
            alt="Mean squared displacements of Na+ with slopes",
        ),
        *(f"{run.name}: {_told(run.cation_motion)}" for run in results.runs),
    )


def _told(found: Diffusivity) -> str:
    """Say what the displacement is worth; a line through it would give a number all the same."""
    if found.D_cm2_s is not None:
        return f"{found.summary}."
    return (
        f"{found.summary}. A straight line through it would give a number all the same: it would "
        "not be a diffusion coefficient."
    )


def _hops(results: PeoResults, folder: Path, protocol: PeoProtocol) -> tuple[Block, ...]:
    chain, rule = protocol.chain, protocol.hops
    blocks: list[Block] = [
        f"Na+ on CH3-(O-CH2-CH2){chain.oxygens - 1}-O-CH3 in the helix of crystalline PEO, "
        f"computed with {chain.theory}. Springs of {chain.tether_eV_per_A2:g} eV/Å² hold the "
        "carbons at both ends and the carboxylate carbons of the node; their energy is "
        f"part of every profile. Na+ was put among {rule.pocket_size} neighbouring oxygens in "
        f"{rule.pockets} places near the middle. The hop joins the two places nearest to each "
        "other and to the middle of which each is held by an oxygen that does not hold the other "
        f"(within {rule.cutoff_ang:g} Å), whatever their energies. Beside the node the same two "
        "places are joined, chain and ion starting as they were relaxed without it. For Li+ on one "
        "diglyme, from three oxygens to two, about 90 kJ/mol (0.93 eV) was computed at MP2 "
        "(Johansson et al., J. Phys. Chem. A 102, 1998, 4660, as its abstract has it).",
    ]
    blocks += _figure(
        draw_hops(results, folder, fidelity=protocol.fidelity),
        caption=(
            "Left: converged bands with the oxygens that hold Na+ at each minimum. Middle: drags "
            "along and against the hop, everything else relaxed. Right: climbs from the lower end, "
            "hatched the published ones."
        ),
        alt="Energy profiles of Na+ hops along PEO, without and beside the node",
    )
    if results.all_hops:
        blocks.append(chain_hop_table(results.all_hops, caption="Every hop with its evidence."))
    blocks += [f"{s.name}: no hop. {s.reason}" for s in results.hops if s.hop is None]
    blocks.append(
        pocket_table(
            [(s.name, s.pockets) for s in results.hops],
            caption="Every pocket that was relaxed, in order along the chain.",
        )
    )
    points = single_point_table(results.all_hops, caption="Single points on stationary images.")
    viewer = chain_hop_viewer(results.all_hops, caption="Choose a hop; play it.")
    return (*blocks, *(b for b in (points, viewer) if b is not None))


def _limits(protocol: PeoProtocol) -> tuple[Block, ...]:
    plan = protocol.run
    length = plan.steps * plan.settings.timestep_fs * 1e-3
    return (
        f"{length:g} ps of {protocol.electrolyte.boxes} box(es) of either kind shows local "
        "structure, and that only as far as packing and "
        f"{plan.settings.equilibrate_steps * plan.settings.timestep_fs * 1e-3:g} ps of "
        "equilibration set it: pairs of Na+ and TFSI- live longer than that. It shows no "
        "diffusion. The paper's coefficients may be slopes of the same regime; its text does not "
        "give the length of its runs.",
        "Scaled charges, the Lennard-Jones set and UFF for the node are choices that move ion "
        "pairing by as much as the filler might. Rigid nodes with formate caps stand for a "
        "framework with trimesate; they are small, so 10 wt% are many of them, and their open "
        "sites bind nothing by charge transfer here.",
        "The hop is that of a bare ion on one oligomer in vacuum, by GFN1-xTB, at 0 K: no anion, "
        "no other chain, no entropy. The paper says neither which sites its barriers join, nor the "
        "method, nor what was held.",
        "One hop of each kind says nothing of the distribution of hops.",
    )
