"""The report of the MOF reproduction: figures, tables, evidence, and what it does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.papers.mof_electronic import electronic_blocks
from superionic.workflows.papers.mof_figures import draw_pairs, draw_scaling, draw_screen
from superionic.workflows.papers.mof_methods import mof_methods
from superionic.workflows.papers.mof_protocol import PUBLISHED_EV
from superionic.workflows.papers.summary import PaperReport
from superionic.workflows.report.agreement import number_mark
from superionic.workflows.report.blocks import figure_block
from superionic.workflows.report.content import Fact, Section
from superionic.workflows.report.node_blocks import (
    adsorption_table,
    claim_table,
    complex_viewer,
    pair_table,
    part_table,
    start_table,
    summary_line,
)
from superionic.workflows.report.provenance import TONES
from superionic.workflows.report.tables import Comparison as Row
from superionic.workflows.report.tables import comparison_table

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.node_binding import NodeAdsorption
    from superionic.workflows.node_screen import NodeScreen
    from superionic.workflows.papers.mof_protocol import MofProtocol
    from superionic.workflows.papers.mof_results import MofResults
    from superionic.workflows.report.content import Block

PAPER = "EES Batteries 2025, 1, 1569, doi 10.1039/d5eb00117j"
RANKING = "Fe-Ni holds TFSI- most strongly, Fe and Ni alone least"
WEAKENING = "the Fe-Ni MOF weakens the binding of Na+ and TFSI-"


def mof_report(folder: Path, protocol: MofProtocol, results: MofResults) -> PaperReport:
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
    _write_complexes(results, folder)
    return PaperReport(
        title="TFSI-, NaTFSI and Na+ at the metal nodes of trimesate frameworks",
        subtitle=(
            f"Figs. 1b, 1c, 4g and S15 of {PAPER}; fidelity {protocol.fidelity}, {protocol.theory}."
        ),
        facts=_facts(results, protocol),
        sections=(
            Section("Computed and published", _summary(results, protocol)),
            Section("TFSI- at nine nodes (Fig. 1b)", _screen(results, folder, protocol)),
            Section("Na+ and TFSI- at the node (Fig. 4g)", _pairs(results, folder, protocol)),
            Section(
                "Electronic structure (Figs. 1c and S15)", _electronic(results, folder, protocol)
            ),
            Section("Starts, geometries and references", _starts(results, protocol)),
            Section("What this does not show", _limits(protocol), caution=True),
        ),
        lines=(
            *(summary_line(r) for r in results.screen.adsorptions),
            f"{RANKING}: {results.ranking.state}. {results.ranking.reason}",
            f"{WEAKENING}: {results.weakening.state}. {results.weakening.reason}",
        ),
        # the numbers of Figs. 1b and 4g; Na+ alone at a node is in neither
        ok=all(r.adsorption_energy_eV is not None for r in results.tfsi) and bool(results.pairs),
        methods=mof_methods(protocol),
    )


def _write_complexes(results: MofResults, folder: Path) -> None:
    """Write the lowest complex of each node and guest."""
    from superionic.structures.molecules import write_molecule

    place = folder / "complexes"
    place.mkdir(exist_ok=True)
    for key, molecule in results.screen.complexes.items():
        name = key.replace(" ", "-").replace("+", "-cation").rstrip("-")
        write_molecule(molecule, place / f"{name}.xyz")


def _facts(results: MofResults, protocol: MofProtocol) -> tuple[Fact, ...]:
    found = {r.node: r for r in results.tfsi}
    names = (protocol.ranking.strongest, *protocol.ranking.weakest)
    facts = [
        Fact(
            f"TFSI- at {name}",
            "no value" if value is None else f"{value:+.2f} eV",
            summary_line(found[name]),
        )
        for name in names
        if name in found
        for value in (found[name].adsorption_energy_eV,)
    ]
    for claim, said in ((RANKING, results.ranking), (WEAKENING, results.weakening)):
        facts.append(Fact(claim, said.state, said.reason, TONES[said.state]))
    return tuple(facts)


def _summary(results: MofResults, protocol: MofProtocol) -> tuple[Block, ...]:
    rows = [
        _comparison(r, theory, protocol, results.screen)
        for r in results.tfsi
        for theory in _levels(r)
    ]
    return (
        "The paper prints adsorption energies of TFSI- of -0.27 eV (Fe) and -0.55 eV (Ni), says "
        'that Fe-Ni is "significantly stronger", and shows the nine as a picture without numbers '
        "in the text. It states no model, charge, spin, functional or solvent, so that only the "
        "order can be compared, not the size: an anion at a bare node in free space is held by "
        "electrostatics that a polymer screens.",
        comparison_table(
            rows,
            caption="Computed beside published. Numbers agree where they differ by no more than "
            f"{protocol.ranking.margin_eV:g} eV, the margin of the rules below.",
        ),
        f"Claim 1: {RANKING}. Rule, fixed before the run: {protocol.ranking.text}",
        f"Verdict: {results.ranking.state}. {results.ranking.reason}",
        claim_table(results.ranking, caption="Every comparison behind the verdict."),
        f"Claim 2: {WEAKENING}. Rule, fixed before the run: {protocol.weakening.text}",
        f"Verdict: {results.weakening.state}. {results.weakening.reason}",
    )


def _levels(result: NodeAdsorption) -> tuple[str, ...]:
    return result.theories or (result.theory,)


def _comparison(
    result: NodeAdsorption, theory: str, protocol: MofProtocol, screen: NodeScreen
) -> Row:
    best = result.best(theory)
    kind = "relaxed" if theory == result.theory else f"single point, {result.theory} geometry"
    of: tuple[object, ...] = ()
    if best is None:
        note = result.reason
    else:
        start = result.start(best.start)
        parts = (screen.nodes[result.node], screen.guests[result.adsorbate])
        of = (start, best, *(part.energies_eV.get(theory) for part in parts))
        note = f"{kind}; held by {start.held_by}; {result.converged_starts} converged starts"
    computed = None if best is None else best.adsorption_energy_eV
    printed = PUBLISHED_EV.get(result.node)
    return Row(
        quantity=f"E_ads of {result.adsorbate} at {result.node}, {theory}",
        unit="eV",
        computed=computed,
        published=printed,
        fidelity=protocol.fidelity,
        verdict=number_mark(computed, printed, margin=protocol.ranking.margin_eV),
        note=note,
        of=of,
    )


def _screen(results: MofResults, folder: Path, protocol: MofProtocol) -> tuple[Block, ...]:
    saved = draw_screen(results, folder, published_eV=PUBLISHED_EV, fidelity=protocol.fidelity)
    table = adsorption_table(
        results.tfsi, caption="Each way of holding on.", published_eV=PUBLISHED_EV
    )
    if saved is None:
        return ("No node has a value.", table)
    figure = figure_block(
        saved,
        caption=(
            "Adsorption energy of TFSI- at each node. Filled: the lowest start, with how and where "
            "it holds on. Open: the lowest of other ways, so that like can be compared with like. "
            "Bars: published."
        ),
        alt="Adsorption energies of TFSI- at nine metal nodes; the numbers are in the table",
    )
    return figure, table


def _pairs(results: MofResults, folder: Path, protocol: MofProtocol) -> tuple[Block, ...]:
    others = [r for r in results.screen.adsorptions if r.adsorbate != protocol.tfsi.label]
    blocks: list[Block] = []
    saved = draw_pairs(results, folder, node=protocol.ranking.strongest, fidelity=protocol.fidelity)
    if saved is not None:
        blocks.append(
            figure_block(
                saved,
                caption=(
                    "The three bars of Fig. 4g: TFSI- at the node, Na+ at the TFSI- that the node "
                    "holds, and Na+ at TFSI- alone."
                ),
                alt="Binding energies of TFSI- at the node and of Na+ to it; numbers in the table",
            )
        )
    if results.pairs:
        blocks.append(
            pair_table(
                results.pairs,
                caption=(
                    "E(cation to anion at node) = E(node with pair) - E(node with anion) - "
                    "E(cation); the node weakens the pair where it holds the anion more strongly "
                    "than the pair."
                ),
            )
        )
    else:
        blocks.append("The binding of Na+ and TFSI- at a node has no value: a term is missing.")
    blocks.append(adsorption_table(others, caption="Adsorption of NaTFSI and Na+."))
    return tuple(blocks)


def _electronic(results: MofResults, folder: Path, protocol: MofProtocol) -> tuple[Block, ...]:
    plan = protocol.electronic
    if not plan.nodes:
        return (
            "This run computed no electronic structure: name nodes in [electronic] of the "
            "protocol, or use `superionic electronic`.",
        )
    blocks = electronic_blocks(results.electronic, plan, folder)
    definition = f"{plan.centre.name}, {plan.theory}"
    saved = draw_scaling(results, folder, centre=definition)
    if saved is None:
        return blocks
    named = ", ".join(results.centres_eV)
    drawn = figure_block(
        saved,
        caption=(
            "Adsorption energy of TFSI- at a metal against the d-band centre of its atoms; only "
            f"{named} had an electronic structure computed."
        ),
        alt="Adsorption energies against d-band centres; the numbers are in the CSV",
    )
    return (*blocks, drawn)


def _starts(results: MofResults, protocol: MofProtocol) -> tuple[Block, ...]:
    screen = results.screen
    blocks: list[Block] = [f"Rule, fixed before the run: {protocol.search.text}"]
    blocks += [f"{r.adsorbate} at {r.node}: {note}" for r in screen.adsorptions for note in r.notes]
    fell = {r.node: r.node_fell_eV for r in screen.adsorptions if r.node_fell_eV > 0}
    blocks += [
        f"The reference of {name} is the one relaxed from a complex: {drop:.3f} eV lower."
        for name, drop in fell.items()
    ]
    blocks.append(start_table(screen.adsorptions, caption="Every start."))
    blocks.append(
        part_table(screen.nodes, screen.guests, caption="Nodes and adsorbates by themselves.")
    )
    viewer = complex_viewer(
        screen.adsorptions, screen.complexes, caption="The lowest complexes; choose one, turn it."
    )
    return (*blocks, viewer) if viewer is not None else tuple(blocks)


def _limits(protocol: MofProtocol) -> tuple[Block, ...]:
    return (
        f"The model is one node M3(mu3-O)(O2C-R)6 with {protocol.cap} in the place of trimesate, "
        "no framework, no second adsorbate, no polymer. The paper names neither its model nor its "
        "nine metals in the text; the list here is a choice.",
        f"Geometries are those of {protocol.theory}, a semi-empirical method made for molecules "
        "near their minima; it sees oxidation states only through total charge and spin. "
        "Differences between metals of a tenth of an electronvolt are beyond it.",
        "All spins are parallel. Real nodes couple antiferromagnetically, by some hundredths of an "
        "electronvolt; intermediate and low spins were not tried.",
        "The continuum is a single point at the geometry of free space, electrostatics only. No "
        "zero-point energy, temperature or entropy; a few seeded starts do not prove the lowest "
        "minimum.",
    )
