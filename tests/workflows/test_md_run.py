"""A run of argon, killed, stopped, starved of disk and blown up: what was saved stays exact."""

from __future__ import annotations

import os
import resource
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import argon
import numpy as np
import pytest

import superionic.workflows.md_store as store
from superionic.structures.errors import (
    ProtocolError,
    RunFolderError,
    TheoryError,
    TrajectoryError,
    UnstableRunError,
)
from superionic.workflows.md_engine import Engine, read_state
from superionic.workflows.md_handover import read_log, scaled_box
from superionic.workflows.md_run import Progress, extend_md, run_md
from superionic.workflows.md_settings import MDSettings, stages
from superionic.workflows.md_status import md_status
from superionic.workflows.md_system import MDSystem, read_system, usual_timestep_fs
from superionic.workflows.md_xtc import xtc_frames

if TYPE_CHECKING:
    from pathlib import Path

STEPS = 400


class Killed(BaseException):
    """Stands for SIGKILL: no code of the library catches it."""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "md"
    assert argon.run(folder, steps=STEPS).finished
    return folder


def assert_like(folder: Path, unbroken: Path) -> None:
    """The whole run is that of an unbroken one, bit by bit."""
    found, expected = argon.contents(folder), argon.contents(unbroken)
    assert {name: value == expected[name] for name, value in found.items()} == dict.fromkeys(
        expected, True
    )


