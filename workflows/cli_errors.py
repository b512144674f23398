"""Errors of commands as one readable message and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from superionic.structures.errors import SuperionicError
from superionic.workflows.commands.console import note

if TYPE_CHECKING:
    from collections.abc import Iterator

DEBUG = "--debug"
INTERRUPTED, PIPE_CLOSED = 130, 141
"""Exit codes of a shell for a program stopped by Ctrl-C, or whose reader went away."""


class Guarded(TyperGroup):
    """Commands whose errors are one readable message on standard error, unless ``--debug``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take ``--debug`` at any place."""
        end = args.index("--") if "--" in args else len(args)
        debug = DEBUG in args[:end]
        rest = [word for word in args[:end] if word != DEBUG] + args[end:]
        return list(super().parse_args(ctx, [DEBUG, *rest] if debug else rest))

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        with _errors_told(debug=bool(ctx.params.get("debug"))):
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result


@contextlib.contextmanager
def _errors_told(*, debug: bool) -> Iterator[None]:
    """Turn errors into messages and exit codes; those of typer itself pass."""
    try:
        yield
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):  # the last flush must not fail again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(PIPE_CLOSED) from None
    except KeyboardInterrupt:
        _tell(
            "interrupted: what was finished is kept; run the same command again to resume.", debug
        )
        raise typer.Exit(INTERRUPTED) from None
    except SuperionicError as error:
        _tell(f"error: {error}", debug)
        raise typer.Exit(1) from None
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        resume = ". Make space and run the same command again: what was finished is kept." * full
        _tell(f"error: {error.strerror or error}{where}{resume}", debug)
        raise typer.Exit(1) from None
    except Exception as error:
        if type(error).__module__.split(".")[0] in ("typer", "click"):
            raise
        _tell(
            f"error: unexpected {type(error).__name__}: {error}. This is a mistake in superionic; "
            f"run the command with {DEBUG} and report what it prints.",
            debug,
        )
        raise typer.Exit(1) from None


def _tell(message: str, debug: bool) -> None:
    """Write a message to standard error, on request after the traceback."""
    if debug:
        note(traceback.format_exc().rstrip("\n"))
    note(message)
