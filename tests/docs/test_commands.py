"""Every command that README and documentation print is one: parsed all, run where that is cheap."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from fenced import MODES, PAGES, ROOT, Fence, fences, page_name, shell_fences, spans
from typer.testing import CliRunner

from superionic.structures.crystals import reference_crystal
from superionic.structures.io import write_structure
from superionic.workflows.cli import app

NAMES = [page_name(path) for path in PAGES]
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


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


def run(words: list[str]) -> None:
    """Run a command as it is printed, here."""
    done = CliRunner().invoke(app, words, prog_name="superionic")
    assert done.exit_code == 0, f"superionic {' '.join(words)}: {done.output} {done.stderr}"


def run_page(path: Path, modes: tuple[str, ...], folder: Path) -> int:
    """Run the commands of a page in order in one folder, and return how many there were."""
    write_structure(reference_crystal("na3ps4").structure, folder / "my.cif")
    chosen = [words for f in shell_fences(path) if f.mode in modes for words in f.ours]
    for words in chosen:
        run(words)
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
def test_quick_commands_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page(path, ("quick",), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("path", SLOW, ids=[page_name(p) for p in SLOW])
def test_slow_commands_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page(path, ("quick", "slow"), tmp_path)
