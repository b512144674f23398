"""Protocols: every setting of a paper or of a fidelity, as a TOML file that code reads.

A file says which ``paper`` and ``fidelity`` it is for (with an optional ``description``), and
holds settings, which become frozen dataclasses of the caller's choice::

    protocol = load_protocol("nzsp-quick")
    settings = protocol.all_settings(PaperSettings)          # everything, checked key by key
    relax = protocol.section("bulk_relax", RelaxSettings)    # or one table

With ``extends = "other"`` it starts from another protocol and says only what differs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from superionic.inputs.toml_text import dump_toml
from superionic.inputs.typed import build, did_you_mean
from superionic.structures.errors import ProtocolError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["HEAD", "OWN", "Protocol", "build", "load_protocol", "paper_protocol", "protocol_names"]

T = TypeVar("T")

HEAD = ("paper", "fidelity", "description", "extends")
"""Keys that say what a protocol is; all of them text. The others are settings."""
OWN = "own"
"""Fidelity of a protocol that is not packaged."""


@dataclass(frozen=True)
class Protocol:
    """Settings, as written and as resolved.

    Attributes
    ----------
    name : str
        Name of a packaged protocol, or stem of a file.
    paper : str
        The paper it is for; may be empty.
    fidelity : str
        ``quick``, ``standard`` or ``paper``; may be empty.
    text : str
        The file as its author wrote it.
    resolved : str
        TOML of all settings, those of the protocols it extends included; ends the need for them.
    extends : tuple of str
        The protocols it extends, nearest first.
    """

    name: str
    paper: str
    fidelity: str
    text: str
    resolved: str
    extends: tuple[str, ...] = ()

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """All settings as nested read-only mappings; lists are tuples."""
        frozen: Mapping[str, Any] = _frozen(tomllib.loads(self.resolved))
        return frozen

    def resolved_text(self) -> str:
        """Return the resolved settings as TOML, the same text each time."""
        return self.resolved

    def table(self, name: str) -> Mapping[str, Any]:
        """Return a table by its name, dotted where it lies inside another.

        Raises
        ------
        ProtocolError
            There is no such table; the message lists those there are.
        """
        found = self.settings
        for part in name.split("."):
            tables = [k for k, v in found.items() if isinstance(v, Mapping)]
            if part not in tables:
                raise ProtocolError(
                    f"Protocol {self.name} has no table [{name}]. {did_you_mean(part, tables)}"
                )
            found = found[part]
        return found

    def section(self, name: str, cls: type[T]) -> T:
        """Return a table as a frozen dataclass, checked key by key; see `build`.

        Parameters
        ----------
        name
            The table's name; dots lead into tables.
        cls
            The dataclass whose fields are the table's keys.

        Raises
        ------
        ProtocolError
            No such table; an unknown, missing or ill-typed key.
        """
        return build(cls, self.table(name), where=f"Protocol {self.name} [{name}]")

    def all_settings(self, cls: type[T]) -> T:
        """Return everything but the keys of `HEAD` as one frozen dataclass, checked key by key.

        Parameters
        ----------
        cls
            The dataclass whose fields are the file's keys and tables. It may have fields for keys
            of `HEAD` as well.

        Raises
        ------
        ProtocolError
            An unknown, missing or ill-typed key or table.
        """
        wanted = {f.name for f in fields(cls)}  # type: ignore[arg-type]
        table = {k: v for k, v in self.settings.items() if k in wanted or k not in HEAD}
        return build(cls, table, where=f"Protocol {self.name}")


def protocol_names() -> tuple[str, ...]:
    """Return the names of the packaged protocols, sorted."""
    folder = _folder()
    if not folder.is_dir():
        return ()
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def load_protocol(name: str | Path) -> Protocol:
    """Read a packaged protocol by name, or a file by path, and resolve what it extends.

    Parameters
    ----------
    name
        A name of `protocol_names`; text with a slash or ending in ``.toml``, or a ``Path``, is a
        file. What a file extends is a packaged name, or a path relative to that file.

    Raises
    ------
    ProtocolError
        No such protocol, no valid TOML, an ill-typed key of `HEAD`, or protocols that extend each
        other in a circle.
    """
    stem, text, folder = _read(name, None)
    chain = [stem]
    layers = [_parse(stem, text)]
    seen = {str(name) if folder is None else str((folder / f"{stem}.toml").resolve())}
    while "extends" in layers[-1]:
        other = str(layers[-1].pop("extends"))
        below, content, folder = _read(other, folder)
        identity = other if folder is None else str((folder / f"{below}.toml").resolve())
        if identity in seen:
            raise ProtocolError(
                f"Protocol {stem} extends itself: {' -> '.join([*chain, below])}. Let one of them "
                "stand alone."
            )
        seen.add(identity)
        chain.append(below)
        layers.append(_parse(below, content))
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        merged = _merged(merged, layer)
    return Protocol(
        name=stem,
        paper=str(merged.get("paper", "")),
        fidelity=str(merged.get("fidelity", "")),
        text=text,
        resolved=dump_toml(merged),
        extends=tuple(chain[1:]),
    )


def paper_protocol(paper: str, fidelity: str) -> Protocol:
    """Read the protocol of a paper at a fidelity.

    Parameters
    ----------
    paper
        First part of the packaged names, such as ``nzsp``.
    fidelity
        Second part of them, such as ``quick``, or a file of the user's own ending in ``.toml``.
        That may extend a packaged one; its fidelity is ``own`` unless the file itself names it.

    Raises
    ------
    ProtocolError
        As `load_protocol`.
    """
    if not fidelity.endswith(".toml"):
        return load_protocol(f"{paper}-{fidelity}")
    protocol = load_protocol(Path(fidelity))
    if "fidelity" in tomllib.loads(protocol.text):
        return protocol
    resolved = dump_toml({**tomllib.loads(protocol.resolved), "fidelity": OWN})
    return replace(protocol, fidelity=OWN, resolved=resolved)


def _folder() -> Traversable:
    """Return where the packaged protocols are."""
    return files("superionic.inputs").joinpath("protocols")


def _read(name: str | Path, beside: Path | None) -> tuple[str, str, Path | None]:
    """Return stem and text of a protocol, and its folder where it is a file of the user's."""
    if isinstance(name, str) and not name.endswith(".toml") and not set(name) & {"/", "\\"}:
        if name not in protocol_names():
            raise ProtocolError(
                f"There is no protocol '{name}'. {did_you_mean(name, protocol_names())} A file of "
                "your own is named by its path, ending in .toml."
            )
        return name, _folder().joinpath(f"{name}.toml").read_text(encoding="utf-8"), None
    path = (beside or Path()) / name
    if path.suffix != ".toml":
        raise ProtocolError(f"A protocol file ends in .toml; got {path}.")
    try:
        return path.stem, path.read_text(encoding="utf-8"), path.parent
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProtocolError(f"Cannot read the protocol {path}: {reason}.") from error


def _parse(name: str, text: str) -> dict[str, Any]:
    """Parse TOML and check the keys that say what it is."""
    try:
        settings = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProtocolError(f"Protocol {name} is not valid TOML: {error}.") from error
    for key in HEAD:
        if not isinstance(settings.get(key, ""), str):
            raise ProtocolError(f"Protocol {name}: '{key}' must be text; got {settings[key]!r}.")
    return settings


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings in which those above replace those below, table by table."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _frozen(value: object) -> Any:
    """Return read-only mappings and tuples in the place of dicts and lists."""
    if isinstance(value, Mapping):
        return MappingProxyType({k: _frozen(v) for k, v in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    return value
