"""A parametrised box as inputs of GROMACS: coordinates, topology, and settings of three runs.

Combination rule 3 of GROMACS is the geometric one, 2 that of Lorentz and Berthelot. Energies are
not shifted at the cutoff, so that they are those of the other codes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.ewald import GROMACS_ORDER, direct_tolerance, mesh_spacing_ang
from superionic.inputs.folders import write_folder
from superionic.inputs.openmm import masses_of
from superionic.inputs.parameter_table import NOTES, PARAMETERS, notes_text, table_csv
from superionic.inputs.parametrised import SCALE_14, ryckaert_bellemans
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from superionic.inputs.md_options import MDOptions
    from superionic.inputs.parametrised import ParametrisedBox
    from superionic.structures.box import Component

NM = 0.1
COORDINATES, TOPOLOGY = "box.gro", "topol.top"

RULES = {"geometric": 3, "lorentz-berthelot": 2}
"""Combination rules by their number in GROMACS."""

_RUN = """\
gmx grompp -f em.mdp -c box.gro -p topol.top -o em.tpr && gmx mdrun -deffnm em
gmx grompp -f {first}.mdp -c em.gro -p topol.top -o {first}.tpr && gmx mdrun -deffnm {first}"""


def write_gromacs(box: ParametrisedBox, folder: str | Path, options: MDOptions) -> Path:
    """Write ``box.gro``, ``topol.top``, ``em.mdp``, ``npt.mdp``, ``nvt.mdp`` and two pages on them.

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
        The cutoff does not fit, electrostatics that GROMACS lacks, or a folder that holds something
        else.
    """
    return write_folder(folder, gromacs_files(box, options))


def gromacs_files(box: ParametrisedBox, options: MDOptions) -> dict[str, str]:
    """Return the text of each file by its name; see `write_gromacs`."""
    if options.electrostatics != "pme":
        raise DeckError("Inputs of GROMACS are for a periodic box: electrostatics = 'pme'.")
    options.check_cutoff(box)
    runs = ["em", "nvt"] if options.pressure_bar is None else ["em", "npt", "nvt"]
    remarks = [f"Run:\n\n```\n{_RUN.format(first=runs[1])}\n```\n"]
    if len(runs) == 3:
        remarks.append("Then nvt.mdp in the same way, from npt.gro with `-t npt.cpt`.")
    remarks.append("Or `superionic md run` on this folder, which goes on after a kill.")
    if box.rigid.any():
        remarks.append(_about_rigid(options))
    return {
        COORDINATES: gro_text(box),
        TOPOLOGY: top_text(box, options),
        **{f"{name}.mdp": mdp_text(name, box, options) for name in runs},
        PARAMETERS: table_csv(box),
        NOTES: notes_text(box, options, code="GROMACS", remarks=tuple(remarks)),
    }


def _about_rigid(options: MDOptions) -> str:
    if options.rigid == "held":
        return "Rigid molecules are frozen (freezegrps); forces between their atoms are excluded."
    return "Rigid molecules keep their shape by springs (bonds of type 6), and move."


def gro_text(box: ParametrisedBox) -> str:
    """Return coordinates in nm with nine decimals; molecules whole."""
    found, names = box.box, _atom_names(box)
    lines = [f"{' '.join(f'{c.count} {c.name}' for c in found.components)}", f"{len(box):5d}"]
    kinds, residues = found.component_index, found.residue_index
    for k, (x, y, z) in enumerate((found.structure.positions * NM).tolist()):
        residue = found.components[kinds[k]].name
        lines.append(
            f"{(residues[k] + 1) % 100000:5d}{residue:<5s}{names[k]:>5s}{(k + 1) % 100000:5d}"
            f"{x:14.9f}{y:14.9f}{z:14.9f}"
        )
    edges = " ".join(f"{x:.9f}" for x in found.edges_ang * NM)
    return "\n".join([*lines, f" {edges}", ""])


def top_text(box: ParametrisedBox, options: MDOptions) -> str:
    """Return the topology with all parameters in it; nothing is included from elsewhere."""
    lines = [
        f"; OPLS-AA and CL&P, TFSI- {box.lennard_jones}, Li+ and Na+ {box.cations}",
        f"; charges of ions times {box.charge_scale:g}; sources: {PARAMETERS}",
        "",
        "[ defaults ]",
        "; nbfunc  rule  gen-pairs  fudgeLJ  fudgeQQ",
        f"1 {RULES[box.mixing]} yes {SCALE_14:g} {SCALE_14:g}",
        "",
        "[ atomtypes ]",
        "; name  number  mass  charge  ptype  sigma_nm  epsilon_kJ_per_mol",
        *_atom_types(box),
    ]
    masses = masses_of(box, options) if options.rigid == "springs" else _moving_masses(box, options)
    first = 0
    for component in box.box.components:
        lines += _molecule(box, component, first, masses)
        first += component.count * component.atoms
    lines += ["", "[ system ]", "superionic", "", "[ molecules ]"]
    lines += [f"{c.name} {c.count}" for c in box.box.components]
    return "\n".join([*lines, ""])


def _moving_masses(
    box: ParametrisedBox, options: MDOptions
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return masses of frozen atoms too: GROMACS freezes them by group, and wants a mass."""
    heavy = options.hydrogen_mass_amu
    masses = box.masses_amu if heavy is None else box.repartitioned_masses(heavy)
    return np.array(masses)


