"""Examples: those on the pages run as they are printed, and who is in none is on a list.

Every public function that a user calls is called in an example: on a page of the documentation,
in the README, or in a notebook. What is in none is in `tests/data/functions_without_example.txt`.
That list only gets shorter: a new public function comes with an example, and one that got an
example leaves the list (`python tests/docs/test_examples.py`, which refuses to make it longer).
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fenced import PAGES, ROOT, Fence, fences, page_name

LISTING = ROOT / "tests" / "data" / "public_api.txt"
WITHOUT = ROOT / "tests" / "data" / "functions_without_example.txt"
NOTEBOOKS = tuple(sorted((ROOT / "examples").glob("*.py")))
FUNCTION = re.compile(r"(?:@\S+ )*([A-Za-z]\w*)\(")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def sessions(path: Path) -> list[Fence]:
    """The fences of a page that hold what is typed and what comes back."""
    return [fence for fence in fences(path) if fence.language == "pycon"]


WITH_SESSIONS = [path for path in PAGES if sessions(path)]


def public_functions() -> set[str]:
    """Dotted names of the functions of the public API; methods and classes are left out."""
    found, module = set(), ""
    for line in LISTING.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            module = line.strip("[]")
        elif match := FUNCTION.match(line):
            found.add(f"{module}.{match[1]}")
    return found


def typed(fence: Fence) -> str:
    """The source of a session, without what comes back."""
    return "".join(example.source for example in doctest.DocTestParser().get_examples(fence.text))


def example_sources() -> Iterator[tuple[str, str]]:
    """Where example code stands, and the code."""
    for path in NOTEBOOKS:
        yield path.name, path.read_text(encoding="utf-8")
    for path in PAGES:
        code = [f.text for f in fences(path) if f.language == "python"]
        code += [typed(f) for f in sessions(path)]
        yield page_name(path), "\n".join(code)


def called_in(source: str) -> set[str]:
    """Dotted names, as they are defined, of what a piece of code imports from here and uses."""
    tree = ast.parse(source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("superionic"):
            for alias in node.names:
                if (alias.asname or alias.name) in used:
                    found |= homes(str(node.module), alias.name)
    return found


def homes(module: str, name: str) -> set[str]:
    """The name as it was imported, and where it is defined."""
    home = getattr(getattr(importlib.import_module(module), name), "__module__", module)
    return {f"{module}.{name}", f"{home}.{name}"}


def without_example() -> set[str]:
    """Room and name of what no example calls: a function may move between modules of a room."""
    shown = set().union(*(called_in(code) for _, code in example_sources()))
    return {in_room(name) for name in public_functions() - shown}


def in_room(name: str) -> str:
    return f"{name.split('.')[1]}.{name.rpartition('.')[2]}"


def listed() -> set[str]:
    return set(WITHOUT.read_text(encoding="utf-8").split()) if WITHOUT.exists() else set()


def run_page(path: Path, modes: tuple[str, ...]) -> None:
    """Type the sessions of a page, in order and with names in common, and compare what comes."""
    names: dict[str, object] = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    said: list[str] = []
    for fence in (f for f in sessions(path) if f.mode in modes):
        test = doctest.DocTestParser().get_doctest(
            fence.text + "\n", names, fence.page, str(path), fence.line
        )
        runner.run(test, out=said.append, clear_globs=False)
        names.update(test.globs)
    assert not said, "".join(said)
    assert runner.tries > 0


@pytest.mark.parametrize("path", WITH_SESSIONS, ids=page_name)
def test_sessions_give_what_is_printed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(path, ("parse",))


@pytest.mark.slow
@pytest.mark.parametrize("path", WITH_SESSIONS, ids=page_name)
def test_slow_sessions_too(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(path, ("parse", "slow"))


def test_every_function_is_in_an_example_or_on_the_list() -> None:
    missing, known = without_example(), listed()
    assert missing - known == set(), "public functions that no example, page or notebook uses"
    assert known - missing == set(), "these have an example now: take them off the list"


def test_uses_are_seen() -> None:
    code = "from superionic.structures.io import read_structure as r, write_structure\nr('a.cif')\n"
    assert called_in(code) == {"superionic.structures.io.read_structure"}
    assert "superionic.structures.hops.find_hops" in public_functions()
    assert "superionic.structures.hop.Hop" not in public_functions()


if __name__ == "__main__":
    left = without_example()
    if WITHOUT.exists() and left - listed():
        sys.exit("no example uses " + ", ".join(sorted(left - listed())))
    WITHOUT.write_text("".join(f"{name}\n" for name in sorted(left)), encoding="utf-8")
    sys.stdout.write(f"{len(left)} of {len(public_functions())} in no example\n")