def test_frames_and_rows_of_an_unbroken_run(unbroken: Path) -> None:
    files = argon.production(unbroken)
    frames = list(xtc_frames(files.trajectory))
    assert [f.step for f in frames] == list(range(10, STEPS + 1, 10))
    assert [f.time_ps for f in frames] == pytest.approx([0.004 * f.step for f in frames], rel=1e-6)
    log = read_log(files.log)
    assert log["step"].tolist() == list(range(20, STEPS + 1, 20))
    assert log["time_ps"] == pytest.approx(0.004 * log["step"])
    volume = read_log(unbroken / "4-equilibrate" / "log.csv")["volume_ang3"]
    assert log["volume_ang3"] == pytest.approx(volume[len(volume) // 2 :].mean(), rel=1e-6)
    assert log["density_g_per_cm3"][0] == pytest.approx(
        27 * 39.948 / 0.602214076 / log["volume_ang3"][0]
    )


def test_temperature_is_the_one_asked_for(tmp_path: Path) -> None:
    """Kinetic energy of 3 N - 3 degrees of freedom, as the motion of the centre is removed."""
    settings = replace(
        argon.settings(), pressure_bar=None, anneal_steps=0, friction_per_ps=20.0, log_steps=10
    )
    run_md(tmp_path / "md", argon.argon(), settings, steps=6000, platform="Reference")
    log = read_log(tmp_path / "md" / "4-production" / "log.csv")
    kelvin = log["temperature_K"][100:]
    assert kelvin.mean() == pytest.approx(120.0, abs=4 * 120.0 * np.sqrt(2 / 78 / 100))


def test_kills_at_every_write_change_nothing(
    unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies behind each single write of a commit, once in every chunk."""
    folder = tmp_path / "md"
    calls = {"count": 0, "deadly": 0}

    def dying(name: str) -> None:
        original = getattr(store, name)

        def wrapped(*words: object, **options: object) -> None:
            original(*words, **options)
            calls["count"] += 1
            if calls["count"] == calls["deadly"]:
                raise Killed

        monkeypatch.setattr(store, name, wrapped)

    for name in ("write_bytes_atomic", "write_json_atomic"):
        dying(name)
    appended = store.StageFolder._append

    def append(self: store.StageFolder, file: Path, content: bytes, size: int) -> int:
        length = appended(self, file, content, size)
        calls["count"] += 1
        if calls["count"] == calls["deadly"]:
            raise Killed
        return length

    monkeypatch.setattr(store.StageFolder, "_append", append)
    kills = 0
    for deadly in range(1, 200):
        calls.update(count=0, deadly=deadly % 7 + 1)
        try:
            end = argon.run(folder, steps=STEPS)
        except Killed:
            kills += 1
            continue
        assert end.finished
        break
    assert kills > 10
    assert_like(folder, unbroken)


def test_sigkill_changes_nothing(unbroken: Path, tmp_path: Path) -> None:
    """Lives of at most a quarter of an unbroken run, so that no fast machine outruns the kills."""
    begun = time.perf_counter()
    argon.run(tmp_path / "timed", steps=STEPS)
    longest = (time.perf_counter() - begun) / 4
    folder = tmp_path / "md"
    kills = argon.kill_until_done(folder, steps=STEPS, kills=3, longest_s=longest, seed=1)
    assert kills >= 1
    assert_like(folder, unbroken)


@pytest.mark.slow
def test_fifty_sigkills_change_nothing(tmp_path: Path) -> None:
    """Lives so short, by the time of the unbroken run, that fifty cannot bring it to its end."""
    steps, begun = 12_000, time.perf_counter()
    argon.run(tmp_path / "unbroken", steps=steps)
    longest = (time.perf_counter() - begun) / 50
    folder = tmp_path / "md"
    kills = argon.kill_until_done(folder, steps=steps, kills=50, longest_s=longest, seed=2)
    assert kills == 50
    assert_like(folder, tmp_path / "unbroken")


def test_signals_save_and_leave(unbroken: Path, tmp_path: Path) -> None:
    """Stopped inside a chunk nothing is lost; frames and rows stand at the same steps after all."""
    folder = tmp_path / "md"
    before = signal.getsignal(signal.SIGTERM)
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.stage == "production" and progress.step >= 130:
            os.kill(os.getpid(), signal.SIGTERM if len(seen) % 2 else signal.SIGUSR1)

    system, settings = argon.argon(), argon.settings()
    end = run_md(folder, system, settings, steps=STEPS, platform="Reference", watch=stop)
    assert not end.finished
    assert end.signal_name in ("SIGTERM", "SIGUSR1")
    assert (end.stage, 130 <= end.step < 200) == ("production", True)
    assert signal.getsignal(signal.SIGTERM) == before
    states = {s.name: s.state for s in md_status(folder).stages}
    assert (states["equilibrate"], states["production"]) == ("done", "interrupted")
    assert argon.run(folder, steps=STEPS).finished
    steps = [f.step for f in xtc_frames(argon.production(folder).trajectory)]
    assert steps == list(range(10, STEPS + 1, 10))
    log = read_log(argon.production(folder).log)
    assert log["step"].tolist() == list(range(20, STEPS + 1, 20))
    assert seen[-1].left_s >= 0
    assert seen[-1].ns_per_day > 0


def test_a_run_is_extended(tmp_path: Path, unbroken: Path) -> None:
    """In whole chunks it is the run that was asked for at once."""
    folder = tmp_path / "md"
    argon.run(folder, steps=200)
    assert extend_md(folder, steps=STEPS - 200, platform="Reference").finished
    assert_like(folder, unbroken)
    argon.run(folder, steps=STEPS)
    assert_like(folder, unbroken)
    with pytest.raises(RunFolderError, match="run of 400 steps of production; 100 were asked for"):
        argon.run(folder, steps=100)


def test_a_full_disk_keeps_all_chunks(unbroken: Path, tmp_path: Path) -> None:
    """Files may not grow beyond some kB: the commit that cannot be written leaves no trace."""
    folder = tmp_path / "md"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = argon.production(unbroken).trajectory.stat().st_size
    limit = size - 500
    largest = max(
        f.stat().st_size for f in unbroken.rglob("*") if f.is_file() and f.suffix != ".xtc"
    )
    assert largest < limit, "the trajectory must be what hits the limit"
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(RunFolderError, match="disk or your share of it is full"):
            argon.run(folder, steps=STEPS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    commit = argon.production(folder).committed()
    assert commit is not None
    assert 0 < commit.step < STEPS
    assert argon.production(folder).trajectory.stat().st_size == commit.trajectory_bytes
    assert argon.run(folder, steps=STEPS).finished
    assert_like(folder, unbroken)


def test_frames_lost_by_others_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "md"
    argon.run(folder, steps=200)
    files = argon.production(folder)
    whole = files.trajectory.read_bytes()
    files.trajectory.write_bytes(whole[:-30])
    with pytest.raises(TrajectoryError, match="cut off in the frame"):
        list(xtc_frames(files.trajectory))
    with pytest.raises(RunFolderError, match=r"bytes where .* were committed"):
        argon.run(folder, steps=300)
    files.trajectory.write_bytes(whole + b"torn frame")
    assert argon.run(folder, steps=300).finished
    assert len(list(xtc_frames(files.trajectory))) == 30


def test_another_run_is_not_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "md"
    argon.run(folder, steps=100)
    with pytest.raises(RunFolderError, match="its forces were other ones") as told:
        argon.run(folder, system=argon.argon(epsilon=1.0))
    assert "Start anew in another folder" in str(told.value)
    with pytest.raises(RunFolderError, match="its atoms were other ones"):
        argon.run(folder, system=argon.argon(2))
    hotter = argon.settings(temperature_K=130.0)
    with pytest.raises(RunFolderError, match=r"temperature K was 120.0, now it is 130.0"):
        run_md(folder, argon.argon(), hotter, steps=200, platform="Reference")
    monkeypatch.setattr("superionic.workflows.md_identity.openmm_version", lambda: "9.0")
    with pytest.raises(RunFolderError, match=r"made with OpenMM 8\..*this is 9.0"):
        argon.run(folder, steps=200)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(RunFolderError, match=r"holds other files \(thesis.tex\)"):
        argon.run(tmp_path)


def test_too_large_a_time_step_keeps_the_last_good_state(tmp_path: Path) -> None:
    folder = tmp_path / "md"
    wild = replace(argon.settings(timestep_fs=500.0), anneal_steps=0, pressure_bar=None)
    with pytest.raises(UnstableRunError, match="time step of 500 fs is too large"):
        run_md(folder, argon.argon(), wild, steps=20_000, platform="Reference")
    last = store.StageFolder(folder / "2-warm-up").committed()
    assert last is not None
    state = read_state((folder / "2-warm-up" / last.state).read_text())
    for values in (state.getPositions(asNumpy=True), state.getVelocities(asNumpy=True)):
        assert np.isfinite(values._value).all()
    with pytest.raises(UnstableRunError, match="last good state is kept"):
        run_md(folder, argon.argon(), wild, steps=20_000, platform="Reference")


def test_systems_that_cannot_be_run(tmp_path: Path) -> None:
    import openmm

    system = argon.argon()
    with pytest.raises(TheoryError, match="no platform 'GPU'"):
        run_md(tmp_path / "a", system, argon.settings(), steps=100, platform="GPU")
    forces = read_system(system.system_xml)
    forces.addForce(openmm.MonteCarloBarostat(1.0, 300.0))
    with_barostat = replace(system, system_xml=openmm.XmlSerializer.serialize(forces))
    with pytest.raises(TheoryError, match="holds a MonteCarloBarostat"):
        argon.run(tmp_path / "b", system=with_barostat)
    held = read_system(system.system_xml)
    held.setParticleMass(0, 0.0)
    with_held = replace(system, system_xml=openmm.XmlSerializer.serialize(held))
    stage = stages(argon.settings(), 100)[-2]
    with pytest.raises(TheoryError, match="held in place"):
        Engine(with_held, stage, platform="Reference", seed=0)
    with pytest.raises(RunFolderError, match=r"no system\.xml and no topology\.pdb"):
        MDSystem.load(tmp_path)


def test_settings_are_checked() -> None:
    with pytest.raises(ProtocolError, match="choose a multiple"):
        MDSettings(frame_steps=300, chunk_steps=1000, log_steps=100)
    with pytest.raises(ProtocolError, match="must be positive"):
        MDSettings(timestep_fs=-2.0)
    names = [s.name for s in stages(MDSettings(anneal_steps=0), 1000)]
    assert names == ["minimise", "warm-up", "equilibrate", "production"]
    assert stages(MDSettings(), 1000)[-1].pressure_bar is None


def test_time_step_follows_masses_and_constraints() -> None:
    import openmm

    water = openmm.System()
    for mass in (16.0, 1.008):
        water.addParticle(mass)
    assert usual_timestep_fs(water) == 1.0
    water.addConstraint(0, 1, 0.1)
    assert usual_timestep_fs(water) == 2.0
    water.setParticleMass(1, 3.024)
    assert usual_timestep_fs(water) == 4.0
    assert usual_timestep_fs(read_system(argon.argon().system_xml)) == 4.0


def test_scaled_boxes_keep_molecules() -> None:
    positions = np.array([[0.1, 0.0, 0.0], [0.3, 0.0, 0.0], [2.0, 1.0, 0.0]])
    moved, cell = scaled_box(positions, np.eye(3) * 3.0, 1.1, [[0, 1], [2]])
    assert moved[1] - moved[0] == pytest.approx([0.2, 0.0, 0.0])
    assert moved[2] == pytest.approx([2.2, 1.1, 0.0])
    assert cell == pytest.approx(np.eye(3) * 3.3)


def test_systems_survive_their_files(tmp_path: Path) -> None:
    system = argon.argon()
    system.save(tmp_path)
    again = MDSystem.load(tmp_path)
    assert again.fingerprints == system.fingerprints
    assert again.positions_ang == pytest.approx(system.positions_ang, abs=2e-3)
    assert again.cell_ang == pytest.approx(np.eye(3) * argon.EDGE)
