from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import made_up
import numpy as np
import pytest

from superionic.analysis.figures.barrier_distribution import (
    BarrierGroup,
    barrier_distribution,
    barrier_distribution_data,
    swarm,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def groups() -> tuple[BarrierGroup, BarrierGroup]:
    bulk = (
        made_up.barrier([0.0, 0.30, 0.05], key="b0"),
        made_up.barrier([0.0, 0.40, 0.02], key="b1", site_types=("Na2", "Na3")),
        made_up.barrier([0.0, 9.0, 0.0], key="b2", verdict="unconverged", reason="Too few steps."),
        made_up.barrier([0.0, 8.0, 0.0], key="b3", verdict="other-basin", reason="It fell, far."),
    )
    surface = (made_up.barrier([0.0, 0.21, 0.0], key="s0", direction="lateral", depth_ang=1.2),)
    return BarrierGroup("bulk", bulk), BarrierGroup("surface", surface)


def heights(ax: Axes, gid: str) -> list[float]:
    lines = [one for one in ax.lines if one.get_gid() == gid]
    return [float(y) for one in lines for y in np.asarray(one.get_ydata(), float)]


def test_every_converged_barrier_is_drawn_and_no_other() -> None:
    given = groups()
    ax = barrier_distribution(given, verdict="undecided", fidelity="quick").axes[0]
    assert heights(ax, "bulk-lower") == pytest.approx([0.30, 0.40])
    assert heights(ax, "bulk-higher") == pytest.approx([0.25, 0.38])
    assert heights(ax, "surface-lower") + heights(ax, "surface-higher") == [0.21, 0.21]
    assert heights(ax, "bulk-median") == pytest.approx([0.35, 0.35])
    assert ax.get_ylim()[0] == 0.0
    assert 0.4 < ax.get_ylim()[1] < 0.5


def test_a_hop_written_down_backwards_is_drawn_the_same() -> None:
    there = BarrierGroup("bulk", (made_up.barrier([0.0, 0.3, -0.1], key="b0"),))
    back = BarrierGroup("bulk", (made_up.barrier([-0.1, 0.3, 0.0], key="b0"),))
    assert there.median_eV == back.median_eV == pytest.approx(0.4)
    np.testing.assert_allclose(there.pairs_eV, back.pairs_eV)


def test_rejected_hops_are_counted_with_their_reason() -> None:
    ax = barrier_distribution(groups(), verdict="undecided", fidelity="quick").axes[0]
    texts = [t.get_text() for t in ax.texts]
    assert "2 of 4 hops converged\n1 end point left its basin\n1 not converged" in texts
    assert "1 of 1 hops converged" in texts


def test_title_is_the_verdict_with_its_rule() -> None:
    figure = barrier_distribution(
        groups(), verdict="B < A: undecided", rule="Medians differ.", fidelity="quick"
    )
    ax = figure.axes[0]
    assert ax.get_title(loc="left") == "B < A: undecided"
    assert "Medians differ.\nsynthetic · quick" in [t.get_text() for t in ax.texts]


def test_a_group_without_a_value_says_so() -> None:
    empty = BarrierGroup("outward", (made_up.barrier([0.0, 1.0, 0.0], verdict="failed"),))
    assert empty.median_eV is None
    ax = barrier_distribution([empty], verdict="undecided", fidelity="quick").axes[0]
    assert "no value" in [t.get_text() for t in ax.texts]
    assert not heights(ax, "outward-lower")


def test_csv_holds_all_hops() -> None:
    data = barrier_distribution_data(groups(), fidelity="quick")
    rows = list(csv.DictReader(io.StringIO(data.to_csv())))
    assert [r["hop_key"] for r in rows] == ["b0", "b1", "b2", "b3", "s0"]
    assert [r["forward_barrier_eV"] for r in rows] == ["0.3", "0.4", "", "", "0.21"]
    assert rows[3]["reason"] == "It fell, far."


def test_swarm_keeps_points_apart_in_the_least_space() -> None:
    assert swarm([0.1, 0.5, 0.9], width=1.0, height=0.1) == [0.0, 0.0, 0.0]
    assert swarm([0.5, 0.5, 0.5], width=1.0, height=0.1) == [0.0, 1.0, -1.0]
    rng = np.random.default_rng(2)
    y = [float(v) for v in rng.random(60)]
    x = swarm(y, width=0.05, height=0.04)
    close = [
        (i, j) for i in range(60) for j in range(i) if abs(y[i] - y[j]) < 0.04 and x[i] == x[j]
    ]
    assert not close


def test_refuses_no_hops() -> None:
    with pytest.raises(EvidenceError, match="at least one hop"):
        barrier_distribution([BarrierGroup("bulk", ())], verdict="", fidelity="quick")
