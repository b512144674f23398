"""Results folders: each says which command made it for which inputs, and takes no others."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import RunFolderError
from superionic.workflows.runfolder import INPUTS, prepare_run_folder
from superionic.workflows.serialise import read_json, write_json_atomic

if TYPE_CHECKING:
    from superionic.workflows.serialise import Json

MARKER = "superionic.json"
"""Says what a results folder holds."""

_RUN_SIGNS = ("run.log", "runs/run.log", f"*/{INPUTS}")


def claim_folder(path: Path, command: str, inputs: dict[str, Json]) -> Path:
    """Make a results folder for a command and its inputs, or check the one that is there.

    Parameters
    ----------
    path
        The folder; created with its parents if need be.
    command
        Name of the command.
    inputs
        What the results depend on, as JSON. The same command with other inputs needs a folder of
        its own.

    Returns
    -------
    Path
        The folder's full path.

    Raises
    ------
    RunFolderError
        It is a file, holds something else, belongs to another command or other inputs, or cannot
        be written.
    """
    folder = path.expanduser().absolute()
    new = not folder.exists()
    if not new:
        _check_owner(folder, command, inputs)
    try:
        prepare_run_folder(folder)
        if not (folder / MARKER).exists():
            from superionic import __version__

            marker: dict[str, Json] = {"command": command, "version": __version__, "inputs": inputs}
            write_json_atomic(folder / MARKER, dict(marker))
    except RunFolderError:
        if new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    return folder


def read_marker(path: Path) -> dict[str, Any]:
    """Return what a results folder says of itself: ``command``, ``version``, ``inputs``.

    Raises
    ------
    RunFolderError
        There is no such folder, or no command made it.
    """
    folder = path.expanduser()
    if not folder.is_dir():
        raise RunFolderError(f"There is no folder {folder}.")
    if not (folder / MARKER).is_file():
        raise RunFolderError(
            f"{folder} has no {MARKER}, so no command of superionic made it. Name the folder that "
            "was given to `superionic reproduce`, `superionic barrier` or `superionic binding`."
        )
    marker = read_json(folder / MARKER)
    if not isinstance(marker, dict) or not isinstance(marker.get("inputs"), dict):
        raise RunFolderError(f"{folder / MARKER} was edited or cut off; make the results again.")
    return marker


def flattened(name: str, value: Json) -> dict[str, Json]:
    """Return nested settings as one level of dotted names, so that a difference can be named."""
    if not isinstance(value, dict):
        return {name: value}
    found: dict[str, Json] = {}
    for key, inner in value.items():
        found |= flattened(f"{name}.{key}", inner)
    return found


def _check_owner(folder: Path, command: str, inputs: dict[str, Json]) -> None:
    """Raise unless a folder that exists is empty, or was made by this command for these inputs."""
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is a file; an output folder is needed. Name another one.")
    if not (folder / MARKER).is_file():
        visible = [p.name for p in folder.iterdir() if not p.name.startswith(".")]
        if visible and not any(next(folder.glob(sign), None) for sign in _RUN_SIGNS):
            raise RunFolderError(
                f"The folder {folder} holds other files ({', '.join(sorted(visible)[:3])}"
                f"{', ...' if len(visible) > 3 else ''}) and was not made by superionic. Choose a "
                "new or empty output folder."
            )
        return
    marker = read_marker(folder)
    if marker.get("command") != command:
        raise RunFolderError(
            f"The folder {folder} belongs to `superionic {marker.get('command')}`, not to "
            f"`superionic {command}`. Choose another output folder."
        )
    held = marker["inputs"]
    for key in [*inputs, *held]:
        if inputs.get(key) != held.get(key):
            raise RunFolderError(
                f"The folder {folder} belongs to other inputs: {key.replace('_', ' ')} was "
                f"{_short(held.get(key))}, now it is {_short(inputs.get(key))}. Choose another "
                "output folder."
            )


def _short(value: object) -> str:
    """Return at most 60 characters of a value, and a word for one that is empty."""
    text = "none" if value in ("", None) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
