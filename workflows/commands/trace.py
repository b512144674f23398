"""`superionic trace`: the chain of tasks behind a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from superionic.workflows.commands.console import emit_json, note, one_line, say

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.workflows.trace import Link


def show_trace(path: Path, *, as_json: bool) -> None:
    """Write the chain of tasks behind a result; exit code 1 if a link is broken."""
    from superionic.workflows.trace import trace

    links = trace(path)
    if as_json:
        emit_json(links)
    else:
        for link in links:
            _show_link(link)
    if any(link.intact is not True for link in links):
        note("error: the chain is broken: a result is missing or was changed after it was written.")
        raise typer.Exit(1)


def _show_link(link: Link) -> None:
    """Write one task of a chain."""
    from superionic.workflows.manifest import LIBRARIES

    pad = "    " * link.depth
    if link.again:
        say(f"{pad}{link.key}  (see above)")
        return
    seal = {True: "checksum agrees", False: "CHANGED SINCE", None: "no result"}[link.intact]
    wall = f", {link.wall_s:.1f} s" if link.wall_s is not None else ""
    say(f"{pad}{link.key}  {link.state.replace('_', ' ')}, {seal}")
    say(f"{pad}  function  {link.function}, version {link.version}")
    if link.settings:
        say(f"{pad}  inputs    {one_line(', '.join(f'{k}={v}' for k, v in link.settings.items()))}")
    if link.host:
        inside = f", in job {link.job}" if link.job and not link.submissions else ""
        say(f"{pad}  computed  {link.started} on {link.host}{wall}{inside}")
    for s in link.submissions:
        memory = f", {s.memory_gb:g} GB" if s.memory_gb is not None else ""
        walltime = f", {s.walltime_s} s" if s.walltime_s is not None else ""
        end = " ".join(filter(None, (s.state.replace("_", " ") or "not ended", s.reason)))
        say(f"{pad}  job       {s.job}: {s.cpus} cores{walltime}{memory}: {one_line(end)}")
    kept = ("superionic", "python", *LIBRARIES)
    versions = [f"{k} {v}" for k, v in link.versions.items() if k in kept]
    if versions:
        say(f"{pad}  versions  {', '.join(versions)}")
