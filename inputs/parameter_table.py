"""Every parameter that a box uses, with its source, as a table to read and to keep."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from superionic.inputs.ewald import splitting_per_ang
from superionic.inputs.parametrised import SCALE_14

if TYPE_CHECKING:
    from superionic.inputs.md_options import MDOptions
    from superionic.inputs.parametrised import ParameterRow, ParametrisedBox

__all__ = ["NOTES", "PARAMETERS", "parameter_table", "table_csv", "values_text"]

PARAMETERS, NOTES = "parameters.csv", "NOTES.md"
"""Files that go with the inputs of every code."""


def parameter_table(box: ParametrisedBox) -> tuple[ParameterRow, ...]:
    """Return every parameter of a box: atoms, then bonds, angles and torsions."""
    return box.rows


def values_text(row: ParameterRow) -> str:
    """Return the numbers of a parameter on one line."""
    return " ".join(f"{name}={value:.6g}" for name, value in row.values.items())


def table_csv(box: ParametrisedBox) -> str:
    """Return the table as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["kind", "name", "site", "count", "values", "set", "source", "reference"])
    for r in box.rows:
        writer.writerow(
            [r.kind, r.name, r.site, r.count, values_text(r), r.set, r.source, r.reference]
        )
    return stream.getvalue()


def notes_text(
    box: ParametrisedBox, options: MDOptions, *, code: str, remarks: tuple[str, ...]
) -> str:
    """Return the page for whoever runs the inputs."""
    parts = ", ".join(f"{c.count} {c.name}" for c in box.box.components)
    fixed = len(box.hydrogen_bonds()) if options.constraints == "h-bonds" else 0
    lines = [
        f"# {parts}: inputs for {code}",
        "",
        f"- {len(box)} atoms, {box.box.density_g_cm3:.4f} g/cm3, total charge "
        f"{box.total_charge_e:+.6f} e.",
        f"- Charges of ions times {box.charge_scale:g}. TFSI-: {box.lennard_jones}; Li+, Na+: "
        f"{box.cations}. Mixing: {box.mixing}.",
        f"- Pairs three bonds apart: {SCALE_14:g} of Coulomb and Lennard-Jones.",
        f"- Cutoff {options.cutoff_ang:g} A, constraints {options.constraints} ({fixed} bonds), "
        f"time step {options.timestep_fs:g} fs, mass of hydrogen "
        + (f"{options.hydrogen_mass_amu:g} g/mol." if options.hydrogen_mass_amu else "as it is."),
        *_ewald(options),
        *(f"- {remark}" for remark in remarks),
        f"- Every parameter with its source: {PARAMETERS}.",
        "",
    ]
    return "\n".join(lines)


def _ewald(options: MDOptions) -> list[str]:
    """Return how the Coulomb sum is split, where it is."""
    if options.electrostatics != "pme":
        return []
    return [
        f"- Ewald: splitting {splitting_per_ang(options):.4f} 1/A, for a relative error of forces "
        f"of {options.ewald_tolerance:g}."
    ]
