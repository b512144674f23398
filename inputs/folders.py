"""Folders of input files that appear whole or not at all, and never in the place of others."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_folder(folder: str | Path, contents: Mapping[str, str]) -> Path:
    """Write a folder of text files at once.

    A folder that already holds exactly these files is left as it is.

    Parameters
    ----------
    folder
        Must not exist, or be empty; parents are made.
    contents
        Text by path relative to the folder.

    Returns
    -------
    Path
        The folder's full path.

    Raises
    ------
    DeckError
        It holds other files, or cannot be written. Then nothing is written.
    """
    target = Path(folder).expanduser().absolute()
    if target.exists() and not target.is_dir():
        raise DeckError(f"{target} is a file; a folder is needed. Name another one.")
    if target.is_dir() and any(target.iterdir()):
        _check_same(target, contents)
        return target
    temporary = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.")
        for name, text in contents.items():
            path = Path(temporary) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
        Path(temporary).chmod(0o755)
        Path(temporary).rename(target)  # takes the place of an empty folder, of nothing else
    except OSError as error:
        if temporary:
            with suppress(OSError):
                shutil.rmtree(temporary)
        raise DeckError(
            f"Could not write the folder {target}: {error.strerror or error}. Check that its "
            "parent is writable, has space left, and that nobody else writes there."
        ) from error
    return target


def _check_same(target: Path, contents: Mapping[str, str]) -> None:
    """Raise unless a folder holds exactly these files."""
    held = {p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()}
    for name in sorted(held ^ set(contents)):
        what = "holds" if name in held else "lacks"
        raise DeckError(
            f"The folder {target} is not empty and is not this deck: it {what} {name}. Decks are "
            "never written over; name a new folder."
        )
    for name, text in contents.items():
        try:
            same = (target / name).read_text(encoding="utf-8") == text
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            raise DeckError(
                f"The folder {target} holds another deck: its {name} differs. Decks are never "
                "written over; name a new folder."
            )


def read_input(path: Path) -> str:
    """Return the text of an input file; bytes that are no UTF-8 do not matter.

    Raises
    ------
    DeckError
        It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DeckError(f"Cannot read {path}: {error.strerror or error}.") from error
