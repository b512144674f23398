"""Signatures of `superionic protocol` and `superionic theories`."""

from __future__ import annotations

from typing import Annotated

import typer

from superionic.workflows.cli_options import Json

protocol_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The packaged settings of papers."
)


@protocol_app.command("list")
def protocol_list(as_json: Json = False) -> None:
    """List the packaged protocols."""
    from superionic.workflows.commands.catalogue import list_protocols

    list_protocols(as_json=as_json)


@protocol_app.command("show")
def protocol_show(
    name: Annotated[str, typer.Argument(help="A packaged protocol, or a .toml file.")],
    resolved: Annotated[
        bool, typer.Option("--resolved", help="With everything that it extends.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a protocol to standard output."""
    from superionic.workflows.commands.catalogue import show_protocol

    show_protocol(name, resolved=resolved, as_json=as_json)


def theories(as_json: Json = False) -> None:
    """List the levels of theory."""
    from superionic.workflows.commands.catalogue import show_theories

    show_theories(as_json=as_json)
