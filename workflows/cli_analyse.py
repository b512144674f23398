"""Signatures of `superionic analyse rdf|msd|van-hove`."""

from __future__ import annotations

from typing import Annotated

import typer

from superionic.workflows.cli_options import Json
from superionic.workflows.cli_trajectory import (
    Drift,
    Dt,
    File,
    Molecules,
    Out,
    Plot,
    Selection,
    Start,
    Step,
    Stop,
    Topology,
)

analyse_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Structure and motion from any trajectory."
)


@analyse_app.command("rdf")
def analyse_rdf(
    trajectory: File,
    sel: Selection,
    to: Annotated[str, typer.Option("--to", help="Their neighbours, in the same words.")],
    top: Topology = None,
    r_max: Annotated[
        float | None, typer.Option(help="Largest distance in angstrom.", show_default="half a cell")
    ] = None,
    bin_width: Annotated[float, typer.Option("--bin", help="Shells in angstrom.")] = 0.05,
    own_molecule: Annotated[
        bool, typer.Option("--own-molecule", help="Count neighbours in the same molecule too.")
    ] = False,
    cutoff: Annotated[
        float | None,
        typer.Option(help="End of the first shell in angstrom.", show_default="first minimum"),
    ] = None,
    blocks: Annotated[int, typer.Option(min=1, help="Stretches of frames for intervals.")] = 10,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Count the neighbours of ions: g(r), n(r), first shell."""
    from superionic.workflows.commands import analyse
    from superionic.workflows.commands.keeping import Keeping

    analyse.show_rdf(
        analyse.TrajectoryRequest(trajectory, top, dt, start, stop, step),
        analyse.PairRequest(sel, to, r_max, bin_width, own_molecule, cutoff, blocks),
        Keeping(out, plot, as_json),
    )


@analyse_app.command("msd")
def analyse_msd(
    trajectory: File,
    sel: Selection,
    top: Topology = None,
    molecules: Molecules = False,
    drift: Drift = True,
    precision: Annotated[
        float, typer.Option(help="Relative precision to say the needed length for.")
    ] = 0.1,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure how ions spread: D with its interval, or why there is none."""
    from superionic.workflows.commands import analyse
    from superionic.workflows.commands.keeping import Keeping

    analyse.show_msd(
        analyse.TrajectoryRequest(trajectory, top, dt, start, stop, step),
        analyse.MotionRequest(sel, molecules, drift), Keeping(out, plot, as_json),
        precision=precision,
    )  # fmt: skip


@analyse_app.command("van-hove")
def analyse_van_hove(
    trajectory: File,
    sel: Selection,
    lag: Annotated[list[float], typer.Option(help="Time in ps; repeat it.")],
    to: Annotated[
        str | None,
        typer.Option(help="Others around the places left.", show_default="the same ion"),
    ] = None,
    top: Topology = None,
    r_max: Annotated[
        float | None,
        typer.Option(help="Largest distance in angstrom.", show_default="20, or half a cell"),
    ] = None,
    bin_width: Annotated[float, typer.Option("--bin", help="Shells in angstrom.")] = 0.1,
    molecules: Molecules = False,
    drift: Drift = True,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure how far ions get in a time, or where others are by then: van Hove functions."""
    from superionic.workflows.commands import analyse
    from superionic.workflows.commands.keeping import Keeping

    analyse.show_van_hove(
        analyse.TrajectoryRequest(trajectory, top, dt, start, stop, step),
        analyse.MotionRequest(sel, molecules, drift), Keeping(out, plot, as_json),
        lags_ps=tuple(lag), to=to, r_max_ang=r_max, bin_ang=bin_width,
    )  # fmt: skip
