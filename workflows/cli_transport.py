"""Signatures of `superionic analyse transport|speciation|residence|hops` and `superionic fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_analyse import analyse_app
from superionic.workflows.cli_options import Json
from superionic.workflows.cli_trajectory import (
    Atoms,
    Cations,
    Contact,
    Drift,
    Dt,
    File,
    Out,
    Plot,
    Start,
    Step,
    Stop,
    Topology,
)

fit_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Laws through values.")


@analyse_app.command("transport")
def analyse_transport(
    trajectory: File,
    ion: Annotated[
        list[str],
        typer.Option(
            metavar="NAME:CHARGE:SELECTION",
            help="Species, such as 'Na:+1:element Na'; repeat it. Polyatomic ions count by centre "
            "of mass; formal charges.",
        ),
    ],
    temperature: Annotated[float, typer.Option(help="In K.")],
    top: Topology = None,
    charge_scale: Annotated[
        float, typer.Option(help="What formal charges are multiplied with.")
    ] = 1.0,
    volume: Annotated[
        float | None, typer.Option(help="Of the cell in A^3.", show_default="mean of the frames")
    ] = None,
    atoms: Atoms = False,
    drift: Drift = True,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure how charge moves: conductivity, Haven ratio and transference, or why there are none.

    The exit code is 1 where the motion is not diffusive or the run too short.
    """
    from superionic.workflows.commands import transport
    from superionic.workflows.commands.analyse import TrajectoryRequest
    from superionic.workflows.commands.keeping import Keeping

    transport.show_transport(
        TrajectoryRequest(trajectory, top, dt, start, stop, step),
        transport.IonRequest(tuple(ion), temperature, charge_scale, volume, atoms, drift),
        Keeping(out, plot, as_json),
    )


@analyse_app.command("speciation")
def analyse_speciation(
    trajectory: File,
    cations: Cations,
    anions: Annotated[
        str, typer.Option(help="Coordinating atoms of the anions: 'resname TFSI and element O'.")
    ],
    top: Topology = None,
    contact: Contact = None,
    separated: Annotated[
        float | None,
        typer.Option(
            help="Distance of a separated pair in angstrom.", show_default="none are told"
        ),
    ] = None,
    charges: Annotated[tuple[float, float], typer.Option(metavar="CATION ANION", help="In e.")] = (
        1.0,
        -1.0,
    ),
    atoms: Atoms = False,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Count free ions, pairs and aggregates, and clusters by charge."""
    from superionic.workflows.commands import transport
    from superionic.workflows.commands.analyse import TrajectoryRequest
    from superionic.workflows.commands.keeping import Keeping

    transport.show_speciation(
        TrajectoryRequest(trajectory, top, dt, start, stop, step),
        transport.PairingRequest(cations, anions, contact, separated, charges, atoms),
        Keeping(out, plot, as_json),
    )


@analyse_app.command("residence")
def analyse_residence(
    trajectory: File,
    centres: Cations,
    partners: Annotated[str, typer.Option(help="Atoms that touch them, in the same words.")],
    top: Topology = None,
    contact: Contact = None,
    patience: Annotated[
        float, typer.Option(min=0.0, help="Interruptions up to this many ps end nothing.")
    ] = 0.0,
    atoms: Atoms = False,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure how long partners stay together, or say by how much the run is too short.

    The exit code is 1 where it is too short.
    """
    from superionic.workflows.commands import transport
    from superionic.workflows.commands.analyse import TrajectoryRequest
    from superionic.workflows.commands.keeping import Keeping

    transport.show_residence(
        TrajectoryRequest(trajectory, top, dt, start, stop, step),
        transport.StayRequest(centres, partners, contact, patience, atoms),
        Keeping(out, plot, as_json),
    )


@analyse_app.command("hops")
def analyse_hops(
    trajectory: File,
    cations: Cations,
    donors: Annotated[str, typer.Option(help="Atoms of chains that hold them: 'name OS'.")],
    dwell: Annotated[float, typer.Option(min=0.0, help="A new place must last so many ps.")],
    top: Topology = None,
    contact: Contact = None,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Count the hops of ions from one chain to another and along a chain."""
    from superionic.workflows.commands import transport
    from superionic.workflows.commands.analyse import TrajectoryRequest
    from superionic.workflows.commands.keeping import Keeping

    transport.show_hops(
        TrajectoryRequest(trajectory, top, dt, start, stop, step),
        transport.HopRequest(cations, donors, contact, dwell), Keeping(out, plot, as_json),
    )  # fmt: skip


@fit_app.command("arrhenius")
def fit_arrhenius(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="CSV", help="Columns temperature_K, value and, if known, low_95 and high_95."
        ),
    ],
    law: Annotated[
        Literal["arrhenius", "vtf", "both"], typer.Option(help="Which; both are compared.")
    ] = "both",
    unit: Annotated[str, typer.Option(help="Of the values, for the figure.")] = "",
    power: Annotated[
        float, typer.Option(help="Power of T before an Arrhenius law: -1 fits log(value T).")
    ] = 0.0,
    out: Out = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Fit values at several temperatures: energies with intervals, straight or curved."""
    from superionic.workflows.commands import transport
    from superionic.workflows.commands.keeping import Keeping

    keeping = Keeping(out, plot, as_json)
    transport.show_fit(file, law=law, unit=unit, power=power, keeping=keeping)
