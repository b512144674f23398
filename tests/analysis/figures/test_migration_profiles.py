from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import made_up
import numpy as np
import pytest

from superionic.analysis.figures.migration_profiles import (
    RouteProfiles,
    migration_profiles,
    migration_profiles_data,
)
from superionic.analysis.figures.traces import smooth_curve
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

FAILED = (9, 10)


def routes() -> tuple[RouteProfiles, ...]:
    return (
        RouteProfiles(
            "A",
            "inner channel",
            (
                made_up.scan("rigid", "A", 0.62),
                made_up.scan("relaxed", "A", 0.33, failed=FAILED),
                made_up.barrier(made_up.dome(0.3)),
            ),
        ),
        RouteProfiles("B", "surface", (made_up.barrier([0.0, 0.1, -0.1, 0.2, 0.05]),)),
    )


def line(ax: Axes, gid: str) -> Line2D:
    return next(one for one in ax.lines if one.get_gid() == gid)


def texts(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def test_points_drawn_are_the_points_given() -> None:
    given = routes()
    figure = migration_profiles(given, fidelity="quick")
    rigid, relaxed, band = figure.axes
    scan = given[0].profiles[0]
    drawn = line(rigid, "A-points")
    np.testing.assert_array_equal(drawn.get_xdata(), np.linspace(0, 1, 21))
    np.testing.assert_array_equal(drawn.get_ydata(), scan.energies_eV)
    for gid, profile in (("A-points", given[0].profiles[2]), ("B-points", given[1].profiles[0])):
        np.testing.assert_array_equal(line(band, gid).get_ydata(), profile.energies_eV)
    assert [ax.get_title(loc="left") for ax in (rigid, relaxed, band)] == [
        "a  Rigid scan",
        "b  Framework-relaxed scan",
        "c  Nudged elastic band",
    ]


def test_points_without_a_value_have_no_energy_but_a_cross() -> None:
    ax = migration_profiles(routes(), fidelity="quick").axes[1]
    drawn = np.asarray(line(ax, "A-points").get_ydata(), float)
    assert np.flatnonzero(np.isnan(drawn)).tolist() == list(FAILED)
    assert np.isnan(np.asarray(line(ax, "A-curve").get_ydata(), float)[list(FAILED)]).all()
    np.testing.assert_allclose(np.asarray(line(ax, "A-unconverged").get_xdata()), [0.45, 0.5])
    assert "A  no value" in texts(ax)
    assert any("19 of 21 points converged" in t and "B: not computed" in t for t in texts(ax))


def test_barriers_theory_and_fidelity_are_written() -> None:
    ax = migration_profiles(routes(), fidelity="quick").axes[2]
    assert {"A  0.300 eV", "B  0.300 eV", "synthetic · quick"} <= set(texts(ax))
    written = " ".join(" ".join(texts(ax)).split())
    assert "B: converged, fmax 0.041 ≤ 0.05 eV/Å; 1 minimum on the way" in written


def test_foot_of_a_climb_that_starts_on_the_way_is_shown() -> None:
    ax = migration_profiles(routes(), fidelity="quick").axes[2]
    climbs = [one for one in ax.lines if one.get_gid() == "climb"]
    assert len(climbs) == 1
    np.testing.assert_allclose(np.asarray(climbs[0].get_ydata()), [-0.1, -0.1, 0.2])


def test_an_unconverged_band_is_named_and_not_drawn() -> None:
    band = made_up.barrier([0.0, 0.4, 0.0], verdict="unconverged", reason="Too few steps.")
    figure = migration_profiles([RouteProfiles("A", "bulk", (band,))], fidelity="quick")
    for one in figure.axes[0].lines:
        if str(one.get_gid()).startswith("A-"):
            assert np.isnan(np.asarray(one.get_ydata(), float)).all()
    written = " ".join(" ".join(texts(figure.axes[0])).split())
    assert "unconverged, not drawn. Too few steps." in written


def test_curve_passes_every_image_and_no_higher() -> None:
    length = np.array([0.0, 0.4, 0.9, 1.7, 2.0])
    x = np.array([0.0, 0.3, 0.25, 0.8, 1.0])
    y = np.array([0.0, 0.31, 0.3, 0.05, 0.1])
    curve_x, curve_y = smooth_curve(length, x, y)
    assert curve_y.max() == pytest.approx(0.31, abs=1e-12)
    assert curve_y.min() == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(curve_y[::40], y, atol=1e-12)
    np.testing.assert_allclose(curve_x[::40], x, atol=1e-12)


def test_images_at_one_path_length_are_joined_straight() -> None:
    length, y = np.array([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 2.0])
    assert smooth_curve(length, length, y)[1] is y


def test_csv_holds_what_is_drawn() -> None:
    given = routes()
    data = migration_profiles_data(given, fidelity="quick")
    rows = list(csv.DictReader(io.StringIO(data.to_csv())))
    assert len(rows) == 21 + 21 + 7 + 5
    relaxed = [r for r in rows if r["method"] == "relaxed"]
    assert [k for k, r in enumerate(relaxed) if r["energy_eV"] == ""] == list(FAILED)
    assert {r["forward_barrier_eV"] for r in relaxed} == {""}
    band = [float(r["energy_eV"]) for r in rows if (r["route"], r["method"]) == ("A", "neb")]
    assert band == given[0].profiles[2].energies_eV.tolist()


def test_shared_energy_axis() -> None:
    axes = migration_profiles(routes(), fidelity="q", shared_energy_axis=True).axes
    assert len({ax.get_ylim() for ax in axes}) == 1
    assert axes[0].get_ylim()[1] > 0.62


def test_refuses_nothing_and_two_of_a_kind() -> None:
    with pytest.raises(EvidenceError, match="at least one profile"):
        migration_profiles([], fidelity="quick")
    scan = made_up.scan("rigid", "A", 0.1)
    with pytest.raises(EvidenceError, match="two profiles of one method"):
        RouteProfiles("A", "", (scan, scan))
