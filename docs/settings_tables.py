"""Tables of settings for the pages of the documentation, made from the dataclasses that read them.

A line `<!-- settings: nzsp -->` in a page becomes the tables of that protocol: a table for each
table of the file, a row for each key with its type, its values and its meaning. Nothing is written
twice, so a page cannot lag behind the code.
"""

from __future__ import annotations

import importlib
import inspect
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

PAPERS = {
    "nzsp": ("superionic.workflows.papers.nzsp_protocol", "NzspProtocol"),
    "latp": ("superionic.workflows.papers.latp_protocol", "LatpProtocol"),
    "mof": ("superionic.workflows.papers.mof_protocol", "MofProtocol"),
    "peo": ("superionic.workflows.papers.peo_protocol", "PeoProtocol"),
}
"""Protocols that compute here, and the dataclass each is read into."""
FIDELITIES = ("quick", "standard")

PARTS = {
    "dft": (
        ("spec", "superionic.inputs.dft", "DFTSpec"),
        ("band", "superionic.inputs.dft_parts", "Band"),
        ("vasp", "superionic.inputs.vasp.options", "VaspOptions"),
        ("castep", "superionic.inputs.castep.options", "CastepOptions"),
        ("gpaw", "superionic.inputs.gpaw.options", "GpawOptions"),
    ),
    "cluster": (("", "superionic.workflows.slurm.config", "ClusterConfig"),),
    "campaign": (("", "superionic.workflows.slurm.campaign_file", "CampaignFile"),),
}
"""Files without packaged fidelities: tables, and the dataclass each is read into."""

MARKER = re.compile(r"^<!-- settings: (\w+) -->$", re.MULTILINE)
_HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)


@dataclass(frozen=True)
class Key:
    """One key of a file.

    Attributes
    ----------
    table : str
        Dotted name of the table it stands in; empty for the top.
    name : str
        The key.
    kind : str
        Its type in words.
    default : str
        Its default; empty where it has to be given.
    values : tuple of str
        Its value at each fidelity.
    meaning : str
        What the dataclass says of it.
    """

    table: str
    name: str
    kind: str
    default: str
    values: tuple[str, ...]
    meaning: str


def expand(markdown: str) -> str:
    """Return a page with every marker replaced by its tables."""
    return MARKER.sub(lambda found: tables(found[1]), markdown)


def tables(name: str) -> str:
    """Return the tables of a kind of file as Markdown."""
    head = ("key", "type", "default", *(FIDELITIES if name in PAPERS else ()), "meaning")
    text: list[str] = []
    for table, keys in _grouped(list(settings(name))):
        text += [f"**`[{table}]`**" if table else "**At the top of the file**", ""]
        text += [_row(head), _row(["---"] * len(head))]
        text += [
            _row([f"`{k.name}`", k.kind, *map(_code, (k.default, *k.values)), k.meaning])
            for k in keys
        ]
        text.append("")
    return "\n".join(text)


def settings(name: str) -> Iterator[Key]:
    """Yield every key of a kind of file."""
    if name in PAPERS:
        from superionic.inputs.protocol import load_protocol

        module, cls = PAPERS[name]
        root = getattr(importlib.import_module(module), cls)
        loaded = [load_protocol(f"{name}-{f}").all_settings(root) for f in FIDELITIES]
        yield from _keys(root, "", tuple(loaded))
        return
    for table, module, cls in PARTS[name]:
        yield from _keys(getattr(importlib.import_module(module), cls), table, ())


def meanings(cls: type) -> dict[str, str]:
    """Return what the docstring of a dataclass says of its fields, by name."""
    text = inspect.cleandoc(cls.__doc__ or "")
    parts = _HEADING.split(text)
    body = dict(zip(parts[1::2], parts[2::2], strict=True)).get("Attributes", "")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in body.splitlines():
        if line and not line[0].isspace():
            names = [n.strip() for n in line.partition(" : ")[0].split(",")]
        elif line.strip():
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found


def _keys(cls: type, table: str, given: tuple[Any, ...]) -> Iterator[Key]:
    """Yield the keys of a dataclass, those of tables inside it after its own."""
    hints, said = get_type_hints(cls), meanings(cls)
    inside: list[tuple[type, str, tuple[Any, ...]]] = []
    for one in fields(cls):
        if not one.init:
            continue
        values = tuple(getattr(value, one.name) for value in given)
        nested = _nested(hints[one.name])
        if nested is None:
            yield Key(
                table, one.name, words(hints[one.name]), _default(one),
                tuple(map(shown, values)), said.get(one.name, ""),
            )  # fmt: skip
        else:
            path = f"{table}.{one.name}" if table else one.name
            inside.append((nested, path, tuple(v for v in values if v is not None)))
    for nested, path, values in inside:
        yield from _keys(nested, path, values)


def _nested(hint: Any) -> type | None:
    """Return the dataclass that a table of the file becomes; None for a plain value."""
    for kind in (hint, *get_args(hint)):
        if isinstance(kind, type) and is_dataclass(kind):
            return kind
        if get_origin(hint) is tuple and is_dataclass(kind):
            return kind  # type: ignore[return-value]
    return None


def words(hint: Any) -> str:
    """Return a type in the words of a TOML file."""
    plain = {bool: "true or false", int: "whole number", float: "number", str: "text"}
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f"`{a}`" for a in args)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(words(a) for a in args if a is not type(None)))
    if origin in (tuple, list):
        kinds = list(dict.fromkeys(words(a) for a in args if a is not Ellipsis))
        many = "" if Ellipsis in args or origin is list else f" of {len(args)}"
        return f"list{many}: {', '.join(kinds)}"
    if origin in (dict, Mapping):
        return f"table of {words(args[1])}"
    return plain.get(hint, str(hint))


def shown(value: object) -> str:
    """Return a value as a TOML file would have it; a dash for none."""
    if value is None:
        return "\u2013"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k} = {shown(v)}' for k, v in value.items())}}}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _default(one: Field[Any]) -> str:
    if one.default is not MISSING:
        return shown(one.default)
    return "" if one.default_factory is MISSING else shown(one.default_factory())


def _grouped(keys: list[Key]) -> list[tuple[str, list[Key]]]:
    """Return keys by table, tables in the order in which they first occur."""
    found: dict[str, list[Key]] = {}
    for key in keys:
        found.setdefault(key.table, []).append(key)
    return list(found.items())


def _row(cells: Any) -> str:
    return "| " + " | ".join(str(c).replace("|", r"\|") for c in cells) + " |"


def _code(text: str) -> str:
    return f"`{text}`" if text and text != "\u2013" else text
