"""Campaigns from the command line, with commands that look like those of Slurm."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write
from commands import refused, superionic
from fake_slurm import FakeSlurm

from superionic.workflows.runfolder import read_run
from superionic.workflows.serialise import write_json_atomic
from superionic.workflows.slurm.campaign_file import read_campaign_file
from superionic.workflows.slurm.config import cluster_path
from superionic.workflows.slurm.status import survey

CLUSTER = 'walltime = "00:10:00"\npoll_s = 0.1\ngrace_s = 0.5\n'

CAMPAIGN = """
out = "screening"
cluster = "fake"
structures = ["cells/*.cif"]

[fidelity.quick]
theory = "emt"
fmax = 0.05

[[workflow]]
command = "relax"
fidelity = ["quick"]
"""


@pytest.fixture
def place(tmp_path: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a campaign of three structures, one with an awkward name."""
    path = cluster_path("fake")
    path.parent.mkdir(parents=True)
    path.write_text(CLUSTER)
    here = tmp_path / "it's here"
    (here / "cells").mkdir(parents=True)
    for k, name in enumerate(("al", "al 1", "al $(touch X) \u00fc")):
        atoms = bulk("Al", cubic=True, a=3.9 + 0.1 * k)
        atoms.rattle(0.05, seed=k)
        write(here / "cells" / f"{name}.cif", atoms)
    (here / "camp.toml").write_text(CAMPAIGN)
    monkeypatch.chdir(here)
    return here


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_campaign_goes_on_by_itself(place: Path, slurm: FakeSlurm, tmp_path: Path) -> None:
    """Submit, log out, come back: nobody of ours was alive, and all is done."""
    said = superionic("submit", "camp.toml", "--json")
    assert said.code == 0, said.err
    assert sum(said.json["counts"]["relax"].values()) == 3
    assert "next step is job 2" in said.json["driver"]
    wait_for(lambda: survey(place / "screening").finished)
    assert len(slurm.calls) == 2
    said = superionic("status", "screening")
    assert "nothing left to do" in said.out
    assert sorted(p.name for p in (place / "screening/relax-quick").glob("*.cif")) == [
        "al.cif", "al_1.cif", "al_touch_X_.cif",
    ]  # fmt: skip
    assert not list(tmp_path.rglob("X"))
    local = superionic(
        "relax", *sorted(map(str, (place / "cells").glob("*.cif"))), "--theory", "emt", "--fmax",
        0.05, "--out", "local", "--no-progress", "--workers", 1,
    )  # fmt: skip
    assert local.code == 0, local.err
    for run in ("local/runs", "screening/relax-quick/runs"):
        assert [r.state for r in read_run(place / run)] == ["done"] * 3
    for record in read_run(place / "local/runs"):
        there = place / "screening/relax-quick/runs" / record.key / "result.json"
        assert there.read_bytes() == (Path(record.folder) / "result.json").read_bytes()
    folder = place / "screening/relax-quick/runs" / record.key
    said = superionic("trace", folder / "result.json", "--json")
    assert said.code == 0
    (link,) = said.json
    assert link["submissions"][0]["job"].startswith("1_")
    assert link["submissions"][0]["state"] == "done"
    assert link["intact"] is True
    assert link["versions"]["superionic"]
    (folder / "result.json").write_text((folder / "result.json").read_text() + " ")
    assert superionic("trace", folder).code == 1


def test_failure_is_told_and_resumed(place: Path, slurm: FakeSlurm) -> None:
    """A job cancelled by hand, then `superionic resume`; then the folder is moved."""
    slurm.held = True
    assert superionic("submit", "camp.toml").code == 0
    said = superionic("cancel", "screening")
    assert said.out.startswith("4 jobs cancelled")
    slurm.held = False
    wait_for(slurm.idle)
    told = survey(place / "screening")
    assert told.totals == {"cancelled": 3}
    assert "cancelled" in told.driver
    assert superionic("resume", "screening").code == 0
    wait_for(lambda: survey(place / "screening").finished)
    assert [len(words) for _, words in slurm.calls] == [2] * 4
    shutil.move(place / "screening", place / "moved")
    assert survey(place / "moved").totals == {"done": 3}
    assert survey(place / "moved").finished


def test_dry_run_submits_nothing(place: Path, slurm: FakeSlurm) -> None:
    said = superionic("submit", "--dry-run", "camp.toml", "--json")
    assert said.code == 0, said.err
    assert said.json["core_hours"] == pytest.approx(0.5)
    (planned,) = said.json["jobs"]
    assert planned["tasks"] == 3
    assert "#SBATCH --array=0-2" in Path(planned["script"]).read_text()
    assert slurm.calls == []
    assert survey(place / "screening").totals == {"pending": 3}
    said = superionic("submit", "--dry-run", "camp.toml")
    assert "1 sbatch, 3 tasks, 0.5 core hours asked for at most" in said.out


