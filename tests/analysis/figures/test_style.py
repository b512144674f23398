from __future__ import annotations

import csv
import errno
import io
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from superionic.analysis.figures.style import (
    SERIES_COLOURS,
    SERIES_MARKERS,
    FigureData,
    figure_style,
    new_figure,
    save_figure,
    series_style,
    write_atomically,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

DATA = FigureData(
    ("x", "y_eV", "ok", "note"), ((0.1, 1 / 3, True, 'a "b", c'), (2, None, False, ""))
)


def picture() -> Figure:
    with figure_style():
        figure = new_figure(3.0, 2.0)
        ax = figure.subplots()
        ax.plot([0, 1], [1, 0], label="Na$1")
        ax.legend()
    return figure


def test_saved_files_are_whole_and_the_same_each_time(tmp_path: Path) -> None:
    first = save_figure(picture(), tmp_path / "a" / "fig", DATA)
    second = save_figure(picture(), tmp_path / "b" / "fig", DATA)
    for one, two in zip(
        (first.png, first.svg, first.csv), (second.png, second.svg, second.csv), strict=True
    ):
        assert one.read_bytes() == two.read_bytes()
    with Image.open(first.png) as image:
        assert image.size == (900, 600)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert np.asarray(image.convert("L")).std() > 5
    text = first.svg.read_text()
    assert text.startswith("<?xml")
    assert "<dc:date>" not in text
    assert sorted(p.name for p in first.png.parent.iterdir()) == ["fig.csv", "fig.png", "fig.svg"]


def test_a_notebook_shows_what_was_saved(tmp_path: Path) -> None:
    saved = save_figure(picture(), tmp_path / "fig", DATA)
    pixels, told = saved._repr_png_()
    assert pixels == saved.png.read_bytes()
    assert told == {"width": 300}  # three inches at 100 pixels an inch


def test_a_stem_with_a_dot_keeps_its_name(tmp_path: Path) -> None:
    assert save_figure(picture(), tmp_path / "x0.5", DATA).svg == tmp_path / "x0.5.svg"


def test_csv_reads_back_to_the_same_bits() -> None:
    rng = np.random.default_rng(0)
    values = [float(v) for v in rng.standard_normal(50) * 10.0 ** rng.integers(-12, 12, 50)]
    data = FigureData(("v",), tuple((v,) for v in values))
    read = [float(row["v"]) for row in csv.DictReader(io.StringIO(data.to_csv()))]
    assert read == values


def test_csv_says_nothing_where_there_is_no_value() -> None:
    rows = list(csv.reader(io.StringIO(DATA.to_csv())))
    assert rows[1] == ["0.1", repr(1 / 3), "true", 'a "b", c']
    assert rows[2] == ["2", "", "false", ""]


@pytest.mark.parametrize("row", [(1.0,), (1.0, float("nan"))])
def test_figure_data_refuses(row: tuple[float, ...]) -> None:
    with pytest.raises(EvidenceError):
        FigureData(("a", "b"), (row,))


def test_a_full_disk_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = {tmp_path / "a": b"old a", tmp_path / "b": b"old b"}
    write_atomically(old)
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically({tmp_path / "a": b"new", tmp_path / "b": b"new"})
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == old


def test_style_stays_inside_its_context() -> None:
    before = mpl.rcParams["axes.linewidth"]
    with figure_style():
        assert mpl.rcParams["axes.linewidth"] != before
    assert mpl.rcParams["axes.linewidth"] == before


def test_series_differ_in_colour_and_in_marker() -> None:
    styles = [series_style(k) for k in range(len(SERIES_COLOURS))]
    assert len({c for c, _ in styles}) == len({m for _, m in styles}) == len(SERIES_MARKERS)
