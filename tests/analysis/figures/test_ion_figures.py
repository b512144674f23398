"""Figures of transport, temperature, speciation and residence: what they draw is what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_ions as made
import numpy as np
import pytest

from superionic.analysis.contacts import Contacts
from superionic.analysis.figures.arrhenius import arrhenius_data, arrhenius_figure
from superionic.analysis.figures.conductivity_terms import (
    conductivity_terms_data,
    conductivity_terms_figure,
)
from superionic.analysis.figures.speciation import (
    PublishedFraction,
    speciation_data,
    speciation_figure,
)
from superionic.analysis.figures.survival import survival_data, survival_figure
from superionic.analysis.onsager import OnsagerCoefficients
from superionic.analysis.residence import residence_time
from superionic.analysis.speciation import Speciation, speciation_of
from superionic.analysis.thermal import arrhenius, vtf
from superionic.analysis.transport import conductivity, onsager
from superionic.structures.errors import EvidenceError


def height(bar: Any) -> float:
    return float(bar.get_height())


def run(frames: int) -> OnsagerCoefficients:
    return onsager(
        made.independent(np.random.default_rng(3), frames=frames), charges={"Na": 1.0, "X": -1.0},
        dt_ps=1.0, temperature_K=400.0, volume_ang3=4e4,
    )  # fmt: skip


def random_contacts(chance: float = 0.08) -> Contacts:
    touch = np.random.default_rng(2).random((200, 12, 12)) < chance
    frame, centre, group = np.nonzero(touch)
    return Contacts(frame, centre, group, 200, 12, 12, 3.0, "given")


@pytest.fixture(scope="module")
def pairing() -> Speciation:
    return speciation_of(random_contacts())


def test_conductivity_terms_are_drawn_as_they_are(tmp_path: Path) -> None:
    found, short = run(1500), run(20)
    runs = {"long": found, "short": short}
    figure = conductivity_terms_figure(runs)
    bars = [height(p) for p in figure.axes[0].patches]
    told = conductivity(found)
    expected = [t.value_S_cm.get() for t in told.terms]
    expected += [told.nernst_einstein_S_cm.get(), told.einstein_helfand_S_cm.get()]
    np.testing.assert_allclose(bars, expected)
    assert any("too short" in t.get_text() for t in figure.axes[0].texts)
    rows = {(r[0], r[1]): r for r in conductivity_terms_data(runs).rows}
    assert rows["long", "Einstein-Helfand"][3] == told.einstein_helfand_S_cm.value
    assert rows["short", "Einstein-Helfand"][3] is None
    assert "too short" in str(rows["short", "Einstein-Helfand"][6])
    saved = found.plot(str(tmp_path / "terms"))
    assert saved.png.stat().st_size > 20_000
    with pytest.raises(EvidenceError, match="at least one run"):
        conductivity_terms_figure({})


def test_arrhenius_plot_ends_with_its_data(tmp_path: Path) -> None:
    T = np.array([280.0, 300, 320, 340, 360, 380])
    y = np.exp(1 - 900 / (T - 200))
    ends = [(0.9 * v, 1.1 * v) for v in y.tolist()]
    series = [
        ("PEO", arrhenius(T, y, intervals=ends, unit="S/cm")),
        ("PEO", vtf(T, y, intervals=ends, unit="S/cm")),
    ]
    figure = arrhenius_figure(series)
    lines = [line for line in figure.axes[0].lines if np.size(line.get_xdata()) > 20]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    for line in lines:
        x = np.asarray(line.get_xdata(), dtype=float)
        assert x.min() == pytest.approx(1000 / 380)
        assert x.max() == pytest.approx(1000 / 280)
    assert len({line.get_color() for line in lines}) == 1
    rows = arrhenius_data(series).rows
    assert sum(r[1] == "value" for r in rows) == 12
    assert series[1][1].plot(str(tmp_path / "vtf")).csv.exists()
    with pytest.raises(EvidenceError, match="one unit"):
        arrhenius_figure([series[0], ("", arrhenius(T, y, unit="cm2/s"))])


def test_stacks_of_states_add_up_and_printed_values_stand_apart(
    pairing: Speciation, tmp_path: Path
) -> None:
    printed = [PublishedFraction("PEO, Raman", 0.668), PublishedFraction("CPE-10, Raman", 0.877)]
    figure = speciation_figure({"PEO": pairing}, published=printed)
    bars = figure.axes[0].patches
    hatched = [p for p in bars if p.get_hatch() == "////"]
    stacked = [p for p in bars if p not in hatched]
    assert [height(p) for p in hatched] == [0.668, 0.877]
    assert sum(height(p) for p in stacked) == pytest.approx(1.0)
    rows = speciation_data({"PEO": pairing}, published=printed).rows
    assert [r[3] for r in rows if r[1] == "published"] == [0.668, 0.877]
    assert {r[2] for r in rows if r[1] == "anions"} >= {"free", "CIP", "AGG"}
    assert pairing.plot(str(tmp_path / "states")).svg.exists()


def test_survival_ends_where_the_run_does(tmp_path: Path) -> None:
    found = residence_time(random_contacts(0.4), dt_ps=2.0)
    nobody = np.zeros(50, dtype=np.int64)
    always = Contacts(np.arange(50), nobody, nobody, 50, 1, 1, 3.0, "given")
    never = residence_time(always, dt_ps=1.0)
    figure = survival_figure({"PEO": found, "bound": never})
    words = [t.get_text() for t in figure.legends[0].get_texts()]
    assert words[0].startswith("PEO: mean")
    assert "no mean, too short" in words[1]
    rows = survival_data({"PEO": found, "bound": never}).rows
    assert max(r[2] for r in rows if isinstance(r[2], float)) == found.time_ps[-1]
    assert rows[-1][3] is None
    assert found.plot(str(tmp_path / "survival")).png.exists()
    with pytest.raises(EvidenceError, match="at least one run"):
        survival_figure({})
