"""The report of the LATP reproduction: figures, tables, evidence, and what it does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.figures.binding_levels import relaxed_level
from superionic.workflows.papers.latp_decks import write_decks
from superionic.workflows.papers.latp_methods import latp_methods
from superionic.workflows.papers.latp_protocol import PUBLISHED_EV
from superionic.workflows.papers.summary import PaperReport
from superionic.workflows.report.agreement import NOT_DECIDED, claim_mark, number_mark
from superionic.workflows.report.binding_blocks import (
    charge_table,
    complex_viewer,
    ion_table,
    level_table,
    start_table,
    summary_line,
    term_table,
)
from superionic.workflows.report.blocks import figure_block
from superionic.workflows.report.content import (
    Fact,
    ReportTable,
    Section,
)
from superionic.workflows.report.provenance import TONES
from superionic.workflows.report.tables import Comparison as Row
from superionic.workflows.report.tables import comparison_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.analysis.binding import BindingResult, LevelBinding
    from superionic.workflows.papers.latp_decks import WrittenDeck
    from superionic.workflows.papers.latp_protocol import LatpProtocol
    from superionic.workflows.papers.latp_results import LatpResults
    from superionic.workflows.report.content import Block

PAPER = "Adv. Funct. Mater. 2022, doi 10.1002/adfm.202203336"
CLAIM = "|E_b(SN)| > |E_b(LiTFSI)|"


def latp_report(folder: Path, protocol: LatpProtocol, results: LatpResults) -> PaperReport:
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
    decks = write_decks(folder, protocol=protocol, results=results)
    return PaperReport(
        title="Succinonitrile and LiTFSI on LATP (001): binding energies",
        subtitle=f"Fig. S1 of {PAPER}; fidelity {protocol.fidelity}, {protocol.theory}.",
        facts=_facts(results),
        sections=(
            Section("Computed and published", _summary(results, protocol)),
            Section("Every level of theory", _levels(results, folder, protocol)),
            Section("Surface and best geometries", _geometries(results, folder)),
            Section("Starts and terms", _starts(results, folder, protocol)),
            Section("Charge transfer", _charges(results)),
            Section("Decks for a cluster", _decks(decks, protocol)),
            Section("What this does not show", _limits(results, protocol), caution=True),
        ),
        lines=(*(summary_line(r) for r in results.both), _claim_line(results)),
        ok=all(r.binding_energy_eV is not None for r in results.both),
        methods=latp_methods(protocol),
    )


def published(protocol: LatpProtocol) -> dict[str, float]:
    """Return the printed binding strengths in eV by the labels of the protocol."""
    return {
        protocol.succinonitrile.label: PUBLISHED_EV["succinonitrile"],
        protocol.litfsi.label: PUBLISHED_EV["litfsi"],
    }


def _claim_line(results: LatpResults) -> str:
    return f"{CLAIM}: {results.claim.state}. {results.claim.reason}"


def _facts(results: LatpResults) -> tuple[Fact, ...]:
    facts = [
        Fact(
            label=f"Binding strength of {r.molecule}",
            value="no value"
            if r.binding_strength_eV is None
            else f"{r.binding_strength_eV:.2f} eV",
            detail=summary_line(r),
        )
        for r in results.both
    ]
    state = results.claim.state
    facts.append(Fact(CLAIM, state, results.claim.reason, TONES[state]))
    return tuple(facts)


def _eV(value: float | None) -> str:
    return "no value" if value is None else f"{value:.2f} eV"


def _summary(results: LatpResults, protocol: LatpProtocol) -> tuple[Block, ...]:
    rows = [row for result in results.both for row in _rows(result, protocol)]
    rows.append(_difference(results, protocol))
    return (
        f"The paper prints binding strengths of {PUBLISHED_EV['succinonitrile']:g} eV for "
        f"succinonitrile and {PUBLISHED_EV['litfsi']:g} eV for LiTFSI, and concludes {CLAIM}.",
        comparison_table(
            rows,
            caption="Computed beside published. Numbers agree where they differ by no more than "
            f"{protocol.claim.margin_eV:g} eV, the margin of the rule below.",
        ),
        f"Rule of the verdict, fixed in the protocol before the run: {protocol.claim.text}",
        f"Verdict on {CLAIM}: {results.claim.state}. {results.claim.reason}",
    )


def _rows(result: BindingResult, protocol: LatpProtocol) -> list[Row]:
    """Return a row for each level of one molecule; one with the reason where there is none."""
    printed = published(protocol)[result.molecule]
    if not result.levels:
        return [
            Row(
                quantity=f"Binding strength |E_b| of {result.molecule}, {result.theory}",
                unit="eV",
                computed=None,
                published=printed,
                fidelity=protocol.fidelity,
                verdict=NOT_DECIDED,
                note=f"{result.verdict}: {result.reason}",
            )
        ]
    return [
        Row(
            quantity=f"Binding strength |E_b| of {result.molecule}, {level.theory}",
            unit="eV",
            computed=level.binding_strength_eV,
            published=printed,
            fidelity=protocol.fidelity,
            verdict=number_mark(
                level.binding_strength_eV, printed, margin=protocol.claim.margin_eV
            ),
            note=_evidence(result, level),
            of=(level, *result.terms),
        )
        for level in result.levels
    ]


def _evidence(result: BindingResult, level: LevelBinding) -> str:
    spread = "" if result.spread_eV is None else f", spread {result.spread_eV:.2f} eV"
    bound = "" if level.binding_strength_eV else "not bound; "
    return f"{bound}{level.kind}; {result.converged_starts} converged starts{spread}"


def _difference(results: LatpResults, protocol: LatpProtocol) -> Row:
    """Return the row of the claim: the difference at the level that relaxed."""
    levels = [relaxed_level(r) for r in results.both]
    first, second = levels
    gap = None
    if first is not None and second is not None:
        gap = second.binding_energy_eV - first.binding_energy_eV
    state = results.claim.state
    return Row(
        quantity=f"|E_b(SN)| less |E_b(LiTFSI)|, {protocol.theory}",
        unit="eV",
        computed=gap,
        published=round(PUBLISHED_EV["succinonitrile"] - PUBLISHED_EV["litfsi"], 10),
        fidelity=protocol.fidelity,
        verdict=claim_mark(state),
        note=results.claim.reason,
        of=tuple(term for r in results.both for term in r.terms),
    )


def _levels(results: LatpResults, folder: Path, protocol: LatpProtocol) -> tuple[Block, ...]:
    from superionic.workflows.papers.latp_figures import draw_levels

    printed = published(protocol)
    saved = draw_levels(results, folder, published_eV=printed, fidelity=protocol.fidelity)
    if saved is None:
        return ("No molecule has a value.",)
    blocks: list[Block] = [
        figure_block(
            saved,
            caption=(
                "Binding strengths at every level computed. Filled: relaxed at that level. Open: "
                "single points at the geometries of the first level. Dashed: published."
            ),
            alt="Binding strengths of SN and LiTFSI at each level of theory; numbers in the table",
        ),
        level_table(results.both, caption="Every level with its parts.", published_eV=printed),
    ]
    ions = ion_table(
        results.both,
        caption=(
            "The salt against the neutral pair and against its ions, each alone (in the geometry "
            "of the pair). The second is larger by the energy that holds the pair together."
        ),
    )
    return (*blocks, ions) if ions is not None else tuple(blocks)


def _geometries(results: LatpResults, folder: Path) -> tuple[Block, ...]:
    from superionic.workflows.papers.latp_figures import draw_close_ups, draw_geometries

    blocks: list[Block] = [_surface(results)]
    for draw, caption, alt in (
        (
            draw_geometries,
            "Best geometry of each molecule on the slab, seen along the surface; the lower part "
            "of the slab was held.",
            "Side views of SN and LiTFSI on the LATP (001) slab",
        ),
        (
            draw_close_ups,
            "The same from above: the molecule and what lies next to it.",
            "Views of SN and LiTFSI with the neighbouring atoms of the surface",
        ),
    ):
        saved = draw(results, folder)
        if saved is not None:
            blocks.append(figure_block(saved, caption=caption, alt=alt))
    viewer = complex_viewer(results.both, caption="Choose a molecule; turn it.")
    return (*blocks, viewer) if viewer is not None else tuple(blocks)


def _surface(results: LatpResults) -> str:
    """Say what the surface is, with the composition that fits the size."""
    one, slab = results.slab, results.slab.slab
    energies = [e for e in results.slab_energies_eV if e is not None]
    spread = max(energies) - min(energies)
    face = results.surface
    end = (
        "the last round found nothing lower"
        if face.exhausted
        else "the limit of rounds ended the search, so a lower face may exist"
    )
    return (
        f"Surface: ({''.join(map(str, slab.miller))}) slab of {one.found}, {slab.layers} PO4 "
        f"layers, {slab.repeat[0]} x {slab.repeat[1]} in the plane, {slab.thickness_ang:.1f} Å "
        f"thick, ended as {slab.termination}. Wanted was {one.wanted}; this is the nearest that "
        f"whole atoms allow at this size. {len(results.slab_energies_eV)} arrangements of Li and "
        f"Al were relaxed (spread {spread:.2f} eV); the lowest is used. Li of the upper face were "
        f"tried in {face.tried} other places, which lowered the energy by {face.fell_eV:.2f} eV; "
        f"{end}. Dipole by formal charges as cut {abs(slab.dipole_e_ang):.2f} e Å. The cell is "
        "that of LiTi2(PO4)3 relaxed at the same level."
    )


def _starts(results: LatpResults, folder: Path, protocol: LatpProtocol) -> tuple[Block, ...]:
    from superionic.workflows.papers.latp_figures import draw_starts

    blocks: list[Block] = [f"Rule, fixed before the run: {protocol.binding.screening}"]
    blocks += [f"{r.molecule}: {note}" for r in results.both for note in r.notes]
    saved = draw_starts(results, folder, fidelity=protocol.fidelity)
    if saved is not None:
        blocks.append(
            figure_block(
                saved,
                caption=(
                    "Left: E_b of every start that was relaxed to the end. Right: the parts of the "
                    "best; deformation costs energy, dispersion and the rest bind."
                ),
                alt="Binding energies of all converged starts and parts of the best ones",
            )
        )
        blocks.append(start_table(results.both, caption="Every start."))
    blocks.append(
        term_table(
            results.both,
            caption="The three terms; those of one value share one hash of settings and one cell.",
        )
    )
    return tuple(blocks)


def _charges(results: LatpResults) -> tuple[Block, ...]:
    return (
        "Charge of the adsorbed molecule by named models; the paper's Bader charges need a "
        "density-functional run (the decks write what they need). Positive: it gave electrons to "
        "the surface. EEQ lets charge flow over any distance, so that its absolute numbers mean "
        "little; models must not be compared with each other.",
        charge_table(results.both, caption="Charge transfer on adsorption."),
    )


def _decks(decks: Sequence[WrittenDeck], protocol: LatpProtocol) -> tuple[Block, ...]:
    if not decks:
        return ("No complex converged, so no deck was written.",)
    return (
        f"Input decks at the printed settings (protocol `{protocol.decks}`), started from what was "
        "relaxed here. Slab and complex of one molecule share one cell.",
        ReportTable(
            caption="Decks in the results folder.",
            header=("Folder", "Code", "Atoms", "Structure"),
            rows=tuple((d.folder, d.code, d.formula, d.what) for d in decks),
        ),
    )


def _limits(results: LatpResults, protocol: LatpProtocol) -> tuple[Block, ...]:
    return (
        f"These are screening values. {protocol.theory} and the other potentials were trained on "
        "inorganic crystals, with few molecules and no ion pairs on surfaces; GFN1-xTB is "
        "semi-empirical, sees one k point and is evaluated at geometries that are not its own. "
        "The paper's method is PBE-D2 with plane waves: the decks above repeat it.",
        "The paper gives no slab thickness, no termination, no Li/Al order, no coverage, no start "
        "and no conformer. A different termination or a charged or hydrated surface can change "
        "binding by more than the difference in question.",
        "LiTFSI can leave its Li at the surface and bind as an anion beside it; the best geometry "
        "above shows whether it did. E_b refers to the neutral pair in free space, whose ions "
        "attract each other by several eV; in a solvent the balance is another.",
        "A search of twelve starts does not prove the lowest minimum. Zero-point energy, "
        "temperature, coverage and solvent are left out.",
    )
