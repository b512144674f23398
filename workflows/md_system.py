"""A system to move: its forces as OpenMM's XML, its atoms, and where they start."""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import InvalidStructureError, RunFolderError, TheoryError
from superionic.structures.structure import readonly
from superionic.workflows.serialise import write_bytes_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "HEAVY_HYDROGEN",
    "POSITIONS",
    "SYSTEM_XML",
    "TOPOLOGY",
    "MDSystem",
    "read_system",
    "usual_timestep_fs",
]

SYSTEM_XML = "system.xml"
TOPOLOGY = "topology.pdb"
POSITIONS = "positions.csv"
"""Coordinates in nm with more digits than a PDB file has; may be missing."""

HEAVY_HYDROGEN = 2.5
"""Lightest mass in g/mol of a system whose hydrogens were made heavier."""


@dataclass(frozen=True, eq=False)
class MDSystem:
    """What is moved.

    Attributes
    ----------
    system_xml : str
        An ``openmm.System`` as XML, without thermostat or barostat.
    topology_pdb : str
        The atoms as a PDB file, for those who read the trajectory.
    positions_ang : ndarray
        Where they start, in angstrom. shape=(atoms, 3)
    cell_ang : ndarray
        Lattice vectors as rows in angstrom. shape=(3, 3)
    """

    system_xml: str
    topology_pdb: str
    positions_ang: NDArray[np.float64]
    cell_ang: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Freeze and look at the numbers."""
        object.__setattr__(self, "positions_ang", readonly(self.positions_ang, np.float64))
        object.__setattr__(self, "cell_ang", readonly(self.cell_ang, np.float64))
        if self.positions_ang.ndim != 2 or not np.isfinite(self.positions_ang).all():
            raise InvalidStructureError("Positions to start from must be finite, (atoms, 3).")

    @property
    def fingerprints(self) -> dict[str, str]:
        """Checksums that tell one system from another."""
        return {
            "system": _sha(self.system_xml.encode()),
            "topology": _sha(_atoms_of(self.topology_pdb)),
        }

    def save(self, folder: Path) -> None:
        """Write the system and its topology into a folder."""
        write_bytes_atomic(folder / SYSTEM_XML, self.system_xml.encode())
        write_bytes_atomic(folder / TOPOLOGY, self.topology_pdb.encode())

    @classmethod
    def from_openmm(
        cls, system: Any, topology: Any, positions_ang: ArrayLike, cell_ang: ArrayLike | None = None
    ) -> MDSystem:
        """Take over a System and a Topology of OpenMM.

        Parameters
        ----------
        system
            An ``openmm.System``.
        topology
            An ``openmm.app.Topology``.
        positions_ang
            In angstrom. shape=(atoms, 3)
        cell_ang
            Lattice vectors as rows in angstrom; by default those of the System. shape=(3, 3)
        """
        import openmm
        from openmm import unit
        from openmm.app import PDBFile

        positions = np.asarray(positions_ang, dtype=float)
        if cell_ang is None:
            cell_ang = [
                [10.0 * float(x) for x in row.value_in_unit(unit.nanometer)]
                for row in system.getDefaultPeriodicBoxVectors()
            ]
        text = io.StringIO()
        PDBFile.writeFile(topology, positions * unit.angstrom, text, keepIds=True)
        xml = openmm.XmlSerializer.serialize(system)
        return cls(xml, text.getvalue(), positions, np.asarray(cell_ang, dtype=float))

    @classmethod
    def load(cls, folder: Path) -> MDSystem:
        """Read ``system.xml`` and ``topology.pdb`` of a folder.

        Raises
        ------
        RunFolderError
            One is missing or cannot be read, or they hold different atoms.
        """
        import openmm
        from openmm import unit
        from openmm.app import PDBFile

        missing = [name for name in (SYSTEM_XML, TOPOLOGY) if not (folder / name).is_file()]
        if missing:
            raise RunFolderError(
                f"{folder} holds no {' and no '.join(missing)}: `superionic inputs openmm` writes "
                "both for a box."
            )
        xml, pdb = ((folder / name).read_text() for name in (SYSTEM_XML, TOPOLOGY))
        try:
            system = openmm.XmlSerializer.deserialize(xml)
            found = PDBFile(io.StringIO(pdb))
            positions = found.getPositions(asNumpy=True).value_in_unit(unit.angstrom)
            if (folder / POSITIONS).is_file():
                positions = 10.0 * np.loadtxt(folder / POSITIONS, delimiter=",", ndmin=2)
        except Exception as error:  # whatever OpenMM's readers raise
            raise RunFolderError(
                f"{SYSTEM_XML} or {TOPOLOGY} in {folder} cannot be read: {error}."
            ) from error
        if system.getNumParticles() != len(positions):
            raise RunFolderError(
                f"{SYSTEM_XML} in {folder} has {system.getNumParticles()} particles, {TOPOLOGY} "
                f"{len(positions)}: they belong to different systems."
            )
        vectors = found.topology.getPeriodicBoxVectors() or system.getDefaultPeriodicBoxVectors()
        cell = [[float(x) for x in row.value_in_unit(unit.angstrom)] for row in vectors]
        return cls(xml, pdb, np.asarray(positions), np.asarray(cell))


def read_system(xml: str) -> Any:
    """Return the ``openmm.System`` of some XML.

    Raises
    ------
    TheoryError
        It already holds a thermostat or barostat.
    """
    import openmm

    system = openmm.XmlSerializer.deserialize(xml)
    for force in system.getForces():
        name = type(force).__name__
        if "Barostat" in name or "Thermostat" in name:
            raise TheoryError(
                f"The system holds a {name}. Leave thermostat and barostat out: the stages of a "
                "run bring their own."
            )
    return system


def usual_timestep_fs(system: Any) -> float:
    """Return the time step that constraints and masses of a System are made for, in fs.

    4 where hydrogens are heavy and their bonds fixed, or where there are none; 2 where only their
    bonds are fixed; else 1.
    """
    lightest = lightest_mass(system)
    if lightest >= HEAVY_HYDROGEN and (system.getNumConstraints() or lightest > 10.0):
        return 4.0
    return 2.0 if system.getNumConstraints() or lightest > 10.0 else 1.0


def lightest_mass(system: Any) -> float:
    """Return the least mass of a particle that moves, in g/mol."""
    from openmm import unit

    masses = [
        system.getParticleMass(k).value_in_unit(unit.dalton)
        for k in range(system.getNumParticles())
    ]
    moving = [m for m in masses if m > 0]
    return min(moving) if moving else math.inf


def _atoms_of(pdb: str) -> bytes:
    """Return names, residues and bonds of a PDB file, without coordinates and remarks."""
    lines = [
        line[:26] + line[76:78] if line.startswith(("ATOM", "HETATM")) else line
        for line in pdb.splitlines()
        if line.startswith(("ATOM", "HETATM", "CONECT"))
    ]
    return "\n".join(lines).encode()


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
