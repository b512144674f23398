"""The command line as a whole: how it starts, fails and ends; what it lists."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import START, Said, refused, superionic

from superionic.workflows.cli_errors import INTERRUPTED, PIPE_CLOSED
from superionic.workflows.papers.nzsp import PAPER
from superionic.workflows.papers.summary import ReproductionSummary


def test_help_is_quick() -> None:
    """CPU time, so that a busy machine does not fail the test; less than the asked-for 0.5 s."""
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*START, "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert sorted(spent)[1] < 0.5


@pytest.mark.parametrize(
    "words",
    [
        [], ["reproduce"], ["hops"], ["barrier"], ["report"], ["theories"], ["structure"],
        ["structure", "check"], ["structure", "order"], ["structure", "slab"],
        ["structure", "list"], ["protocol"], ["protocol", "show"], ["protocol", "list"],
    ],
)  # fmt: skip
def test_help_of_each_command(words: list[str]) -> None:
    said = superionic(*words, "--help")
    assert said.code == 0
    assert " ".join(["Usage: superionic", *words]) in said.out


def test_version() -> None:
    from superionic import __version__

    assert superionic("--version") == Said(0, f"superionic {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hop"], "Did you mean 'hops'?"),
        (["hops", "al.cif"], "Missing option '--ion'"),
        (["hops", "al.cif", "--ion", "Al", "--mechanism", "jump"], "vacancy"),
        (["structure", "slab", "al.cif", "--miller", "0", "0"], "--miller"),
        (["structure", "slab", "mfi", "--miller", "0", "0", "1"], "--out"),
        (["structure", "check", "mfi", "--oxidation-state", "Si"], "SYMBOL=CHARGE"),
        (["structure", "check", "mfi", "--oxidation-state", "Si=nan"], "SYMBOL=CHARGE"),
        (["structure", "check", "mfi", "--oxidation-state", "=4"], "SYMBOL=CHARGE"),
        (["structure", "order", "mfi", "-o", "x.cif", "--seed", "-1"], "--seed"),
        (["box", "--polymer", "PEO:4x2", "-o", "x", "--seed", "-1"], "--seed"),
        (["reproduce", "nzps"], "there is no paper nzps; known: nzsp, latp"),
        (["reproduce", "--fidelity", "best"], "quick"),
        (["barrier", "al.cif", "--ion", "Al", "-o", "x", "--fmax", "0"], "--fmax"),
    ],
)
def test_usage_errors_leave_with_2(words: list[str], message: str) -> None:
    said = superionic(*words)
    assert said.code == 2
    assert said.out == ""
    assert message in said.err


def test_debug_shows_the_traceback_at_any_place() -> None:
    for words in (["--debug", "hops", "nothing"], ["hops", "nothing", "--debug"]):
        said = superionic(*words, "--ion", "Na")
        assert said.code == 1
        assert "Traceback" in said.err
        assert said.err.splitlines()[-1].startswith("error: There is no structure file 'nothing'")


def test_mistakes_of_the_package_are_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError("one over nothing")

    monkeypatch.setattr("superionic.workflows.commands.catalogue.show_theories", broken)
    message = refused(superionic("theories"))
    assert "unexpected ZeroDivisionError: one over nothing" in message
    assert "--debug" in message


def test_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [*START, "structure", "list", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait() == PIPE_CLOSED
    assert errors == b""


def test_interrupt_says_how_to_resume(here: Path) -> None:
    folder = here / "interrupted"
    words = ["barrier", here / "al.cif", "--ion", "Al", "--theory", "emt", "-o", folder]
    process = subprocess.Popen(
        [*START, *map(str, words), "--min-atoms", "64", "--workers", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while process.poll() is None and not list(folder.glob("barrier-*/running.json")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED
    assert out == ""
    assert "run the same command again to resume" in err
    assert "Traceback" not in err
    assert list(folder.glob("relax-*/result.json"))


def with_full_disk(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command that cannot write a byte to any file."""
    return subprocess.run(
        [*START, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_full_disk_leaves_nothing(here: Path) -> None:
    before = sorted(p.name for p in here.iterdir())
    slab = ["structure", "slab", "na3ps4", "--miller", 0, 0, 1, "-o", here / "full.cif"]
    barrier = ["barrier", here / "al.cif", "--ion", "Al", "--theory", "emt", "-o", here / "full"]
    for words in (slab, barrier):
        done = with_full_disk(*words)
        assert refused(Said(done.returncode, done.stdout, done.stderr))
        assert "space" in done.stderr
    assert sorted(p.name for p in here.iterdir()) == before


def test_disk_that_fills_up_later_says_how_to_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("superionic.workflows.commands.catalogue.show_theories", full)
    message = refused(superionic("theories"))
    assert message.startswith("error: No space left on device. Make space and run the same")


def test_report_of_other_folders(tmp_path: Path) -> None:
    assert "no folder" in refused(superionic("report", tmp_path / "absent"))
    assert "superionic.json" in refused(superionic("report", tmp_path))
    (tmp_path / "superionic.json").write_text('{"command": "barrier", "inputs": {}}')
    assert "No hop has ended" in refused(superionic("report", tmp_path))
    (tmp_path / "superionic.json").write_text("{")
    refused(superionic("report", tmp_path))


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_reproduce_asks_the_paper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ok: bool, code: int
) -> None:
    asked: list[tuple[Path, dict[str, object]]] = []

    def reproduce(paper: object, out: Path, **options: object) -> ReproductionSummary:
        assert paper is PAPER
        asked.append((out, options))
        sys.stdout.write("a library talks\n")
        return ReproductionSummary(str(out / "report.html"), ("bulk 0.3 eV",), ok)

    monkeypatch.setattr("superionic.workflows.papers.reproduction.reproduce", reproduce)
    words = (
        "reproduce",
        "nzsp",
        "--fidelity",
        "standard",
        "--out",
        tmp_path / "out",
        "--no-progress",
    )
    said = superionic(*words, "--workers", 2)
    assert said.code == code
    assert "bulk 0.3 eV" in said.out
    assert "talks" not in said.out
    options = {"fidelity": "standard", "workers": 2, "progress": False}
    assert asked == [(tmp_path / "out", {**options, "title": "nzsp"})]
    assert superionic(*words, "--json").json["nzsp"]["ok"] is ok
    said = superionic("reproduce", "nzsp", "--fidelity", "quick", "-o", tmp_path / "out")
    assert "fidelity was standard, now it is quick" in refused(said)


def test_report_of_papers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = {"command": "reproduce", "inputs": {"fidelity": "standard"}}
    (tmp_path / "superionic.json").write_text(json.dumps(marker))
    (tmp_path / "runs").mkdir()
    assert "Nothing in" in refused(superionic("report", tmp_path))
    (tmp_path / "nzsp").mkdir()

    def retell(paper: object, out: Path, **options: object) -> ReproductionSummary:
        assert paper is PAPER
        return ReproductionSummary(str(out), (str(options),), ok=True)

    monkeypatch.setattr("superionic.workflows.papers.reproduction.retell", retell)
    said = superionic("report", tmp_path)
    assert said.code == 0
    assert "{'fidelity': 'standard'}" in said.out


def test_report_of_other_commands(tmp_path: Path) -> None:
    (tmp_path / "superionic.json").write_text('{"command": "structure order", "inputs": {}}')
    assert "no report on `superionic structure order`" in refused(superionic("report", tmp_path))


def test_theories() -> None:
    listed = {row["theory"]: row for row in superionic("theories", "--json").json}
    assert listed["emt"]["installed"] is True
    assert listed["chgnet-0.3.0+d3bj"]["functional"] == "pbe"
    assert "chgnet-r2scan+d3bj" not in listed
    assert "sevennet-l3i5" in superionic("theories").out


def test_protocols() -> None:
    names = [row["name"] for row in superionic("protocol", "list", "--json").json]
    assert names
    assert names[0] in superionic("protocol", "list").out
    from superionic.inputs.protocol import load_protocol

    protocol = load_protocol(names[0])
    assert superionic("protocol", "show", names[0]).out == protocol.text.rstrip("\n") + "\n"
    resolved = superionic("protocol", "show", names[0], "--resolved").out
    assert resolved == protocol.resolved_text()
    assert superionic("protocol", "show", names[0], "--json").json["paper"] == protocol.paper
    refused(superionic("protocol", "show", names[0] + "x"))
