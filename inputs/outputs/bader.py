"""Bader charges from VASP's densities, through pybader.

W. Tang, E. Sanville and G. Henkelman, doi 10.1088/0953-8984/21/8/084204.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
import types
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.inputs.outputs.outcar import scan_outcar
from superionic.inputs.outputs.records import OutputFileError
from superionic.inputs.outputs.vasp_theory import theory_of
from superionic.inputs.outputs.vasprun import is_closed, valences_of
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

CORE = ("AECCAR0", "AECCAR2")
"""Core and valence all-electron density, which LAECHG = .TRUE. writes; their sum has a maximum at
every nucleus, where the pseudo-density of CHGCAR alone has a hole."""


@dataclass(frozen=True, eq=False)
class RawCharges:
    """Electrons shared out among atoms, as a code or a reader leaves them.

    Attributes
    ----------
    method, reference : str
        How, and by what density.
    symbols : tuple of str
        Chemical symbol of each atom.
    valence_electrons, electrons : ndarray
        Of the neutral atom, and found on it. shape=(atoms,)
    expected_electrons, unassigned_electrons : float
        Of the whole system, and given to no atom.
    tolerance : float
        How many electrons the method may lose by its printed digits or its grid.
    farthest_maximum_ang : float or None
        Largest distance of a density maximum from its atom in angstrom.
    theory : str
        Level of theory.
    """

    method: str
    reference: str
    symbols: tuple[str, ...]
    valence_electrons: NDArray[np.float64]
    electrons: NDArray[np.float64]
    expected_electrons: float
    unassigned_electrons: float
    tolerance: float
    farthest_maximum_ang: float | None
    theory: str


@dataclass(frozen=True, eq=False)
class Density:
    """Electron density on an even grid of a cell.

    Attributes
    ----------
    structure : Structure
        The atoms.
    values : ndarray
        In electrons per cubic angstrom. shape=(n1, n2, n3)
    """

    structure: Structure
    values: NDArray[np.float64]

    @property
    def electrons(self) -> float:
        """Electrons in the cell."""
        return float(self.values.mean()) * self.structure.volume


def read_bader_charges(folder: Path, *, vacuum_e_per_A3: float | None = None) -> RawCharges:
    """Divide the density of a finished VASP run among its atoms.

    Parameters
    ----------
    folder
        Holds ``CHGCAR``, ``AECCAR0`` and ``AECCAR2``, and ``OUTCAR`` or ``vasprun.xml``.
    vacuum_e_per_A3
        Density below which electrons belong to no atom; none do by default.

    Raises
    ------
    OutputFileError
        A file is missing, cut off, or of another grid or other atoms.
    """
    missing = [name for name in ("CHGCAR", *CORE) if not _has(folder / name)]
    if missing:
        raise OutputFileError(
            f"{folder} lacks {', '.join(missing)}. Bader charges need the density (LCHARG = "
            ".TRUE.) and the all-electron reference (LAECHG = .TRUE.): set both and run a static "
            "calculation on the final structure."
        )
    density = read_density(folder / "CHGCAR")
    cores = [read_density(folder / name) for name in CORE]
    for name, core in zip(CORE, cores, strict=True):
        _check_same_grid(density, core, folder / name)
    reference = cores[0].values + cores[1].values
    electrons, unassigned, farthest = divide(density, reference, vacuum_e_per_A3=vacuum_e_per_A3)
    valences, expected, theory = _electrons(folder, len(density.structure))
    return RawCharges(
        method="bader",
        reference="AECCAR0 + AECCAR2",
        symbols=density.structure.symbols,
        valence_electrons=valences,
        electrons=electrons,
        expected_electrons=expected,
        unassigned_electrons=unassigned,
        tolerance=1e-3 * max(10.0, expected),
        farthest_maximum_ang=farthest,
        theory=theory,
    )


def _has(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def read_density(path: Path) -> Density:
    """Read a CHGCAR or AECCAR through pymatgen; the spin density in it is left out.

    Raises
    ------
    OutputFileError
        It is cut off or no density.
    """
    from pymatgen.io.vasp.outputs import Chgcar

    from superionic.inputs.outputs.vasprun import from_pymatgen

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chgcar: Any = Chgcar.from_file(str(path))
        values = np.array(chgcar.data["total"], dtype=float)
    except (ValueError, IndexError, KeyError, TypeError, UnboundLocalError) as error:
        raise OutputFileError(
            f"{path} is cut off or no density of VASP ({type(error).__name__}: {error}). Copy it "
            "again, or run again with LCHARG = .TRUE."
        ) from error
    if not np.isfinite(values).all():
        raise OutputFileError(f"{path} holds numbers that are not finite.")
    structure = from_pymatgen(chgcar.structure)
    return Density(structure, values / structure.volume)


def _check_same_grid(density: Density, other: Density, path: Path) -> None:
    """Raise unless two densities have one grid, cell and atoms."""
    same = (
        density.values.shape == other.values.shape
        and np.array_equal(density.structure.numbers, other.structure.numbers)
        and np.allclose(density.structure.cell, other.structure.cell, atol=1e-4)
    )
    if not same:
        raise OutputFileError(
            f"{path} is of another run than CHGCAR beside it: grids {other.values.shape} and "
            f"{density.values.shape}. Keep the files of one run only."
        )


def _electrons(folder: Path, atoms: int) -> tuple[NDArray[np.float64], float, str]:
    """Return the valence electrons of each atom, those of the system, and the level of theory."""
    outcar, xml = folder / "OUTCAR", folder / "vasprun.xml"
    scan = scan_outcar(outcar) if _has(outcar) else None
    if scan is not None and len(scan.valences) == len(scan.ions_per_type) > 0:
        pairs = zip(scan.valences, scan.ions_per_type, strict=True)
        valences = [z for z, count in pairs for _ in range(count)]
    elif is_closed(xml):
        valences = list(valences_of(xml))
    else:
        raise OutputFileError(
            f"{folder} needs its OUTCAR or vasprun.xml: they say how many valence electrons each "
            "atom has."
        )
    if len(valences) != atoms:
        raise OutputFileError(
            f"CHGCAR in {folder} holds {atoms} atoms, its OUTCAR or vasprun.xml {len(valences)}: "
            "they are of different runs."
        )
    expected = scan.number("NELECT", sum(valences)) if scan is not None else float(sum(valences))
    return np.array(valences), expected, theory_of(scan.settings) if scan is not None else ""


def divide(
    density: Density,
    reference: NDArray[np.float64],
    *,
    vacuum_e_per_A3: float | None = None,
) -> tuple[NDArray[np.float64], float, float]:
    """Share out a density among the atoms of its structure by the maxima of a reference density.

    Parameters
    ----------
    density
        What is shared out.
    reference
        Whose zero-flux surfaces divide it, on the same grid.
    vacuum_e_per_A3
        Density below which electrons belong to no atom.

    Returns
    -------
    electrons : ndarray
        On each atom. shape=(atoms,)
    unassigned : float
        Electrons that belong to no atom.
    farthest : float
        Largest distance of a maximum from its atom, in angstrom.
    """
    structure = density.structure
    wrapped = (structure.fractional % 1.0) @ structure.cell
    values = np.ascontiguousarray(density.values)
    with _pybader() as bader_class, contextlib.redirect_stdout(io.StringIO()):
        bader = bader_class(
            {"charge": values},
            np.array(structure.cell),
            np.ascontiguousarray(wrapped),
            {"voxel_offset": np.zeros(3)},
            method="neargrid",
            refine_method="neargrid",
            refine_mode=("changed", -1),
            vacuum_tol=np.nan if vacuum_e_per_A3 is None else vacuum_e_per_A3,
            threads=1,
            speed_flag=True,
            spin_flag=False,
        )
        bader.reference = np.ascontiguousarray(reference)
        bader.volumes_init()
        bader.bader_calc()
        bader.bader_to_atom_distance()
        bader.refine_volumes(bader.atoms_volumes)
        bader.sum_volumes()
    unassigned = 0.0 if vacuum_e_per_A3 is None else float(bader.vacuum_charge)
    return np.array(bader.atoms_charge), unassigned, float(np.max(bader.bader_distance))


@contextlib.contextmanager
def _pybader() -> Iterator[Any]:
    """Give pybader's class.

    pybader 0.3 imports two functions of ``pkg_resources``, which setuptools no longer has, and on
    its first import writes a settings file into the user's home; both only serve its own command
    line. Stand-ins are put in their place while it is imported, and its settings file is not read.
    """
    with _stand_in("pkg_resources"), contextlib.redirect_stdout(io.StringIO()):
        from pybader.interface import Bader

    class Quiet(Bader):  # type: ignore[misc]
        """Takes its settings from the caller alone."""

        __slots__ = ()

        def load_config(self, key: str = "DEFAULT") -> None:
            """Read no file."""

    yield Quiet


@contextlib.contextmanager
def _stand_in(name: str) -> Iterator[None]:
    """Put an empty module with pybader's entry points in place of one that is not installed."""
    if "pybader" in sys.modules or name in sys.modules:
        yield
        return
    module: Any = types.ModuleType(name)
    nothing = types.SimpleNamespace(load=lambda: lambda: None)
    points = [types.SimpleNamespace(name=n, load=nothing.load)
              for n in ("create_config", "cache_JIT")]  # fmt: skip
    module.iter_entry_points = lambda group: points
    module.resource_listdir = lambda *_: []
    sys.modules[name] = module
    try:
        yield
    finally:
        sys.modules.pop(name, None)


def bader_is_installed() -> bool:
    """Tell whether pybader is there."""
    return importlib.util.find_spec("pybader") is not None
