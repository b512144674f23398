"""Small outputs with the traits of VASP's, for atoms and numbers of a test's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from superionic.structures.structure import Structure

VALENCES = {
    "H": 1.0,
    "Li": 1.0,
    "N": 5.0,
    "O": 6.0,
    "F": 7.0,
    "Na": 1.0,
    "Al": 3.0,
    "Si": 4.0,
    "P": 5.0,
}
KBAR = 1602.1766208


@dataclass(frozen=True)
class Step:
    """One ionic step."""

    positions: NDArray[np.float64]
    energy_eV: float
    forces: NDArray[np.float64]
    electronic: int = 5
    entropy_eV: float = 0.0
    stress_eV_per_A3: float = 0.0


def step(
    structure: Structure,
    energy_eV: float,
    *,
    positions: ArrayLike | None = None,
    forces: ArrayLike | None = None,
    electronic: int = 5,
    entropy_eV: float = 0.0,
    stress_eV_per_A3: float = 0.0,
) -> Step:
    """Return a step; positions are the structure's and forces zero unless given."""
    return Step(
        np.array(structure.positions if positions is None else positions, dtype=float),
        energy_eV,
        np.zeros((len(structure), 3)) if forces is None else np.array(forces, dtype=float),
        electronic,
        entropy_eV,
        stress_eV_per_A3,
    )


@dataclass(frozen=True)
class VaspTags:
    """What a made-up VASP run was told."""

    NSW: int = 0
    IBRION: int = -1
    EDIFFG: float = -0.02
    NELM: int = 60
    ENCUT: float = 520.0
    ISPIN: int = 1
    ICHARG: int = 2
    IVDW: int = 0
    IMAGES: int = 0
    GGA: str = "PE"
    grid: tuple[int, int, int] = (3, 3, 1)
    fixed: tuple[int, ...] = ()


RELAX = VaspTags(NSW=20, IBRION=2)


@dataclass(frozen=True)
class VaspEnd:
    """How a made-up VASP run ended."""

    ended: bool = True
    reached: bool = False
    soft_stop: bool = False
    band_fmax: float | None = None
    moments: Sequence[float] = field(default=())
    tail: str = ""


def species_of(structure: Structure) -> list[tuple[str, int]]:
    """Runs of equal symbols."""
    return [(symbol, len(list(group))) for symbol, group in groupby(structure.symbols)]


def write_vasp_inputs(folder: Path, structure: Structure, tags: VaspTags) -> None:
    """Write POSCAR, KPOINTS and INCAR."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = species_of(structure)
    rows = []
    for k, xyz in enumerate(structure.fractional):
        flags = ("  F F F" if k in tags.fixed else "  T T T") if tags.fixed else ""
        rows.append("  ".join(f"{x:.12f}" for x in xyz) + flags)
    text = ["made up", "1.0", *("  ".join(f"{x:.10f}" for x in v) for v in structure.cell)]
    text += [" ".join(s for s, _ in kinds), " ".join(str(n) for _, n in kinds)]
    text += ["Selective dynamics"] if tags.fixed else []
    (folder / "POSCAR").write_text("\n".join([*text, "Direct", *rows]) + "\n")
    grid = " ".join(map(str, tags.grid))
    (folder / "KPOINTS").write_text(f"made up\n0\nGamma\n{grid}\n0 0 0\n")
    names = ["NSW", "IBRION", "EDIFFG", "NELM", "ENCUT", "ISPIN", "GGA"]
    names += ["IMAGES"] if tags.IMAGES else []
    lines = [f"{name} = {getattr(tags, name)}" for name in names]
    (folder / "INCAR").write_text("\n".join(lines) + "\n")


def write_outcar(
    path: Path, structure: Structure, steps: Sequence[Step], tags: VaspTags, end: VaspEnd
) -> None:
    """Write an OUTCAR that pymatgen and ASE read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = species_of(structure)
    lines = [
        " vasp.6.4.2 20Jul23 (build Jan 01 2024 00:00:00) complex",
        " running on    4 total cores",
    ]
    lines += [f" POTCAR:    PAW_PBE {s} 01Jan2001" for s, _ in kinds] * 2
    for symbol, _ in kinds:
        lines += [f"   VRHFIN ={symbol}: made up", "   LEXCH  = PE"]
        lines += [f"   TITEL  = PAW_PBE {symbol} 01Jan2001"]
        lines += [f"   POMASS =   10.000; ZVAL   =  {VALENCES[symbol]:7.3f}    mass and valenz"]
    lines += ["   k-points           NKPTS =      1   k-points in BZ     NKDIM =      1   "
              "number of bands    NBANDS=      4"]  # fmt: skip
    lines += [" k-points in reciprocal lattice and weights: made up"]
    lines += ["   0.00000000  0.00000000  0.00000000       1.000"]
    lines += [f"   total plane-waves  NPLWV =  1000   NIONS = {len(structure)}"]
    lines += ["   ions per type =         " + "".join(f"{n:8d}" for _, n in kinds)]
    names = ("ISPIN", "ICHARG", "ENCUT", "NELM", "EDIFFG", "NSW", "IBRION", "IVDW", "GGA")
    lines += [f"   {name:6s} = {getattr(tags, name)}" for name in names]
    if tags.IMAGES:
        lines += [f" OPT: LBFGS, IMAGES              {tags.IMAGES}", " NEB:          LCLIMB      T"]
    electrons = sum(VALENCES[s] for s in structure.symbols)
    lines += [f"   NELECT =   {electrons:10.4f}    total number of electrons"]
    for k, one in enumerate(steps):
        lines += _outcar_step(k, one, structure)
    if end.moments:
        lines += _magnetization(end.moments)
    if end.band_fmax is not None:
        lines += [f"  FORCES: max atom, RMS     {end.band_fmax:.6f}    {end.band_fmax / 2:.6f}"]
    if end.soft_stop:
        lines += [" soft stop encountered!  aborting job ..."]
    if end.reached:
        lines += [" reached required accuracy - stopping structural energy minimisation"]
    if end.ended:
        lines += [" General timing and accounting informations for this job:"]
        lines += ["                  Total CPU time used (sec):        1.000"]
    path.write_text("\n".join(lines) + "\n" + end.tail)


