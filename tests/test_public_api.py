"""The public API, listed in `tests/data/public_api.txt`: a change of it is a change of that file.

Public are the modules of the API reference (`docs/reference`), and in them what `__all__` names, or
what has no underscore where there is no `__all__`. The pages show the same.
After a change that is meant, run `python tests/test_public_api.py`, read the difference, and tell
of it in the changelog.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LISTING = ROOT / "tests" / "data" / "public_api.txt"
REFERENCE = ROOT / "docs" / "reference"
OPERATORS = {"__len__", "__add__", "__enter__", "__exit__", "__call__", "_repr_html_"}
"""Names with underscores that are part of what a class can do."""


def public_modules() -> list[str]:
    """Dotted names of the modules that the API reference shows, in order of name."""
    pages = (page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    return sorted(
        {m[1] for text in pages for m in re.finditer(r"(?m)^::: (superionic\.\S+)", text)}
    )


def source_of(module: str) -> str:
    path = ROOT.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.read_text(encoding="utf-8")


def is_public(name: str) -> bool:
    return not name.startswith("_") or name in OPERATORS


def api_of(source: str) -> Iterator[str]:
    """One line a public name of a module, with what it takes and gives."""
    body = ast.parse(source).body
    named = named_in_all(body)
    defined = {name for node in body for name in names_of(node)}
    if handed := sorted(named - defined):
        yield f"handed on: {', '.join(handed)}"
    for node in body:
        wanted = [n for n in names_of(node) if (n in named if named else is_public(n))]
        if isinstance(node, ast.FunctionDef) and wanted:
            yield signature(node)
        elif isinstance(node, ast.ClassDef) and wanted:
            yield from class_lines(node)
        else:
            yield from (name for name in wanted if len(name) > 1 and name != "log")


def named_in_all(body: list[ast.stmt]) -> set[str]:
    """What `__all__` names; nothing where there is none."""
    lists = [n.value for n in body if isinstance(n, ast.Assign) and "__all__" in names_of(n)]
    return {name for value in lists for name in ast.literal_eval(value)}


def names_of(node: ast.stmt) -> list[str]:
    """The names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    parts = [e for t in targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [part.id for part in parts if isinstance(part, ast.Name)]


def signature(node: ast.FunctionDef) -> str:
    """A function as it is called; decorators that change how are part of it."""
    changed = [ast.unparse(d) for d in node.decorator_list]
    marks = "".join(f"@{text.split('(')[0]} " for text in changed)
    result = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    return f"{marks}{node.name}({ast.unparse(node.args)}){result}"


def class_lines(node: ast.ClassDef) -> Iterator[str]:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    yield f"class {node.name}({bases})" if bases else f"class {node.name}"
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            if is_public(item.target.id):
                value = f" = {ast.unparse(item.value)}" if item.value is not None else ""
                yield f"{node.name}.{item.target.id}: {ast.unparse(item.annotation)}{value}"
        elif isinstance(item, ast.FunctionDef) and is_public(item.name):
            yield f"{node.name}.{signature(item)}"
        elif isinstance(item, ast.FunctionDef) and item.name == "__init__":
            yield f"{node.name}.__init__({ast.unparse(item.args)})"


def listing() -> str:
    lines = []
    for module in public_modules():
        lines += [f"[{module}]", *api_of(source_of(module)), ""]
    return "\n".join(lines)


def test_public_api_is_as_listed() -> None:
    kept, now = (set(text.splitlines()) for text in (LISTING.read_text("utf-8"), listing()))
    gone, new = sorted(kept - now), sorted(now - kept)
    said = "\n".join([*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)])
    assert LISTING.read_text("utf-8") == listing(), (
        "the public API is another one; if that is meant, run `python tests/test_public_api.py` "
        f"and tell of it in the changelog:\n{said}"
    )


def test_every_room_is_listed() -> None:
    rooms = {module.split(".")[1] for module in public_modules()}
    assert rooms == {"structures", "inputs", "analysis", "workflows"}


def test_a_change_is_seen() -> None:
    before = "class A:\n    x: int = 1\n    def f(self, *, y: int) -> None: ...\ndef g(): ...\n"
    assert list(api_of(before)) == [
        "class A",
        "A.x: int = 1",
        "A.f(self, *, y: int) -> None",
        "g()",
    ]
    assert list(api_of(before)) != list(api_of(before.replace("*, y", "y")))
    assert list(api_of("def _g(): ...\n_X = 1\nLIMIT = 2\n")) == ["LIMIT"]


def test_what_all_leaves_out_is_not_public() -> None:
    module = '__all__ = ["A", "LEAST", "f"]\nLEAST = MOST = 1\ndef f(): ...\ndef g(): ...\n'
    assert list(api_of(module)) == ["handed on: A", "LEAST", "f()"]


if __name__ == "__main__":
    LISTING.write_text(listing(), encoding="utf-8")
    sys.stdout.write(f"{len(listing().splitlines())} lines in {LISTING}\n")
