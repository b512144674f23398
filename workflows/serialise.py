"""Values to JSON and back, exactly: what run folders hold instead of pickles."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import secrets
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from superionic.structures.errors import RunFolderError, SuperionicError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "FILE_MODE",
    "PACKAGE",
    "Json",
    "SerialiseError",
    "canonical_hash",
    "decode",
    "encode",
    "json_hash",
    "read_json",
    "to_text",
    "write_json_atomic",
]

PACKAGE = "superionic"
"""Only dataclasses defined in this package are written and, above all, read back."""

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What the ``json`` module takes; keys that start with ``$`` are this module's own."""

_ARRAY_KINDS = "biufU"

FILE_MODE = 0o664
"""Permissions of new files before the umask: never writable by the world."""


class SerialiseError(SuperionicError, ValueError):
    """A value cannot be written as JSON, or JSON does not describe a value of this package."""


def encode(value: object) -> Json:
    """Return the JSON form of a value, from which :func:`decode` gives an equal one.

    Parameters
    ----------
    value
        ``None``, bool, int, float, str, ``Path``, numpy scalars and arrays, tuples, lists,
        ``dict`` with string keys, and dataclasses defined in this package, nested at will.
        Floats, and arrays of bool, integers, floats (up to 64 bits) or text, survive bit by bit.

    Raises
    ------
    SerialiseError
        Any other type, or a number that is not finite; names where in the value it sits.
    """
    return _encode(value, "value")


def _encode(value: object, where: str) -> Json:
    """Encode one node; ``where`` is its path from the root, for messages."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, str):
        return value  # type: ignore[return-value]
    if type(value) is float:
        return _finite(value, where)
    if isinstance(value, np.ndarray):
        return _encode_array(value, where)
    if type(value) is tuple:
        return {"$tuple": [_encode(v, f"{where}[{i}]") for i, v in enumerate(value)]}
    if type(value) is list:
        return [_encode(v, f"{where}[{i}]") for i, v in enumerate(value)]
    if type(value) is dict:
        return _encode_dict(value, where)
    if isinstance(value, Path):
        return {"$path": value.as_posix()}
    if is_dataclass(value) and not isinstance(value, type):
        return _encode_dataclass(value, where)
    raise SerialiseError(
        f"{where} is a {_type_name(type(value))}, which cannot be stored. Expected numbers, text, "
        f"tuples, lists, dicts with text keys, numpy arrays or dataclasses of {PACKAGE}; convert "
        "it first (an ASE Atoms, for one, with Structure.from_ase)."
    )


def _finite(number: float, where: str) -> float:
    """Return a finite number, or raise."""
    if not math.isfinite(number):
        raise SerialiseError(
            f"{where} is {number}: only finite numbers are stored. Leave a missing number out, or "
            "use None."
        )
    return number


def _encode_array(array: NDArray[Any], where: str) -> Json:
    """Encode an array as nested lists with its type and shape."""
    kind = array.dtype.kind
    if kind not in _ARRAY_KINDS or (array.dtype.itemsize > 8 and kind != "U"):
        raise SerialiseError(
            f"{where} is an array of {array.dtype}; only bool, integers, floats up to 64 bits and "
            "text are stored."
        )
    if kind == "f" and not np.isfinite(array).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise SerialiseError(
            f"{where}{list(first)} is {array[first]}: only finite numbers are stored."
        )
    dtype = array.dtype.newbyteorder("=")
    name = "str" if kind == "U" else dtype.name
    return {"$array": name, "shape": list(array.shape), "values": array.astype(dtype).tolist()}


def _encode_dict(mapping: dict[Any, object], where: str) -> Json:
    """Encode a dict, escaping keys that look like this module's own."""
    encoded: dict[str, Json] = {}
    for key, item in mapping.items():
        if type(key) is not str:
            raise SerialiseError(f"{where} has the key {key!r}; only text keys are stored.")
        encoded[f"${key}" if key.startswith("$") else key] = _encode(item, f"{where}[{key!r}]")
    return encoded


def _encode_dataclass(value: Any, where: str) -> Json:
    """Encode a dataclass of this package with its type and all its fields."""
    cls = type(value)
    if not _is_ours(cls.__module__) or "<locals>" in cls.__qualname__:
        raise SerialiseError(
            f"{where} is a {_type_name(cls)}; only dataclasses defined at the top level of a "
            f"{PACKAGE} module are stored."
        )
    encoded: dict[str, Json] = {"$type": f"{cls.__module__}:{cls.__qualname__}"}
    for field in fields(value):
        if field.init:
            encoded[field.name] = _encode(getattr(value, field.name), f"{where}.{field.name}")
    return encoded


