"""Files of a VASP run through pymatgen and ASE; nothing of those that are cut off."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.inputs.outputs.records import OutputFileError
from superionic.inputs.outputs.vasprun import Steps, from_pymatgen
from superionic.structures.errors import DeckError
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray


def has_content(path: Path) -> bool:
    """Return whether a file is there and not empty."""
    return path.is_file() and path.stat().st_size > 0


def oszicar_steps(path: Path) -> tuple[int, ...]:
    """Return the electronic steps of each ionic step of an OSZICAR; none if it cannot be read."""
    from pymatgen.io.vasp.outputs import Oszicar

    try:
        return tuple(len(steps) for steps in Oszicar(path).electronic_steps)
    except (ValueError, IndexError, KeyError):
        return ()


def asked_tags(path: Path) -> dict[str, str]:
    """Return the tags of an INCAR file, NSW at its default; none where it cannot be read."""
    from superionic.inputs.folders import read_input
    from superionic.inputs.vasp.tags import parse_incar

    try:
        tags = parse_incar(read_input(path))
    except DeckError:
        return {}
    return {"NSW": "0", **tags}


def free_components(folder: Path, atoms: int) -> NDArray[np.bool_]:
    """Return which components may move, from the selective dynamics. shape=(atoms, 3)."""
    for name in ("CONTCAR", "POSCAR"):
        poscar = _load_poscar(folder / name)
        flags = None if poscar is None else poscar.selective_dynamics
        if flags is not None and len(flags) == atoms:
            return np.array(flags, dtype=bool)
    return np.ones((atoms, 3), dtype=bool)


def _load_poscar(path: Path) -> Any:
    """Return pymatgen's ``Poscar``, or None where there is none that can be read."""
    from pymatgen.io.vasp.inputs import Poscar

    if not has_content(path):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Poscar.from_file(path, check_for_potcar=False)
    except (ValueError, IndexError, KeyError):
        return None


def read_poscar(path: Path) -> Structure | None:
    """Return the structure of a POSCAR, atoms in its order; None where it cannot be read."""
    poscar = _load_poscar(path)
    return None if poscar is None else from_pymatgen(poscar.structure)


def load_outcar(path: Path) -> Any:
    """Return pymatgen's ``Outcar`` of a run that ended.

    Raises
    ------
    OutputFileError
        It cannot be understood.
    """
    from pymatgen.io.vasp.outputs import Outcar

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Outcar(path)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise OutputFileError(
            f"{path} has its end but cannot be read ({type(error).__name__}: {error}). Copy it "
            "from the cluster again."
        ) from error


def steps_from_outcar(path: Path) -> Steps | None:
    """Return the ionic steps of an OUTCAR through ASE; None if it has none."""
    from ase.io import ParseError, read

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            images: Any = read(path, index=":", format="vasp-out")
    except (ParseError, ValueError, IndexError, KeyError, StopIteration) as error:
        raise OutputFileError(
            f"{path} has its end but cannot be read ({type(error).__name__}: {error}). Copy it, or "
            "the vasprun.xml beside it, from the cluster again."
        ) from error
    images = [atoms for atoms in images if atoms.calc is not None]
    if not images:
        return None
    last, found = images[-1], images[-1].calc.results
    return Steps(
        start=Structure.from_ase(images[0]),
        last=Structure.from_ase(last),
        energies_eV=np.array([atoms.get_potential_energy() for atoms in images]),
        free_energy_eV=float(found.get("free_energy", found["energy"])),
        forces_eV_per_A=last.get_forces(apply_constraint=False) if "forces" in found else None,
        stress_eV_per_A3=last.get_stress(voigt=False) if found.get("stress") is not None else None,
        iterations=(),
    )
