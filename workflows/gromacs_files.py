"""Run folders of GROMACS: which inputs they were made from, and their stages."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import RunFolderError
from superionic.workflows.md_identity import FORMAT, RUN, check_length, read_run
from superionic.workflows.serialise import read_json, write_json_atomic

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = "gromacs"
INPUTS = "inputs"
COORDINATES, TOPOLOGY = "box.gro", "topol.top"
RUNS = ("em", "npt", "nvt")
"""Names of the settings files in the order of the runs; the last one is production."""
KEPT = (".gro", ".top", ".itp", ".mdp", ".ndx")
RECORD = "stage.json"


@dataclass(frozen=True)
class GromacsStage:
    """One run of ``mdrun``.

    Attributes
    ----------
    name : str
        ``em``, ``npt`` or ``nvt``.
    path : Path
        Its folder.
    steps : int
        Steps; 1 for a minimisation.
    timestep_fs : float
        Time step in fs; 0 for a minimisation.
    """

    name: str
    path: Path
    steps: int
    timestep_fs: float

    @property
    def moves(self) -> bool:
        """Whether it is dynamics."""
        return self.name != RUNS[0]

    @property
    def trajectory(self) -> Path:
        """Its frames."""
        return self.path / "run.xtc"

    @property
    def log(self) -> Path:
        """Its energies as a table."""
        return self.path / "log.csv"

    @property
    def checkpoint(self) -> Path | None:
        """The last whole checkpoint; None before the first.

        GROMACS renames the old one before the new one takes its place.
        """
        found = (self.path / name for name in ("run.cpt", "run_prev.cpt"))
        return next((file for file in found if file.is_file()), None)

    @property
    def record(self) -> dict[str, Any]:
        """How often it was started, for how long it ran (s), and the steps of its input."""
        path = self.path / RECORD
        found: Any = read_json(path) if path.is_file() else {}
        return {"starts": 0, "wall_s": 0.0, "steps": 0, **found}

    def note(self, **values: float) -> None:
        """Put values into the record."""
        write_json_atomic(self.path / RECORD, {**self.record, **values})


def holds_gromacs(folder: Path) -> bool:
    """Return whether a folder holds inputs of GROMACS."""
    return (folder / TOPOLOGY).is_file() and (folder / f"{RUNS[-1]}.mdp").is_file()


def gromacs_stages(folder: Path, production_steps: int) -> tuple[GromacsStage, ...]:
    """Return the stages of a run from its settings files.

    Raises
    ------
    RunFolderError
        A settings file names no time step, or no steps.
    """
    found = []
    names = [name for name in RUNS if (folder / INPUTS / f"{name}.mdp").is_file()]
    for number, name in enumerate(names, start=1):
        place = folder / f"{number}-{name}"
        if name == RUNS[0]:
            found.append(GromacsStage(name, place, 1, 0.0))
            continue
        file = folder / INPUTS / f"{name}.mdp"
        settings = read_mdp(file)
        try:
            timestep = 1e3 * float(settings["dt"])
            steps = production_steps if name == RUNS[-1] else int(settings["nsteps"])
        except (KeyError, ValueError) as error:
            raise RunFolderError(
                f"{file} should name dt in ps and nsteps as numbers; {error} is missing or none."
            ) from error
        if steps:
            found.append(GromacsStage(name, place, steps, timestep))
    return tuple(found)


def read_mdp(path: Path) -> dict[str, str]:
    """Return the settings of an .mdp file; names in lower case with hyphens."""
    found = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.split(";")[0].partition("=")
        if equals:
            found[name.strip().lower().replace("_", "-")] = value.strip()
    return found


def claim_gromacs(folder: Path, source: Path, version: str, *, steps: int) -> int:
    """Make a folder that of a run of GROMACS, or check that it is; return its production's steps.

    A longer production than before extends the run.

    Raises
    ------
    RunFolderError
        Inputs are missing, it belongs to other inputs or another version of GROMACS, or a shorter
        production is asked for than it has.
    """
    from superionic import __version__

    files = _sources(source)
    sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    if not (folder / RUN).is_file():
        others = {p.name for p in folder.iterdir() if not p.name.startswith(".")} - {INPUTS}
        if others:
            raise RunFolderError(
                f"{folder} holds other files ({', '.join(sorted(others)[:3])}) and no {RUN}: give "
                "the run an empty folder of its own."
            )
        (folder / INPUTS).mkdir(exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / INPUTS / file.name)
        made: dict[str, Any] = {
            "format": FORMAT, "runner": RUNNER, "gromacs": version, "superionic": __version__,
            "inputs": sums, "production_steps": steps,
        }  # fmt: skip
        write_json_atomic(folder / RUN, made)
        return steps
    held = read_run(folder, runner=RUNNER)
    before = held["inputs"]
    told = [f"{n} is another one" for n in sorted(sums | before) if sums.get(n) != before.get(n)]
    if held["gromacs"] != version:
        told.append(f"it was made with GROMACS {held['gromacs']}, this is {version}")
    if told:
        raise RunFolderError(
            f"{folder} is another run and is not continued: {'; '.join(told)}. Start anew in "
            "another folder (-o), or remove that one."
        )
    return check_length(folder, held, steps)


def _sources(source: Path) -> list[Path]:
    """Return the input files of a folder."""
    needed = (COORDINATES, TOPOLOGY, f"{RUNS[0]}.mdp", f"{RUNS[-1]}.mdp")
    missing = [name for name in needed if not (source / name).is_file()]
    if missing:
        raise RunFolderError(
            f"{source} holds no {' and no '.join(missing)}: `superionic inputs gromacs` writes "
            "them for a box."
        )
    return sorted(p for p in source.iterdir() if p.is_file() and p.suffix in KEPT)