def _outcar_step(k: int, one: Step, structure: Structure) -> list[str]:
    lines = [
        f"--------------------------------------- Iteration {k + 1:6d}({n + 1:4d})  -------------"
        for n in range(one.electronic)
    ]
    lines += ["------------------------ aborting loop because EDIFF is reached ------------------"]
    lines += [" E-fermi :   1.2340     XC(G=0):  -1.0000     alpha+bet : -1.0000", ""]
    stress = -one.stress_eV_per_A3 * KBAR
    lines += ["  in kB  " + " ".join(f"{x:12.5f}" for x in (stress, stress, stress, 0, 0, 0))]
    lines += ["      direct lattice vectors                 reciprocal lattice vectors"]
    lines += ["  " + " ".join(f"{x:13.9f}" for x in v) + "   0.1 0.0 0.0" for v in structure.cell]
    lines += [
        "",
        " POSITION                                       TOTAL-FORCE (eV/Angst)",
        " " + "-" * 83,
    ]
    for xyz, force in zip(one.positions, one.forces, strict=True):
        lines += [" " + " ".join(f"{x:13.8f}" for x in (*xyz, *force))]
    free = one.energy_eV - one.entropy_eV
    return [
        *lines,
        " " + "-" * 83,
        "    total drift:                                0.000000      0.000000      0.000000",
        "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)",
        "  ---------------------------------------------------",
        f"  free  energy   TOTEN  =   {free:18.8f} eV",
        "",
        f"  energy  without entropy=  {one.energy_eV + one.entropy_eV:16.8f}  energy(sigma->0) ="
        f"  {one.energy_eV:16.8f}",
        "",
    ]


def _magnetization(moments: Sequence[float]) -> list[str]:
    head = ["", "", " magnetization (x)", "", "# of ion       s       p       d       tot"]
    rows = [f"{k + 1:5d}       0.000   0.000  {m:7.3f}  {m:7.3f}" for k, m in enumerate(moments)]
    total = sum(moments)
    return [
        f" number of electron      10.0000000 magnetization  {total:12.7f}",
        *head,
        "------------------------------------------",
        *rows,
        "--------------------------------------------------",
        f"tot          0.000   0.000  {total:7.3f}  {total:7.3f}",
        "",
    ]


