"""Signatures of `superionic analyse transport|speciation|residence` and `superionic fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from superionic.workflows.cli_analyse import (
    Dt,
    File,
    Json,
    Out,
    Start,
    Step,
    Stop,
    Topology,
    analyse_app,
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
    atoms: Annotated[
        bool, typer.Option("--atoms", help="Each atom selected is an ion of its own.")
    ] = False,
    drift: Annotated[
        bool,
        typer.Option("--subtract-drift/--keep-drift", help="Motion of the centre of all mass."),
    ] = True,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Measure how charge moves: conductivity, Haven ratio and transference, or why there are none.

    The exit code is 1 where the motion is not diffusive or the run too short.
    """
    from superionic.workflows.commands import transport
    from superionic.workflows.commands.analyse import TrajectoryRequest

    transport.show_transport(
        TrajectoryRequest(trajectory, top, dt, start, stop, step),
        transport.IonRequest(tuple(ion), temperature, charge_scale, volume, atoms, drift),
        out=out, as_json=as_json,
    )  # fmt: skip


@analyse_app.command("speciation")
def analyse_speciation(
    trajectory: File,
    cations: Annotated[str, typer.Option(help="Atoms, in MDAnalysis' words: 'element Na'.")],
    anions: Annotated[
        str, typer.Option(help="Coordinating atoms of the anions: 'resname TFSI and element O'.")
    ],
    top: Topology = None,
    contact: Annotated[
        float | None,
        typer.Option(help="Distance of a contact in angstrom.", show_default="first minimum"),
    ] = None,
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
    atoms: Annotated[
        bool, typer.Option("--atoms", help="Each coordinating atom is an anion of its own.")
    ] = False,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Count free ions, pairs and aggregates, and clusters by charge."""
    from superionic.workflows.commands import transport
    from superionic.workflows.commands.analyse import TrajectoryRequest

    transport.show_speciation(
        TrajectoryRequest(trajectory, top, dt, start, stop, step),
        transport.PairingRequest(cations, anions, contact, separated, charges, atoms),
        out=out, as_json=as_json,
    )  # fmt: skip


@analyse_app.command("residence")
def analyse_residence(
    trajectory: File,
    centres: Annotated[str, typer.Option(help="Atoms, in MDAnalysis' words: 'element Na'.")],
    partners: Annotated[str, typer.Option(help="Atoms that touch them, in the same words.")],
    top: Topology = None,
    contact: Annotated[
        float | None,
        typer.Option(help="Distance of a contact in angstrom.", show_default="first minimum"),
    ] = None,
    patience: Annotated[
        float, typer.Option(min=0.0, help="Interruptions up to this many ps end nothing.")
    ] = 0.0,
    atoms: Annotated[
        bool, typer.Option("--atoms", help="Each partner atom by itself, not its molecule.")
    ] = False,
    start: Start = 0,
    stop: Stop = None,
    step: Step = 1,
    dt: Dt = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Measure how long partners stay together, or say by how much the run is too short.

    The exit code is 1 where it is too short.
    """
    from superionic.workflows.commands import transport
    from superionic.workflows.commands.analyse import TrajectoryRequest

    transport.show_residence(
        TrajectoryRequest(trajectory, top, dt, start, stop, step),
        transport.StayRequest(centres, partners, contact, patience, atoms),
        out=out, as_json=as_json,
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
    as_json: Json = False,
) -> None:
    """Fit values at several temperatures: energies with intervals, straight or curved."""
    from superionic.workflows.commands import transport

    transport.show_fit(file, law=law, unit=unit, power=power, out=out, as_json=as_json)
