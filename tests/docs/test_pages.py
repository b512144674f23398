"""Pages of the documentation: settings told in full, code that imports, pages that are listed."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fenced import PAGES, ROOT, Fence, fences, page_name

from superionic.inputs.protocol import load_protocol, protocol_names

DOCS = ROOT / "docs"
PYTHON = [(f"{f.page}:{f.line}", f) for p in PAGES for f in fences(p) if f.language == "python"]


def page_builder(name: str) -> ModuleType:
    """Return one of the modules that make pages; they are no part of the package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


SETTINGS: Any = page_builder("settings_tables")
COMMANDS: Any = page_builder("command_pages")
KINDS = (*SETTINGS.PAPERS, *SETTINGS.PARTS)


def flat(table: dict[str, Any], before: str = "") -> set[str]:
    """Return the dotted names of all keys of a TOML file."""
    found: set[str] = set()
    for key, value in table.items():
        path = f"{before}{key}"
        found |= flat(value, f"{path}.") if isinstance(value, dict) else {path}
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_is_explained(kind: str) -> None:
    told = list(SETTINGS.settings(kind))
    assert told
    assert [k for k in told if not k.meaning] == []
    names = [(k.table, k.name) for k in told]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "name", [n for n in protocol_names() if n.split("-")[0] in SETTINGS.PAPERS]
)
def test_every_key_of_a_protocol_is_in_its_table(name: str) -> None:
    import tomllib

    if "spec" in load_protocol(name).settings:
        pytest.skip("decks have a table of their own")
    paper = name.split("-")[0]
    told = {f"{k.table}.{k.name}" if k.table else k.name for k in SETTINGS.settings(paper)}
    keys = flat(tomllib.loads(load_protocol(name).resolved_text())) - {"description", "extends"}
    strange = {k for k in keys if k not in told and not any(k.startswith(f"{t}.") for t in told)}
    assert strange == set()


def test_tables_show_what_the_files_say() -> None:
    by_key = {(k.table, k.name): k for k in SETTINGS.settings("nzsp")}
    for place, fidelity in enumerate(SETTINGS.FIDELITIES):
        settings = load_protocol(f"nzsp-{fidelity}").settings
        band = settings["barrier"]["band"]
        assert by_key["barrier.band", "images"].values[place] == str(band["images"])
        assert by_key["", "theory"].values[place] == f'"{settings["theory"]}"'
    assert by_key["barrier.band", "fmax_eV_per_A"].default == "0.05"


def test_meanings_of_shared_lines() -> None:
    class Shared:
        """Two fields in one line.

        Attributes
        ----------
        first, second : int
            One meaning
            for both.
        third : str
            Another.

        Raises
        ------
        ValueError
            Never.
        """

    assert SETTINGS.meanings(Shared) == {
        "first": "One meaning for both.", "second": "One meaning for both.", "third": "Another.",
    }  # fmt: skip


def test_markers_become_tables() -> None:
    page = SETTINGS.expand("before\n\n<!-- settings: cluster -->\n\nafter")
    assert "| `walltime` | text |" in page
    assert "[retries]" in page
    for path in PAGES:
        for name in re.findall(r"<!-- settings: (\w+) -->", path.read_text()):
            assert name in KINDS
        for name in re.findall(r"<!-- output: (\w+) -->", path.read_text()):
            assert (DOCS / "measured" / f"{name}.txt").stat().st_size > 0


def test_every_command_is_listed() -> None:
    from superionic.workflows.cli import app

    page = COMMANDS.commands()
    names = {words for words, _ in COMMANDS.leaves()}
    assert {"superionic hops", "superionic structure slab", "superionic analyse rdf"} <= names
    assert all(f"## {words}\n" in page for words in names)
    assert app.info.help


def nav_pages() -> set[str]:
    return set(re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text()))


def test_every_page_is_listed_once() -> None:
    assert nav_pages() == {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")}


def test_reference_names_modules_that_exist() -> None:
    named = [
        (page_name(path), name)
        for path in sorted((DOCS / "reference").glob("*.md"))
        for name in re.findall(r"^::: (\S+)$", path.read_text(), re.MULTILINE)
    ]
    assert len(named) > 100
    assert len({name for _, name in named}) == len(named)
    for page, name in named:
        path = ROOT / (name.removeprefix("superionic.").replace(".", "/") + ".py")
        found = path.is_file() or (path.with_suffix("") / "__init__.py").is_file()
        assert found, f"{page}: {name}"


@pytest.mark.parametrize("fence", [f for _, f in PYTHON], ids=[name for name, _ in PYTHON])
def test_python_compiles_and_its_imports_exist(fence: Fence) -> None:
    tree = ast.parse(fence.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("superionic"):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"


def test_links_between_pages_lead_somewhere() -> None:
    for path in PAGES:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{page_name(path)}: {target}"


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "WARNING" not in done.stderr
    assert (tmp_path / "site/index.html").is_file()


def test_every_paper_is_told_of() -> None:
    from superionic.workflows.papers import PAPERS

    page = (DOCS / "papers.md").read_text()
    assert [name for name in PAPERS if f"`{name}-quick`" not in page] == []


def pins(name: str) -> dict[str, str]:
    """Return the versions that a lock holds, and refuse whatever else is in it."""
    found: dict[str, str] = {}
    for line in (ROOT / name).read_text().splitlines():
        pin = re.fullmatch(r"([a-z0-9.-]+)==([0-9][\w.]*)( ; .+)? \\", line)
        if pin:
            found[pin[1]] = pin[2]
        else:
            assert re.fullmatch(r"#.*|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
            assert "://" not in line
    return found


def test_tools_of_the_documentation_are_locked_beside_ours() -> None:
    tools, ours = pins("requirements-docs.lock"), pins("requirements.lock")
    assert {"mkdocs", "mkdocs-material", "mkdocstrings-python", "latex2mathml"} <= set(tools)
    assert {n: v for n, v in tools.items() if n in ours and ours[n] != v} == {}