def test_a_paper_is_submitted_like_any_command(place: Path, slurm: FakeSlurm) -> None:
    said = superionic(
        "submit", "reproduce", "nzsp", "--fidelity", "quick", "--cluster", "fake", "--out", "nz",
        "--dry-run", "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    names = [Path(job["script"]).parent.name.rpartition("-")[0] for job in said.json["jobs"]]
    assert names == ["relax", "rank_orders", "anneal_order"]
    script = Path(said.json["jobs"][2]["script"]).read_text()
    assert "--array=0-" in script
    assert "--dependency=afterok:rank_orders-" in script
    assert slurm.calls == []


def test_driver_job_that_is_missing_is_named(place: Path, slurm: FakeSlurm) -> None:
    said = superionic("submit", "camp.toml", "--driver", "none")
    assert "superionic resume" in said.err
    wait_for(slurm.idle)
    assert len(slurm.calls) == 1
    assert "`superionic resume" in survey(place / "screening").driver
    assert superionic("resume", "screening", "--driver", "none").code == 0
    assert survey(place / "screening").finished
    assert len(slurm.calls) == 1


def test_what_cannot_be_submitted_is_refused(place: Path, slurm: FakeSlurm) -> None:
    assert "known: fake" in refused(superionic("submit", "reproduce", "--cluster", "nowhere"))
    assert superionic("submit", "hops", "x.cif", "--cluster", "fake").code == 2
    assert superionic("submit", "camp.toml", "--cluster", "a b").code == 1
    (place / "camp.toml").write_text(CAMPAIGN.replace("emt", "emd"))
    said = superionic("submit", "camp.toml")
    assert said.code == 1
    assert "emd" in said.err
    (place / "camp.toml").write_text(CAMPAIGN.replace("cells/*.cif", "cells/*.xyz"))
    assert "No file matches" in refused(superionic("submit", "camp.toml"))
    (place / "camp.toml").write_text(CAMPAIGN.replace('"quick"]', '"quikc"]'))
    assert "'quick'" in refused(superionic("submit", "camp.toml"))
    assert slurm.calls == []
    assert "holds no campaign" in refused(superionic("resume", "cells"))
    assert "no tasks" in refused(superionic("status", "cells"))


def test_campaign_file_becomes_command_lines(place: Path) -> None:
    (place / "camp.toml").write_text(
        CAMPAIGN
        + """
[fidelity.good]
theory = "chgnet-0.3.0"

[[workflow]]
command = "barrier"
fidelity = ["quick", "good"]
structures = ["cells/al.cif", "cells/al 1.cif"]
options = { ion = "Al", hop = [1, 2], voids = true, images = 3 }

[[workflow]]
command = "binding"
structures = ["cells/al.cif"]
options = { molecule = "ec", mirror = false }
"""
    )
    plan = read_campaign_file(place / "camp.toml")
    out, cells = str(place / "screening"), str(place / "cells")
    assert plan.folder == place / "screening"
    assert plan.commands[1:] == (
        ("barrier", "--theory=emt", "--fmax=0.05", "--ion=Al", "--hop=1", "--hop=2", "--voids",
         "--images=3", "--out", f"{out}/barrier-quick/al", "--", f"{cells}/al.cif"),
        ("barrier", "--theory=emt", "--fmax=0.05", "--ion=Al", "--hop=1", "--hop=2", "--voids",
         "--images=3", "--out", f"{out}/barrier-quick/al_1", "--", f"{cells}/al 1.cif"),
        ("barrier", "--theory=chgnet-0.3.0", "--ion=Al", "--hop=1", "--hop=2", "--voids",
         "--images=3", "--out", f"{out}/barrier-good/al", "--", f"{cells}/al.cif"),
        ("barrier", "--theory=chgnet-0.3.0", "--ion=Al", "--hop=1", "--hop=2", "--voids",
         "--images=3", "--out", f"{out}/barrier-good/al_1", "--", f"{cells}/al 1.cif"),
        ("binding", "--surface", f"{cells}/al.cif", "--molecule=ec", "--no-mirror", "--out",
         f"{out}/binding/al"),
    )  # fmt: skip


def test_relax_gives_no_energy_without_convergence(place: Path) -> None:
    said = superionic(
        "relax", "cells/al.cif", "cells/al 1.cif", "--theory", "emt", "--max-steps", 1, "--json",
        "--out", "short", "--no-progress", "--workers", 1,
    )  # fmt: skip
    assert said.code == 1
    assert [row["energy_eV"] for row in said.json] == [None, None]
    assert list((place / "short").glob("*.cif")) == []


def test_cluster_is_tried_out(place: Path, slurm: FakeSlurm) -> None:
    path = cluster_path("fake")
    path.write_text(CLUSTER + 'scratch = "$HOME"\n[codes]\nvasp = "srun -n 4 no_such_vasp"\n')
    said = superionic("cluster", "test", "fake", "--json")
    assert said.code == 1
    assert "Something is missing" in said.err
    found = {f["name"]: f for f in said.json}
    assert found["vasp"]["ok"] is False
    assert "no_such_vasp" in found["vasp"]["todo"]
    assert found["libraries"]["ok"]
    assert found["sbatch"]["ok"]
    path.write_text(CLUSTER + 'python = "/no/such/python"\n')
    said = superionic("cluster", "test", "fake")
    assert said.code == 1
    assert "died before Python could look around" in said.err
    assert "/no/such/python: No such file" in said.err


def test_status_of_ten_thousand_tasks_is_quick(tmp_path: Path) -> None:
    """Some done, some failed, some not started; under 3 s, others' use of the cores left out."""
    run = tmp_path / "run"
    for k in range(10_000):
        folder = run / f"relax-{k:016x}"
        folder.mkdir(parents=True)
        (folder / "inputs.json").write_text("{}")
        if k % 10 < 8:
            (folder / "result.json").write_text("{}")
        elif k % 10 == 8:
            (folder / "error.json").write_text('{"state": "timeout", "message": "too long"}')
    write_json_atomic(run / "run.log", {})
    began = time.process_time()
    said = superionic("status", run)
    spent = time.process_time() - began
    assert "8000" in said.out
    assert "and 970 more" in said.out
    assert spent < 3.0
