"""`collect`: what VASP, CASTEP or GPAW left in a folder, and whether it may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.inputs.outputs.castep import is_castep_folder, read_castep_run
from superionic.inputs.outputs.failures import QUIET_S
from superionic.inputs.outputs.gpaw import is_gpaw_folder, read_gpaw
from superionic.inputs.outputs.paths import image_folders, read_path
from superionic.inputs.outputs.records import CollectedNEB, CollectedRun
from superionic.inputs.outputs.vasp import is_vasp_folder, read_vasp_run
from superionic.structures.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def collect(
    folder: Path,
    *,
    ends: Sequence[Path] = (),
    quiet_s: float = QUIET_S,
    now: float | None = None,
) -> CollectedRun | CollectedNEB:
    """Read back a run of VASP, CASTEP or a GPAW script, or the images of a path.

    Parameters
    ----------
    folder
        One run, or a path with subfolders ``00``, ``01``, ...
    ends
        For a path: the folders of its two ends, first and last, where they were computed
        elsewhere.
    quiet_s
        Seconds of silence after which output without an end counts as broken off; a slow step
        on a busy machine may need more.
    now
        Time to measure the silence from, in seconds since the epoch; the clock by default.

    Returns
    -------
    CollectedRun or CollectedNEB
        Its state, why it is in it, and its numbers if, and only if, it finished.

    Raises
    ------
    RunFolderError
        There is no such folder, or none of the codes has been there.
    OutputFileError
        Output that should be whole cannot be read, or files of different runs lie together.
    """
    path = folder.expanduser()
    if not path.is_dir():
        raise RunFolderError(f"There is no folder {path}.")
    if is_gpaw_folder(path):
        return read_gpaw(path, quiet_s=quiet_s, now=now)
    if image_folders(path):
        return read_path(path, ends=ends, quiet_s=quiet_s, now=now)
    if ends:
        raise RunFolderError(
            f"{path} is no path, so it has no ends: expected subfolders 00, 01, ... in it."
        )
    if is_vasp_folder(path):
        return read_vasp_run(path, quiet_s=quiet_s, now=now)
    if is_castep_folder(path):
        return read_castep_run(path, quiet_s=quiet_s, now=now)
    raise RunFolderError(
        f"{path} holds no run of VASP (OUTCAR, vasprun.xml, INCAR), CASTEP (SEED.castep, "
        "SEED.param) or GPAW (run.py) and no path (subfolders 00, 01, ...)."
    )


def runs_below(folder: Path) -> tuple[Path, ...]:
    """Return the folders of runs and paths at and below a folder, in order of their names."""
    found: list[Path] = []
    waiting = [folder.expanduser()]
    while waiting:
        here = waiting.pop()
        tests = (is_gpaw_folder, image_folders, is_vasp_folder, is_castep_folder)
        if any(test(here) for test in tests):
            found.append(here)
        else:
            waiting += sorted((p for p in here.iterdir() if p.is_dir()), reverse=True)
    return tuple(found)
