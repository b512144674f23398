"""Examples: those on the pages run as they are printed, and every public function is in one.

A public function is called on a page of the documentation, in the README, or in a notebook; what
is only the house's own is not public: `__all__` of its module leaves it out.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fenced import PAGES, ROOT, Fence, fences, page_name

from superionic.workflows import gmx

LISTING = ROOT / "tests" / "data" / "public_api.txt"
NOTEBOOKS = tuple(sorted((ROOT / "examples").glob("*.py")))
HANDED = "handed on: "
FUNCTION = re.compile(r"(?:@\S+ )*([A-Za-z]\w*)\(")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def sessions(path: Path) -> list[Fence]:
    """The fences of a page that hold what is typed and what comes back."""
    return [fence for fence in fences(path) if fence.language == "pycon"]


WITH_SESSIONS = [path for path in PAGES if sessions(path)]


def public_functions() -> set[str]:
    """Dotted names, as they are defined, of the functions of the public API; no methods."""
    found, module = set(), ""
    for line in LISTING.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            module = line.strip("[]")
        elif line.startswith(HANDED):
            found |= handed_functions(module, line.removeprefix(HANDED).split(", "))
        elif match := FUNCTION.match(line):
            found.add(f"{module}.{match[1]}")
    return found


def handed_functions(module: str, names: list[str]) -> set[str]:
    """Dotted names of the functions that a module hands on from where they are defined."""
    found = [getattr(importlib.import_module(module), name) for name in names]
    return {f"{one.__module__}.{one.__name__}" for one in found if inspect.isfunction(one)}


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
    there = any(shutil.which(name) for name in gmx.NAMES)
    run_page(path, ("parse", "slow", *(["gromacs"] if there else [])))


def test_every_public_function_is_in_an_example() -> None:
    shown = set().union(*(called_in(code) for _, code in example_sources()))
    missing = sorted(public_functions() - shown)
    assert missing == [], f"no example, page or notebook uses {', '.join(missing)}"


def test_uses_are_seen() -> None:
    code = "from superionic.structures.io import read_structure as r, write_structure\nr('a.cif')\n"
    assert called_in(code) == {"superionic.structures.io.read_structure"}
    assert "superionic.structures.hops.find_hops" in public_functions()
    assert "superionic.structures.lattices.primitive" in public_functions(), "handed on"
    assert "superionic.structures.hop.Hop" not in public_functions()
