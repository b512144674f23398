from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import made_up
import numpy as np
import pytest
from matplotlib.collections import PatchCollection

from superionic.analysis.figures.painter import Scene, camera
from superionic.analysis.figures.structure_view import (
    PathView,
    ViewPanel,
    structure_view,
    structure_view_data,
)
from superionic.analysis.figures.style import save_figure
from superionic.analysis.figures.view_panel import visible_of
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

CELL = np.diag([10.0, 11.0, 12.0])


def path(structure: Structure, ion: int = 9) -> PathView:
    steps = np.linspace(0.0, 1.0, 5)[:, None] * np.array([0.0, 3.0, 0.4])
    return PathView("A", structure.positions[ion] + steps)


def line(ax: Axes, gid: str) -> Line2D:
    return next(one for one in ax.lines if one.get_gid() == gid)


def test_camera_is_a_rotation_that_puts_up_up() -> None:
    cell = np.array([[5.0, 0, 0], [-2.5, 4.33, 0], [0, 0, 9.0]])
    for along, up in (((1, 0, 0), (0, 0, 1)), ((1, 1, 0), (0, 0, 1)), ((0, 0, 1), (0, 1, 0))):
        rotation = camera(cell, along=along, up=up)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1.0)
        seen = rotation @ (np.array(along) @ cell)
        np.testing.assert_allclose(seen[:2], 0.0, atol=1e-9)
        assert seen[2] > 0
        assert (rotation @ (np.array(up) @ cell))[1] > 0
    tilted = camera(cell, along=(1, 0, 0), up=(0, 0, 1), tilt_deg=(20.0, 10.0))
    np.testing.assert_allclose(tilted @ tilted.T, np.eye(3), atol=1e-12)


def test_camera_refuses_parallel_directions() -> None:
    with pytest.raises(EvidenceError, match="must differ"):
        camera(CELL, along=(0, 0, 1), up=(0, 0, 2))


def test_near_shapes_are_painted_last() -> None:
    figure = structure_view([ViewPanel("x", made_up.tetrahedra())])
    ax = figure.axes[0]
    scene = Scene(np.eye(3), (0.0, 5.0))
    scene.sphere([0, 0, 5], 1.0, (1.0, 0.0, 0.0))
    scene.sphere([0, 0, 0], 1.0, (0.0, 0.0, 1.0))
    scene.draw(ax)
    collection = ax.collections[-1]
    assert isinstance(collection, PatchCollection)
    colours = np.asarray(collection.get_facecolor())[::2, :3]
    assert colours[0, 2] == 1.0
    assert colours[0, 0] == pytest.approx(0.45), "the far ball is paler"
    np.testing.assert_allclose(colours[1], [1.0, 0.0, 0.0])


def test_path_is_drawn_where_it_runs() -> None:
    structure = made_up.tetrahedra()
    panel = ViewPanel("x", structure, (path(structure),), along=(1, 0, 0), tilt_deg=(0.0, 0.0))
    drawn = line(structure_view([panel]).axes[0], "A")
    np.testing.assert_allclose(np.asarray(drawn.get_xdata()), path(structure).positions[:, 1])
    np.testing.assert_allclose(np.asarray(drawn.get_ydata()), path(structure).positions[:, 2])


def test_every_atom_is_shown_once() -> None:
    structure = made_up.tetrahedra()
    visible = visible_of(ViewPanel("x", structure))
    assert sorted(visible.atoms.tolist()) == list(range(len(structure)))
    assert [s.number for s in visible.shapes] == [14, 15]
    assert len(visible.bonds) == 0


@pytest.mark.parametrize("shift", [[0.0, 0.0, 0.0], [10.0, -11.0, 24.0], [-4.2, 3.0, 7.7]])
def test_wrapping_keeps_polyhedra_whole_and_paths_inside(shift: list[float]) -> None:
    structure = made_up.tetrahedra()
    moved = structure.with_positions(structure.positions + shift)
    visible = visible_of(ViewPanel("x", moved, (path(moved),)))
    middle = np.linalg.solve(CELL.T, visible.paths[0].mean(axis=0))
    assert ((middle > -1e-3) & (middle < 1)).all()
    for shape in visible.shapes:
        arms = np.linalg.norm(shape.corners - shape.corners.mean(axis=0), axis=1)
        np.testing.assert_allclose(arms, 1.62, atol=1e-9)


def test_close_up_shows_what_is_near_only_images_included() -> None:
    structure = made_up.tetrahedra()
    edge = structure.with_positions(structure.positions - structure.positions[9])
    visible = visible_of(ViewPanel("x", edge, (path(edge),), radius_ang=4.5))
    beads = visible.paths[0]
    shown = [int(n) for n in structure.numbers[visible.atoms]]
    assert 11 in shown
    centres = [s.corners.mean(axis=0) for s in visible.shapes]
    assert centres
    for centre in centres:
        assert np.linalg.norm(beads - centre, axis=1).min() <= 4.5 + 1e-6


def test_molecules_are_drawn_with_bonds() -> None:
    water = Structure(
        numbers=np.array([8, 1, 1]),
        positions=np.array([[3.0, 3, 3], [3.96, 3, 3], [2.76, 3.93, 3]]),
        cell=np.eye(3) * 6,
    )
    visible = visible_of(ViewPanel("water", water))
    assert len(visible.bonds) == 2
    np.testing.assert_allclose(
        np.linalg.norm(visible.bonds[:, 0] - visible.bonds[:, 1], axis=1), 0.96, atol=0.01
    )


def test_vacuum_is_left_out_of_the_picture() -> None:
    structure = made_up.tetrahedra()
    tall = Structure(structure.numbers, structure.positions, np.diag([10.0, 11.0, 40.0]))
    bottom_top = visible_of(ViewPanel("x", tall, tilt_deg=(0.0, 0.0))).extent[2:]
    assert bottom_top[1] - bottom_top[0] < 8.0


def test_csv_holds_atoms_and_beads() -> None:
    structure = made_up.tetrahedra()
    panel = ViewPanel("x", structure, (path(structure),))
    rows = list(csv.DictReader(io.StringIO(structure_view_data([panel]).to_csv())))
    read = np.array([[float(r[k]) for k in ("x_ang", "y_ang", "z_ang")] for r in rows])
    assert (read[:10] == structure.positions).all()
    assert (read[10:] == path(structure).positions).all()
    assert [r["kind"] for r in rows] == ["atom"] * 10 + ["path"] * 5


def test_the_same_picture_each_time(tmp_path: Path) -> None:
    structure = made_up.tetrahedra()
    panels = [ViewPanel("a", structure, (path(structure),)), ViewPanel("b", structure)]
    data = structure_view_data(panels)
    one, two = (save_figure(structure_view(panels), tmp_path / n, data) for n in ("1", "2"))
    assert one.png.read_bytes() == two.png.read_bytes()
    assert one.svg.read_bytes() == two.svg.read_bytes()


def test_refuses() -> None:
    structure = made_up.tetrahedra()
    with pytest.raises(EvidenceError, match="at least one panel"):
        structure_view([])
    with pytest.raises(EvidenceError, match="close-up needs"):
        ViewPanel("x", structure, radius_ang=3.0)
    with pytest.raises(EvidenceError, match="two or more finite"):
        PathView("A", np.zeros((1, 3)))