def write_vasprun(
    path: Path,
    structure: Structure,
    steps: Sequence[Step],
    tags: VaspTags,
    *,
    closed: bool = True,
    dos: str = "",
) -> None:
    """Write a vasprun.xml that pymatgen reads; without its last lines unless it is closed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = species_of(structure)
    atoms = "".join(
        f"<rc><c>{s} </c><c>{k + 1}</c></rc>" for k, (s, n) in enumerate(kinds) for _ in range(n)
    )
    types = "".join(
        f"<rc><c>{n}</c><c>{s} </c><c>10.0</c><c>{VALENCES[s]}</c>"
        f"<c> PAW_PBE {s} 01Jan2001 </c></rc>"
        for s, n in kinds
    )
    grid = " ".join(map(str, tags.grid))
    numbers = "".join(
        f'<i type="int" name="{name}">{getattr(tags, name)}</i>'
        for name in ("NSW", "IBRION", "NELM", "ISPIN", "ICHARG", "IVDW")
    ) + "".join(f'<i name="{name}">{getattr(tags, name)}</i>' for name in ("EDIFFG", "ENCUT"))
    electrons = sum(VALENCES[s] for s in structure.symbols)
    head = f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
<generator><i name="program" type="string">vasp </i>
<i name="version" type="string">6.4.2 </i></generator>
<incar>{numbers}</incar>
<kpoints><generation param="Gamma"><v type="int" name="divisions">{grid}</v>
<v name="usershift">0 0 0</v></generation>
<varray name="kpointlist"><v>0 0 0</v></varray><varray name="weights"><v>1.0</v></varray></kpoints>
<parameters><separator name="general">{numbers}<i type="string" name="GGA">{tags.GGA}</i>
<i name="NELECT">{electrons}</i></separator></parameters>
<atominfo><atoms>{len(structure)}</atoms><types>{len(kinds)}</types>
<array name="atoms"><set>{atoms}</set></array>
<array name="atomtypes"><set>{types}</set></array></atominfo>
{_xml_structure(structure, structure.positions, "initialpos")}
"""
    body = "".join(
        _xml_step(structure, one, dos if k == len(steps) - 1 else "") for k, one in enumerate(steps)
    )
    tail = _xml_structure(structure, steps[-1].positions, "finalpos") + "</modeling>\n"
    path.write_text(head + body + (tail if closed else "<calculation>\n <scstep>\n"))


def _xml_rows(values: ArrayLike) -> str:
    return "".join(f"<v>{' '.join(f'{x:.10f}' for x in row)}</v>" for row in np.array(values))


def _xml_structure(structure: Structure, positions: NDArray[np.float64], name: str = "") -> str:
    label = f' name="{name}"' if name else ""
    fractional = structure.with_positions(positions).fractional
    return (
        f'<structure{label}><crystal><varray name="basis">{_xml_rows(structure.cell)}</varray>'
        f'</crystal><varray name="positions">{_xml_rows(fractional)}</varray></structure>\n'
    )


def _xml_step(structure: Structure, one: Step, dos: str) -> str:
    free = one.energy_eV - one.entropy_eV
    energy = (
        f'<energy><i name="e_fr_energy">{free:.8f}</i>'
        f'<i name="e_wo_entrp">{one.energy_eV + one.entropy_eV:.8f}</i>'
        f'<i name="e_0_energy">{one.energy_eV:.8f}</i></energy>'
    )
    stress = -one.stress_eV_per_A3 * KBAR * np.eye(3)
    return (
        f"<calculation>{f'<scstep>{energy}</scstep>' * one.electronic}"
        f"{_xml_structure(structure, one.positions)}"
        f'<varray name="forces">{_xml_rows(one.forces)}</varray>'
        f'<varray name="stress">{_xml_rows(stress)}</varray>{energy}{dos}</calculation>\n'
    )


def write_vasp_run(
    folder: Path,
    structure: Structure,
    steps: Sequence[Step],
    tags: VaspTags | None = None,
    end: VaspEnd | None = None,
    *,
    outcar: bool = True,
    xml: bool = True,
    inputs: bool = True,
    dos: str = "",
) -> Path:
    """Write a whole VASP run."""
    tags, end = tags or VaspTags(), end or VaspEnd()
    folder.mkdir(parents=True, exist_ok=True)
    if inputs:
        write_vasp_inputs(folder, structure, tags)
    if outcar:
        write_outcar(folder / "OUTCAR", structure, steps, tags, end)
    if xml:
        write_vasprun(folder / "vasprun.xml", structure, steps, tags, closed=end.ended, dos=dos)
    return folder