def _atom_types(box: ParametrisedBox) -> Iterator[str]:
    numbers = box.box.structure.numbers
    for index, name in enumerate(box.types):
        k = int(np.flatnonzero(box.type_index == index)[0])
        yield (
            f"{name} {numbers[k]} {box.masses_amu[k]:.6g} 0.0 A {box.sigma_ang[k] * NM:.10g} "
            f"{box.epsilon_kJ_per_mol[k]:.10g}"
        )


def _molecule(
    box: ParametrisedBox,
    component: Component,
    first: int,
    masses: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> list[str]:
    """Return the molecule type of a component, from its first molecule."""
    names, size = component.atom_names, component.atoms
    lines = [
        "",
        "[ moleculetype ]",
        "; name  nrexcl",
        f"{component.name} {0 if component.rigid else 3}",
        "",
        "[ atoms ]",
        "; nr  type  resnr  residue  atom  cgnr  charge  mass",
    ]
    for n in range(size):
        k = first + n
        lines.append(
            f"{n + 1} {box.types[box.type_index[k]]} {component.residues[n] + 1} {component.name} "
            f"{names[n]} {n + 1} {box.charges_e[k]:.10g} {masses[k]:.8g}"
        )

    def section(title: str, atoms: Sequence[Sequence[int]], ends: Sequence[str]) -> None:
        if len(atoms):
            rows = (
                f"{' '.join(str(a - first + 1) for a in row)} {end}"
                for row, end in zip(atoms, ends, strict=True)
            )
            lines.extend(["", f"[ {title} ]", *rows])

    own = _inside(box.bonds, first, size)
    springs = _inside(box.springs, first, size)
    constant = box.spring_k_kJ_per_mol_ang2 / NM**2
    section(
        "bonds",
        [*box.bonds[own].tolist(), *box.springs[springs].tolist()],
        [
            *(
                f"1 {r * NM:.10g} {k / NM**2:.10g}"
                for r, k in zip(
                    box.bond_length_ang[own], box.bond_k_kJ_per_mol_ang2[own], strict=True
                )
            ),
            *(f"6 {r * NM:.10g} {constant:.10g}" for r in box.spring_length_ang[springs]),
        ],
    )
    pairs = box.pairs_14[_inside(box.pairs_14, first, size)].tolist()
    section("pairs", pairs, ["1"] * len(pairs))
    own = _inside(box.angles, first, size)
    values = zip(box.angle_deg[own], box.angle_k_kJ_per_mol_rad2[own], strict=True)
    section("angles", box.angles[own].tolist(), [f"1 {t:.10g} {k:.10g}" for t, k in values])
    own = _inside(box.torsions, first, size)
    series = ryckaert_bellemans(box.torsion_fourier_kJ_per_mol[own])
    section(
        "dihedrals",
        box.torsions[own].tolist(),
        [f"3 {' '.join(f'{c:.10g}' for c in row)}" for row in series],
    )
    if component.rigid:
        lines += ["", "[ exclusions ]"]
        lines += [f"{n} {' '.join(map(str, range(n + 1, size + 1)))}" for n in range(1, size)]
    return lines


def _inside(
    atoms: np.ndarray[tuple[int, int], np.dtype[np.int64]], first: int, size: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return which tuples lie in one molecule."""
    if not len(atoms):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero((atoms[:, 0] >= first) & (atoms[:, 0] < first + size))


def _atom_names(box: ParametrisedBox) -> list[str]:
    return [n for c in box.box.components for n in c.atom_names * c.count]


def mdp_text(run: str, box: ParametrisedBox, options: MDOptions) -> str:
    """Return the settings of minimisation (``em``), ``npt`` or ``nvt``."""
    settings: dict[str, object] = {
        "cutoff-scheme": "Verlet",
        "pbc": "xyz",
        "rlist": options.cutoff_ang * NM,  # where it counts: the Verlet buffer comes on top
        "coulombtype": "PME",
        "rcoulomb": options.cutoff_ang * NM,
        "coulomb-modifier": "None",
        "ewald-rtol": direct_tolerance(options),
        "fourierspacing": mesh_spacing_ang(options, order=GROMACS_ORDER) * NM,
        "pme-order": GROMACS_ORDER,
        "vdwtype": "Cut-off",
        "rvdw": options.cutoff_ang * NM,
        "vdw-modifier": "None",
        "DispCorr": "EnerPres" if options.tail_correction else "no",
    }
    if options.rigid == "held" and box.rigid.any():
        held = [c.name for c in box.box.components if c.rigid]
        settings["freezegrps"] = " ".join(held)
        settings["freezedim"] = " ".join(["Y Y Y"] * len(held))
    if run == "em":
        settings |= {"integrator": "steep", "nsteps": 5000, "emtol": 100.0, "constraints": "none"}
    else:
        settings |= _dynamics(run, options)
    return "".join(f"{name:<24s} = {_plain(value)}\n" for name, value in settings.items())


def _dynamics(run: str, options: MDOptions) -> dict[str, object]:
    steps = options.steps if run == "nvt" else max(options.steps // 5, 1)
    settings: dict[str, object] = {
        "integrator": "sd",  # Langevin: one thermostat for every code
        "dt": options.timestep_fs / 1000,
        "nsteps": steps,
        "ld-seed": options.seed + (1 if run == "npt" else 2),  # never the same twice
        "tc-grps": "System",
        "tau-t": 1.0,
        "ref-t": options.temperature_K,
        "constraints": options.constraints,
        "constraint-algorithm": "LINCS",
        "lincs-order": 6 if options.timestep_fs > 2 else 4,
        "lincs-iter": 2 if options.timestep_fs > 2 else 1,
        "nstxout-compressed": options.frame_every,
        "nstenergy": options.frame_every,
        "nstcalcenergy": math.gcd(options.frame_every, 100),  # nstenergy is a multiple of it
        "nstlog": options.frame_every,
        "comm-mode": "None" if options.rigid == "held" else "Linear",
    }
    if run == "npt":
        settings |= {
            "gen-vel": "yes",
            "gen-temp": options.temperature_K,
            "gen-seed": options.seed + 1,
            "pcoupl": "C-rescale",
            "pcoupltype": "isotropic",
            "tau-p": 2.0,
            "ref-p": options.pressure_bar,
            "compressibility": 4.5e-5,
        }
    elif options.pressure_bar is None:
        settings |= {
            "gen-vel": "yes", "gen-temp": options.temperature_K, "gen-seed": options.seed + 1,
        }  # fmt: skip
    else:
        settings |= {"gen-vel": "no", "continuation": "yes"}
    return settings


def _plain(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
