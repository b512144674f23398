"""Protocols for DFT: a specification, what each code is told beside it, and the open choices."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from superionic.inputs.combinations import NAMES
from superionic.inputs.deck import OPTIONS, Deck, Options
from superionic.inputs.dft import Band, DFTSpec
from superionic.inputs.protocol import load_protocol, protocol_names
from superionic.inputs.typed import build, did_you_mean
from superionic.structures.errors import DeckError, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.inputs.protocol import Protocol
    from superionic.structures.structure import Structure

__all__ = ["CHOICE", "DFTProtocol", "dft_protocol_names", "load_dft_protocol"]

CHOICE = "# choice:"
"""Starts a comment that says what a paper leaves open, and how a protocol settles it."""


@dataclass(frozen=True)
class DFTProtocol:
    """A protocol for decks of one code.

    Attributes
    ----------
    name : str
        Of the protocol.
    spec : DFTSpec
        The calculation, with what the protocol changes for this code.
    band : Band or None
        How a band would be relaxed; None where the protocol has none.
    options : VaspOptions or CastepOptions or GpawOptions
        What this code is told beside the specification.
    choices : tuple of str
        What the paper leaves open, and how it is settled.
    """

    name: str
    spec: DFTSpec
    band: Band | None
    options: Options
    choices: tuple[str, ...] = ()

    def deck(
        self, structures: Sequence[Structure], *, title: str = "", notes: Sequence[str] = ()
    ) -> Deck:
        """Return a deck of a structure, or of a band where there are several.

        Raises
        ------
        DeckError
            Several structures, but no band in the protocol; or as `Deck`.
        """
        spec = self.spec
        if len(structures) > 1:
            if self.band is None:
                raise DeckError(
                    f"Protocol {self.name} says nothing of bands: give one structure, or add a "
                    "table [band] to a protocol of your own."
                )
            spec = replace(spec, relax=None, band=replace(self.band, images=len(structures) - 2))
        said = [f"Settings of the protocol {self.name} (`superionic protocol show {self.name}`)."]
        said += [f"Left open and chosen: {choice}" for choice in self.choices]
        return Deck(spec, tuple(structures), self.options, title, (*said, *notes))


def dft_protocol_names() -> tuple[str, ...]:
    """Return the names of the packaged protocols for DFT, sorted."""
    return tuple(n for n in protocol_names() if "spec" in load_protocol(n).settings)


def load_dft_protocol(name: str | Path, code: str, changes: Sequence[str] = ()) -> DFTProtocol:
    """Read a protocol for the decks of a code.

    Parameters
    ----------
    name
        A packaged protocol, or a file ending in ``.toml``. Its tables: ``[spec]`` holds the fields
        of `DFTSpec`; ``[band]`` those of `Band`; ``[vasp]``, ``[castep]`` and ``[gpaw]`` the
        options of a code, and under ``spec`` and ``band`` what the code needs otherwise.
    code
        ``vasp``, ``castep`` or ``gpaw``.
    changes
        Assignments such as ``spec.cutoff_eV=520`` or ``vasp.extra.NCORE=4``, which outrank the
        file.

    Raises
    ------
    ProtocolError
        No such protocol, one that is not for DFT, or an unknown, missing or wrong setting.
    """
    if code not in OPTIONS:
        raise ProtocolError(
            f"There is no code '{code}' that decks are written for. "
            f"{did_you_mean(code, tuple(OPTIONS))}"
        )
    protocol = load_protocol(name)
    settings = _plain(protocol.settings)
    if "spec" not in settings:
        raise ProtocolError(
            f"Protocol {protocol.name} computes here and describes no DFT deck. For decks: "
            f"{', '.join(dft_protocol_names())}, or a file with a table [spec]."
        )
    _check_tables(protocol, settings)
    for change in changes:
        _assign(settings, change)
    own = dict(settings.get(code, {}))
    spec = _merged(settings["spec"], own.pop("spec", {}))
    band = _merged(settings.get("band", {}), own.pop("band", {}))
    where = f"Protocol {protocol.name}"
    return DFTProtocol(
        name=protocol.name,
        spec=build(DFTSpec, spec, where=f"{where} [spec] for {NAMES[code]}"),
        band=build(Band, band, where=f"{where} [band] for {NAMES[code]}") if band else None,
        options=build(OPTIONS[code], own, where=f"{where} [{code}]"),
        choices=open_choices(protocol.text),
    )


def open_choices(text: str) -> tuple[str, ...]:
    """Return the comments of a protocol that start with `CHOICE`, each joined to one line."""
    found: list[str] = []
    going = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith(CHOICE):
            found.append(line.removeprefix(CHOICE).strip())
            going = True
        elif going and line.startswith("# "):
            found[-1] += f" {line[2:].strip()}"
        else:
            going = False
    return tuple(found)


def _plain(value: Any) -> Any:
    """Return mappings as dicts that can be changed."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _check_tables(protocol: Protocol, settings: Mapping[str, Any]) -> None:
    """Raise where a protocol has a table that means nothing here."""
    known = ("spec", "band", *OPTIONS)
    for name, value in settings.items():
        if isinstance(value, Mapping) and name not in known:
            raise ProtocolError(
                f"Protocol {protocol.name}: there is no table [{name}]. {did_you_mean(name, known)}"
            )


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings in which those above replace those below, table by table."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _assign(settings: dict[str, Any], change: str) -> None:
    """Carry out one assignment such as ``spec.cutoff_eV=520``."""
    path, equals, word = change.partition("=")
    keys = [k.strip() for k in path.split(".")]
    if not equals or not all(keys) or len(keys) < 2:
        raise ProtocolError(
            f"A change is an assignment such as spec.cutoff_eV=520; got '{change}'."
        )
    roots = ("spec", "band", *OPTIONS)
    if keys[0] not in roots:
        raise ProtocolError(f"The change '{change}' names no table. {did_you_mean(keys[0], roots)}")
    try:
        value = tomllib.loads(f"x = {word}")["x"]
    except tomllib.TOMLDecodeError:
        value = word.strip()
    if keys[0] == "spec" and len(keys) == 2:
        known = [f.name for f in fields(DFTSpec)]
        if keys[1] not in known:
            raise ProtocolError(
                f"The specification has no '{keys[1]}'. {did_you_mean(keys[1], known)}"
            )
    place = settings
    for key in keys[:-1]:
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise ProtocolError(f"The change '{change}' goes into '{key}', which is no table.")
    if keys[0] in ("spec", "band"):
        for code in OPTIONS:  # what is asked for now outranks what the file changes for a code
            _drop(settings.get(code, {}), keys)
    place[keys[-1]] = value


def _drop(table: Any, keys: Sequence[str]) -> None:
    for key in keys[:-1]:
        if not isinstance(table, dict) or key not in table:
            return
        table = table[key]
    if isinstance(table, dict):
        table.pop(keys[-1], None)
