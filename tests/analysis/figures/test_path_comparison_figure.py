"""A path at two levels, drawn: every value once, no value where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from superionic.analysis.figures.path_comparison import path_comparison, path_comparison_data
from superionic.analysis.figures.relaxation_trace import relaxation_trace, relaxation_trace_data
from superionic.analysis.path_comparison import ImageComparison, PathComparison
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

LOCAL = (0.0, 0.2, 0.3, 0.1)


def made(returned: Sequence[float | None]) -> PathComparison:
    images = tuple(
        ImageComparison(k, "finished" if b is not None else "crashed", "", a, b, None, 0.0)
        for k, (a, b) in enumerate(zip(LOCAL, returned, strict=True))
    )
    return PathComparison("h0", "chgnet-0.3.0", "vasp-pbe", "single-points", images)


def heights(ax: Axes, gid: str) -> list[float]:
    lines = [line for line in ax.lines if line.get_gid() == gid]
    return [float(y) for line in lines for y in np.asarray(line.get_ydata(), float)]


def words(ax: Axes) -> str:
    return " ".join(text.get_text() for text in ax.texts)


def test_both_profiles_and_their_differences() -> None:
    left, right = path_comparison(made([0.0, 0.3, 0.45, 0.05])).axes
    assert heights(left, "local") == list(LOCAL)
    assert heights(left, "returned") == [0.0, 0.3, 0.45, 0.05]
    assert "barrier 0.300 eV" in words(left)
    assert "barrier 0.450 eV" in words(left)
    bars = [patch.get_height() for patch in right.patches]  # type: ignore[attr-defined]
    assert bars == pytest.approx([0.0, 0.1, 0.15, -0.05])
    assert "largest 0.150 eV" in words(right)
    assert not heights(left, "missing")


def test_an_image_that_failed_is_a_cross_and_leaves_no_barrier() -> None:
    comparison = made([0.0, 0.3, None, 0.05])
    left, right = path_comparison(comparison).axes
    assert np.isnan(heights(left, "returned")[2])
    assert "barrier no value" in words(left)
    (cross,) = [line for line in left.lines if line.get_gid() == "missing"]
    assert list(np.asarray(cross.get_xdata())) == [2]
    assert len(right.patches) == 3
    data = path_comparison_data(comparison)
    column = data.header.index("returned_eV")
    assert [row[column] for row in data.rows] == [0.0, 0.3, None, 0.05]


def test_steps_of_a_relaxation_end_at_zero() -> None:
    energies = [-10.0, -10.4, -10.5]
    (ax,) = relaxation_trace(energies, theory="vasp-pbe", evidence="finished").axes
    assert heights(ax, "steps") == pytest.approx([0.5, 0.1, 0.0])
    assert relaxation_trace_data(energies, theory="vasp-pbe").rows[-1] == ("vasp-pbe", 3, -10.5)


@pytest.mark.parametrize("energies", [[], [np.nan, 1.0], [[1.0]]])
def test_no_trace_without_energies(energies: list[float]) -> None:
    with pytest.raises(EvidenceError):
        relaxation_trace(energies, theory="vasp-pbe", evidence="")
