"""The potential on a surface: values, extremes, pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from superionic.analysis.figures.potential_surface import (
    PotentialPanel,
    potential_surface,
    potential_surface_data,
)
from superionic.analysis.figures.style import save_figure
from superionic.analysis.potential import PotentialSurface
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode

if TYPE_CHECKING:
    from pathlib import Path


def sphere(*, offset: float = 0.0, **changes: Any) -> PotentialSurface:
    """A dipole of two atoms inside a sphere of 3 A: the potential grows with z."""
    k = np.arange(400) + 0.5
    polar, turn = np.arccos(1 - 2 * k / 400), np.pi * (1 + 5**0.5) * k
    normals = np.column_stack(
        [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)]
    )
    fields: dict[str, Any] = {
        "numbers": np.array([8, 28]),
        "positions": np.array([[0.0, 0.0, -0.9], [0.0, 0.0, 0.9]]),
        "points": 3.0 * normals,
        "normals": normals,
        "areas_ang2": np.full(400, 4 * np.pi * 9.0 / 400),
        "potential_V": normals[:, 2] + offset,
        "isodensity_e_bohr3": 1e-3,
        "charge": 0,
        "method": "by hand",
        "theory": "toy",
    }
    return PotentialSurface(**(fields | changes))


def test_extremes_mean_and_area() -> None:
    surface = sphere(offset=0.5)
    low, high = surface.extremes_V
    assert [low, high] == pytest.approx([-0.4975, 1.4975])
    assert surface.extreme_atoms() == (0, 1)
    assert surface.mean_V == pytest.approx(0.5)
    assert surface.area_ang2 == pytest.approx(4 * np.pi * 9.0)
    assert decode(encode(surface)).extremes_V == (low, high)


def test_surfaces_are_checked() -> None:
    with pytest.raises(EvidenceError, match="finite"):
        sphere(potential_V=np.full(400, np.nan))
    with pytest.raises(EvidenceError, match="needs points"):
        sphere(normals=np.zeros((3, 3)))


def test_only_the_face_towards_the_reader_is_drawn(tmp_path: Path) -> None:
    panel = PotentialPanel("NiO", sphere(), rotation=np.eye(3))
    figure = potential_surface((panel,))
    ax = figure.axes[0]
    (drawn,) = [c for c in ax.collections if c.get_gid() == "surface"]
    facing = int(np.count_nonzero(panel.surface.normals[:, 2] > -0.05))
    assert len(np.asarray(drawn.get_offsets())) == facing
    colours = np.asarray(drawn.get_facecolor())
    near = colours[-1]
    assert near[2] > near[0]  # the positive end faces the reader and is blue
    assert figure.axes[-1].get_ylabel() == "Electrostatic potential (V)"
    data = potential_surface_data((panel,))
    assert len(data.rows) == 400
    saved = save_figure(figure, tmp_path / "esp", data)
    assert saved.png.stat().st_size > 10_000
    assert saved.svg.stat().st_size < 500_000


def test_one_scale_for_all_panels_about_zero_or_the_middle() -> None:
    figure = potential_surface(
        [PotentialPanel("a", sphere(offset=-5.0)), PotentialPanel("b", sphere(offset=-4.0))]
    )
    assert "white: -4.5" in figure.axes[-1].get_ylabel()
    narrow = potential_surface([PotentialPanel("a", sphere())], limit_V=0.25)
    low, high = narrow.axes[-1].get_ylim()
    assert [low, high] == pytest.approx([-0.25, 0.25])


def test_default_view_shows_the_broad_face() -> None:
    flat = sphere(
        numbers=np.array([6, 6, 6]),
        positions=np.array([[0.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 2.0]]),
    )
    rotation = PotentialPanel("flat", flat).view()
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert abs(rotation[2, 0]) > 0.75


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(EvidenceError, match="one to six"):
        potential_surface(())
    with pytest.raises(EvidenceError, match="above zero; got 0"):
        potential_surface([PotentialPanel("a", sphere())], limit_V=0.0)
