"""How a run of an external code goes on after it was cut off, or had used up its steps.

Where only time was short nothing is changed. Where steps were used up without convergence, each
next try climbs one rung of a fixed ladder: ions go on from their last geometry; electrons that did
not converge get twice the cycles, then four times and a sturdier minimiser. No rung changes what
the energy means. Each that was taken is told in the result.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from superionic.structures.errors import SuperionicError
from superionic.workflows.runfolder import read_optional
from superionic.workflows.serialise import write_bytes_atomic, write_json_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from superionic.inputs.outputs.records import CollectedNEB, CollectedRun
    from superionic.workflows.serialise import Json

What = Literal["", "ions", "electrons"]
"""What used up its steps without convergence; nothing after a walltime."""

RECORD = ".superionic-run.json"
"""In the folder of the run: how often it was started, and with which changes."""
_KEPT = ("OUTCAR", "vasprun.xml", "OSZICAR", "XDATCAR")
_DEFAULT_CYCLES = {"vasp": 60, "castep": 30}
_DEFAULT_GEOMETRY_STEPS = 30
_ELECTRONS = {
    "vasp": ({"ALGO": "Normal"}, {"ALGO": "All"}),
    "castep": ({}, {"metals_method": "EDFT"}),
}
_DEFAULTS = {"ALGO": "Normal"}


@dataclass(frozen=True)
class Course:
    """How far a run has come over several starts.

    Attributes
    ----------
    starts : int
        How often the code was started.
    rungs : tuple of str
        What was changed on the way, in words, oldest first.
    electrons : int
        Rungs that were taken for the electrons.
    ended : {"", "ions", "electrons"}
        What used up its steps at the last start.
    first : dict
        Settings of the deck as it came, by name, before a rung changed them.
    """

    starts: int = 0
    rungs: tuple[str, ...] = ()
    electrons: int = 0
    ended: What = ""
    first: dict[str, str] = field(default_factory=dict)

    def write(self, work: Path) -> None:
        """Keep it in the folder of the run."""
        told: dict[str, Json] = {**vars(self), "rungs": list(self.rungs), "first": {**self.first}}
        write_json_atomic(work / RECORD, dict(told))


def read_course(work: Path) -> Course:
    """Return how far the run in a folder has come."""
    told = read_optional(work / RECORD)
    return Course(**{**told, "rungs": tuple(told["rungs"])}) if told else Course()


def what_ended(found: CollectedRun | CollectedNEB) -> What:
    """Return what used up its steps in a run that ended unconverged."""
    from superionic.inputs.outputs.records import CollectedNEB

    runs = found.images if isinstance(found, CollectedNEB) else (found,)
    for run in runs:
        if run.unconverged_steps and run.unconverged_steps[-1] == run.ionic_steps - 1:
            return "electrons"
    said = " ".join(run.reason for run in runs)
    return "electrons" if re.search(r"electrons|self-consisten", said) else "ions"


def prepare_restart(code: str, work: Path, course: Course) -> Course:
    """Make a run that was interrupted, or did not converge, go on where it was.

    Returns
    -------
    Course
        With the rung that was taken, if one was.
    """
    rungs = list(course.rungs)
    first, electrons = dict(course.first), course.electrons
    if course.ended == "electrons" and code in _ELECTRONS:
        electrons += 1
        rungs += _electron_rung(code, work, electrons, first)
    if code == "vasp":
        _go_on_vasp(work, course.starts)
    elif code == "castep":
        if course.ended == "ions":
            rungs += _more_geometry_steps(work, first)
        _go_on_castep(work)
    elif code == "gpaw":
        _go_on_gpaw(work, course.starts)
    if course.ended == "ions" and code != "castep":
        rungs.append("went on from the last geometry")
    return Course(course.starts, tuple(rungs), electrons, "", first)


def _electron_rung(code: str, work: Path, number: int, first: dict[str, str]) -> Iterator[str]:
    """Change the settings of a deck for electrons that did not converge; yield what was done."""
    name = "NELM" if code == "vasp" else "max_scf_cycles"
    files = [work / "INCAR"] if code == "vasp" else sorted(work.glob("*.param"))[:1]
    for path in files:
        before = first.setdefault(name, read_setting(path, name) or str(_DEFAULT_CYCLES[code]))
        with suppress(ValueError):
            yield change(path, name, str(int(before) * 2 ** min(number, 2)))
        for setting, value in _ELECTRONS[code][min(number, 2) - 1].items():
            held = read_setting(path, setting) or _DEFAULTS.get(setting, "")
            if held.lower() != value.lower():
                yield change(path, setting, value)


def _more_geometry_steps(work: Path, first: dict[str, str]) -> Iterator[str]:
    """Raise CASTEP's limit on geometry steps, which counts those before the restart too."""
    name = "geom_max_iter"
    for path in sorted(work.glob("*.param"))[:1]:
        now = read_setting(path, name) or str(_DEFAULT_GEOMETRY_STEPS)
        before = first.setdefault(name, now)
        with suppress(ValueError):
            yield change(path, name, str(int(now) + int(before)))