def decode(data: Json) -> Any:
    """Return the value that :func:`encode` wrote.

    Arrays come back read-only, in C order. Nothing but dataclasses defined in this package is ever
    constructed, and their own checks run again.

    Raises
    ------
    SerialiseError
        A type outside the package, fields that this version does not have or misses.
    """
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    if "$tuple" in data:
        items = data["$tuple"]
        return tuple(decode(item) for item in items)  # type: ignore[union-attr]
    if "$array" in data:
        return _decode_array(data)
    if "$path" in data:
        return Path(str(data["$path"]))
    if "$type" in data:
        return _decode_dataclass(data)
    return {k.removeprefix("$"): decode(v) for k, v in data.items()}


def _decode_array(data: Mapping[str, Json]) -> NDArray[Any]:
    """Rebuild a read-only array."""
    try:
        array = np.array(data["values"], dtype=np.dtype(str(data["$array"])))
        array = array.reshape(data["shape"])  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError) as error:
        raise SerialiseError(f"Expected an array, got {_short(data)}: {error}") from error
    array.flags.writeable = False
    return array


def _decode_dataclass(data: Mapping[str, Json]) -> Any:
    """Rebuild a dataclass of this package."""
    cls = _our_dataclass(str(data["$type"]))
    known = {f.name for f in fields(cls) if f.init}
    given = set(data) - {"$type"}
    if known != given:
        raise SerialiseError(
            f"{data['$type']} has other fields in this version of {PACKAGE}: the file lacks "
            f"{sorted(known - given)} and has the unknown {sorted(given - known)}. Read it with "
            "the version named in its manifest.json, or compute it again."
        )
    return cls(**{name: decode(data[name]) for name in given})


def _our_dataclass(name: str) -> Any:
    """Return the dataclass called ``module:qualname``, if it is defined in this package."""
    module_name, _, qualname = name.partition(":")
    if not _is_ours(module_name):
        raise SerialiseError(f"Refusing to construct {name!r}: it is not defined in {PACKAGE}.")
    try:
        found: Any = importlib.import_module(module_name)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise SerialiseError(
            f"{name!r} does not exist in this version of {PACKAGE}. Read the file with the version "
            "named in its manifest.json."
        ) from error
    if not (isinstance(found, type) and is_dataclass(found) and found.__module__ == module_name):
        raise SerialiseError(f"Refusing to construct {name!r}: it is not a dataclass.")
    return found


def _is_ours(module: str) -> bool:
    """Return whether a module belongs to this package."""
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


def _type_name(cls: type) -> str:
    """Return a type's full name."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _short(data: object, length: int = 80) -> str:
    """Return a one-line excerpt of some JSON."""
    text = repr(data)
    return text if len(text) <= length else f"{text[:length]}..."


def canonical_hash(value: object) -> str:
    """Return the SHA-256 (64 hex digits) of a value's canonical JSON.

    Keys are sorted, floats are written as their shortest exact decimal form, text is ASCII-escaped:
    the same value gives the same hash in every process and on every platform. Values of
    different type (1 and 1.0, a list and a tuple) have different hashes.

    Raises
    ------
    SerialiseError
        As :func:`encode`.
    """
    return json_hash(encode(value))


def json_hash(data: Json) -> str:
    """Return the SHA-256 (64 hex digits) of JSON that is already encoded."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def to_text(data: Json, *, indent: int = 0) -> str:
    """Return JSON text with one key a line, and each list of plain values on one line."""
    pad = " " * (indent + 1)
    if isinstance(data, dict) and data:
        items = (f"{pad}{json.dumps(k)}: {to_text(v, indent=indent + 1)}" for k, v in data.items())
        return "{\n" + ",\n".join(items) + "\n" + " " * indent + "}"
    if isinstance(data, list) and any(isinstance(item, dict) for item in data):
        items = (f"{pad}{to_text(item, indent=indent + 1)}" for item in data)
        return "[\n" + ",\n".join(items) + "\n" + " " * indent + "]"
    return json.dumps(data, allow_nan=False)


def write_json_atomic(path: Path, data: Json) -> None:
    """Write JSON so that a reader sees the old file or all of the new one, never a part.

    Raises
    ------
    RunFolderError
        The file cannot be written: full disk, no permission, folder gone.
    """
    write_bytes_atomic(path, (to_text(data) + "\n").encode())


def write_bytes_atomic(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a temporary file beside ``path`` and rename it; ``durable`` also waits for the disk.

    Raises
    ------
    RunFolderError
        The file cannot be written; nothing is left behind and an older file stays as it was.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunFolderError(
            f"Cannot write {path}: {error.strerror or error}. Free some space or choose another "
            "output folder, then run the same command again: finished tasks are kept."
        ) from error


def read_json(path: Path) -> Json:
    """Read a JSON file.

    Raises
    ------
    RunFolderError
        The file is missing or is not JSON.
    """
    try:
        data: Json = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RunFolderError(
            f"Cannot read {path}: {error}. If it was edited or cut off, remove the folder "
            f"{path.parent} and run again."
        ) from error
    return data
