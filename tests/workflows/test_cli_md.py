"""`superionic md` and `superionic analyse` on a box of argon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import argon
import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from commands import START, refused, superionic

from superionic.workflows.md_stop import LEFT_EARLY
from superionic.workflows.md_xtc import xtc_frames
from superionic.workflows.serialise import decode, read_json

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = (
    "--temperature", 120, "--pressure", 50, "--anneal-steps", 200, "--equilibrate-steps", 2000,
    "--frame-steps", 20, "--chunk-steps", 200, "--platform", "Reference", "--no-progress",
)  # fmt: skip


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("box")
    argon.argon().save(folder)
    said = superionic("md", "run", folder, "--steps", 1000, *OPTIONS)
    assert said.code == 0, said.err
    assert "production" in said.out
    assert "density: " in said.out
    return folder


def test_status_and_extension(box: Path) -> None:
    status = superionic("md", "status", box, "--json").json
    assert status["finished"] is True
    assert [s["state"] for s in status["stages"]] == ["done"] * 5
    frames = status["stages"][-1]["frames"]
    assert frames >= 50
    assert status["stages"][-1]["time_ps"] == pytest.approx(4.0e-3 * 20 * frames)
    assert status["stages"][-1]["platform"] == "Reference"
    judged = {e["name"] for e in status["equilibration"]}
    assert judged == {"density", "potential energy"}
    said = superionic(
        "md", "extend", box, "--steps", 200, "--platform", "Reference", "--no-progress", "--json"
    )
    assert said.json["stages"][-1]["frames"] == frames + 10


def test_trajectory_is_analysed(box: Path, tmp_path: Path) -> None:
    status = superionic("md", "status", box, "--json").json
    files = (status["trajectory"], "--top", status["topology"])
    rdf = superionic(
        "analyse", "rdf", *files, "--sel", "name Ar", "--to", "name Ar", "--bin", 0.25,
        "-o", tmp_path, "--json",
    ).json  # fmt: skip
    assert rdf["peak_ang"] == pytest.approx(3.8, abs=0.4)
    stored = decode(read_json(tmp_path / "rdf.json"))
    assert stored["rdf"].frames == rdf["frames"]
    assert stored["shell"].peak_ang == rdf["peak_ang"]
    msd = superionic("analyse", "msd", *files, "--sel", "element Ar", "-o", tmp_path)
    assert msd.code == 0
    assert "no D" in msd.out
    assert {p.name for p in tmp_path.iterdir()} == {
        f"{stem}.{kind}" for stem in ("rdf", "msd") for kind in ("png", "svg", "csv", "json")
    }
    assert decode(read_json(tmp_path / "msd.json"))["diffusivity"].D_cm2_s is None
    refused(superionic("analyse", "msd", *files, "--sel", "element Na"))
    unknown = refused(superionic("analyse", "msd", *files, "--sel", "resname XYZ"))
    assert "'resname XYZ' selects no atoms" in unknown
    assert "residues: AR" in unknown


def test_diffusion_of_extended_xyz(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    walk = 10.0 + np.cumsum(rng.normal(scale=0.5, size=(300, 16, 3)), axis=0)
    images = [Atoms("Na16", positions=x, cell=[20.0] * 3, pbc=True) for x in walk]
    for atoms in images:
        atoms.wrap()
    write(tmp_path / "run.extxyz", images)
    said = superionic(
        "analyse", "msd", tmp_path / "run.extxyz", "--sel", "element Na", "--dt", 2, "--keep-drift",
        "--json",
    )  # fmt: skip
    found = said.json
    assert found["verdict"] == "diffusive"
    low, high = found["interval_cm2_s"]
    assert low < 0.25 / 2 / 2 * 1e-4 < high
    thinned = superionic(
        "analyse", "msd", tmp_path / "run.extxyz", "--sel", "element Na", "--dt", 2, "--step", 2,
        "--keep-drift", "--json",
    ).json  # fmt: skip
    assert thinned["dt_ps"] == pytest.approx(4.0)
    assert thinned["D_cm2_s"] == pytest.approx(found["D_cm2_s"], rel=0.3)


def test_a_signal_leaves_with_its_code(tmp_path: Path) -> None:
    argon.argon().save(tmp_path)
    words = [*START, "md", "run", tmp_path, "--steps", 10_000_000, *OPTIONS]
    process = subprocess.Popen(
        [str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    commit = tmp_path / "md" / "5-production" / "commit.json"
    for _ in range(600):
        if commit.is_file():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGUSR1)
    out, err = process.communicate(timeout=60)
    assert process.returncode == LEFT_EARLY, err
    assert "interrupted" in out
    assert "stopped by SIGUSR1" in err
    assert "run the same command again" in err
    record = json.loads(commit.read_text())
    frames = [f.step for f in xtc_frames(commit.parent / "trajectory.xtc")]
    assert frames == list(range(20, record["step"] + 1, 20))


def test_refusals(box: Path, tmp_path: Path) -> None:
    assert "no system.xml" in refused(superionic("md", "run", tmp_path, "--steps", 10))
    assert "There is no folder" in refused(superionic("md", "run", tmp_path / "x", "--steps", 10))
    hotter = superionic("md", "run", box, "--steps", 2000, *OPTIONS, "--temperature", 150)
    assert "Start anew in another folder" in refused(hotter)
    assert "holds no run" in refused(superionic("md", "status", tmp_path))
    assert "holds no run" in refused(superionic("md", "extend", tmp_path, "--steps", 10))
