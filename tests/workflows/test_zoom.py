"""A closer look at a saddle: the rest of the band stays, and the top comes nearer each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from potentials import Analytic, one_atom, point_hop, polynomial, stationary, tilted_well

from superionic.structures.errors import ProtocolError
from superionic.workflows.barrier import BarrierSettings, find_barrier
from superionic.workflows.neb import BandSettings, run_band
from superionic.workflows.zoom import evenly_along, zoom

CURVE = tilted_well(tilt=0.1)
(LEFT, LOW), (_, TOP), (RIGHT, _) = stationary(CURVE)
COARSE = BandSettings(
    images=3, fmax_eV_per_A=0.45, saddle_fmax_eV_per_A=0.02, saddle_max_steps=0, max_steps=1
)
"""Nothing is driven to the saddle: only looking closer can find it."""


def test_points_between_are_even_and_on_the_way() -> None:
    three = np.array([[[0.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]], [[1.0, 3.0, 0.0]]])
    found = evenly_along(three, 3)
    np.testing.assert_allclose(
        found, [[[1.0, 0.0, 0.0]], [[1.0, 1.0, 0.0]], [[1.0, 2.0, 0.0]]], atol=1e-12
    )


def test_the_top_comes_nearer_and_the_rest_stays() -> None:
    ends = [one_atom((x, 0.0, 0.0)) for x in (LEFT, RIGHT)]
    calculator = polynomial(CURVE)
    band = run_band(ends[0], ends[1], calculator=calculator, settings=COARSE)
    missed = [TOP - band.energies_eV.max()]
    for _ in range(4):
        k = 1 + int(np.argmax(band.energies_eV[1:-1]))
        nearer = zoom(band, ends[0], calculator=calculator, settings=COARSE)
        np.testing.assert_array_equal(nearer.positions[:k], band.positions[:k])
        after = len(band.positions) - k - 1
        np.testing.assert_array_equal(nearer.positions[-after:], band.positions[k + 1 :])
        assert len(nearer.positions) == len(band.positions) + COARSE.images - 1
        np.testing.assert_allclose(
            nearer.energies_eV, np.polyval(CURVE, nearer.positions[:, 0, 0]), atol=1e-12
        )
        assert np.all(np.diff(nearer.positions[:, 0, 0]) > 0)
        assert nearer.fmax_eV_per_A >= band.fmax_eV_per_A
        assert nearer.steps > band.steps
        band = nearer
        missed.append(TOP - band.energies_eV.max())
    assert missed[0] > 1e-3
    assert np.all(np.diff(missed) < 1e-12)
    assert 0 <= missed[-1] < missed[0] / 20


def test_a_barrier_that_a_closer_look_finds() -> None:
    hop = point_hop((LEFT, 0.0, 0.0), (RIGHT, 0.0, 0.0))
    settings = BarrierSettings(band=COARSE)
    far = find_barrier(hop, calculator=polynomial(CURVE), settings=settings)
    assert far.verdict == "unconverged"
    assert far.forward_barrier_eV is None
    near = find_barrier(hop, calculator=polynomial(CURVE), settings=replace(settings, zooms=6))
    assert near.verdict == "converged", near.reason
    assert near.forward_barrier_eV == pytest.approx(TOP - LOW, abs=1e-3)


def test_a_band_that_is_far_off_is_not_looked_at_closer() -> None:
    hop = point_hop((LEFT, 0.0, 0.0), (RIGHT, 0.0, 0.0))
    strict = BarrierSettings(band=replace(COARSE, fmax_eV_per_A=0.02), zooms=6)
    found = find_barrier(hop, calculator=polynomial(CURVE), settings=strict)
    assert found.verdict == "unconverged"
    assert len(found.energies_eV) == COARSE.images + 2


def test_a_ridge_that_a_closer_look_finds_is_no_barrier() -> None:
    """On the line between the ends the top is a hill of 0.4 eV; the passes beside it are 0.275."""

    def hill(positions: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        x, y, z = positions[0]
        s = np.sin(np.pi * x / 3.0) ** 2
        slope = np.pi / 3.0 * np.sin(2 * np.pi * x / 3.0)
        aside = -y * y + 2.0 * y**4
        force = [slope * (0.4 + aside - y * y), s * (-2 * y + 8 * y**3) + (1 - s) * 2 * y, 2 * z]
        return float(s * (0.4 + aside) + (1 - s) * y * y + z * z), np.array([force])

    band = replace(COARSE, images=2, max_steps=40)
    settings = BarrierSettings(band=band, zooms=8)
    hop = point_hop((0.0, 0.0, 0.0), (3.0, 0.0, 0.0))
    found = find_barrier(hop, calculator=Analytic(hill), settings=settings)
    assert found.forward_barrier_eV is None, "so coarse a band converges on the ridge only"
    assert np.abs(found.positions[:, 0, 1]).max() > 0.1, "it was pushed off"


def test_zooms_cannot_be_negative() -> None:
    with pytest.raises(ProtocolError, match="zooms zero or more"):
        BarrierSettings(zooms=-1)
