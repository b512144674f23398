"""Pictures of boxes of molecules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from superionic.analysis.figures.box_view import BoxView, box_view, box_view_data
from superionic.analysis.figures.style import save_figure
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure


def view(**changes: object) -> BoxView:
    """A molecule across the border, one ion and a metal with its oxygen."""
    structure = Structure(
        np.array([6, 8, 1, 11, 26, 8]),
        np.array([[9.5, 5, 5], [10.9, 5, 5], [9, 5, 6], [2, 2, 2], [4, 8, 8], [6, 8, 8.0]]),
        np.diag([10.0, 10.0, 10.0]),
    )
    given = {
        "title": "small",
        "structure": structure,
        "bonds": np.array([[0, 1], [0, 2], [4, 5]]),
        "kinds": np.array([0, 0, 0, 1, 2, 2]),
        "names": ("PEO", "NA", "FIL"),
    } | changes
    return BoxView(**given)  # type: ignore[arg-type]


def test_picture_and_numbers(tmp_path: Path) -> None:
    panels = [view(), view(title="other")]
    saved = save_figure(box_view(panels), tmp_path / "box", box_view_data(panels))
    assert saved.png.stat().st_size > 5000
    rows = saved.csv.read_text().splitlines()
    assert rows[0] == "panel,molecule,element,label,x_ang,y_ang,z_ang"
    assert len(rows) == 13
    assert rows[2].startswith("small,PEO,O,O,0.9")


def test_what_is_drawn() -> None:
    figure = box_view([view()])
    assert figure.axes[0].get_title(loc="left") == "small"
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == ["PEO", "FIL", "Na", "Fe"]
    assert view().single.tolist() == [False, False, False, True, False, False]
    assert view().metals.tolist() == [False] * 4 + [True, False]


def test_refusals() -> None:
    with pytest.raises(EvidenceError, match="at least one"):
        box_view([])
    with pytest.raises(EvidenceError, match="index of one of 3 kinds"):
        view(kinds=np.array([0, 0, 0, 1, 2, 3]))
    skewed = Structure(
        np.array([6]), np.zeros((1, 3)), np.array([[9.0, 0, 0], [3, 9, 0], [0, 0, 9]])
    )
    with pytest.raises(EvidenceError, match="edges along x, y and z"):
        view(structure=skewed, bonds=np.zeros((0, 2)), kinds=np.array([0]))
