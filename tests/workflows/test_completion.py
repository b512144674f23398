"""Completion in a shell: installed for a new user, in an empty folder, and what it offers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("superionic")

pytestmark = [
    pytest.mark.skipif(not PROGRAM.is_file(), reason="superionic is not installed as a program"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="no bash"),
]


def bash(line: str, home: Path) -> str:
    """Run a line in a bash that has nothing but a home, in an empty folder of its own.

    Something follows the line: bash would else become its last command, and be no parent of it.
    """
    (home / "empty").mkdir(exist_ok=True)
    path = f"{PROGRAM.parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{line}; exit $?"], cwd=home / "empty", capture_output=True,
        text=True, check=False, env={"HOME": str(home), "PATH": path, "SHELL": "/bin/bash"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list((home / "empty").iterdir()) == []
    return done.stdout


def offered(words: str, home: Path) -> set[str]:
    """What the last word, half typed, may become."""
    count = len(words.split(" ")) - 1
    last = "''" if words.endswith(" ") else ""
    typed = f"COMP_WORDS=({words}{last}); COMP_CWORD={count}; _superionic_completion superionic"
    line = f"source ~/.bashrc; {typed}; "
    return set(bash(line + 'echo "${COMPREPLY[@]}"', home).split())


def test_completion_is_installed_and_offers_what_there_is(tmp_path: Path) -> None:
    assert "_superionic_completion" in bash("superionic --show-completion", tmp_path)
    assert "completion installed in" in bash("superionic --install-completion", tmp_path)
    assert offered("superionic ho", tmp_path) == {"hops"}
    assert {"hops", "barrier", "doctor", "structure"} <= offered("superionic ", tmp_path)
    assert "check" in offered("superionic structure ", tmp_path)
    assert offered("superionic barrier --th", tmp_path) == {"--theory"}
