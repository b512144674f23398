"""A user's own campaign: structures times workflows times fidelities, as a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.inputs.typed import build, did_you_mean
from superionic.structures.errors import ProtocolError
from superionic.workflows.slurm.command_line import option_value
from superionic.workflows.slurm.script import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Value = str | int | float | bool | list[str | int | float]


@dataclass(frozen=True)
class Kind:
    """How a command takes what it works on.

    Attributes
    ----------
    option : str
        Before each structure; empty where it is an argument.
    together : bool
        It takes all at once.
    whole : bool
        It runs in one allocation each, all in one job array, if the file does not say otherwise.
    holds : str
        It takes folders, those that hold such a file; empty where it takes structures.
    suffix : str
        It writes a file with this suffix; empty where it fills a folder.
    """

    option: str = ""
    together: bool = False
    whole: bool = False
    holds: str = ""
    suffix: str = ""


COMMANDS = {
    "relax": Kind(together=True),
    "barrier": Kind(),
    "binding": Kind(option="--surface"),
    "structure order": Kind(whole=True, suffix=".cif"),
    "md run": Kind(whole=True, holds="*"),
    "run": Kind(together=True, holds="*"),
}
"""Commands that a campaign may run."""


@dataclass(frozen=True)
class Workflow:
    """One command for many structures at some fidelities.

    Attributes
    ----------
    command : str
        ``relax``, ``barrier``, ``binding``, ``structure order``, ``md run``, or ``run`` for decks
        of VASP, CASTEP, GPAW and GROMACS.
    fidelity : tuple of str
        Names of tables ``[fidelity.NAME]``; empty for none.
    structures : tuple of str
        Files, patterns or packaged crystals, for ``md run`` and ``run`` folders; empty for those of
        the campaign.
    options : Mapping
        Of the command, without the leading dashes.
    whole : bool or None
        Each structure in one allocation, all in one job array; None for what fits the command.
    """

    command: str
    fidelity: tuple[str, ...] = ()
    structures: tuple[str, ...] = ()
    options: Mapping[str, Value] = field(default_factory=dict)
    whole: bool | None = None


@dataclass(frozen=True)
class CampaignFile:
    """What a campaign file says.

    Attributes
    ----------
    out : str
        Results folder, as seen from the file.
    workflow : tuple of Workflow
        What is to be done.
    structures : tuple of str
        Files, patterns such as ``cells/*.cif``, or names of packaged crystals.
    cluster : str
        Where, if the command line does not say.
    fidelity : Mapping
        Options by fidelity.
    """

    out: str
    workflow: tuple[Workflow, ...]
    structures: tuple[str, ...] = ()
    cluster: str = ""
    fidelity: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)


@dataclass(frozen=True)
class CampaignPlan:
    """Commands that a campaign file stands for.

    Attributes
    ----------
    folder : Path
        Results folder.
    cluster : str
        As in the file.
    commands : tuple of tuple of str
        Command lines.
    whole : frozenset of int
        Which of them run in one allocation each.
    """

    folder: Path
    cluster: str
    commands: tuple[tuple[str, ...], ...]
    whole: frozenset[int] = frozenset()


def read_campaign_file(path: Path) -> CampaignPlan:
    """Return the commands that a campaign file stands for.

    Raises
    ------
    ProtocolError
        It cannot be read, has an unknown key, or names files that are not there.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProtocolError(f"Cannot read the campaign {path}: {error}") from error
    told = build(CampaignFile, table, where=path.name)
    base = path.expanduser().absolute().parent
    out = base / Path(told.out).expanduser()
    commands: list[tuple[str, ...]] = []
    whole: set[int] = set()
    for workflow in told.workflow:
        more = list(_commands(told, workflow, base, out))
        if COMMANDS[workflow.command].whole if workflow.whole is None else workflow.whole:
            whole |= {len(commands) + k for k in range(len(more))}
        commands += more
    if not commands:
        raise ProtocolError(f"{path.name} asks for nothing: it needs tables [[workflow]].")
    _refuse_shared(commands, out)
    return CampaignPlan(out, told.cluster, tuple(commands), frozenset(whole))


def _refuse_shared(commands: Sequence[tuple[str, ...]], out: Path) -> None:
    """Refuse two commands that would write into one folder."""
    places = [option_value(words) for words in commands]
    shared = [place for place in dict.fromkeys(places) if places.count(place) > 1]
    if shared:
        raise ProtocolError(
            f"Two tables [[workflow]] would write into {Path(shared[0]).relative_to(out)}. Give "
            "one of them a fidelity of its own, which becomes part of the name."
        )


def _commands(
    told: CampaignFile, workflow: Workflow, base: Path, out: Path
) -> Iterator[tuple[str, ...]]:
    """Yield the command lines of one table."""
    if workflow.command not in COMMANDS:
        raise ProtocolError(
            f"[[workflow]] command {workflow.command!r} cannot be part of a campaign. "
            f"{did_you_mean(workflow.command, list(COMMANDS))}"
        )
    kind, words = COMMANDS[workflow.command], workflow.command.split()
    patterns = workflow.structures or told.structures
    structures = _folders(patterns, kind.holds, base) if kind.holds else _found(patterns, base)
    for fidelity in workflow.fidelity or ("",):
        if fidelity and fidelity not in told.fidelity:
            raise ProtocolError(
                f"There is no table [fidelity.{fidelity}]. "
                f"{did_you_mean(fidelity, list(told.fidelity))}"
            )
        settings = {**told.fidelity.get(fidelity, {}), **workflow.options}
        options = tuple(word for k, v in settings.items() for word in _option(k, v))
        place = out / "-".join([*words, *([safe_name(fidelity)] if fidelity else [])])
        if kind.together:
            yield (*words, *options, "--out", str(place), "--", *structures)
            continue
        for name, structure in zip(labels(structures), structures, strict=True):
            named = (kind.option, structure) if kind.option else ("--", structure)
            before, after = (named, ()) if kind.option else ((), named)
            target = str(place / f"{name}{kind.suffix}")
            yield (*words, *before, *options, "--out", target, *after)


def _found(patterns: tuple[str, ...], base: Path) -> tuple[str, ...]:
    """Return files in order; names of packaged crystals pass."""
    from superionic.structures.crystals import reference_crystals

    found: list[str] = []
    for pattern in patterns:
        if pattern in reference_crystals():
            found.append(pattern)
            continue
        here = base / Path(pattern).expanduser()
        below = here.relative_to(here.anchor).as_posix()
        matching = [here] if here.is_file() else sorted(Path(here.anchor).glob(below))
        files = [str(file) for file in matching if file.is_file()]
        if not files:
            raise ProtocolError(f"No file matches {pattern!r} (looked in {base}).")
        found += [file for file in files if file not in found]
    if not found:
        raise ProtocolError("A campaign needs `structures`: files, patterns or packaged crystals.")
    return tuple(found)


def _folders(patterns: tuple[str, ...], holds: str, base: Path) -> tuple[str, ...]:
    """Return folders that hold a file, in order."""
    found: list[str] = []
    for pattern in patterns:
        here = base / Path(pattern).expanduser()
        below = here.relative_to(here.anchor).as_posix()
        matching = [here] if here.is_dir() else sorted(Path(here.anchor).glob(below))
        folders = [str(p) for p in matching if p.is_dir() and any(p.glob(holds))]
        if not folders:
            raise ProtocolError(f"No folder with files matches {pattern!r} (looked in {base}).")
        found += [folder for folder in folders if folder not in found]
    if not found:
        raise ProtocolError("`md run` and `run` need `structures`: folders, or patterns of them.")
    return tuple(found)


def labels(structures: tuple[str, ...]) -> list[str]:
    """Return a folder name for each structure, all different."""
    paths = [Path(s) for s in structures]
    names = [safe_name(p.name if p.is_dir() else p.stem) for p in paths]
    return [n if names.count(n) == 1 else f"{n}-{k + 1}" for k, n in enumerate(names)]


def _option(name: str, value: Any) -> list[str]:
    """Return an option as words of a command line."""
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return [flag]
    if value is False:
        return [f"--no-{flag[2:]}"]
    values = value if isinstance(value, list) else [value]
    return [f"{flag}={v}" for v in values]
