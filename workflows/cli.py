"""The command line: `superionic --help`.

Only signatures live in the modules ``cli_*``, so that help is quick; each command imports what it
needs when it runs.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated

import typer

from superionic.workflows import (
    cli_analyse,
    cli_barrier,
    cli_binding,
    cli_collect,
    cli_electronic,
    cli_figures,
    cli_inputs,
    cli_md,
    cli_md_inputs,
    cli_md_run,
    cli_mof,
    cli_papers,
    cli_protocols,
    cli_slurm,
    cli_structure,
    cli_transport,
)
from superionic.workflows.cli_errors import DEBUG, Guarded

app = typer.Typer(
    cls=Guarded,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Atomistic workflows for solid and quasi-solid electrolytes, each number with its "
    "evidence.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from superionic import __version__

        typer.echo(f"superionic {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show the traceback of an error (at any place).")
    ] = False,
) -> None:
    """Take the options that belong to no command."""


app.add_typer(cli_structure.structure_app, name="structure")
app.add_typer(cli_protocols.protocol_app, name="protocol")
app.command()(cli_papers.reproduce)
app.command()(cli_barrier.hops)
app.command()(cli_barrier.barrier)
app.command()(cli_papers.report)
app.add_typer(cli_inputs.inputs_app, name="inputs")
app.add_typer(cli_md_inputs.forcefield_app, name="forcefield")
app.command()(cli_md.box)
app.add_typer(cli_md_run.md_app, name="md")
app.add_typer(cli_analyse.analyse_app, name="analyse")
app.add_typer(cli_transport.fit_app, name="fit")
app.command()(cli_binding.binding)
app.add_typer(cli_mof.mof_app, name="mof")
app.command()(cli_collect.collect)
app.command()(cli_collect.handover)
app.command()(cli_electronic.electronic)
app.command()(cli_figures.figures)
app.command()(cli_protocols.theories)
app.command()(cli_figures.doctor)
cli_slurm.add_to(app)


def main() -> None:
    """Run the command line and leave with its exit code."""
    os.environ.setdefault("SPGLIB_WARNING", "OFF")  # it writes to standard error past Python
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # those of libraries; ours are errors or notes
    app(prog_name="superionic")


if __name__ == "__main__":
    main()
