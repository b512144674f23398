"""Independent packages on the same data: kinisi on its shipped example, mdcraft for L_ij.

Neither is a dependency; the tests are left out where they are not installed.
"""

from __future__ import annotations

import gzip
import importlib
import warnings
from pathlib import Path
from typing import Any

import made_ions as made
import numpy as np
import pytest
from scipy.constants import Avogadro

from superionic.analysis.diffusion import mean_squared_displacement, self_diffusion
from superionic.analysis.followed_particles import follow_particles, particles_of
from superionic.analysis.trajectory import Trajectory, read
from superionic.analysis.transport import onsager


def peer(name: str) -> Any:
    """Import a package, or leave the test out; what it warns of is its own affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


DT_PS = 0.1
LAGS = (1, 2, 5, 10, 20, 40)


@pytest.fixture(scope="module")
def argyrodite(tmp_path_factory: pytest.TempPathFactory) -> Trajectory:
    """140 frames of Li6PS5Cl, 192 Li, that kinisi tests itself with."""
    kinisi = peer("kinisi")
    packed = Path(kinisi.__file__).parent / "tests/inputs/example_XDATCAR.gz"
    if not packed.exists():
        pytest.skip("this kinisi comes without its example data")
    path = tmp_path_factory.mktemp("kinisi") / "XDATCAR"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return read(path, dt_ps=DT_PS)


@pytest.fixture(scope="module")
def theirs(argyrodite: Trajectory) -> Any:
    """Their analysis at some lags: all lags would take minutes."""
    analyse, sc = peer("kinisi.analyze"), peer("scipp")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pymatgen.io.vasp import Xdatcar

        return analyse.DiffusionAnalyzer.from_xdatcar(
            Xdatcar(argyrodite.source), specie="Li", time_step=sc.scalar(DT_PS, unit="ps"),
            step_skip=sc.scalar(1), progress=False,
            dt=sc.array(dims=["time interval"], values=DT_PS * np.array(LAGS), unit="ps"),
        )  # fmt: skip


def lithium(trajectory: Trajectory) -> tuple[Any, Any]:
    """Continuous positions of Li, and the path that kinisi subtracts: the mean of all others."""
    followed = follow_particles(
        trajectory,
        {
            "Li": particles_of(trajectory, "element Li"),
            "rest": particles_of(trajectory, "not element Li"),
        },
    )
    rest = followed.positions["rest"].mean(axis=1)
    return followed.positions["Li"], rest - rest[0]


def test_kinisi_finds_the_same_displacements(argyrodite: Trajectory, theirs: Any) -> None:
    """They count the first frame twice: a step of zero before it."""
    x, drift = (np.concatenate([part[:1], part]) for part in lithium(argyrodite))
    ours = mean_squared_displacement(x, dt_ps=DT_PS, drift_ang=drift, estimator="direct", lags=LAGS)
    assert ours.particles == 192
    assert ours.msd_ang2 == pytest.approx(np.asarray(theirs.msd.values), rel=1e-4)


def test_kinisi_finds_a_diffusion_coefficient_within_the_intervals(
    argyrodite: Trajectory, theirs: Any
) -> None:
    """Where motion is diffusive at all; both in cm2/s."""
    sc = peer("scipp")
    x, drift = lithium(argyrodite)
    ours = self_diffusion(x, dt_ps=DT_PS, drift_ang=drift)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.diffusion(start_dt=sc.scalar(0.5, unit="ps"), progress=False)
    drawn = np.asarray(theirs.D.values) * 1e-4  # A^2/ps
    low, high = np.quantile(drawn, [0.025, 0.975])
    if ours.interval_cm2_s is None:
        assert ours.loglog_slope is not None
        assert ours.loglog_slope < 1.0
    else:
        assert ours.interval_cm2_s[0] < high
        assert low < ours.interval_cm2_s[1]


def test_mdanalysis_finds_the_same_displacements_in_kinisis_data(argyrodite: Trajectory) -> None:
    from MDAnalysis import Universe

    msd = importlib.import_module("MDAnalysis.analysis.msd")
    x, _ = lithium(argyrodite)
    universe = Universe.empty(x.shape[1], trajectory=True)
    universe.load_new(np.asarray(x, dtype=np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = msd.EinsteinMSD(universe, fft=False).run().results.timeseries
    ours = mean_squared_displacement(x, dt_ps=DT_PS)
    assert ours.msd_ang2 == pytest.approx(found[1 : len(ours.msd_ang2) + 1], rel=1e-4)


@pytest.mark.parametrize("name", ["independent", "correlated"])
def test_mdcraft_finds_the_same_onsager_coefficients(name: str) -> None:
    """From slopes of collective displacements between 5 and 40 ps of a long run."""
    transport = peer("mdcraft.analysis.transport")
    from MDAnalysis import Universe

    paths = getattr(made, name)(np.random.default_rng(5), frames=8000, ions=10)
    side = made.VOLUME_ANG3 ** (1 / 3)
    universe = Universe.empty(20, trajectory=True)
    universe.load_new(
        np.concatenate([paths["Na"], paths["X"]], axis=1).astype(np.float32),
        dimensions=[side, side, side, 90, 90, 90],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = transport.Onsager(
            (universe.atoms[:10], universe.atoms[10:]), temperature=made.TEMPERATURE_K,
            charges=np.array([1.0, -1.0]), dt=made.DT_PS, verbose=False,
        ).run()  # fmt: skip
        found.calculate_transport_coefficients(5, 40, "linear")
    per_J_cm_s = Avogadro / 1000.0 * 1e8 * 1e12
    theirs = np.asarray(found.results.L_ij)[0] * per_J_cm_s
    ours = onsager(
        paths, charges={"Na": 1.0, "X": -1.0}, dt_ps=made.DT_PS,
        temperature_K=made.TEMPERATURE_K, volume_ang3=made.VOLUME_ANG3,
    )  # fmt: skip
    assert ours.L_per_J_cm_s is not None
    scale = np.sqrt(np.outer(np.diag(ours.L_per_J_cm_s), np.diag(ours.L_per_J_cm_s)))
    assert np.abs(theirs - ours.L_per_J_cm_s).max() < 0.12 * scale.min()
    selves = np.asarray(found.results.L_ii_self)[0] * per_J_cm_s
    for name_, value in zip(ours.species, selves, strict=True):
        assert ours.self_part(name_).get() == pytest.approx(value, rel=0.05)
