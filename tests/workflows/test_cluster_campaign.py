"""Campaigns from the command line, with commands that look like those of Slurm."""

from __future__ import annotations

import re
import shlex
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import argon
import pytest
from ase.build import bulk
from ase.io import write
from commands import refused, superionic
from fake_slurm import HANGING, FakeSlurm

from superionic.inputs.protocol import load_protocol
from superionic.workflows.jobs import Resources
from superionic.workflows.md_stop import LEFT_EARLY
from superionic.workflows.papers import PAPERS
from superionic.workflows.runfolder import read_run
from superionic.workflows.serialise import write_json_atomic
from superionic.workflows.slurm.campaign_file import read_campaign_file
from superionic.workflows.slurm.client import QueueEntry
from superionic.workflows.slurm.cluster_file import cluster_path
from superionic.workflows.slurm.command_line import check_words, each_paper
from superionic.workflows.slurm.placement import Planned
from superionic.workflows.slurm.records import SLURM, Batch, write_batch
from superionic.workflows.slurm.status import survey
from superionic.workflows.slurm.supervise import START_TIME
from superionic.workflows.walltime import WALLTIME

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


def of_tasks(slurm: FakeSlurm) -> list[list[str]]:
    """Words of each sbatch but those of drivers, of which there are as many as it takes."""
    return [words for folder, words in slurm.calls if ".campaign" not in Path(folder).parts]


def test_campaign_goes_on_by_itself(place: Path, slurm: FakeSlurm, tmp_path: Path) -> None:
    """Submit, log out, come back: nobody of ours was alive, and all is done."""
    said = superionic("submit", "camp.toml", "--json")
    assert said.code == 0, said.err
    assert sum(said.json["counts"]["relax"].values()) == 3
    assert "next step is job 2" in said.json["driver"]
    wait_for(lambda: survey(place / "screening").finished)
    assert len(of_tasks(slurm)) == 1
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
    assert len(superionic("trace", "screening", "--json").json) == 3
    (folder / "result.json").write_text((folder / "result.json").read_text() + " ")
    assert superionic("trace", folder).code == 1
    assert superionic("trace", "screening").code == 1
    assert "holds no results" in refused(superionic("trace", "cells"))


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
    assert of_tasks(slurm) == [["--parsable", "job.sh"]] * 2
    shutil.move(place / "screening", place / "moved")
    assert survey(place / "moved").totals == {"done": 3}
    assert survey(place / "moved").finished
    assert "was moved or copied from" in refused(superionic("resume", "moved"))


def test_core_hours_count_ranks_and_need_a_walltime(tmp_path: Path) -> None:
    asked = Resources(cpus=2, ranks=8, walltime_s=1800)
    assert Planned(tmp_path, 3, asked).core_hours == pytest.approx(24.0)
    assert Planned(tmp_path, 3, Resources(cpus=2)).core_hours is None


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


def test_other_papers_are_submitted_or_refused(place: Path, slurm: FakeSlurm) -> None:
    words = ("reproduce", "--out", "nzsp", "mof", "latp", "--workers=1", "mof")
    assert each_paper(words) == (
        ("reproduce", "mof", "--out", "nzsp", "--workers=1"),
        ("reproduce", "latp", "--out", "nzsp", "--workers=1"),
    )
    assert [c[1] for c in each_paper(("reproduce", "-o", "x"))] == list(PAPERS)
    assert each_paper(("relax", "a", "b")) == (("relax", "a", "b"),)
    for paper, first in (("latp", "relax"), ("mof", "node_relax")):
        said = superionic(
            "submit", "reproduce", paper, "--cluster", "fake", "--out", paper, "--dry-run", "--json"
        )
        assert said.code == 0, said.err
        names = [Path(job["script"]).parent.name.rpartition("-")[0] for job in said.json["jobs"]]
        assert first in names
    said = superionic("submit", "reproduce", "no-paper", "--cluster", "fake", "--out", "x")
    assert said.code == 1
    assert "there is no paper no-paper; known: nzsp" in said.err
    assert slurm.calls == []


