"""A parametrised box as inputs of LAMMPS: a data file with all coefficients, and a script.

Units are ``real``: kcal/mol, angstrom, fs. Rigid molecules are bodies (``fix rigid/small``) and
have no bonds in the data file; pairs inside are left out of the pair list, but PPPM still counts
their Coulomb energy, a constant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.ewald import ORDER, mesh_points, splitting_per_ang
from superionic.inputs.folders import write_folder
from superionic.inputs.forcefields import KJ_PER_KCAL
from superionic.inputs.parameter_table import NOTES, PARAMETERS, notes_text, table_csv
from superionic.inputs.parametrised import SCALE_14
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from superionic.inputs.md_options import MDOptions
    from superionic.inputs.parametrised import ParametrisedBox

DATA, SCRIPT = "box.data", "in.lammps"

MIX = {"geometric": "geometric", "lorentz-berthelot": "arithmetic"}
"""Words of ``pair_modify mix``."""


def write_lammps(box: ParametrisedBox, folder: str | Path, options: MDOptions) -> Path:
    """Write ``box.data``, ``in.lammps`` and two pages on them.

    Parameters
    ----------
    box
        Atoms with their parameters.
    folder
        A new or empty folder.
    options
        Cutoff, constraints, masses and dynamics.

    Returns
    -------
    Path
        The folder's full path.

    Raises
    ------
    DeckError
        The cutoff does not fit, electrostatics other than of a periodic box, or a folder that holds
        something else.
    """
    return write_folder(folder, lammps_files(box, options))


def lammps_files(box: ParametrisedBox, options: MDOptions) -> dict[str, str]:
    """Return the text of each file by its name; see `write_lammps`."""
    if options.electrostatics != "pme":
        raise DeckError("Inputs of LAMMPS are for a periodic box: electrostatics = 'pme'.")
    options.check_cutoff(box)
    remarks = [f"Run: `lmp -in {SCRIPT}` (packages MOLECULE, KSPACE, RIGID)."]
    if box.rigid.any():
        how = "are held in place" if options.rigid == "held" else "move as bodies (fix rigid)"
        remarks.append(
            f"Rigid molecules {how}. PPPM counts the Coulomb energy inside each of them: a "
            "constant, but the energy is not that of the other codes."
        )
    return {
        DATA: data_text(box, options),
        SCRIPT: script_text(box, options),
        PARAMETERS: table_csv(box),
        NOTES: notes_text(box, options, code="LAMMPS", remarks=tuple(remarks)),
    }


def _kinds(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distinct rows of numbers, and which of them each row is."""
    rows = np.asarray(values, dtype=float).reshape(len(values), -1)
    if not len(rows):
        return rows, np.zeros(0, dtype=np.int64)
    distinct, index = np.unique(rows, axis=0, return_inverse=True)
    return distinct, index.reshape(-1)


