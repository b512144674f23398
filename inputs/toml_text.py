"""Plain values as TOML text: the part of the language that settings need, always the same text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from superionic.structures.errors import ProtocolError


def dump_toml(table: Mapping[str, Any]) -> str:
    """Return TOML that reads back as the same values; keys keep their order.

    Parameters
    ----------
    table
        Nested mappings of text, truth values, numbers, and lists or tuples of these (mappings
        inside lists are written inline).

    Raises
    ------
    ProtocolError
        A value of another type, such as a date, or a number that is not finite.
    """
    lines = _table(table, ())
    while lines and not lines[0]:
        lines.pop(0)
    return "\n".join(lines) + "\n" if lines else ""


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Return the lines of a table: its own values first, then its tables."""
    lines = [
        f"{_key(k)} = {_value(v, (*path, k))}"
        for k, v in table.items()
        if not isinstance(v, Mapping)
    ]
    inner = {k: v for k, v in table.items() if isinstance(v, Mapping)}
    if path and (lines or not inner):
        lines = ["", f"[{'.'.join(_key(k) for k in path)}]", *lines]
    for key, value in inner.items():
        lines += _table(value, (*path, key))
    return lines


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object, path: tuple[str, ...]) -> str:
    """Return one value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        text = repr(value)
        return text if set(text) & set(".en") else f"{text}.0"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(v, path) for v in value)}]"
    if isinstance(value, Mapping):
        inline = ", ".join(f"{_key(k)} = {_value(v, (*path, k))}" for k, v in value.items())
        return f"{{ {inline} }}" if inline else "{}"
    raise ProtocolError(
        f"The setting {'.'.join(path)} is {value!r}; expected text, true or false, a finite "
        "number, or a list or table of these."
    )
