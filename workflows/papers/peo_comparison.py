"""The numbers of the PEO reproduction beside the published ones, a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.papers.peo_protocol import (
    PUBLISHED_D_CM2_S,
    PUBLISHED_HOPS_EV,
    PUBLISHED_PEAKS_ANG,
)
from superionic.workflows.report.agreement import (
    AGREES,
    DISAGREES,
    NOT_DECIDED,
    NOT_PRINTED,
    number_mark,
)
from superionic.workflows.report.chain_hop_blocks import chain_hop_line
from superionic.workflows.report.tables import Comparison

if TYPE_CHECKING:
    from superionic.analysis.diffusivity import Diffusivity
    from superionic.workflows.papers.peo_protocol import PeoProtocol
    from superionic.workflows.papers.peo_results import PeoResults
    from superionic.workflows.report.content import Badge

PEAK_MARGIN_ANG = 0.05
"""A peak agrees with a printed one, which has one decimal, within half of that, in angstrom."""


def comparison_rows(results: PeoResults, protocol: PeoProtocol) -> list[Comparison]:
    """Return the rows of hops, of both shells around Na+, and of its motion, in this order."""
    return [
        *_hop_rows(results, protocol),
        *_peak_rows(results, protocol),
        *_ether_rows(results, protocol),
        *_motion_rows(results, protocol),
    ]


def _hop_rows(results: PeoResults, protocol: PeoProtocol) -> list[Comparison]:
    """Return a row a printed barrier; the paper's second one beside the filler has no partner."""
    printed = list(PUBLISHED_HOPS_EV.items())
    rows = []
    for study, (_, value) in zip(results.hops, printed, strict=False):
        hop = study.hop
        climb = None if hop is None else hop.climb_eV
        rows.append(
            Comparison(
                quantity=f"Climb of Na+ along PEO, {study.name}, {protocol.chain.theory}",
                unit="eV",
                computed=climb,
                published=value,
                fidelity=protocol.fidelity,
                verdict=number_mark(climb, value, margin=protocol.hop_claim.margin_eV),
                note=study.reason if hop is None else chain_hop_line(hop),
                of=() if hop is None else (hop,),
            )
        )
    second = printed[2][1]
    rows.append(
        Comparison(
            quantity="From the intermediate site on, beside the filler",
            unit="eV",
            computed=None,
            published=second,
            fidelity=protocol.fidelity,
            verdict=NOT_DECIDED,
            note="Which sites the paper means is not said; our steps are in the table of hops.",
        )
    )
    return rows


def _peak_rows(results: PeoResults, protocol: PeoProtocol) -> list[Comparison]:
    """Return the first and second peak of g(r) of each box beside the printed ones."""
    rows = []
    for run in results.runs:
        found = (run.anion_shell.peak_ang, run.anion_shell.next_peak_ang)
        for what, value, printed in zip(
            ("first", "second"), found, PUBLISHED_PEAKS_ANG, strict=True
        ):
            rows.append(
                Comparison(
                    quantity=f"Na-O(TFSI), {what} peak of g(r), {run.name}",
                    unit="Å",
                    computed=value,
                    published=printed,
                    fidelity=protocol.fidelity,
                    verdict=number_mark(value, printed, margin=PEAK_MARGIN_ANG),
                    note=run.anion_shell.reason,
                )
            )
    return rows


def _ether_rows(results: PeoResults, protocol: PeoProtocol) -> list[Comparison]:
    """Return the first shell of ether oxygens of each box, of which the paper prints nothing."""
    rows = []
    for run in results.runs:
        shell = run.ether_shell
        found = (("first peak of g(r)", "Å", shell.peak_ang), ("neighbours", "1", shell.neighbours))
        for what, unit, value in found:
            rows.append(
                Comparison(
                    quantity=f"Na-O(ether), {what}, {run.name}",
                    unit=unit,
                    computed=value,
                    published=None,
                    fidelity=protocol.fidelity,
                    verdict=NOT_PRINTED,
                    note=shell.reason
                    if shell.cutoff_ang is None
                    else f"Up to the first minimum at {shell.cutoff_ang:.2f} Å.",
                )
            )
    return rows


def _motion_rows(results: PeoResults, protocol: PeoProtocol) -> list[Comparison]:
    """Return the diffusion coefficient of each box in units of 1e-7 cm2/s beside the printed."""
    rows = []
    groups = zip((results.bare, results.filled), PUBLISHED_D_CM2_S.values(), strict=True)
    for runs, printed in groups:
        for run in runs:
            found = run.cation_motion
            rows.append(
                Comparison(
                    quantity=f"D of Na+, {run.name}",
                    unit="1e-7 cm²/s",
                    computed=None if found.D_cm2_s is None else found.D_cm2_s * 1e7,
                    published=round(printed * 1e7, 6),
                    fidelity=protocol.fidelity,
                    verdict=_motion_mark(found, printed),
                    note=found.summary,
                    of=(found,),
                )
            )
    return rows


def _motion_mark(found: Diffusivity, printed_cm2_s: float) -> Badge:
    """Return whether the published coefficient lies in the 95 % interval of the computed one."""
    interval = found.interval_cm2_s
    if interval is None:
        return NOT_DECIDED
    return AGREES if interval[0] <= printed_cm2_s <= interval[1] else DISAGREES
