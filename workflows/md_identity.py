"""What a run folder is the run of: it is continued with nothing else."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import RunFolderError
from superionic.workflows.md_settings import MDSettings
from superionic.workflows.serialise import read_json, write_json_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.workflows.md_system import MDSystem

RUN = "run.json"
FORMAT = 1
OPENMM = "openmm"


def openmm_version() -> str:
    """Return the version of OpenMM."""
    import openmm

    return str(openmm.__version__)


def claim_run(folder: Path, system: MDSystem, settings: MDSettings, *, steps: int) -> int:
    """Make a folder that of this run, or check that it is; return the steps of its production.

    A longer production than before extends the run.

    Raises
    ------
    RunFolderError
        It belongs to another system, other settings or another version of OpenMM, or a shorter
        production is asked for than it has.
    """
    from superionic import __version__

    now: dict[str, Any] = {
        "format": FORMAT,
        "openmm": openmm_version(),
        **system.fingerprints,
        "settings": asdict(settings),
    }
    if not (folder / RUN).is_file():
        others = [p.name for p in folder.iterdir() if not p.name.startswith(".")]
        if others:
            raise RunFolderError(
                f"{folder} holds other files ({', '.join(sorted(others)[:3])}) and no {RUN}: give "
                "the run an empty folder of its own."
            )
        system.save(folder)
        write_json_atomic(
            folder / RUN, {**now, "superionic": __version__, "production_steps": steps}
        )
        return steps
    held = read_run(folder)
    _compare(folder, now, held)
    return check_length(folder, held, steps)


def check_length(folder: Path, held: dict[str, Any], steps: int) -> int:
    """Note a longer production in a run folder, refuse a shorter one, and return its steps."""
    known = int(held["production_steps"])
    if steps < known:
        raise RunFolderError(
            f"{folder} is a run of {known} steps of production; {steps} were asked for now. Ask "
            f"for {known} or more, or start anew in another folder."
        )
    if steps > known:
        write_json_atomic(folder / RUN, {**held, "production_steps": steps})
    return steps


def runner_of(folder: Path) -> str:
    """Return which program a run folder is moved by: ``openmm`` or ``gromacs``.

    Raises
    ------
    RunFolderError
        It is no run folder.
    """
    if not (folder / RUN).is_file():
        raise RunFolderError(f"{folder} holds no run: `superionic md run` begins one.")
    data = read_json(folder / RUN)
    return str(data.get("runner", OPENMM)) if isinstance(data, dict) else OPENMM


def read_run(folder: Path, *, runner: str = OPENMM) -> dict[str, Any]:
    """Return what a run folder says of itself.

    Raises
    ------
    RunFolderError
        It is no run folder, or that of another program.
    """
    found = runner_of(folder)
    if found != runner:
        raise RunFolderError(
            f"{folder} is a run of {found}, and {runner} cannot go on with it. Name another folder "
            f"(-o), or let {found} run (--runner {found})."
        )
    data = read_json(folder / RUN)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise RunFolderError(
            f"{folder / RUN} is of another version of superionic, or was edited. Start anew in "
            "another folder."
        )
    return data


def held_settings(run: dict[str, Any]) -> MDSettings:
    """Return the settings of a run."""
    return replace(MDSettings(), **run["settings"])


def _compare(folder: Path, now: dict[str, Any], held: dict[str, Any]) -> None:
    """Raise if anything that decides on the motion differs."""
    what = {
        "system": "its forces were other ones (system.xml)",
        "topology": "its atoms were other ones (topology.pdb)",
        "openmm": f"it was made with OpenMM {held.get('openmm')}, this is {now['openmm']}",
    }
    differs = [text for key, text in what.items() if now[key] != held.get(key)]
    before, after = held["settings"], now["settings"]
    differs += [
        f"{key.replace('_', ' ')} was {before.get(key)}, now it is {after.get(key)}"
        for key in after
        if after[key] != before.get(key)
    ]
    if differs:
        raise RunFolderError(
            f"{folder} is another run and is not continued: {'; '.join(differs)}. Start anew in "
            "another folder (-o), or remove that one."
        )
