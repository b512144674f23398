"""The inputs of a task as names and short texts: settings in full, all that is large in brief."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LIST = 8
"""Longer lists are told by their length."""
LONGEST_TEXT = 160
"""Longer texts are cut."""

_STRUCTURE = "superionic.structures.structure:Structure"
_REFERENCE = "superionic.workflows.runfolder:TaskRef"


def told_inputs(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Return dotted names and texts of all that an encoded value holds.

    Parameters
    ----------
    value
        What `superionic.workflows.serialise.encode` made.
    name
        Dotted name of the value itself.
    """
    text = _short(value)
    if text is not None:
        yield name, text
        return
    items = value.get("$tuple", value) if isinstance(value, dict) else value
    pairs = items.items() if isinstance(items, dict) else enumerate(items)
    for key, item in pairs:
        if key != "$type":
            yield from told_inputs(item, f"{name}.{key}" if name else str(key))


def _short(value: Any) -> str | None:
    """Return a value in one line; None where it has to be told part by part."""
    if isinstance(value, str):
        text = re.sub(r"\s+", " ", value)
        return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."
    if value is None or isinstance(value, (bool, int, float)):
        return "none" if value is None else str(value)
    if isinstance(value, list):
        return _short_list(value)
    if "$tuple" in value:
        return _short_list(value["$tuple"])
    if "$array" in value:
        return _short_array(value)
    if "$path" in value:
        return str(value["$path"])
    if value.get("$type") == _REFERENCE:
        return f"result of {value.get('key')}"
    if value.get("$type") == _STRUCTURE:
        return _short_structure(value)
    return None if value else "none"


def _short_list(items: list[Any]) -> str | None:
    """Return a list in one line; None where its items have to be told one by one."""
    if len(items) > LONGEST_LIST:
        return f"{len(items)} entries"
    if all(item is None or isinstance(item, (str, bool, int, float)) for item in items):
        return "[" + ", ".join(str(_short(item)) for item in items) + "]"
    return None


def _short_array(array: dict[str, Any]) -> str:
    """Return the values of a short array, the shape of any other."""
    shape = array.get("shape", [])
    if len(shape) == 1 and shape[0] <= LONGEST_LIST:
        return str(array.get("values"))
    return f"array of {' x '.join(map(str, shape))} {array['$array']}"


def _short_structure(structure: dict[str, Any]) -> str:
    """Return size and formula of an encoded structure."""
    from ase.data import chemical_symbols
    from ase.formula import Formula

    numbers = structure["numbers"]["values"]
    formula = Formula.from_list([chemical_symbols[number] for number in numbers])
    return f"{len(numbers)} atoms, {formula.format('hill')}"
