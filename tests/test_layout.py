"""The rules of the house: where code lives, what it may import, and what it may not contain."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("analysis", "inputs", "structures", "workflows")
MODULES = tuple(sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")))

LONGEST_MODULE = 420
"""Lines. DESIGN asks for 60-300; nobody reads a longer file than this."""

MAY_IMPORT = {
    "structures": {"structures"},
    "inputs": {"structures", "inputs"},
    "analysis": {"analysis"},  # and the values of structures: ANALYSIS_MAY_SEE
    "workflows": {"structures", "inputs", "analysis", "workflows"},
}
ANALYSIS_MAY_SEE = ("superionic.structures.errors", "superionic.structures.structure")
ANALYSIS_LIBRARIES = ("numpy", "scipy", "MDAnalysis", "matplotlib", "numba")
ANALYSIS_TABLES = ("ase.data", "ase.units", "ase.geometry", "ase.neighborlist", "ase.io.trajectory")

ENGINES = {
    "chgnet", "dftd3", "executorlib", "gpaw", "mace", "matscipy", "openmm", "pyscf", "sevenn",
    "tblite", "torch", "xtb",
}  # fmt: skip
"""What computes or schedules. Only workflows may start it."""

DESCRIBED_BY = {"inputs": {"openmm"}}
"""Engines whose own objects are what a room writes: the input file of OpenMM is its System."""

HEAVY = ENGINES | {"ase", "matplotlib", "numba", "pymatgen", "scipy", "spglib"}
"""What costs more than a tenth of a second to import, so only inside functions."""
LIGHT_ENOUGH = ("ase.data", "ase.units")
LOADED_LATE = {
    "analysis/loops.py",
    "workflows/calculators.py",
    "workflows/molecule_calculators.py",
    "workflows/optimisers.py",
    "workflows/pool.py",
}
"""Modules around one heavy package: they may import it as they start, and are themselves imported
inside functions only."""


@dataclass(frozen=True)
class Import:
    """One imported name: its full dotted target, its line, and whether importing runs it."""

    target: str
    line: int
    at_start: bool


def imports_of(source: str) -> list[Import]:
    """Every import of a module, those inside functions and TYPE_CHECKING blocks too."""
    found: list[Import] = []

    def visit(node: ast.AST, *, at_start: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, node.lineno, at_start) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found.extend(
                Import(f"{base}.{alias.name}", node.lineno, at_start) for alias in node.names
            )
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for statement in node.body:
                visit(statement, at_start=False)
            for statement in node.orelse:
                visit(statement, at_start=at_start)
            return
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, at_start=at_start and not lazy)

    visit(ast.parse(source), at_start=True)
    return found


def is_in(target: str, names: tuple[str, ...] | set[str]) -> bool:
    """Whether a dotted target is one of these modules or lies inside one."""
    return any(target == name or target.startswith(f"{name}.") for name in names)


def direction_problems(room: str, source: str) -> list[str]:
    """Imports that run against the direction of the house."""
    problems = []
    for found in imports_of(source):
        target, top = found.target, found.target.split(".")[0]
        if target.startswith(".") or top in ROOMS:
            problems.append(f"line {found.line}: {target}: write superionic.<room>.<module>")
        elif top == "superionic" and target != "superionic.__version__":
            other = target.split(".")[1] if "." in target else ""
            allowed = other in MAY_IMPORT[room]
            if room == "analysis" and is_in(target, ANALYSIS_MAY_SEE):
                allowed = True
            if not allowed:
                problems.append(f"line {found.line}: {room} may not import {target}")
        elif room != "workflows" and top in ENGINES - DESCRIBED_BY.get(room, set()):
            problems.append(f"line {found.line}: {room} may not import the engine {target}")
        elif (
            room == "analysis"
            and top not in sys.stdlib_module_names
            and not is_in(target, ANALYSIS_LIBRARIES + ANALYSIS_TABLES)
        ):
            problems.append(f"line {found.line}: analysis may not import {target}")
    return problems


def heavy_problems(source: str) -> list[str]:
    """Imports that make the start of the program slow."""
    late = {"superionic." + name.removesuffix(".py").replace("/", ".") for name in LOADED_LATE}
    return [
        f"line {found.line}: import {found.target} inside the function that needs it"
        for found in imports_of(source)
        if found.at_start
        and (found.target.split(".")[0] in HEAVY or is_in(found.target, late))
        and not is_in(found.target, LIGHT_ENOUGH)
    ]


def content_problems(source: str) -> list[str]:
    """What a library module may not contain: assert, print, too many lines."""
    problems = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            problems.append(f"line {node.lineno}: assert; raise an error that says what to do")
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            problems.append(f"line {node.lineno}: print; use logging")
    lines = len(source.splitlines())
    if lines > LONGEST_MODULE:
        problems.append(f"{lines} lines; one concept a module, at most {LONGEST_MODULE} lines")
    return problems


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def test_rooms_wheel_and_links_agree() -> None:
    """A new room must be told to the wheel, to the sdist, to the links, and to these tests."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel, sdist = build["targets"]["wheel"], build["targets"]["sdist"]
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders == set(ROOMS)
    assert wheel["sources"] == {
        "src/superionic": "superionic",
        **{room: f"superionic/{room}" for room in ROOMS},
    }
    assert folders < set(wheel["only-include"])
    assert folders < set(sdist["only-include"])
    links = {path.name: path for path in (ROOT / "src/superionic").iterdir() if path.is_symlink()}
    assert set(links) == folders
    for room, link in links.items():
        assert os.readlink(link) == f"../../{room}"  # noqa: PTH115  (the text of the link itself)


