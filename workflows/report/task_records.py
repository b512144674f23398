"""What a report tells of a task on request: what it was given, where and with what it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superionic.workflows.runfolder import INPUTS, MANIFEST, RESULT, read_optional
from superionic.workflows.told_inputs import told_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LINES = 60
"""Inputs shown of one task, at most; all of them are in its ``inputs.json``."""

_SHOWN = ("state", "started", "wall_s", "cpu_s", "host", "platform", "cpus", "job", "parents")


def task_records(runs: Path, keys: Sequence[str]) -> dict[str, Any]:
    """Return what a page needs to tell of tasks, as JSON-able values.

    Parameters
    ----------
    runs
        Folder that has the tasks' folders.
    keys
        Names of those.

    Returns
    -------
    dict
        ``tasks``, a record each, and ``versions``, the sets of library versions that they name by
        number.
    """
    versions: list[dict[str, str]] = []
    return {"tasks": [_record(runs / key, versions) for key in keys], "versions": versions}


def _record(folder: Path, versions: list[dict[str, str]]) -> dict[str, Any]:
    """Return what there is to tell of one task."""
    inputs, manifest = read_optional(folder / INPUTS), read_optional(folder / MANIFEST)
    seen = {"python": manifest.get("python", ""), **manifest.get("versions", {})}
    if seen not in versions:
        versions.append(seen)
    lines = [f"{name} = {text}" for name, text in told_inputs(inputs.get("inputs", {}))]
    if len(lines) > LINES:
        lines = [*lines[:LINES], f"and {len(lines) - LINES} more in {INPUTS}"]
    return {
        "key": folder.name,
        "function": f"{inputs.get('module', '')}.{inputs.get('qualname', '')}",
        "version": inputs.get("version"),
        **{name: manifest[name] for name in _SHOWN if name in manifest},
        "sha256": manifest.get("checksums", {}).get(RESULT, ""),
        "versions": versions.index(seen),
        "inputs": "\n".join(lines),
    }
