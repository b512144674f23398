"""What a paper would gain at other fidelities: which settings differ, read from the protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from superionic.inputs.protocol import load_protocol, protocol_names
from superionic.workflows.report.content import CodeBlock, ReportTable, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from superionic.inputs.protocol import Protocol
    from superionic.workflows.report.content import Block

COMPUTED = ("quick", "standard")
"""Fidelities that are computed here; the others are input decks."""
_HEAD = ("paper", "fidelity", "description", "extends")


def fidelity_section(paper: str, fidelity: str) -> Section | None:
    """Return what the other fidelities of a paper would change; None where it has no others.

    Parameters
    ----------
    paper
        Name of the paper; its protocols begin with it.
    fidelity
        The one that was computed.
    """
    protocols = [load_protocol(n) for n in protocol_names() if n.startswith(f"{paper}-")]
    here = next((p for p in protocols if p.fidelity == fidelity), None)
    if here is None:
        return None
    blocks: list[Block] = []
    for other in protocols:
        if other.name == here.name:
            continue
        if other.fidelity in COMPUTED:
            blocks += [_why(other), _differences(here, other)]
        else:
            blocks += [_deck_text(other), CodeBlock(f"Protocol {other.name}", other.text)]
    return Section("What other fidelities would add", tuple(blocks)) if blocks else None


def _why(protocol: Protocol) -> str:
    """Return what the author of a protocol says above it."""
    head = []
    for line in protocol.text.splitlines():
        if not line.startswith("#"):
            break
        head.append(line.lstrip("# ").rstrip())
    return f"{protocol.fidelity.capitalize()} fidelity (`{protocol.name}`): {' '.join(head)}"


def _deck_text(protocol: Protocol) -> str:
    said = protocol.settings.get("description", "")
    return (
        f"{protocol.fidelity.capitalize()} fidelity (`{protocol.name}`): {said}. "
        "Nothing is computed with it here: it writes input decks for a cluster."
    )


def _differences(here: Protocol, other: Protocol) -> ReportTable:
    """Return every setting that differs between two protocols."""
    mine, theirs = (dict(_settings(p.settings)) for p in (here, other))
    names = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
    return ReportTable(
        caption=f"Settings that differ at {other.fidelity} fidelity.",
        header=("Setting", f"Here ({here.fidelity})", other.fidelity.capitalize()),
        rows=tuple((name, mine.get(name), theirs.get(name)) for name in names),
    )


def _settings(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return dotted names and texts of all settings."""
    for name, value in values.items():
        if not prefix and name in _HEAD:
            continue
        if isinstance(value, Mapping):
            yield from _settings(value, f"{prefix}{name}.")
        elif isinstance(value, tuple):
            yield f"{prefix}{name}", ", ".join(map(str, value))
        else:
            yield f"{prefix}{name}", str(value)
