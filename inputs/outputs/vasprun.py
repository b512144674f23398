"""The numbers of a vasprun.xml that was closed properly, through pymatgen."""

from __future__ import annotations

import contextlib
import re
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.inputs.outputs.failures import tail_of
from superionic.inputs.outputs.records import OutputFileError
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

KBAR_PER_EV_A3 = 1602.1766208
"""Kilobar in one eV/cubic angstrom."""
_OVERFLOWN = re.compile(rb"(<i type=\"int\" name=\"[A-Z_]+\">)\s*\*+\s*(</i>)")


@dataclass(frozen=True, eq=False)
class Steps:
    """Ionic steps of a run and what their last one holds.

    Attributes
    ----------
    start, last : Structure
        First and last structure whose forces were computed.
    energies_eV : ndarray
        Energy of each step, smearing extrapolated to zero, dispersion included. shape=(steps,)
    free_energy_eV : float
        Free energy of the last step.
    forces_eV_per_A : ndarray or None
        Of the last step. shape=(atoms, 3)
    stress_eV_per_A3 : ndarray or None
        Of the last step, tension positive. shape=(3, 3)
    iterations : tuple of int
        Electronic steps of each ionic step.
    """

    start: Structure
    last: Structure
    energies_eV: NDArray[np.float64]
    free_energy_eV: float
    forces_eV_per_A: NDArray[np.float64] | None
    stress_eV_per_A3: NDArray[np.float64] | None
    iterations: tuple[int, ...]


def is_closed(path: Path) -> bool:
    """Tell whether an XML of VASP ends as it should."""
    return path.is_file() and "</modeling>" in tail_of(path, 4096)


def load_vasprun(path: Path, *, dos: bool = False, eigenvalues: bool = False) -> Any:
    """Return pymatgen's ``Vasprun`` of a closed file.

    Raises
    ------
    OutputFileError
        The file cannot be understood.
    """
    try:
        return _parse(path, dos=dos, eigenvalues=eigenvalues)
    except (ValueError, KeyError, IndexError, AttributeError, SyntaxError) as error:
        with contextlib.suppress(Exception), _without_overflow(path) as mended:
            return _parse(mended, dos=dos, eigenvalues=eigenvalues)
        raise OutputFileError(
            f"{path} cannot be read ({type(error).__name__}: {error}). If the run ended properly, "
            "copy the file again; else read its OUTCAR."
        ) from error


def _parse(path: Path, *, dos: bool, eigenvalues: bool) -> Any:
    """Parse with pymatgen, whose own remark on convergence is not needed."""
    from pymatgen.io.vasp.outputs import Vasprun

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Vasprun(path, parse_dos=dos, parse_eigen=eigenvalues, parse_potcar_file=False)


@contextlib.contextmanager
def _without_overflow(path: Path) -> Iterator[Path]:
    """Give a copy in which whole numbers too wide for their field are zero."""
    content, count = _OVERFLOWN.subn(rb"\1 0 \2", path.read_bytes())
    if not count:
        raise OutputFileError(f"{path} holds no overflown numbers.")
    with tempfile.TemporaryDirectory() as folder:
        mended = Path(folder) / "vasprun.xml"
        mended.write_bytes(content)
        yield mended


def steps_of(run: Any) -> Steps | None:
    """Return the ionic steps of a parsed run, or None if it has none with an energy."""
    steps = [s for s in run.ionic_steps if s.get("structure") is not None]
    if not steps or "e_fr_energy" not in steps[-1]:
        return None
    last = steps[-1]
    stress = last.get("stress")
    return Steps(
        start=from_pymatgen(steps[0]["structure"]),
        last=from_pymatgen(last["structure"]),
        energies_eV=np.array([_zero_smearing_energy(s) for s in steps]),
        free_energy_eV=float(last["e_fr_energy"]),
        forces_eV_per_A=None if last.get("forces") is None else np.array(last["forces"]),
        stress_eV_per_A3=None if stress is None else -np.array(stress) / KBAR_PER_EV_A3,
        iterations=tuple(len(s["electronic_steps"]) for s in steps),
    )


def short_version(run: Any) -> str:
    """Return the version of VASP that wrote a parsed file, without its build."""
    return ".".join(str(run.vasp_version).strip().split(".")[:3])


def _zero_smearing_energy(step: dict[str, Any]) -> float:
    """Return the energy at zero smearing, in eV.

    Some versions of VASP write an ``e_0_energy`` of the ionic step that leaves out the dispersion
    correction; that of the last electronic step less its free energy is right in all of them.
    """
    free = float(step["e_fr_energy"])
    electronic = step["electronic_steps"]
    if electronic and {"e_0_energy", "e_fr_energy"} <= set(electronic[-1]):
        return free + float(electronic[-1]["e_0_energy"]) - float(electronic[-1]["e_fr_energy"])
    return float(step.get("e_0_energy", free))


def from_pymatgen(structure: Any) -> Structure:
    """Take over a pymatgen ``Structure``; atoms keep their order."""
    return Structure(
        numbers=np.array([site.specie.Z for site in structure]),
        positions=np.array(structure.cart_coords),
        cell=np.array(structure.lattice.matrix),
    )


def valences_of(path: Path) -> tuple[float, ...]:
    """Return the valence electrons that each atom's pseudopotential has, in the file's order.

    Raises
    ------
    OutputFileError
        The file does not say.
    """
    from xml.etree.ElementTree import iterparse

    for _, element in iterparse(path, events=("end",)):
        if element.tag != "atominfo":
            continue
        rows = [
            [(c.text or "").strip() for c in rc.findall("c")]
            for rc in element.findall("array[@name='atomtypes']/set/rc")
        ]
        if rows:
            return tuple(float(row[3]) for row in rows for _ in range(int(row[0])))
    raise OutputFileError(f"{path} does not list the species and their valence electrons.")
