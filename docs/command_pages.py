"""The command line for the documentation, from the commands themselves.

A line `<!-- commands -->` in a page becomes heading, purpose and options of every command.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MARKER = "<!-- commands -->"


def expand(markdown: str) -> str:
    """Return a page with the marker replaced by all commands."""
    return markdown.replace(MARKER, commands()) if MARKER in markdown else markdown


def commands() -> str:
    """Return every command of `superionic` as Markdown."""
    return "\n".join(line for words, command in leaves() for line in _section(words, command))


def leaves() -> Iterator[tuple[str, Any]]:
    """Yield the words of each command that does something, and the command."""
    import typer

    from superionic.workflows.cli import app

    def walk(words: str, command: Any) -> Iterator[tuple[str, Any]]:
        inside = getattr(command, "commands", None)
        if not inside:
            yield words, command
            return
        for name, one in inside.items():
            if not one.hidden:
                yield from walk(f"{words} {name}", one)

    yield from walk("superionic", typer.main.get_command(app))


def _section(words: str, command: Any) -> Iterator[str]:
    yield from (f"## {words}", "", command.help or "", "")
    context = command.make_context(words, ["--help"], resilient_parsing=True)
    told = [one.get_help_record(context) for one in command.params if not one.hidden]
    rows = [f"| `{_cell(name)}` | {_cell(text)} |" for name, text in filter(None, told)]
    if rows:
        yield from ("| | |", "| --- | --- |", *rows, "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
