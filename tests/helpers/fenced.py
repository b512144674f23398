"""Code in Markdown: what stands in fences, and how it may be tried out.

A comment before a fence says so: `<!-- test: quick -->` runs with the quick tests, `slow` with the
slow ones, `gromacs` with those where there is a `gmx`, `parse` (also where nothing is said) is only
parsed, `none` is no command of ours.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
MODES = ("quick", "slow", "gromacs", "parse", "targets", "none")
SHELLS = ("sh", "bash", "console", "")

_FENCE = re.compile(r"^```(\w*)\s*$")
_MODE = re.compile(r"^<!-- test: (\w+) -->$")
_SPAN = re.compile(r"(?<!`)`(superionic [^`]+)`(?!`)", re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """A piece of code in a page."""

    page: str
    line: int
    language: str
    mode: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        """The words of every command of a shell, comments left out."""
        joined = self.text.replace("\\\n", " ")
        lines = [shlex.split(line, comments=True) for line in joined.splitlines()]
        return [words for words in lines if words]

    @property
    def ours(self) -> list[list[str]]:
        """The commands of `superionic`, without its name."""
        return [words[1:] for words in self.commands if words[0] == "superionic"]


def page_name(path: Path) -> str:
    """Return a page as it is named in the repository."""
    return path.relative_to(ROOT).as_posix()


def fences(path: Path) -> list[Fence]:
    """Return all fenced code of a page."""
    found: list[Fence] = []
    inside: list[str] | None = None
    language, mode, start = "", "parse", 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        opened = _FENCE.match(line.strip())
        if inside is not None:
            if line.strip() == "```":
                found.append(Fence(page_name(path), start, language, mode, "\n".join(inside)))
                inside, mode = None, "parse"
            else:
                inside.append(line)
        elif opened:
            inside, language, start = [], opened[1], number
        elif told := _MODE.match(line.strip()):
            mode = told[1]
        elif line.strip():
            mode = "parse"
    assert inside is None, f"{path}: a fence is not closed"
    return found


def shell_fences(path: Path) -> list[Fence]:
    """Return the fences of a page that hold commands."""
    return [f for f in fences(path) if f.language in SHELLS and f.mode != "none"]


def spans(path: Path) -> list[list[str]]:
    """Return the words of every command of ours that is named in the running text."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    return [shlex.split(" ".join(found.split()))[1:] for found in _SPAN.findall(text)]
