"""`superionic electronic`: densities of states, d band centres, charges, potential."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from superionic.analysis.band_centre import nearest_to_fermi
from superionic.structures.errors import InvalidStructureError
from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_facts,
    emit_json,
    emit_table,
    note,
    plain,
    say,
)
from superionic.workflows.commands.folders import claim_folder, flattened

if TYPE_CHECKING:
    from superionic.structures.molecule import Molecule
    from superionic.workflows.electronic_files import ElectronicSummary
    from superionic.workflows.electronic_results import ElectronicResult, ElectronicSettings


@dataclass(frozen=True)
class ElectronicRequest:
    """What `superionic electronic` was asked for.

    Attributes
    ----------
    source : str
        Molecule, or folder of a run.
    theory : str
        Level of theory.
    charge, multiplicity : int or None
        Of the molecule.
    moments : tuple of str
        ``ATOM=N``.
    basis : str
        Basis set.
    grid_level : int
        Of PySCF's integration grids.
    smearing_eV, width_eV : float
        Of the filling, and of the drawn levels.
    projection : {"loewdin", "mulliken"}
        How levels are shared out.
    window_eV : tuple of float or None
        Of band centres.
    surface : bool
        Whether the potential is wanted.
    """

    source: str
    theory: str
    charge: int | None
    multiplicity: int | None
    moments: tuple[str, ...]
    basis: str
    grid_level: int
    smearing_eV: float
    projection: Literal["loewdin", "mulliken"]
    width_eV: float
    window_eV: tuple[float, float] | None
    surface: bool

    def molecule(self) -> Molecule:
        """Return the molecule, metals at high spin unless a multiplicity is known."""
        from superionic.structures.molecules import find_molecule, kind_of

        if kind_of(self.source) != "file":
            found = find_molecule(self.source, charge=self.charge)
            return found if self.multiplicity is None else _with_spin(found, self.multiplicity)
        return molecule_file(Path(self.source), self.charge, self.multiplicity)

    def settings(self, atoms: int) -> ElectronicSettings:
        """Return how it is computed."""
        from superionic.workflows.electronic_results import ElectronicSettings, SurfaceSettings
        from superionic.workflows.scf_settings import ScfSettings

        return ElectronicSettings(
            scf=ScfSettings(
                basis=self.basis,
                grid_level=self.grid_level,
                smearing_eV=self.smearing_eV,
                moments=self.parsed_moments(atoms),
            ),
            projection=self.projection,
            width_eV=self.width_eV,
            surface=SurfaceSettings() if self.surface else None,
        )

    def parsed_moments(self, atoms: int) -> tuple[float, ...] | None:
        """Return the starting moment of each atom; None where none was named."""
        if not self.moments:
            return None
        moments = [0.0] * atoms
        for word in self.moments:
            atom, _, value = word.partition("=")
            try:
                index, moment = int(atom), float(value)
            except ValueError:
                index, moment = -1, 0.0
            if not 0 <= index < atoms:
                raise typer.BadParameter(
                    f"expected ATOM=N such as 0=5, atoms from 0 to {atoms - 1}; got {word!r}.",
                    param_hint="--moment",
                )
            moments[index] = moment
        return tuple(moments)


def molecule_file(path: Path, charge: int | None, multiplicity: int | None) -> Molecule:
    """Read a molecule; where nobody says its multiplicity, its metals are at high spin.

    Raises
    ------
    InvalidStructureError
        It is a crystal, or has metals, and no oxidation states fit them and the charge.
    """
    from superionic.structures.metals import is_metal
    from superionic.structures.molecule_files import read_molecule
    from superionic.structures.node import states_of
    from superionic.structures.node_bonds import bonds_by_distance, ligand_charges
    from superionic.workflows.scf_guess import d_metals

    if path.suffix.lower() == ".cif":
        raise InvalidStructureError(f"{path} is a crystal; expected a molecule, or a run's folder.")
    told = path.is_file() and "spin_multiplicity" in path.read_text(errors="replace")
    if told or multiplicity is not None:
        return read_molecule(path, charge=charge, spin_multiplicity=multiplicity)
    try:
        found = read_molecule(path, charge=0 if charge is None else charge)
        if not d_metals(found.symbols):
            return read_molecule(path, charge=charge)
        metals = [s for s in found.symbols if is_metal(s)]
        bonds = bonds_by_distance(found.structure.numbers, found.positions)
        bonded = replace(found, bonds=tuple((i, j, order) for i, j, order in bonds))
        ligands = round(float(ligand_charges(bonded).sum()))
        spin = states_of(
            metals, ligands, oxidation_states=None, charge=found.charge, spin_multiplicity=None
        )[2]
        found = replace(found, spin_multiplicity=spin)
    except InvalidStructureError as error:
        raise InvalidStructureError(
            f"{error} Give --charge and --multiplicity (2S + 1)."
        ) from error
    note(f"note: multiplicity {spin}, parallel high spins of {', '.join(metals)}")
    return found


def _with_spin(molecule: Molecule, multiplicity: int) -> Molecule:
    return replace(molecule, spin_multiplicity=multiplicity)


def show_electronic(
    request: ElectronicRequest, *, out: Path, progress: bool, as_json: bool
) -> None:
    """Compute or read an electronic structure, write it out and say what was found.

    Leaves with exit code 1 where the field did not become self-consistent.
    """
    from superionic.workflows.electronic_files import write_electronic

    with chatter_to_stderr():
        if Path(request.source).is_dir():
            folder, summary = _read(request, out)
        else:
            folder, result = _compute(request, out, progress=progress)
            if not result.converged:
                _leave_without(result, as_json=as_json)
            from superionic.workflows.electronic_files import summary_of

            summary = summary_of(result, window_eV=request.window_eV)
        written = write_electronic(folder, summary)
    if as_json:
        from superionic.workflows.electronic_files import record

        emit_json(record(summary))
        return
    _show(summary)
    say(f"{', '.join(p.name for p in written if p.suffix != '.svg')} are in {folder}")


def _read(request: ElectronicRequest, out: Path) -> tuple[Path, ElectronicSummary]:
    """Read a finished run."""
    from superionic.workflows.electronic_files import summary_of_run

    summary = summary_of_run(
        Path(request.source), width_eV=request.width_eV, window_eV=request.window_eV
    )
    inputs = {
        "run": str(Path(request.source).absolute()),
        "width_eV": request.width_eV,
        "window_eV": list(request.window_eV) if request.window_eV else None,
    }
    return claim_folder(out, "electronic", plain(inputs)), summary


def _compute(
    request: ElectronicRequest, out: Path, *, progress: bool
) -> tuple[Path, ElectronicResult]:
    """Compute a molecule, in a folder from which it resumes."""
    from superionic.workflows.electronic import electronic_task, orbital_level
    from superionic.workflows.execution import Run
    from superionic.workflows.serialise import canonical_hash

    molecule = request.molecule()
    settings = request.settings(len(molecule))
    orbital_level(request.theory).check(
        molecule.structure, charge=molecule.charge, spin_multiplicity=molecule.spin_multiplicity
    )
    folder = claim_folder(
        out,
        "electronic",
        {
            "molecule": molecule.name,
            "atoms": canonical_hash(molecule),
            "theory": request.theory,
            "window_eV": list(request.window_eV) if request.window_eV else None,
            **flattened("settings", plain(settings)),
        },
    )
    with Run(folder, workers=1, progress=progress):
        result = electronic_task.submit(molecule, request.theory, settings).result()
    return folder, result


def _leave_without(result: ElectronicResult, *, as_json: bool) -> None:
    """Say that there is no field, and leave."""
    if as_json:
        emit_json({"converged": False, "reason": result.reason, "attempts": result.attempts})
    note(f"error: {result.molecule.name}: {result.reason}")
    raise typer.Exit(1)


def _show(summary: ElectronicSummary) -> None:
    """Write the evidence, the metals and the centres to standard output."""
    result = summary.result
    facts: dict[str, Cell] = {"system": summary.title, "theory": summary.theory}
    if result is not None:
        last = result.attempts[-1]
        facts |= {
            "energy eV": result.energy_eV,
            "moment": result.moment,
            "S^2": result.spin_square,
            "gap eV": result.gap_eV,
            "SCF": f"{last.rung}, {last.cycles} cycles, {len(result.attempts)} attempt(s)",
        }
    if summary.count is not None:
        facts["electrons in PDOS"] = (
            f"{summary.count.projected:.2f} of {summary.count.expected:g} "
            f"({100 * summary.count.share_off:.2f} % off)"
        )
    if summary.surface is not None:
        low, high = summary.surface.extremes_V
        facts["potential V"] = f"{low:.2f} to {high:.2f} on the surface"
    emit_facts(facts)
    _show_atoms(summary)
    _show_centres(summary)
    for remark in summary.notes:
        say(f"note: {remark}")


def _show_atoms(summary: ElectronicSummary) -> None:
    """Write charges, of metals also d electrons and spins."""
    from superionic.workflows.electronic_files import charges_table
    from superionic.workflows.scf_guess import d_metals

    table = charges_table(summary)
    if len(table.header) == 2:
        return
    metals = d_metals(summary.dos.symbols)
    rows = [list(row) for k, row in enumerate(table.rows) if k in metals or not metals]
    say()
    emit_table([h.replace("_", " ") for h in table.header], rows)


def _show_centres(summary: ElectronicSummary) -> None:
    """Write the band centres by all definitions, a column for each metal."""
    if not summary.centres:
        return
    labels = list(dict.fromkeys(c.label for c in summary.centres))
    nearest = nearest_to_fermi(summary.centres)
    rows: list[list[Cell]] = []
    for name in dict.fromkeys(c.definition.name for c in summary.centres):
        by_label = {c.label: c for c in summary.centres if c.definition.name == name}
        rows.append([name, *(by_label[label].centre_eV for label in labels), nearest.get(name)])
    say()
    emit_table(
        ["d band centre eV", *labels, "nearest to E_F"], rows,
        title="relative to the Fermi level, by definition",
    )  # fmt: skip
    if len(set(nearest.values())) > 1:
        say("Which metal is nearest to the Fermi level depends on the definition.")
