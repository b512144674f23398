"""Command lines that can be submitted: which, where they compute, and whether they make sense."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from superionic.inputs.typed import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Submittable:
    """A command that can be submitted.

    Attributes
    ----------
    whole : bool
        It runs in one allocation; others submit a job for each of their tasks.
    out : str
        Its results folder where it is not told one.
    file : bool
        ``--out`` names a file; its folder is beside it.
    """

    whole: bool = False
    out: str = ""
    file: bool = False


SUBMITTABLE = {
    "reproduce": Submittable(out="results"),
    "relax": Submittable(),
    "barrier": Submittable(),
    "binding": Submittable(),
    "electronic": Submittable(),
    "mof screen": Submittable(),
    "structure order": Submittable(file=True),
    "md run": Submittable(whole=True),
    "run": Submittable(),
}
"""Commands that compute for long into a folder of their own, and go on where they were."""


def name_of(words: Sequence[str]) -> str:
    """Return the name of a command line's command: one word, or two."""
    two = " ".join(words[:2])
    return two if two in SUBMITTABLE else " ".join(words[:1])


def results_folder(words: Sequence[str], directory: Path) -> Path:
    """Return the results folder of a command line.

    Raises
    ------
    typer.BadParameter
        The command cannot be submitted, or has no folder.
    """
    name = name_of(words)
    if name not in SUBMITTABLE:
        raise typer.BadParameter(
            f"`superionic {' '.join(words[:2])}` cannot be submitted: it is quick, or has no "
            f"folder to go on from. Run it here. {did_you_mean(name, list(SUBMITTABLE))}"
        )
    kind = SUBMITTABLE[name]
    out = option_value(words) or kind.out
    if not out:
        raise typer.BadParameter(
            f"name the folder for everything that {name} computes, with --out."
        )
    path = Path(directory, Path(out).expanduser()).absolute()
    return path.with_name(f"{path.stem}.order") if kind.file else path


def make_place(words: Sequence[str], below: Path) -> None:
    """Make the folder for a command that writes a file, if it is below a campaign's own."""
    parent = Path(option_value(words)).absolute().parent
    if SUBMITTABLE[name_of(words)].file and parent.is_relative_to(below):
        parent.mkdir(parents=True, exist_ok=True)


def option_value(words: Sequence[str]) -> str:
    """Return the value of ``--out`` or ``-o`` in a command line; empty without one."""
    out = ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--":
            break
        if word in ("--out", "-o"):
            out = following
        elif word.startswith("--out="):
            out = word.removeprefix("--out=")
        elif word.startswith("-o") and not word.startswith("--") and len(word) > 2:
            out = word[2:]
    return out


def with_option(words: Sequence[str], option: str) -> tuple[str, ...]:
    """Return a command line with one more option, which one of the user's own overrules."""
    count = len(name_of(words).split())
    return (*words[:count], option, *words[count:])


def has_option(words: Sequence[str], name: str) -> bool:
    """Return whether the command of a command line has an option."""
    command, _ = _command(words)
    return any(parameter.name == name for parameter in command.params)


def each_paper(words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return one command line a paper, so that none waits for the results of another."""
    if name_of(words) != "reproduce":
        return (tuple(words),)
    from superionic.workflows.papers import PAPERS

    command, _ = _command(words)
    taking = {o for p in command.params if not getattr(p, "is_flag", True) for o in p.opts}
    before = ("", *words)
    named = [
        k for k, word in enumerate(words)
        if k and not word.startswith("-") and before[k] not in taking
    ]  # fmt: skip
    rest = [word for k, word in enumerate(words) if k and k not in named]
    papers = dict.fromkeys([words[k] for k in named] or PAPERS)
    return tuple((words[0], paper, *rest) for paper in papers)


def check_words(words: Sequence[str]) -> None:
    """Refuse a command line that the command would refuse, without running it.

    Raises
    ------
    click.UsageError
        An option that there is not, a value that makes no sense, or one that is missing.
    """
    command, context = _command(words)
    rest = list(words[len(name_of(words).split()) :])
    command.make_context(command.name, rest, parent=context)


def _command(words: Sequence[str]) -> tuple[Any, Any]:
    """Return the command of a command line, and the context of its group."""
    from superionic.workflows.cli import app

    command: Any = typer.main.get_command(app)
    context = command.context_class(command, info_name="superionic")
    for word in name_of(words).split():
        found = command.get_command(context, word)
        if found is None:
            raise typer.BadParameter(f"there is no command {' '.join(words[:2])}.")
        if hasattr(found, "commands"):
            context = found.context_class(found, info_name=word, parent=context)
        command = found
    return command, context
