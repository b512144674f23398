"""What the electronic structure leaves in a folder: figures with their numbers, tables, JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.band_centre import (
    BandCentre,
    CentreDefinition,
    band_centres,
    definitions,
    nearest_to_fermi,
)
from superionic.analysis.electronic import ProjectedDOS
from superionic.analysis.levels import ElectronCount, count_electrons
from superionic.structures.errors import EvidenceError, SuperionicError

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.charges import AtomicCharges
    from superionic.analysis.potential import PotentialSurface
    from superionic.workflows.electronic_results import ElectronicResult

PDOS, POTENTIAL, CENTRES, CHARGES, RESULT = (
    "projected_dos", "potential", "d_band_centres.csv", "charges.csv", "electronic.json",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ElectronicSummary:
    """The electronic structure of one system, wherever it was computed.

    Attributes
    ----------
    title : str
        What it is called.
    theory : str
        Level of theory.
    dos : ProjectedDOS
        Densities of states, the Fermi level at zero.
    centres : tuple of BandCentre
        d band centres by all definitions; empty without a transition metal.
    count : ElectronCount or None
        Whether the projections hold the electrons; None where the code widened over an unknown
        part of the levels.
    charges : tuple of AtomicCharges
        By each method.
    surface : PotentialSurface or None
        Potential on the isosurface.
    result : ElectronicResult or None
        Where it was computed here.
    notes : tuple of str
        What is missing, and why.
    """

    title: str
    theory: str
    dos: ProjectedDOS
    centres: tuple[BandCentre, ...]
    count: ElectronCount | None
    charges: tuple[AtomicCharges, ...]
    surface: PotentialSurface | None
    result: ElectronicResult | None = None
    notes: tuple[str, ...] = ()

    @property
    def evidence(self) -> str:
        """A line for figures: converged how, with how many electrons."""
        words = [self.theory]
        if self.result is not None:
            last = self.result.attempts[-1]
            words.append(f"SCF converged ({last.rung})")
            words.append(f"moment {self.result.moment:.2f}")
        if self.count is not None:
            words.append(f"{self.count.projected:.1f} of {self.count.expected:g} electrons")
        return ", ".join(words)


def summary_of(
    result: ElectronicResult, *, window_eV: tuple[float, float] | None = None
) -> ElectronicSummary:
    """Return the summary of what was computed here.

    Parameters
    ----------
    result
        Converged.
    window_eV
        Of the band centres, relative to the Fermi level; all energies by default.

    Raises
    ------
    NotConvergedError
        There is no self-consistent field.
    """
    dos = result.require().dos()
    return ElectronicSummary(
        title=result.molecule.name or result.molecule.formula,
        theory=result.theory,
        dos=dos,
        centres=band_centres(dos, wanted=definitions(window_eV)),
        count=result.electron_count(),
        charges=result.charges,
        surface=result.surface,
        result=result,
    )


def summary_of_run(
    folder: Path, *, width_eV: float = 0.1, window_eV: tuple[float, float] | None = None
) -> ElectronicSummary:
    """Read a finished VASP, CASTEP or GPAW run as the summary of a local one.

    Raises
    ------
    NotConvergedError
        The run did not finish.
    OutputFileError
        It has no projected densities of states.
    """
    from superionic.workflows.collected_electrons import CHARGES as KNOWN
    from superionic.workflows.collected_electrons import atomic_charges, projected_dos

    dos = projected_dos(folder, width_eV=width_eV)
    code = dos.theory.split("-")[0]
    charges, notes = [], []
    for method in KNOWN.get(code, ()):
        try:
            charges.append(atomic_charges(folder, method=method))
        except SuperionicError as error:
            notes.append(f"no {method} charges: {error}")
    try:
        count = count_electrons(dos)
    except EvidenceError:
        count = None
    if count is not None and count.total < 0.9 * count.expected:
        notes.append(
            f"the densities of states hold {count.total:.1f} of {count.expected:g} electrons: they "
            "start above the lowest levels"
        )
    elif count is not None and count.share_off > 0.05:
        notes.append(
            f"the projections ({dos.projection}) hold {count.projected:.1f} of {count.expected:g} "
            "electrons: they do not share the states out whole, so read centres and shapes off "
            "them, no populations"
        )
    return ElectronicSummary(
        title=folder.name,
        theory=dos.theory,
        dos=dos,
        centres=band_centres(dos, wanted=definitions(window_eV)),
        count=count,
        charges=tuple(charges),
        surface=None,
        notes=tuple(notes),
    )


def write_electronic(folder: Path, summary: ElectronicSummary) -> tuple[Path, ...]:
    """Write figures, tables and JSON; return the files.

    Raises
    ------
    RunFolderError
        A file cannot be written.
    """
    from superionic.analysis.figures.potential_surface import (
        PotentialPanel,
        potential_surface,
        potential_surface_data,
    )
    from superionic.analysis.figures.projected_dos import (
        DosPanel,
        band_centres_data,
        projected_dos,
        projected_dos_data,
    )
    from superionic.analysis.figures.style import save_figure, write_atomically
    from superionic.workflows.serialise import write_json_atomic

    panels = (DosPanel(summary.title, summary.dos, evidence=summary.evidence),)
    marked = (CentreDefinition(), CentreDefinition("occupied")) if summary.centres else ()
    saved = save_figure(
        projected_dos(panels, definitions=marked), folder / PDOS, projected_dos_data(panels)
    )
    written = [saved.png, saved.svg, saved.csv]
    if summary.surface is not None:
        faces = (PotentialPanel(summary.title, summary.surface),)
        drawn = save_figure(
            potential_surface(faces), folder / POTENTIAL, potential_surface_data(faces)
        )
        written += [drawn.png, drawn.svg, drawn.csv]
    tables = {folder / CHARGES: charges_table(summary)}
    if summary.centres:
        tables[folder / CENTRES] = band_centres_data([(summary.title, c) for c in summary.centres])
    write_atomically({path: table.to_csv().encode() for path, table in tables.items()})
    write_json_atomic(folder / RESULT, record(summary))
    return (*written, *tables, folder / RESULT)


def charges_table(summary: ElectronicSummary) -> Any:
    """Return the charge of each atom by each method, and d electrons and spins where known."""
    from superionic.analysis.figures.style import FigureData

    columns: dict[str, Any] = {f"{c.method}_charge_e": c.charges for c in summary.charges}
    result = summary.result
    if result is not None:
        for found in result.populations:
            columns[f"{found.method}_spin"] = found.spins
            if "d" in found.orbitals:
                columns[f"{found.method}_d_electrons"] = found.electrons[
                    :, :, found.orbitals.index("d")
                ].sum(axis=0)
        if result.hirshfeld_spins:
            columns["hirshfeld_spin"] = np.array(result.hirshfeld_spins)
    return FigureData(
        header=("atom", "element", *columns),
        rows=tuple(
            (k, symbol, *(float(values[k]) for values in columns.values()))
            for k, symbol in enumerate(summary.dos.symbols)
        ),
    )


def record(summary: ElectronicSummary) -> dict[str, Any]:
    """Return what was found as plain JSON values, without curves and points."""
    from superionic.workflows.commands.console import plain

    table = charges_table(summary)
    found: dict[str, Any] = {
        "title": summary.title,
        "theory": summary.theory,
        "converged": True,
        "projection": summary.dos.projection,
        "fermi_eV": summary.dos.reference_eV,
        "width_eV": summary.dos.width_eV,
        "electrons": None
        if summary.count is None
        else {**plain(summary.count), "share_off": summary.count.share_off},
        "d_band_centres": [
            {**plain(c), "definition_name": c.definition.name} for c in summary.centres
        ],
        "nearest_to_fermi": nearest_to_fermi(summary.centres),
        "atoms": [dict(zip(table.header, row, strict=True)) for row in table.rows],
        "notes": list(summary.notes),
    }
    if summary.surface is not None:
        low, high = summary.surface.extremes_V
        atoms = summary.surface.extreme_atoms()
        found["potential"] = {
            "isodensity_e_bohr3": summary.surface.isodensity_e_bohr3,
            "lowest_V": low, "highest_V": high, "mean_V": summary.surface.mean_V,
            "lowest_near_atom": atoms[0], "highest_near_atom": atoms[1],
            "area_ang2": summary.surface.area_ang2, "method": summary.surface.method,
        }  # fmt: skip
    if summary.result is not None:
        found |= _computed(summary.result)
    return dict(plain(found))


def _computed(result: ElectronicResult) -> dict[str, Any]:
    """Return what only a local calculation knows."""
    return {
        "charge": result.molecule.charge,
        "spin_multiplicity": result.molecule.spin_multiplicity,
        "energy_eV": result.energy_eV,
        "dispersion_eV": result.dispersion_eV,
        "moment": result.moment,
        "spin_square": result.spin_square,
        "gap_eV": result.gap_eV,
        "attempts": result.attempts,
        "settings": result.settings,
    }