def test_import_name_has_only_the_rooms() -> None:
    here = {path.name for path in (ROOT / "src/superionic").iterdir()} - {"__pycache__"}
    assert here == {"__init__.py", "py.typed", *ROOMS}


def test_each_folder_with_code_is_a_package() -> None:
    bare = {name_of(path.parent) for path in MODULES if not (path.parent / "__init__.py").exists()}
    assert bare == set()


def test_tests_are_no_packages_and_mirror_the_rooms() -> None:
    tests = ROOT / "tests"
    assert list(tests.rglob("__init__.py")) == []
    folders = {path.name for path in tests.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders <= {*ROOMS, "papers", "examples", "docs", "benchmarks", "data", "helpers"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_keeps_the_rules(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    problems = direction_problems(room_of(path), source) + content_problems(source)
    if name_of(path) not in LOADED_LATE:
        problems += heavy_problems(source)
    assert problems == [], f"{name_of(path)}: " + "; ".join(problems)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("structures", "from superionic.workflows.theory import Theory"),
        ("structures", "def f():\n    import superionic.inputs"),
        ("structures", "from superionic import analysis"),
        ("structures", "from chgnet.model import CHGNet"),
        ("inputs", "from superionic.analysis.barriers import BarrierResult"),
        ("inputs", "if TYPE_CHECKING:\n    from superionic.workflows import neb"),
        ("inputs", "import torch"),
        ("structures", "def f():\n    import openmm"),
        ("analysis", "from superionic.structures.hops import find_hops"),
        ("analysis", "from superionic.structures import hops"),
        ("analysis", "from superionic.inputs import protocol"),
        ("analysis", "from ase.calculators.emt import EMT"),
        ("analysis", "import pymatgen.core"),
        ("analysis", "def f():\n    import openmm"),
        ("workflows", "from structures.structure import Structure"),
        ("workflows", "from ..structures import structure"),
        ("workflows", "from . import neb"),
    ],
)
def test_direction_rule_bites(room: str, source: str) -> None:
    assert direction_problems(room, source) != []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("structures", "from superionic.structures.errors import InvalidStructureError"),
        ("structures", "def f():\n    from pymatgen.core import Lattice"),
        ("inputs", "from superionic.structures.structure import Structure"),
        ("inputs", "def f():\n    import openmm"),
        ("analysis", "from superionic.structures.structure import Structure, readonly"),
        ("analysis", "from superionic.structures.errors import EvidenceError"),
        ("analysis", "import json\nimport numpy as np\nfrom ase.data import covalent_radii"),
        ("workflows", "from superionic import __version__\nimport executorlib"),
    ],
)
def test_direction_rule_lets_pass(room: str, source: str) -> None:
    assert direction_problems(room, source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch", 1),
        ("from ase import Atoms", 1),
        ("class A:\n    import scipy.optimize", 1),
        ("try:\n    import spglib\nexcept ImportError:\n    pass", 1),
        ("import numpy as np\nfrom ase.data import atomic_masses\nimport ase.units", 0),
        ("def f():\n    import torch", 0),
        ("from superionic.workflows import pool", 1),
        ("from superionic.workflows.pool import Pool", 1),
        ("def f():\n    from superionic.workflows.pool import Pool", 0),
        ("if TYPE_CHECKING:\n    from ase import Atoms\nelse:\n    import matplotlib", 1),
    ],
)
def test_heavy_rule(source: str, expected: int) -> None:
    assert len(heavy_problems(source)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("assert True", 1),
        ("def f():\n    print('x')", 1),
        ("x = 1\n" * (LONGEST_MODULE + 1), 1),
        ("x = 'assert print()'\n" * LONGEST_MODULE, 0),
    ],
)
def test_content_rule(source: str, expected: int) -> None:
    assert len(content_problems(source)) == expected


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the heavy packages that a fresh interpreter loads for a statement."""
    code = f"{statement}\nimport sys\nsys.stdout.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    return {name.split(".")[0] for name in done.stdout.split()} & HEAVY


def test_rooms_cost_nothing_to_import() -> None:
    assert loaded_by("import " + ", ".join(f"superionic.{room}" for room in ROOMS)) == set()


def test_command_line_starts_light() -> None:
    """``superionic --help`` must not wait for what it does not use."""
    if not (ROOT / "workflows/cli.py").exists():
        pytest.skip("workflows/cli.py is not written yet")
    assert loaded_by("import superionic.workflows.cli") == set()


def test_structures_start_light() -> None:
    """The tables that modules may import as they start bring nothing heavier with them."""
    names = (name_of(path) for path in MODULES if room_of(path) == "structures")
    modules = [name.removesuffix(".py").replace("/", ".") for name in names]
    code = "\n".join(f"import superionic.{module}" for module in modules)
    assert loaded_by(code) == {"ase"}
