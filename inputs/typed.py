"""From tables of plain values to frozen dataclasses, strictly: every mistake is named."""

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from superionic.structures.errors import ProtocolError, SuperionicError

T = TypeVar("T")

LARGEST_WHOLE = 10**18
"""Whole numbers of a table are smaller."""
_UNIONS = (Union, types.UnionType)
_MAPPINGS = (dict, Mapping)


def build(cls: type[T], table: Mapping[str, Any], *, where: str = "settings") -> T:
    """Make a dataclass from a table whose keys are its fields.

    Nested dataclasses take nested tables. A key that a table leaves out keeps the default of the
    place it stands in: where a field's default is itself a dataclass, a table for that field
    changes only what it names.

    Parameters
    ----------
    cls
        A dataclass whose fields are numbers, text, truth values, ``Literal``, tuples, lists,
        dicts with text keys, unions of these, or such dataclasses. Whole numbers serve as floats.
    table
        As read from TOML or JSON.
    where
        How messages name the table, such as ``nzsp-quick.toml [relax]``.

    Raises
    ------
    ProtocolError
        An unknown or missing key, or a value of another type than its field or one that the
        dataclass itself refuses. The message names the table and the key.
    """
    return _dataclass(cls, table, where, None)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a sentence that suggests the nearest known words, or lists all of them."""
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(repr(w) for w in near)}?"
    return f"Known: {', '.join(known)}." if known else "It takes none."


def _dataclass(cls: type[T], table: object, where: str, base: T | None) -> T:
    """Build a dataclass; what the table leaves out comes from ``base``, else from the class."""
    if not isinstance(table, Mapping):
        raise ProtocolError(f"{where} must be a table for {cls.__name__}; got {table!r}.")
    known: dict[str, Field[Any]] = {f.name: f for f in fields(cls) if f.init}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise ProtocolError(f"{where}: unknown key '{key}'. {did_you_mean(key, list(known))}")
    hints = _hints(cls)
    values: dict[str, Any] = {}
    for name, field in known.items():
        if name in table:
            default = getattr(base, name) if base is not None else _default(field)
            values[name] = _value(hints[name], table[name], f"{where} {name}", default)
        elif base is not None:
            values[name] = getattr(base, name)
        elif _default(field) is MISSING:
            raise ProtocolError(
                f"{where}: the key '{name}' ({_say(hints[name])}) is missing and has no default."
            )
    try:
        return cls(**values)
    except SuperionicError as error:
        raise ProtocolError(f"{where}: {error}") from error


def _default(field: Field[Any]) -> Any:
    """Return a field's default value, or MISSING."""
    if field.default is not MISSING:
        return field.default
    return MISSING if field.default_factory is MISSING else field.default_factory()


def _hints(cls: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields."""
    try:
        return get_type_hints(cls)
    except NameError as error:
        raise ProtocolError(
            f"{cls.__qualname__} cannot be built from a table: {error}. Import the types of its "
            "fields outside of TYPE_CHECKING."
        ) from error


def _value(hint: Any, value: object, where: str, default: Any = MISSING) -> Any:
    """Return a value as the type that a field asks for, or raise."""
    origin = get_origin(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        base = default if isinstance(default, hint) else None
        return _dataclass(hint, value, where, base)
    if origin in _UNIONS:
        return _union(hint, value, where, default)
    if origin is Literal:
        return _literal(hint, value, where)
    if origin is tuple:
        return _tuple(hint, value, where)
    if origin is list and isinstance(value, (list, tuple)):
        return [_value(get_args(hint)[0], v, f"{where}[{k}]") for k, v in enumerate(value)]
    if origin in _MAPPINGS and isinstance(value, Mapping):
        return {k: _value(get_args(hint)[1], v, f"{where}.{k}") for k, v in value.items()}
    return _scalar(hint, value, where)


def _scalar(hint: Any, value: object, where: str) -> Any:
    """Return a number, text or truth value of exactly the type asked for; an int for a float."""
    if type(value) is int and abs(value) >= LARGEST_WHOLE:
        raise ProtocolError(f"{where} is too large a number: at most 18 digits are read.")
    if hint is float and type(value) in (int, float):
        number = float(value)  # type: ignore[arg-type]
        if not math.isfinite(number):
            raise ProtocolError(f"{where} must be a finite number; got {number}.")
        return number
    if hint in (bool, int, str) and type(value) is hint:
        return value
    raise ProtocolError(f"{where} must be {_say(hint)}; got {value!r}.")


def _literal(hint: Any, value: object, where: str) -> Any:
    """Return one of the values that a ``Literal`` allows."""
    allowed = get_args(hint)
    for choice in allowed:
        if type(choice) is type(value) and choice == value:
            return choice
    guess = ""
    if isinstance(value, str):
        near = difflib.get_close_matches(value, [c for c in allowed if isinstance(c, str)], n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
    raise ProtocolError(f"{where} must be {_say(hint)}; got {value!r}.{guess}")


def _tuple(hint: Any, value: object, where: str) -> tuple[Any, ...]:
    """Return a list as a tuple of the length and types asked for."""
    kinds = get_args(hint)
    if not isinstance(value, (list, tuple)):
        raise ProtocolError(f"{where} must be {_say(hint)}; got {value!r}.")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise ProtocolError(f"{where} must be {_say(hint)}; got {len(value)} values: {value!r}.")
    return tuple(
        _value(kind, v, f"{where}[{k}]")
        for k, (kind, v) in enumerate(zip(kinds, value, strict=True))
    )


def _union(hint: Any, value: object, where: str, default: Any) -> Any:
    """Return a value as the first type of a union that takes it."""
    choices = [kind for kind in get_args(hint) if kind is not type(None)]
    if value is None and len(choices) < len(get_args(hint)):
        return None
    if len(choices) == 1:
        return _value(choices[0], value, where, default)
    for kind in sorted(choices, key=lambda k: k is float):  # 1 stays an int in int | float
        try:
            return _value(kind, value, where, default)
        except ProtocolError:
            continue
    raise ProtocolError(f"{where} must be {_say(hint)}; got {value!r}.")


def _say(hint: Any) -> str:
    """Return a type in words a reader of a TOML file knows."""
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    origin, args = get_origin(hint), get_args(hint)
    if origin in _UNIONS:
        return " or ".join(_say(kind) for kind in args if kind is not type(None))
    if origin is Literal:
        return "one of " + ", ".join(repr(a) for a in args)
    if origin is tuple and args[-1] is Ellipsis:
        return f"a list, each entry {_say(args[0])}"
    if origin is tuple:
        return f"a list of {len(args)}: " + ", ".join(_say(a) for a in args)
    if origin is list:
        return f"a list, each entry {_say(args[0])}"
    if is_dataclass(hint) or origin in _MAPPINGS:
        return "a table"
    return words.get(hint, str(hint))