def test_protocol_of_ones_own_travels_along(place: Path, slurm: FakeSlurm) -> None:
    (place / "mine.toml").write_text("extends = 'nzsp-quick'\n[ordered]\nsurface_hops = 2\n")
    words = ("reproduce", "nzsp", "--fidelity", "mine.toml", "--out", "nz")
    said = superionic("submit", *words, "--cluster", "fake", "--dry-run", "--json")
    assert said.code == 0, said.err
    kept = load_protocol(place / "nz/protocol.toml")
    assert (kept.fidelity, kept.settings["ordered"]["surface_hops"]) == ("own", 2)
    assert kept.settings["ordered"]["bulk_hops"] == 1
    (place / "mine.toml").write_text("extends = 'nzsp-quick'\n[ordered]\nsurface_hops = 3\n")
    assert "belongs to other inputs" in superionic("submit", *words, "--cluster", "fake").err
    (place / "mine.toml").write_text("extends = 'nzsp-quick'\n[ordered]\nsurface_hopps = 3\n")
    assert "surface_hopps" in superionic("submit", *words, "--cluster", "fake").err
    assert superionic("submit", *words[:1], *words[2:], "--cluster", "fake").code == 1
    assert superionic("submit", "reproduce", "--fidelity", "best", "--cluster", "fake").code == 2
    assert slurm.calls == []


def test_whole_commands_share_an_array(place: Path, slurm: FakeSlurm) -> None:
    """Two boxes of argon: the same trajectories as here, in one sbatch; each says its speed."""
    for name, depth in (("it's 1", 0.9), ("it's 2", 1.1)):
        (place / "boxes" / name).mkdir(parents=True)
        argon.argon(epsilon=depth).save(place / "boxes" / name)
    options = {
        "steps": 200, "temperature": 120.0, "pressure": 50.0, "anneal_steps": 100,
        "equilibrate_steps": 200, "frame_steps": 20, "chunk_steps": 100, "platform": "Reference",
    }  # fmt: skip
    listed = ", ".join(f"{k} = {v!r}" for k, v in options.items())
    (place / "camp.toml").write_text(
        f"out = 'md'\ncluster = 'fake'\n[[workflow]]\ncommand = 'md run'\n"
        f"structures = ['boxes/*']\noptions = {{{listed}}}\n"
    )
    said = superionic("submit", "camp.toml")
    assert said.code == 0, said.err
    wait_for(lambda: survey(place / "md").finished)
    assert len(of_tasks(slurm)) == 1
    assert survey(place / "md").totals == {"done": 2}
    words = [word for k, v in options.items() for word in (f"--{k.replace('_', '-')}", v)]
    for label, name in (("it_s_1", "it's 1"), ("it_s_2", "it's 2")):
        told = superionic("md", "run", place / "boxes" / name, "--out", place / label, *words,
                          "--no-progress")  # fmt: skip
        assert told.code == 0
        assert argon.contents(place / "md/md-run" / label) == argon.contents(place / label)


def test_watching_ends_with_the_campaign(place: Path, slurm: FakeSlurm) -> None:
    assert superionic("submit", "camp.toml").code == 0
    said = superionic("status", "screening", "--watch", 0.2)
    assert said.out.count("superionic relax") > 1
    assert said.out.rstrip().endswith("nothing left to do")


def test_folder_of_another_version_is_refused(place: Path, slurm: FakeSlurm) -> None:
    slurm.held = True
    assert superionic("submit", "camp.toml").code == 0
    path = place / "screening/.campaign/campaign.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 9'))
    for words in (("status", "screening"), ("resume", "screening"), ("submit", "camp.toml")):
        assert "was written by superionic" in superionic(*words).err


