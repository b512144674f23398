"""Small outputs with the traits of CASTEP's, for atoms and numbers of a test's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import numpy as np
from made_vasp import VALENCES, Step
from numpy.typing import NDArray

from superionic.structures.structure import Structure


@dataclass(frozen=True)
class CastepCase:
    """What a made-up CASTEP run was told, and how it went."""

    task: str = "single point energy"
    cutoff: float = 370.0
    grid: tuple[int, int, int] = (3, 3, 1)
    ended: bool = True
    geometry: str = ""
    unconverged: tuple[int, ...] = ()
    dispersion_eV: float | None = None
    spins: Sequence[float] = ()
    charges: Sequence[float] = ()
    force_tolerance: float = 0.05
    enthalpy_eV: float | None = None
    extra: str = ""


def castep_order(structure: Structure) -> list[int]:
    """Where CASTEP puts the atoms: by ascending atomic number."""
    return sorted(range(len(structure)), key=lambda k: int(structure.numbers[k]))


def write_castep_run(
    folder: Path,
    structure: Structure,
    steps: Sequence[Step],
    case: CastepCase | None = None,
    *,
    seed: str = "made",
) -> Path:
    """Write a CASTEP run: .cell, .param and .castep."""
    case = case or CastepCase()
    folder.mkdir(parents=True, exist_ok=True)
    cell = ["%BLOCK LATTICE_CART", "ang", *(" ".join(map(str, v)) for v in structure.cell)]
    cell += ["%ENDBLOCK LATTICE_CART", "", "%BLOCK POSITIONS_FRAC"]
    cell += [f"{s} {' '.join(f'{x:.12f}' for x in xyz)}"
             for s, xyz in zip(structure.symbols, structure.fractional, strict=True)]  # fmt: skip
    (folder / f"{seed}.cell").write_text("\n".join([*cell, "%ENDBLOCK POSITIONS_FRAC"]) + "\n")
    (folder / f"{seed}.param").write_text("task : singlepoint\nxc_functional : PBE\n")
    (folder / f"{seed}.castep").write_text(castep_text(structure, steps, case))
    return folder


def castep_text(structure: Structure, steps: Sequence[Step], case: CastepCase) -> str:
    """Return a .castep file that ASE and castep_outputs read."""
    dispersion = case.dispersion_eV is not None
    electrons = sum(VALENCES[s] for s in structure.symbols)
    text = dedent(f"""\
         +-------------------------------------------------+
         | Welcome to Academic Release CASTEP version 23.1 |
         +-------------------------------------------------+
         Compiled for linux_x86_64_gfortran10 on Mon, 01 Jan 2024 00:00:00 +0000

         ************************************ Title ************************************

         ***************************** General Parameters ******************************

         type of calculation                            : {case.task}
         stress calculation                             : off

         *********************** Exchange-Correlation Parameters ***********************

         using functional                               : Perdew Burke Ernzerhof
         DFT+D: Semi-empirical dispersion correction    : {"on" if dispersion else "off"}
        """)
    text = "\n".join(f" {line.strip()}" if line.strip() else "" for line in text.splitlines())
    if dispersion:
        text += "\n SEDC with                                      : G06 correction scheme\n"
    text += f"""
 **************************** Basis Set Parameters *****************************

 plane wave basis set cut-off                   :   {case.cutoff:.4f}   eV
 finite basis set correction                    : none

 **************************** Electronic Parameters ****************************

 number of  electrons                           :  {electrons:.3f}
 treating system as {"spin-polarized" if case.spins else "non-spin-polarized"}

 ********************** Geometry Optimization Parameters ***********************

 max ionic |force| tolerance                    : {case.force_tolerance:.4E}   eV/A

 *******************************************************************************

"""
    text += _castep_cell(structure)
    for k, one in enumerate(steps):
        text += _castep_step(k, one, structure, case, last=k == len(steps) - 1)
    if case.geometry == "done":
        text += " BFGS: Geometry optimization completed successfully.\n\n"
    elif case.geometry == "failed":
        text += (
            f" BFGS: WARNING - Geometry optimization failed to converge after {len(steps)} steps\n"
        )
    if case.enthalpy_eV is not None:
        text += f" BFGS: Final Enthalpy     = {case.enthalpy_eV:.8E} eV\n"
    text += _castep_populations(structure, case) + case.extra
    if case.ended:
        text += """
Initialisation time =      1.00 s
Calculation time    =      2.00 s
Finalisation time   =      0.10 s
Total time          =      3.10 s
Peak Memory Use     = 10000 kB
"""
    return text


def _castep_cell(structure: Structure) -> str:
    kinds = len(set(structure.symbols))
    inverse = 2 * np.pi * np.linalg.inv(structure.cell).T
    rows = "".join(
        " " + "".join(f"{x:14.7f}" for x in v) + "   " + "".join(f"{x:14.9f}" for x in w) + "\n"
        for v, w in zip(structure.cell, inverse, strict=True)
    )
    return (
        "                           -------------------------------\n"
        "                                      Unit Cell\n"
        "                           -------------------------------\n"
        "        Real Lattice(A)                      Reciprocal Lattice(1/A)\n"
        f"{rows}\n"
        "                           -------------------------------\n"
        "                                     Cell Contents\n"
        "                           -------------------------------\n"
        f"                         Total number of ions in cell = {len(structure):4d}\n"
        f"                      Total number of species in cell = {kinds:4d}\n"
        "                        Max number of any one species =    8\n\n"
        + _castep_positions(structure, structure.positions)
        + "                           -------------------------------\n"
        "                              k-Points For BZ Sampling\n"
        "                           -------------------------------\n"
        "                       MP grid size for SCF calculation is  3  3  1\n"
        "                            with an offset of   0.000  0.000  0.000\n"
        "                       Number of kpoints used =             4\n\n"
    )


def _numbered(structure: Structure) -> list[tuple[int, str, int]]:
    """(index, symbol, number within its species) in CASTEP's order."""
    seen: dict[str, int] = {}
    rows = []
    for k in castep_order(structure):
        symbol = structure.symbols[k]
        seen[symbol] = seen.get(symbol, 0) + 1
        rows.append((k, symbol, seen[symbol]))
    return rows


