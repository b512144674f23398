"""Signatures of `superionic inputs openmm|gromacs|lammps` and of `superionic forcefield`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from superionic.workflows.cli_options import LARGEST_SEED, Json

if TYPE_CHECKING:
    from collections.abc import Callable

forcefield_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Force-field rows and their sources."
)

Box = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of `superionic box`.")]
Folder = Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")]
Scale = Annotated[
    float, typer.Option("--charge-scale", help="Factor on the charges of ions; 1 for none.")
]
MixingRule = Annotated[
    Literal["geometric", "lorentz-berthelot"], typer.Option("--mixing", help="Of unlike atoms.")
]
Version = Annotated[
    Literal["clp-2025", "clp-2004"],
    typer.Option("--lennard-jones", help="Lennard-Jones parameters of TFSI-."),
]
CationSet = Annotated[
    Literal["aqvist", "jensen-jorgensen", "clp-2025"], typer.Option("--cations", help="Li+, Na+.")
]
Charges = Annotated[
    list[str] | None,
    typer.Option(
        "--charges",
        metavar="NAME=FILE|THEORY",
        help="Charges in e of a rigid component, or the level that computes them; may recur.",
    ),
]
Estimates = Annotated[
    bool, typer.Option("--estimates", help="Allow rows by analogy where the force field has none.")
]
Cutoff = Annotated[float, typer.Option(help="In angstrom.")]
Constraints = Annotated[Literal["h-bonds", "none"], typer.Option(help="Bonds of fixed length.")]
HydrogenMass = Annotated[
    float | None,
    typer.Option(help="In g/mol, taken from the atoms beside; 3.024 for 4 fs.",
                 show_default="as it is"),
]  # fmt: skip
Rigid = Annotated[
    Literal["springs", "held"],
    typer.Option(help="Rigid molecules: bodies that move, or held in place (constant volume)."),
]
Timestep = Annotated[float, typer.Option(help="In fs.")]
Temperature = Annotated[float, typer.Option(help="In K.")]
Pressure = Annotated[float, typer.Option(help="In bar, before production.")]
ConstantVolume = Annotated[bool, typer.Option("--nvt", help="No run at constant pressure.")]
Steps = Annotated[int, typer.Option(min=1, help="Of production.")]
Seed = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="Of velocities and random forces.")
]


def _command(code: str, help_: str) -> Callable[..., None]:
    """Return the command of a code; all have the same options."""

    def command(
        box: Box,
        out: Folder,
        charge_scale: Scale,
        mixing: MixingRule = "geometric",
        lennard_jones: Version = "clp-2025",
        cations: CationSet = "aqvist",
        charges: Charges = None,
        estimates: Estimates = False,
        cutoff: Cutoff = 10.0,
        constraints: Constraints = "h-bonds",
        hydrogen_mass: HydrogenMass = None,
        rigid: Rigid = "springs",
        timestep: Timestep = 2.0,
        temperature: Temperature = 400.0,
        pressure: Pressure = 1.0,
        nvt: ConstantVolume = False,
        steps: Steps = 500_000,
        seed: Seed = 0,
        as_json: Json = False,
    ) -> None:
        from superionic.workflows.commands.md_inputs import (
            DynamicsRequest,
            ForceFieldRequest,
            make_inputs,
        )

        force_field = ForceFieldRequest(
            charge_scale, mixing, lennard_jones, cations, tuple(charges or ()), estimates
        )
        dynamics = DynamicsRequest(
            cutoff, timestep, temperature, None if nvt else pressure, constraints, rigid,
            hydrogen_mass, steps, seed,
        )  # fmt: skip
        make_inputs(code, box, force_field, dynamics, out=out, as_json=as_json)

    command.__doc__ = help_
    return command


def add_codes(app: Any) -> None:
    """Add the commands of the codes to `superionic inputs`."""
    codes = {
        "openmm": "Write a System, a PDB file and a script of OpenMM for a box of molecules.",
        "gromacs": "Write .gro, .top and .mdp files of GROMACS for a box of molecules.",
        "lammps": "Write a data file and a script of LAMMPS for a box of molecules.",
    }
    for code, help_ in codes.items():
        app.command(code)(_command(code, help_))


@forcefield_app.command("list")
def forcefield_list(as_json: Json = False) -> None:
    """List the sets of force-field rows."""
    from superionic.workflows.commands.forcefield import list_sets

    list_sets(as_json=as_json)


@forcefield_app.command("show")
def forcefield_show(
    name: Annotated[str, typer.Argument(help="A set of `superionic forcefield list`.")],
    as_json: Json = False,
) -> None:
    """Show every row of a set and where it was read from."""
    from superionic.workflows.commands.forcefield import show_set

    show_set(name, as_json=as_json)


@forcefield_app.command("box")
def forcefield_box(
    box: Box,
    charge_scale: Scale,
    mixing: MixingRule = "geometric",
    lennard_jones: Version = "clp-2025",
    cations: CationSet = "aqvist",
    charges: Charges = None,
    estimates: Estimates = False,
    as_json: Json = False,
) -> None:
    """Show every parameter that a box would get, its source, and the total charge."""
    from superionic.workflows.commands.forcefield import show_box
    from superionic.workflows.commands.md_inputs import ForceFieldRequest

    request = ForceFieldRequest(
        charge_scale, mixing, lennard_jones, cations, tuple(charges or ()), estimates
    )
    show_box(box, request, as_json=as_json)