def test_silent_controller_is_told_within_seconds(
    place: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of Slurm are there and never answer: ours say so, and change nothing."""
    slurm.held = True
    assert superionic("submit", "camp.toml").code == 0
    before = {p: p.read_bytes() for p in (place / "screening").rglob("*") if p.is_file()}
    for module in ("client", "status"):
        monkeypatch.setattr(f"superionic.workflows.slurm.{module}.PROBE_S", 1.0)
    slurm.hang()
    began = time.monotonic()
    relax = ("relax", "cells/al.cif", "--theory", "emt", "--out", "new", "--cluster", "fake")
    for words in (
        ("submit", *relax), ("submit", "camp.toml"), ("resume", "screening"),
        ("cluster", "test", "fake"), ("cancel", "screening"),
    ):  # fmt: skip
        message = refused(superionic(*words))
        assert "Slurm does not answer: squeue did not answer in 1 s. See what" in message
    assert "jobs in the queue go on" in message
    said = superionic("status", "screening")
    assert (said.code, said.err.count("queue could not be asked")) == (0, 1)
    assert superionic("submit", "--dry-run", *relax).code == 0
    assert time.monotonic() - began < 30.0
    assert {p: p.read_bytes() for p in before} == before
    assert len(slurm.calls) == 2
    assert not hanging(), "a command was left behind"


def hanging() -> list[str]:
    """Processes of commands that never answer."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(path.read_bytes().replace(b"\0", b" ").decode().strip())
    return [line for line in lines if line == HANGING]


def test_mistake_does_not_block_its_folder(place: Path, slurm: FakeSlurm) -> None:
    """A wrong name is told once and may be corrected; what was submitted keeps its folder."""
    slurm.held = True
    words = ("--theory", "emt", "--out", "it's out", "--cluster", "fake")
    for wrong in ("cells/all.cif", "cells/ale.cif"):
        said = superionic("submit", "relax", wrong, *words)
        assert said.code == 1
        assert said.err.count("error: There is no structure file") == 1
        assert "nothing goes on" in said.out
    assert superionic("submit", "relax", "cells/al.cif", *words).code == 0
    assert survey(place / "it's out").totals == {"queued": 1}
    message = refused(superionic("submit", "relax", "cells/al 1.cif", *words))
    assert "holds another campaign: relax cells/al.cif" in message
    more = ("submit", "--dry-run", "relax", "cells/al 1.cif", *words)
    assert refused(superionic(*more)) == message
    (command,) = re.findall(r"`superionic (resume .*)`", message)
    assert shlex.split(command) == ["resume", str(place / "it's out")]
    (place / "mine.toml").write_text(CLUSTER)
    assert "name the file here: ./mine.toml" in refused(superionic("cluster", "test", "mine"))


def test_driver_job_that_is_missing_is_named(place: Path, slurm: FakeSlurm) -> None:
    said = superionic("submit", "camp.toml", "--driver", "none")
    assert "superionic resume" in said.err
    wait_for(slurm.idle)
    assert len(slurm.calls) == 1
    assert "`superionic resume" in survey(place / "screening").driver
    (place / "screening/.campaign/legs.json").unlink()  # as after a submit that was killed
    assert "no next step is in the queue" in survey(place / "screening").driver
    assert superionic("resume", "screening", "--driver", "none").code == 0
    assert survey(place / "screening").finished
    assert len(slurm.calls) == 1


def test_what_cannot_be_submitted_is_refused(place: Path, slurm: FakeSlurm) -> None:
    assert "known: fake" in refused(superionic("submit", "reproduce", "--cluster", "nowhere"))
    assert superionic("submit", "hops", "x.cif", "--cluster", "fake").code == 2
    assert superionic("submit", "camp.toml", "--cluster", "a b").code == 1
    for words in (
        ("relax", "cells/al.cif", "--fmax", "small", "--out", "x"),
        ("relax", "cells/al.cif", "--fmaxx", "0.1", "--out", "x"),
        ("relax", "cells/al.cif"),
        ("md", "run", "cells", "--out", "x"),
        ("md", "status", "cells", "--out", "x"),
        ("box", "x.toml", "--out", "x"),
    ):
        assert superionic("submit", *words, "--cluster", "fake").code == 2, words
    (place / "camp.toml").write_text(CAMPAIGN.replace("emt", "emd"))
    said = superionic("submit", "camp.toml")
    assert said.code == 1
    assert "emd" in said.err
    (place / "camp.toml").write_text(CAMPAIGN.replace("fmax = 0.05", "imagess = 3"))
    assert superionic("submit", "camp.toml").code == 2
    (place / "camp.toml").write_text(CAMPAIGN.replace("cells/*.cif", "cells/*.xyz"))
    assert "No file matches" in refused(superionic("submit", "camp.toml"))
    (place / "camp.toml").write_text(CAMPAIGN.replace('"quick"]', '"quikc"]'))
    assert "'quick'" in refused(superionic("submit", "camp.toml"))
    again = CAMPAIGN + CAMPAIGN[CAMPAIGN.index("[[workflow]]") :]
    (place / "camp.toml").write_text(again)
    message = refused(superionic("submit", "camp.toml"))
    assert "Two tables [[workflow]] would write into relax-quick. Give one" in message
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

[[workflow]]
command = "structure order"
structures = ["nzsp", "cells/al.cif"]
options = { moves = 5 }

[[workflow]]
command = "run"
structures = ["decks/*"]

[[workflow]]
command = "barrier"
structures = ["cells/al.cif"]
whole = true
options = { ion = "Al" }
"""
    )
    for name in ("a b", "c.d"):
        (place / "decks" / name).mkdir(parents=True)
        (place / "decks" / name / "INCAR").touch()
    (place / "decks/empty").mkdir()
    plan = read_campaign_file(place / "camp.toml")
    assert plan.whole == {6, 7, 9}
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
        ("structure", "order", "--moves=5", "--out", f"{out}/structure-order/nzsp.cif",
         "--", "nzsp"),
        ("structure", "order", "--moves=5", "--out", f"{out}/structure-order/al.cif", "--",
         f"{cells}/al.cif"),
        ("run", "--out", f"{out}/run", "--", f"{place}/decks/a b", f"{place}/decks/c.d"),
        ("barrier", "--ion=Al", "--out", f"{out}/barrier/al", "--", f"{cells}/al.cif"),
    )  # fmt: skip
    for words in plan.commands:
        check_words(words)


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


def test_collect_finds_all_without_a_driver(place: Path, slurm: FakeSlurm) -> None:
    """Submits nothing; gives the tables of the commands whose results are there."""
    slurm.held = True
    assert superionic("submit", "camp.toml", "--driver", "none").code == 0
    said = superionic("collect", "screening")
    assert said.code == 1
    assert "relax -> relax-quick: waiting" in said.out
    slurm.held = False
    wait_for(slurm.idle)
    said = superionic("collect", "screening")
    assert said.code == 0, said.err
    assert said.out.count("converged") == 3
    assert (place / "screening/relax-quick/relaxed.csv").exists()
    assert superionic("collect", "screening", "--json").json["counts"] == {"relax": {"done": 3}}
    assert not list(place.rglob("slurm-dry-run"))
    assert len(slurm.calls) == 1


def test_dynamics_leave_before_the_walltime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is saved when a tenth of it is left; the next job goes on."""
    argon.argon().save(tmp_path)
    monkeypatch.setenv(START_TIME, str(time.time()))
    monkeypatch.setenv(WALLTIME, "4")
    words = ("md", "run", tmp_path, "--steps", 10**7, "--anneal-steps", 50, "--equilibrate-steps",
             50, "--frame-steps", 1000, "--chunk-steps", 1000, "--no-progress", "--pressure", 50,
             "--temperature", 120, "--platform", "Reference")  # fmt: skip
    said = superionic(*words)
    assert said.code == LEFT_EARLY
    assert "the end of the walltime" in said.err
    assert superionic("md", "status", tmp_path, "--json").json["finished"] is False


@pytest.mark.slow
def test_status_of_ten_thousand_jobs_is_quick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of them wait in arrays, a quarter runs, a quarter has failed."""
    run, queue = tmp_path / "run", {}
    for first in range(0, 10_000, 500):
        keys = tuple(f"relax-{k:016x}" for k in range(first, first + 500))
        batch = Batch(
            run / SLURM / f"relax-{first}", keys, (0,) * 500, Resources(), "s", array=True
        )
        for key in keys:
            (run / key).mkdir(parents=True)
            (run / key / "inputs.json").write_text("{}")
        write_batch(batch, "#!/bin/bash\n")
        (batch.folder / "sbatch.id").write_text(f"{first}\n")
        for k, key in enumerate(keys):
            name = f"{first}_{k}"
            if k % 4 < 2:
                queue[name] = QueueEntry(name, "PENDING", "Priority", batch.name)
            elif k % 4 == 2:
                queue[name] = QueueEntry(name, "RUNNING", "None", batch.name)
                (run / key / "progress.json").write_text('{"step": 3, "fmax": 0.1}')
            else:
                (batch.folder / f"{k}.ended.json").write_text('{"state": "timeout"}')
    monkeypatch.setattr("superionic.workflows.slurm.status.ask_queue", lambda: (queue, ""))
    began = time.process_time()
    said = superionic("status", run)
    spent = time.process_time() - began
    assert "5000" in said.out
    assert "step 3 fmax 0.100 eV/A" in said.out
    assert spent < 3.0


def test_example_is_a_campaign() -> None:
    plan = read_campaign_file(Path(__file__).parents[2] / "examples/campaign.toml")
    assert len(plan.commands) == 2 + 2 + 2
    assert plan.whole == {4, 5}
    for words in plan.commands:
        check_words(words)