def _castep_positions(structure: Structure, positions: NDArray[np.float64]) -> str:
    fractional = structure.with_positions(positions).fractional
    bar = "            " + "x" * 60 + "\n"
    rows = "".join(
        f"            x  {s:<2s}{n:12d}    {fractional[k][0]:12.6f}{fractional[k][1]:11.6f}"
        f"{fractional[k][2]:11.6f}      x\n"
        for k, s, n in _numbered(structure)
    )
    return (
        bar
        + "            x  Element    Atom        Fractional coordinates of atoms  x\n"
        + "            x            Number           u          v          w      x\n"
        + "            x----------------------------------------------------------x\n"
        + rows
        + bar
        + "\n"
    )


def _castep_step(k: int, one: Step, structure: Structure, case: CastepCase, *, last: bool) -> str:
    text = ""
    if k:
        text += f" BFGS: starting iteration {k:9d} with trial guess (lambda=  1.000000)\n\n"
        text += _castep_positions(structure, one.positions)
    line = "-" * 72 + " <-- SCF\n"
    text += (
        line
        + "SCF loop      Energy           Fermi           Energy gain       Timer   <-- SCF\n"
        + line
    )
    text += "Initial  -1.00000000E+002  0.00000000E+000                         0.10  <-- SCF\n"
    for n in range(one.electronic):
        text += f"{n + 1:7d}  {one.energy_eV:.8E}  1.00000000E+000   1.00000000E-003"
        text += "       1.00  <-- SCF\n"
    text += line + "\n"
    if k in case.unconverged:
        text += "*Warning* max. SCF cycles performed but system has not reached the groundstate.\n"
    if case.spins:
        text += f"2*Integrated Spin Density =  {sum(case.spins):12.6f} hbar/2\n"
    free = one.energy_eV - one.entropy_eV
    plain = one.energy_eV + one.entropy_eV
    d = case.dispersion_eV or 0.0
    text += f"Final energy, E             =  {plain - d:.9f}     eV\n"
    text += f"Final free energy (E-TS)    =  {free - d:.9f}     eV\n"
    text += "(energies not corrected for finite basis set)\n\n"
    text += f"NB est. 0K energy (E-0.5TS)      =  {one.energy_eV - d:.9f}     eV\n\n"
    if case.dispersion_eV is not None:
        text += f"(SEDC) Total Energy Correction : {d:.6E} eV\n\n"
        text += f"Dispersion corrected final energy*, Ecor          =  {plain:.9f}     eV\n"
        text += f"Dispersion corrected final free energy* (Ecor-TS) =  {free:.9f}     eV\n"
        text += "NB dispersion corrected est. 0K energy* (Ecor-0.5TS) =  "
        text += f"{one.energy_eV:.9f}     eV\n\n"
    return text + _castep_forces(one, structure)


def _castep_forces(one: Step, structure: Structure) -> str:
    rows = "".join(
        f" * {s:<2s}{n:15d}" + "".join(f"{x:16.8f}     " for x in one.forces[k]) + "*\n"
        for k, s, n in _numbered(structure)
    )
    bar = " " + "*" * 38 + " Forces " + "*" * 38 + "\n"
    return (
        bar
        + " *                          Cartesian components (eV/A)                            *\n"
        + " * -------------------------------------------------------------------------------- *\n"
        + " *                         x                    y                    z              *\n"
        + " *                                                                                  *\n"
        + rows
        + " *                                                                                  *\n"
        + " " + "*" * 84 + "\n\n"
    )  # fmt: skip


def _castep_populations(structure: Structure, case: CastepCase) -> str:
    if not case.charges:
        return ""
    spin = bool(case.spins)
    head = "  Charge (e)" + ("  Spin (hbar/2)" if spin else "")
    rows = ""
    for k, s, n in _numbered(structure):
        total = VALENCES[s] - case.charges[k]
        rows += f"  {s:<2s}{n:15d}    0.000   {total:7.3f}   0.000   0.000   {total:7.3f}    "
        rows += f"{case.charges[k]:7.3f}" + (f"    {case.spins[k]:7.3f}" if spin else "") + "\n"
    return (
        "\n     Atomic Populations (Mulliken)\n     -----------------------------\n"
        f"Species          Ion     s       p       d       f      Total{head}\n"
        + "=" * 82 + "\n" + rows + "=" * 82 + "\n\n"
    )  # fmt: skip
