"""The figure of hops along a chain: its table tells computed from published."""

from __future__ import annotations

from pathlib import Path

import made_chain_hops
import pytest

from superionic.analysis.figures.chain_hops import (
    PublishedClimb,
    chain_hop_data,
    chain_hop_figure,
    short_set,
)
from superionic.analysis.figures.style import save_figure
from superionic.structures.errors import EvidenceError

PRINTED = (PublishedClimb("PEO, paper", 5.10),)


def test_figure_is_drawn_with_and_without_values(tmp_path: Path) -> None:
    hops = (made_chain_hops.chain_hop(levels=True), made_chain_hops.no_hop())
    figure = chain_hop_figure(hops, published=PRINTED, fidelity="quick")
    data = chain_hop_data(hops, published=PRINTED, fidelity="quick")
    saved = save_figure(figure, tmp_path / "hops", data)
    assert saved.png.stat().st_size > 10_000
    said = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert any("no value" in text for text in said)
    assert any("5.10" in text for text in said)


def test_printed_numbers_are_rows_of_their_own() -> None:
    hops = (made_chain_hops.chain_hop(), made_chain_hops.no_hop())
    data = chain_hop_data(hops, published=PRINTED, fidelity="quick")
    kind, energy = data.header.index("kind"), data.header.index("energy_eV")
    assert {row[kind] for row in data.rows if row[energy] == 5.10} == {"published"}
    climbs = {row[0]: row[energy] for row in data.rows if row[kind] == "climb"}
    assert climbs == {"PEO": pytest.approx(0.4), "CPE": None}


def test_runs_of_donors_are_joined() -> None:
    assert short_set((3, 4, 5, 8)) == "O3-5, O8"
    assert short_set(()) == "none"


def test_needs_a_hop() -> None:
    with pytest.raises(EvidenceError, match="at least one hop"):
        chain_hop_figure((), published=(), fidelity="quick")
