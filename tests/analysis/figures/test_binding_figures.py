"""Figures of binding energies: every value drawn once, no value invented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import made_binding
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from superionic.analysis.figures.binding_levels import (
    binding_levels,
    binding_levels_data,
    level_names,
    relaxed_level,
)
from superionic.analysis.figures.binding_starts import (
    binding_starts,
    binding_starts_data,
    tally,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BOTH = (made_binding.binding("SN", -1.2), made_binding.binding("LiTFSI", 0.1))
PRINTED = {"SN": 1.35, "LiTFSI": 0.75}


def drawn(ax: Axes, gid: str) -> list[tuple[float, float]]:
    lines = [one for one in ax.lines if one.get_gid() == gid]
    return [
        (float(x), float(y))
        for one in lines
        for x, y in zip(np.asarray(one.get_xdata()), np.asarray(one.get_ydata()), strict=True)
    ]


def test_each_level_is_a_row_with_both_molecules() -> None:
    ax = binding_levels(BOTH, published_eV=PRINTED, fidelity="quick").axes[0]
    assert level_names(BOTH) == ["chgnet-0.3.0+d3bj", "gfn1-xtb"]
    assert [t.get_text() for t in ax.get_yticklabels()] == level_names(BOTH)
    (point,) = drawn(ax, "SN-gfn1-xtb")
    assert point[0] == pytest.approx(1.1)
    (point,) = drawn(ax, "LiTFSI-chgnet-0.3.0+d3bj")
    assert point[0] == pytest.approx(-0.1), "what is not bound lies left of zero"
    fills = {one.get_gid(): one.get_markerfacecolor() for one in ax.lines if one.get_gid()}
    assert fills["SN-gfn1-xtb"] == "white", "a single point is open"
    assert fills["SN-chgnet-0.3.0+d3bj"] != "white"


def test_published_values_are_lines_and_never_points() -> None:
    ax = binding_levels(BOTH, published_eV=PRINTED, fidelity="quick").axes[0]
    dashed = [one for one in ax.lines if one.get_linestyle() == "--"]
    assert sorted(float(np.asarray(one.get_xdata())[0]) for one in dashed) == [0.75, 1.35]
    bare = binding_levels(BOTH, fidelity="quick").axes[0]
    assert not [one for one in bare.lines if one.get_linestyle() == "--"]


def test_level_table_keeps_computed_and_published_apart() -> None:
    data = binding_levels_data((*BOTH, made_binding.no_binding("EC")), published_eV=PRINTED)
    rows = [dict(zip(data.header, row, strict=True)) for row in data.rows]
    assert rows[0]["binding_strength_eV"] == pytest.approx(1.2)
    assert rows[0]["published_binding_strength_eV"] == 1.35
    assert rows[2]["binding_strength_eV"] is None, "not bound, so no strength"
    assert rows[2]["binding_energy_eV"] == pytest.approx(0.1)
    assert rows[-1]["molecule"] == "EC"
    assert rows[-1]["binding_energy_eV"] is None


def test_starts_are_drawn_and_the_others_counted() -> None:
    left, right = binding_starts((*BOTH, made_binding.no_binding("EC")), fidelity="quick").axes
    ((_, best),) = drawn(left, "SN-00-top")
    assert best == pytest.approx(-1.2)
    texts = [t.get_text() for t in left.texts]
    assert "2 of 3 relaxed converged\n1 screened out\n1 at the limit of steps" in texts
    assert "no value" in texts
    heights = sorted(bar.get_height() for bar in right.patches if isinstance(bar, Rectangle))
    assert heights == pytest.approx(sorted([0.2, 0.1, -0.3, -1.2, -1.2, 0.2, 0.1, -0.3, 0.1, 0.1]))
    assert tally(BOTH[0]).startswith("2 of 3")


def test_no_scale_is_made_up_where_there_is_no_value() -> None:
    left, right = binding_starts((made_binding.no_binding(),), fidelity="quick").axes
    assert [list(ax.get_yticks()) for ax in (left, right)] == [[], []]
    assert "no value" in [t.get_text() for t in right.texts]
    assert right.get_xlim() == (-0.5, 4.5)


def test_every_start_is_in_the_table_with_its_reason() -> None:
    data = binding_starts_data(BOTH, fidelity="quick")
    rows = [dict(zip(data.header, row, strict=True)) for row in data.rows]
    assert len(rows) == 8
    assert [r["start"] for r in rows if r["best"]] == ["00-top", "00-top"]
    lost = next(r for r in rows if r["state"] == "unconverged")
    assert lost["binding_energy_eV"] is None
    assert lost["reason"] == "300 steps"


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(EvidenceError, match="at least one value"):
        binding_levels([made_binding.no_binding()], fidelity="quick")
    with pytest.raises(EvidenceError, match="at least one start"):
        binding_starts([], fidelity="quick")
    level = relaxed_level(BOTH[0])
    assert level is not None
    assert level.kind == "relaxed"
    assert relaxed_level(made_binding.no_binding()) is None
