"""g(r) and mean squared displacements, drawn: every value once, verdicts in words."""

from __future__ import annotations

import numpy as np
import pytest

from superionic.analysis.coordination import first_shell
from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.figures.mean_squared_displacement import msd_figure, msd_figure_data
from superionic.analysis.figures.radial_distribution import rdf_figure, rdf_figure_data
from superionic.analysis.figures.style import save_figure
from superionic.analysis.rdf import RDF, rdf
from superionic.structures.errors import EvidenceError


@pytest.fixture(scope="module")
def lattice() -> RDF:
    grid = np.stack(np.meshgrid(*[np.arange(5.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return rdf((4.0 * grid)[None], cell=20.0 * np.eye(3), r_max_ang=9.0)


def test_shells_are_marked_where_they_end(lattice: RDF) -> None:
    figure = rdf_figure({"Na-O": lattice}, published_peaks_ang=(2.3, 4.5))
    ax, right = figure.axes
    lines = {str(line.get_gid()): line for line in (*ax.lines, *right.lines)}
    assert lines["g"].get_ydata() == pytest.approx(lattice.g)
    assert lines["n"].get_ydata() == pytest.approx(lattice.neighbours)
    shell = first_shell(lattice)
    assert np.asarray(lines["shell"].get_xdata()) == pytest.approx(shell.cutoff_ang)
    assert sum(line.get_gid() == "published" for line in ax.lines) == 2
    assert "6.00 within" in figure.get_supxlabel()
    with pytest.raises(EvidenceError, match="no radial distribution"):
        rdf_figure({})


def test_table_of_g(lattice: RDF) -> None:
    data = rdf_figure_data({"Na-O": lattice})
    assert len(data.rows) == len(lattice.g)
    assert [row[2] for row in data.rows] == lattice.g.tolist()
    assert data.rows[0][3] is None  # one block has no interval
    assert data.rows[-1][-1] == pytest.approx(6.0)


def test_verdicts_are_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=(400, 30, 3)), axis=0)
    found = {
        "free": self_diffusion(walk, dt_ps=1.0),
        "caged": self_diffusion(rng.normal(size=(400, 30, 3)), dt_ps=1.0),
    }
    figure = msd_figure(found)
    words = figure.get_supxlabel()
    assert "free: D = " in words
    assert "caged: subdiffusive" in words
    assert words.count("cm\u00b2/s") == 1
    data = msd_figure_data(found)
    assert len(data.rows) == sum(len(one.lag_ps) for one in found.values())
    assert {row[7] for row in data.rows if row[0] == "caged"} == {None}
    saved = save_figure(figure, tmp_path_factory.mktemp("msd") / "msd", data)
    assert saved.png.stat().st_size > 10_000
    assert "mathdefault" not in saved.svg.read_text()
    with pytest.raises(EvidenceError, match="above zero"):
        msd_figure({"still": self_diffusion(np.zeros((100, 20, 3)), dt_ps=1.0)})
