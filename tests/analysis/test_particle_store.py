"""Positions kept particle by particle, in memory or on disk, come back as they were put in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.mean_squared_displacement import mean_squared_displacement
from superionic.analysis.particle_store import ParticleStore, by_particle
from superionic.structures.errors import TrajectoryError

X = np.cumsum(np.random.default_rng(0).normal(size=(300, 7, 3)), axis=0)


@pytest.mark.parametrize("memory", [0, 10**9], ids=["file", "memory"])
def test_frames_come_back(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("superionic.analysis.particle_store.BUFFER_BYTES", 7 * 3 * 8 * 11)
    store = ParticleStore(400, 7, memory_bytes=memory)
    for frame in X:
        store.add(frame)
    found = store.positions()
    assert isinstance(found, np.memmap) == (memory == 0)
    np.testing.assert_array_equal(found, X)
    assert found.strides[0] < found.strides[1]


def test_a_file_that_grew_is_named() -> None:
    store = ParticleStore(1, 7)
    store.add(X[0])
    with pytest.raises(TrajectoryError, match="grew while it was read"):
        store.add(X[1])


def test_mapped_files_are_turned_round_once(tmp_path: Path) -> None:
    file = tmp_path / "x.bin"
    X.astype(np.float32).tofile(file)
    mapped = np.memmap(file, dtype=np.float32, mode="r", shape=X.shape)
    assert by_particle(X, memory_bytes=0) is X
    assert by_particle(mapped) is mapped
    turned = by_particle(mapped, memory_bytes=0)
    assert turned.dtype == np.float32
    np.testing.assert_array_equal(turned, mapped)
    assert by_particle(turned, memory_bytes=0) is turned


def test_results_from_a_mapped_file_are_those_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.bin"
    X.tofile(file)
    mapped = np.memmap(file, dtype=np.float64, mode="r", shape=X.shape)
    monkeypatch.setattr("superionic.analysis.mean_squared_displacement.BLOCK_BYTES", 50_000)
    monkeypatch.setattr("superionic.analysis.particle_store.MEMORY_BYTES", 0)
    for estimator in ("fft", "direct"):
        a, b = (
            mean_squared_displacement(x, dt_ps=1.0, estimator=estimator, block_bytes=50_000)
            for x in (X, mapped)
        )
        assert b.msd_ang2 == pytest.approx(a.msd_ang2, rel=1e-12)
    assert self_diffusion(mapped, dt_ps=1.0).msd_ang2 == pytest.approx(
        self_diffusion(X, dt_ps=1.0).msd_ang2, rel=1e-12
    )
