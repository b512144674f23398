"""A user's own campaign: structures times workflows times fidelities, as a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.inputs.typed import build, did_you_mean
from superionic.structures.errors import ProtocolError
from superionic.workflows.slurm.script import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = str | int | float | bool | list[str | int | float]

WHERE = {"barrier": "", "relax": "", "binding": "--surface"}
"""Commands that a campaign may run, and the option that takes the structure."""
TOGETHER = ("relax",)
"""Those of them that take all structures at once."""


@dataclass(frozen=True)
class Workflow:
    """One command for many structures at some fidelities.

    Attributes
    ----------
    command : str
        ``relax``, ``barrier`` or ``binding``.
    fidelity : tuple of str
        Names of tables ``[fidelity.NAME]``; empty for none.
    structures : tuple of str
        Files, patterns or packaged crystals; empty for those of the campaign.
    options : Mapping
        Of the command, without the leading dashes.
    """

    command: str
    fidelity: tuple[str, ...] = ()
    structures: tuple[str, ...] = ()
    options: Mapping[str, Value] = field(default_factory=dict)


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
    """

    folder: Path
    cluster: str
    commands: tuple[tuple[str, ...], ...]


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
    commands = tuple(command for w in told.workflow for command in _commands(told, w, base, out))
    if not commands:
        raise ProtocolError(f"{path.name} asks for nothing: it needs tables [[workflow]].")
    return CampaignPlan(out, told.cluster, commands)


def _commands(
    told: CampaignFile, workflow: Workflow, base: Path, out: Path
) -> Iterator[tuple[str, ...]]:
    """Yield the command lines of one table."""
    if workflow.command not in WHERE:
        raise ProtocolError(
            f"[[workflow]] command {workflow.command!r} cannot be part of a campaign. "
            f"{did_you_mean(workflow.command, list(WHERE))}"
        )
    structures = _found(workflow.structures or told.structures, base)
    for fidelity in workflow.fidelity or ("",):
        if fidelity and fidelity not in told.fidelity:
            raise ProtocolError(
                f"There is no table [fidelity.{fidelity}]. "
                f"{did_you_mean(fidelity, list(told.fidelity))}"
            )
        settings = {**told.fidelity.get(fidelity, {}), **workflow.options}
        options = tuple(word for k, v in settings.items() for word in _option(k, v))
        place = out / "-".join(filter(None, (workflow.command, safe_name(fidelity or ""))))
        place = place if fidelity else out / workflow.command
        option = WHERE[workflow.command]
        if workflow.command in TOGETHER:
            yield (workflow.command, *options, "--out", str(place), "--", *structures)
            continue
        for name, structure in zip(labels(structures), structures, strict=True):
            named = (option, structure) if option else ("--", structure)
            before, after = (named, ()) if option else ((), named)
            yield (workflow.command, *before, *options, "--out", str(place / name), *after)


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


def labels(structures: tuple[str, ...]) -> list[str]:
    """Return a folder name for each structure, all different."""
    names = [safe_name(Path(s).stem) for s in structures]
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
