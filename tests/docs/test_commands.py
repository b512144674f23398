"""Every command that README and documentation print is one: parsed all, run where that is cheap."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from fake_slurm import FakeSlurm
from fenced import MODES, PAGES, ROOT, Fence, fences, page_name, shell_fences, spans
from own_files import provide
from typer.testing import CliRunner

from superionic.workflows.cli import app

NAMES = [page_name(path) for path in PAGES]
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
NOT_RUN = {
    "reproduce nzsp latp --fidelity quick --out results": "is `make reproduce`",
    "reproduce nzsp --fidelity my-nzsp.toml --out my-results": "is `make reproduce`",
    "reproduce mof --fidelity quick --out results": "is `make reproduce`",
    "report results": "of `make reproduce`; others' are written in docs/workflows/barriers.md",
    "structure order nzsp --ion Na --theory chgnet-0.3.0 -o nzsp-ordered.cif": "half an hour",
    "binding --surface slab.vasp -m succinonitrile --theory chgnet-0.3.0+d3bj "
    "--level sevennet-0+d3bj -o sn-on-slab": "half an hour; README binds to a smaller slab",
    "binding --surface slab.vasp -m litfsi --settle Na --starts 12 --keep 3 "
    "-o litfsi-on-slab": "half an hour; README binds to a smaller slab",
    "status results --watch 30": "waits for the end, which tests/workflows has on smaller tasks",
}
"""Commands that are only parsed, and why."""
ENDS = {
    "docs/workflows/transport.md: analyse speciation run.xtc --top run.gro --cations "
    "element Na --anions resname TFSI and element O -o speciation": "Give one (",
    "docs/workflows/transport.md: analyse residence run.xtc --top run.gro --centres "
    "element Na --partners resname TFSI and element O --patience 2 -o residence": "Give one (",
    "docs/workflows/slurm.md: collect results": "",
    "docs/workflows/slurm.md: trace my-run": "",
}
"""Commands with nothing to find in what they are given, and what they say then."""


def commands_of(command: Any) -> list[Any]:
    """Return a command with all commands below it."""
    below = getattr(command, "commands", {}).values()
    return [command, *(one for inner in below for one in commands_of(inner))]


@pytest.fixture(scope="module")
def program() -> tuple[Any, list[str]]:
    """The program with commands that do nothing but note that they were reached."""
    root = typer.main.get_command(app)
    reached: list[str] = []
    for one in commands_of(root):
        if not getattr(one, "commands", None):
            one.callback = lambda name=one.name, **_: reached.append(name)
    return root, reached


def run(words: list[str], page: str) -> None:
    """Run a command as it is printed, here; an end that is right for what it is given passes."""
    done = CliRunner().invoke(app, words, prog_name="superionic")
    said, told = f"{page}: {' '.join(words)}", done.output + done.stderr
    assert done.exit_code == (1 if said in ENDS else 0), f"{said}: {told}"
    assert ENDS.get(said, "") in told


def run_page(path: Path, modes: tuple[str, ...], folder: Path, slurm: FakeSlurm) -> int:
    """Run the commands of a page in order in one folder, and return how many there were."""
    chosen = [words for f in shell_fences(path) if f.mode in modes for words in f.ours]
    for words in chosen:
        if " ".join(words) not in NOT_RUN:
            slurm.held = words[0] != "cluster"
            provide(words, folder)
            run(words, page_name(path))
    return len(chosen)


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_commands_parse(path: Path, program: tuple[Any, list[str]]) -> None:
    root, reached = program
    for fence in shell_fences(path):
        assert fence.mode in MODES, f"{fence.page}:{fence.line}: unknown mode {fence.mode}"
        for words in fence.ours:
            reached.clear()
            try:
                root.main(args=list(words), prog_name="superionic", standalone_mode=False)
            except Exception as error:
                text = f"{fence.page}:{fence.line}: superionic {' '.join(words)}: {error}"
                raise AssertionError(text) from error
            if "--version" not in words and "--help" not in words:
                assert reached, f"{fence.page}:{fence.line}: superionic {' '.join(words)}"


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_commands_in_the_text_exist(path: Path) -> None:
    root = typer.main.get_command(app)
    for words in spans(path):
        command: Any = root
        for word in words:
            inside = getattr(command, "commands", None)
            if not inside or word.startswith("-") or word.isupper():
                break
            assert word in inside, f"{page_name(path)}: superionic {' '.join(words)}"
            command = inside[word]


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_targets_of_make_exist(path: Path) -> None:
    used = [words for fence in fences(path) for words in fence_commands(fence, "make")]
    wanted = {word for words in used for word in words if "=" not in word}
    assert wanted <= TARGETS


def fence_commands(fence: Fence, program: str) -> list[list[str]]:
    """Return the arguments of every call of a program in a fence of a shell."""
    if fence.language not in ("sh", "bash", "console", ""):
        return []
    return [words[1:] for words in fence.commands if words[0] == program]


QUICK = [path for path in PAGES if any(f.mode == "quick" for f in shell_fences(path))]
SLOW = [path for path in PAGES if any(f.mode == "slow" for f in shell_fences(path))]


@pytest.mark.parametrize("path", QUICK, ids=[page_name(p) for p in QUICK])
def test_quick_commands_run(
    path: Path, tmp_path: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page(path, ("quick",), tmp_path, slurm)


@pytest.mark.slow
@pytest.mark.parametrize("path", SLOW, ids=[page_name(p) for p in SLOW])
def test_slow_commands_run(
    path: Path, tmp_path: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page(path, ("quick", "slow"), tmp_path, slurm)


def test_commands_that_are_not_run_have_a_reason() -> None:
    shown = {" ".join(words): f.mode for p in PAGES for f in shell_fences(p) for words in f.ours}
    parsed = {said for said, mode in shown.items() if mode not in ("quick", "slow")}
    assert parsed <= set(NOT_RUN)
    assert {*NOT_RUN, *(said.split(": ", 1)[1] for said in ENDS)} <= set(shown)


RUNNABLE = ("README.md", "docs/start.md")


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE)
def test_python_runs(page: str, tmp_path: Path) -> None:
    """The script of a page, with a crystal of one's own beside it."""
    (script,) = [f.text for f in fences(ROOT / page) if f.language == "python"]
    provide(["hops", "my.cif"], tmp_path)
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(r"\bconverged 0\.\d+", done.stdout), done.stdout