def _atom_kinds(
    box: ParametrisedBox, options: MDOptions
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return type and mass of each atom type of LAMMPS, and which each atom is."""
    heavy = options.hydrogen_mass_amu
    masses = box.masses_amu if heavy is None else box.repartitioned_masses(heavy)
    return _kinds(np.stack([box.type_index.astype(float), masses], axis=1))


def _sections(
    box: ParametrisedBox,
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]]:
    """Return atoms, distinct coefficients in LAMMPS units and kinds of each bonded section."""
    stretch = np.stack([box.bond_k_kJ_per_mol_ang2 / 2 / KJ_PER_KCAL, box.bond_length_ang], axis=1)
    bend = np.stack([box.angle_k_kJ_per_mol_rad2 / 2 / KJ_PER_KCAL, box.angle_deg], axis=1)
    twist = box.torsion_fourier_kJ_per_mol / KJ_PER_KCAL
    return {
        "Bond": (box.bonds, *_kinds(stretch)),
        "Angle": (box.angles, *_kinds(bend)),
        "Dihedral": (box.torsions, *_kinds(twist)),
    }


def data_text(box: ParametrisedBox, options: MDOptions) -> str:
    """Return the data file: atom style ``full``, coefficients, all bonded terms."""
    kinds, of_atom = _atom_kinds(box, options)
    sections = _sections(box)
    lines = [
        f"OPLS-AA and CL&P, TFSI {box.lennard_jones}, cations {box.cations}, charges of ions x "
        f"{box.charge_scale:g}; sources in {PARAMETERS}",
        "",
        f"{len(box)} atoms",
        *(f"{len(atoms)} {name.lower()}s" for name, (atoms, _, _) in sections.items()),
        "",
        f"{len(kinds)} atom types",
        *(f"{len(rows)} {name.lower()} types" for name, (_, rows, _) in sections.items()),
        "",
        *(f"0.0 {edge:.10f} {x}lo {x}hi" for edge, x in zip(box.box.edges_ang, "xyz", strict=True)),
    ]
    lines += ["", "Masses", "", *_masses(box, kinds), "", "Pair Coeffs", ""]
    lines += _pair_coefficients(box, kinds)
    for name, (_, rows, _) in sections.items():
        if len(rows):
            numbers = (f"{n + 1} {_join(row)}" for n, row in enumerate(rows))
            lines += ["", f"{name} Coeffs", "", *numbers]
    molecules = box.box.molecule_index + 1
    atoms = zip(molecules, of_atom + 1, box.charges_e, box.box.structure.positions, strict=True)
    lines += ["", "Atoms # full", ""]
    lines += [
        f"{k + 1} {molecule} {kind} {charge:.10g} {x:.9f} {y:.9f} {z:.9f}"
        for k, (molecule, kind, charge, (x, y, z)) in enumerate(atoms)
    ]
    for name, (tuples, _, kind) in sections.items():
        if len(tuples):
            lines += ["", f"{name}s", ""]
            lines += [
                f"{n + 1} {k + 1} {' '.join(str(a + 1) for a in row)}"
                for n, (k, row) in enumerate(zip(kind.tolist(), tuples.tolist(), strict=True))
            ]
    return "\n".join([*lines, ""])


def _join(row: NDArray[np.float64]) -> str:
    return " ".join(f"{x:.10g}" for x in row)


def _masses(box: ParametrisedBox, kinds: NDArray[np.float64]) -> Iterator[str]:
    for n, (kind, mass) in enumerate(kinds):
        yield f"{n + 1} {mass:.8g} # {box.types[int(kind)]}"


def _pair_coefficients(box: ParametrisedBox, kinds: NDArray[np.float64]) -> Iterator[str]:
    for n, (kind, _) in enumerate(kinds):
        k = int(np.flatnonzero(box.type_index == int(kind))[0])
        depth = box.epsilon_kJ_per_mol[k] / KJ_PER_KCAL
        yield f"{n + 1} {depth:.10g} {box.sigma_ang[k]:.10g}"


def script_text(box: ParametrisedBox, options: MDOptions) -> str:
    """Return the script: minimise, relax the density where there is a pressure, then NVT."""
    sections = _sections(box)
    styles = {"Bond": "harmonic", "Angle": "harmonic", "Dihedral": "opls"}
    weight = f"{SCALE_14:g}"
    lines = [
        "units           real",
        "atom_style      full",
        "boundary        p p p",
        f"pair_style      lj/cut/coul/long {options.cutoff_ang:g}",
        f"pair_modify     mix {MIX[box.mixing]} tail {'yes' if options.tail_correction else 'no'}",
        *_long_range(box, options),
        f"special_bonds   lj/coul 0.0 0.0 {weight}",
        *(
            f"{f'{name.lower()}_style':<15s} {styles[name]}"
            for name, (_, rows, _) in sections.items()
            if len(rows)
        ),
        f"read_data       {DATA}",
        "neighbor        2.0 bin",
        *_rigid_groups(box),
        "thermo_style    custom step temp pe ebond eangle edihed evdwl ecoul elong press density",
        "thermo          1000",
        *(["fix             still held setforce 0.0 0.0 0.0"] if box.rigid.any() else []),
        "minimize        1.0e-6 1.0e-6 5000 50000",
        *(["unfix           still"] if box.rigid.any() and options.rigid != "held" else []),
        "reset_timestep  0",
        f"timestep        {options.timestep_fs:g}",
        f"velocity        moving create {options.temperature_K:g} {options.seed + 1} dist gaussian",
        *_shake(box, options, sections["Bond"]),
        *_integrate(box, options),
    ]
    return "\n".join([*lines, ""])


def _long_range(box: ParametrisedBox, options: MDOptions) -> list[str]:
    """Return splitting and mesh as they are; LAMMPS would choose its own for an accuracy."""
    points = " ".join(str(n) for n in mesh_points(box.box.edges_ang, options))
    return [
        f"kspace_style    pppm {options.ewald_tolerance:g}",
        f"kspace_modify   gewald {splitting_per_ang(options):.8g} mesh {points} order {ORDER}",
    ]


def _rigid_groups(box: ParametrisedBox) -> list[str]:
    if not box.rigid.any():
        return ["group           moving union all"]
    atoms = np.flatnonzero(box.rigid) + 1
    breaks = np.split(atoms, np.flatnonzero(np.diff(atoms) > 1) + 1)
    ranges = " ".join(f"{r[0]}:{r[-1]}" for r in breaks)
    return [
        f"group           held id {ranges}",
        "group           moving subtract all held",
        "neigh_modify    exclude molecule/intra held",
    ]


def _shake(
    box: ParametrisedBox,
    options: MDOptions,
    bonds: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]],
) -> list[str]:
    if options.constraints == "none" or not len(box.bonds):
        return []
    kinds = np.unique(bonds[2][box.hydrogen_bonds()]) + 1
    words = " ".join(str(k) for k in kinds)
    return [f"fix             shake moving shake 1.0e-5 100 0 b {words}"] if words else []


def _integrate(box: ParametrisedBox, options: MDOptions) -> list[str]:
    t = f"{options.temperature_K:g}"
    damp = f"{100 * options.timestep_fs:g}"
    bodies = box.rigid.any() and options.rigid != "held"
    lines = []
    if bodies:
        lines.append(
            f"fix             body held rigid/small molecule langevin {t} {t} 1000.0 "
            f"{options.seed + 2}"
        )
    columns = "id mol type xu yu zu"
    frames = f"dump            frames all custom {options.frame_every} nvt.lammpstrj {columns}"
    if options.pressure_bar is not None:
        bar = f"{options.pressure_bar / 1.01325:.6g}"
        lines += [
            f"fix             npt moving npt temp {t} {t} {damp} iso {bar} {bar} 1000.0",
            f"run             {max(options.steps // 5, 1)}",
            "unfix           npt",
        ]
    return [
        *lines,
        f"fix             nvt moving nvt temp {t} {t} {damp}",
        frames,
        f"run             {options.steps}",
        "write_data      end.data",
    ]