def read_setting(path: Path, name: str) -> str | None:
    """Return a setting of an INCAR or .param file as text; None where it does not stand there."""
    found = re.search(_line_of(name), _text(path))
    return found.group(1).strip() if found else None


def change(path: Path, name: str, value: str) -> str:
    """Set a setting of an INCAR or .param file and say what was done."""
    text = _text(path)
    sign = "=" if path.name == "INCAR" else ":"
    line = f"{name} {sign} {value}"
    known = re.search(_line_of(name), text)
    new = re.sub(_line_of(name), line, text) if known else f"{text.rstrip()}\n{line}\n"
    write_bytes_atomic(path, new.encode())
    return f"{name} {known.group(1).strip() if known else 'as by default'} -> {value}"


def _line_of(name: str) -> str:
    """Return a pattern for the line of a setting, whose value is its first group."""
    return rf"(?im)^[ \t]*{re.escape(name)}[ \t]*[=:]?[ \t]*([^\n#!]*?)[ \t]*(?:[#!][^\n]*)?$"


def _text(path: Path) -> str:
    """Return a file as text; empty where there is none."""
    return path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""


def _go_on_vasp(work: Path, starts: int) -> None:
    """Start from CONTCAR; VASP takes up WAVECAR by itself. An MD makes only what is missing."""
    _fewer_steps(work)
    for folder in (work, *sorted(p for p in work.iterdir() if re.fullmatch(r"\d\d", p.name))):
        if _whole(folder / "CONTCAR", folder / "POSCAR"):
            if not (folder / "POSCAR.first").exists():
                shutil.copyfile(folder / "POSCAR", folder / "POSCAR.first")
            shutil.copyfile(folder / "CONTCAR", folder / "POSCAR")
        for name in _KEPT:
            if (folder / name).exists():
                (folder / name).rename(folder / f"{name}.{starts}")
    (work / "STOPCAR").unlink(missing_ok=True)


def _whole(path: Path, like: Path) -> bool:
    """Return whether a file of positions is complete, and of as many atoms as another."""
    from superionic.structures.io import read_structure

    if not (path.is_file() and path.stat().st_size and like.is_file()):
        return False
    try:
        return len(read_structure(path)) == len(read_structure(like))
    except SuperionicError:
        return False


def _fewer_steps(work: Path) -> None:
    """Take the steps that a molecular dynamics has made off its NSW."""
    incar = work / "INCAR"
    if read_setting(incar, "IBRION") != "0":
        return
    made = len(re.findall(r"(?m)^\s*\d+\s+T=", _text(work / "OSZICAR")))
    with suppress(ValueError):
        wanted = int(read_setting(incar, "NSW") or 0)
        if made and wanted > made:
            change(incar, "NSW", str(wanted - made))


def _go_on_castep(work: Path) -> None:
    """Continue from SEED.check."""
    for check in work.glob("*.check"):
        param = check.with_suffix(".param")
        if check.stat().st_size and read_setting(param, "continuation") is None:
            change(param, "continuation", "default")


def _go_on_gpaw(work: Path, starts: int) -> None:
    """Start from the last geometry of a relaxation, or the last band."""
    from ase.io import read, write

    from superionic.inputs.outputs.gpaw import FINAL, IMAGES, RESULT

    for name in (RESULT, FINAL):
        if (work / name).exists():
            (work / name).rename(work / f"{name}.{starts}")
    images = read(work / IMAGES, ":", format="extxyz")
    try:
        left = read(work / ("relax.traj" if len(images) == 1 else "band.traj"), ":", format="traj")
    except (OSError, ValueError, IndexError, KeyError):
        return  # cut off before its first step was written
    if len(left) < len(images):
        return
    for image, last in zip(images, left[-len(images) :], strict=True):
        image.cell, image.positions = last.cell, last.positions
    if not (work / f"{IMAGES}.first").exists():
        shutil.copyfile(work / IMAGES, work / f"{IMAGES}.first")
    temporary = work / f".{IMAGES}.tmp"
    write(temporary, images, format="extxyz")
    temporary.replace(work / IMAGES)
