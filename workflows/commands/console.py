"""Talking to whoever runs a command: results on standard output, all else on standard error."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Cell = str | float | int | bool | None
"""One entry of a table; None where there is no value."""


def say(text: str = "") -> None:
    """Write a line of the result to standard output."""
    typer.echo(text)


def note(text: str) -> None:
    """Write a line to standard error."""
    typer.echo(text, err=True)


@contextlib.contextmanager
def chatter_to_stderr() -> Iterator[None]:
    """Send what libraries print while they compute to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def emit_json(value: object) -> None:
    """Write a value as JSON to standard output, nothing else with it."""
    say(json.dumps(plain(value), indent=2, allow_nan=False))


def plain(value: Any) -> Any:
    """Return a result as plain JSON values: dataclasses as objects, arrays as lists.

    A number that is not finite becomes null.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def emit_table(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], *, title: str = "", decimals: int = 3
) -> None:
    """Write an aligned table to standard output: wrapped on a terminal, one line a row in a pipe.

    Parameters
    ----------
    header
        Column names with their unit.
    rows
        Entries; numbers are right-aligned, floats shown with ``decimals`` digits, None as a dash.
    title
        A line above.
    decimals
        Digits after the point.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for k, name in enumerate(header):
        numeric = any(isinstance(row[k], (int, float)) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell(value, decimals) for value in row))
    if title:
        say(title)
    terminal = sys.stdout.isatty()
    console = Console(
        file=sys.stdout, width=None if terminal else 1000, highlight=False, markup=False
    )
    with console.capture() as captured:
        console.print(table)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def emit_facts(facts: Mapping[str, Cell], *, decimals: int = 3) -> None:
    """Write names and values to standard output, one a line, aligned."""
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        say(f"{name:<{width}}  {cell(value, decimals)}")


def cell(value: Cell, decimals: int = 3) -> str:
    """Return one entry as text."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:.{decimals}f}"
        return text.lstrip("-") if float(text) == 0 else text
    return str(value)


def one_line(text: str) -> str:
    """Return a text on one line, of at most 100 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:100]}..."
