"""The split of Coulomb sums: that of OpenMM, told to every code."""

from __future__ import annotations

import math

import numpy as np
import openmm
import pytest
from small_boxes import salt_box

from superionic.inputs.ewald import (
    GROMACS_ORDER,
    direct_tolerance,
    mesh_points,
    mesh_spacing_ang,
    splitting_per_ang,
)
from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.md_options import MDOptions
from superionic.inputs.openmm import build_system


@pytest.mark.parametrize("tolerance", [5e-3, 5e-4, 1e-5, 1e-7])
def test_split_is_what_openmm_takes(tolerance: float) -> None:
    box = assign_parameters(salt_box(), charge_scale=0.8)
    options = MDOptions(ewald_tolerance=tolerance)
    system = build_system(box, options)
    force = next(f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    alpha, *points = force.getPMEParametersInContext(context)
    assert splitting_per_ang(options) == pytest.approx(alpha / 10, rel=1e-12)
    least = np.ceil(box.box.edges_ang / mesh_spacing_ang(options))
    for ours, theirs, n in zip(mesh_points(box.box.edges_ang, options), points, least, strict=True):
        assert theirs >= n
        assert n <= ours <= 1.2 * max(n, 6)


def test_mesh_has_small_factors_and_is_no_coarser() -> None:
    options = MDOptions()
    for edge in np.linspace(15.0, 80.0, 40):
        (n,) = mesh_points(np.array([edge]), options)
        assert edge / n <= mesh_spacing_ang(options)
        assert max(p for p in range(2, n + 1) if n % p == 0 and all(p % q for q in range(2, p))) < 7


def test_tighter_is_finer_and_orders_meet_at_the_default() -> None:
    default, tight = MDOptions(), MDOptions(ewald_tolerance=1e-6)
    assert direct_tolerance(default) == pytest.approx(math.erfc(math.sqrt(math.log(1e3))))
    assert direct_tolerance(tight) < 1e-3 * direct_tolerance(default) * 5
    four = mesh_spacing_ang(default, order=GROMACS_ORDER)
    assert four == pytest.approx(mesh_spacing_ang(default))
    ratio = mesh_spacing_ang(tight, order=GROMACS_ORDER) / mesh_spacing_ang(tight)
    assert ratio == pytest.approx((1e-6 / 5e-4) ** (1 / 4 - 1 / 5))
