"""Values of a run that came back: its state first, and numbers only if it finished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from superionic.structures.errors import EvidenceError, NotConvergedError, SuperionicError
from superionic.structures.structure import Structure, minimum_image, readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

RunState = Literal["finished", "unconverged", "crashed", "truncated", "running", "not-started"]
"""``finished``: ended by itself with every criterion met; ``unconverged``: ended by itself without;
``crashed``: stopped with an error; ``truncated``: the output breaks off without a word and has
been silent for long; ``running``: the output has no end yet and was written to lately;
``not-started``: inputs without output."""

RunTask = Literal["static", "relax", "neb-image", "md", "other"]
CodeName = Literal["vasp", "castep", "gpaw"]

_GRAVITY: tuple[RunState, ...] = (
    "crashed", "truncated", "unconverged", "running", "not-started", "finished",
)  # fmt: skip


class OutputFileError(SuperionicError, ValueError):
    """The output of a code cannot be read, or files of different runs lie in one folder."""


@dataclass(frozen=True, eq=False)
class CollectedRun:
    """One run of a DFT code, read back.

    Attributes
    ----------
    folder : str
        Where it was read from.
    code : {"vasp", "castep", "gpaw"}
        Which code ran.
    version : str
        The code's version; empty where the output does not say.
    task : {"static", "relax", "neb-image", "md", "other"}
        What it was asked to do.
    state : str
        See `RunState`.
    reason : str
        One sentence for a person; empty when finished.
    theory : str
        Level of theory as ``code-functional-dispersion``; empty where the output does not say.
    settings : dict
        What decides whether two energies may be subtracted, by name: ``cutoff_eV``, ``functional``,
        ``dispersion``, ``kpoints``, ``spin_polarised``, ``electrons``, ``pseudopotentials``.
    structure : Structure or None
        The last structure whose forces were computed.
    start : Structure or None
        The structure that the run started from.
    energy_eV : float or None
        Energy extrapolated to zero smearing, dispersion included, in eV. None unless finished, and
        for tasks whose energy means nothing, such as bands of a kept density.
    free_energy_eV : float or None
        Free energy at the smearing used, the one that the forces belong to, in eV.
    forces_eV_per_A : ndarray or None
        Forces on the atoms in eV/angstrom, on fixed atoms too. shape=(atoms, 3)
    stress_eV_per_A3 : ndarray or None
        Stress in eV/cubic angstrom, tension positive. shape=(3, 3)
    magnetic_moments : ndarray or None
        Moment at each atom in Bohr magnetons. shape=(atoms,)
    total_magnetic_moment : float or None
        Of the whole cell, in Bohr magnetons.
    fermi_energy_eV : float or None
        On the code's own scale, in eV.
    step_energies_eV : ndarray
        Energy of each ionic step in eV; empty unless finished. shape=(steps,)
    ionic_steps : int
        Ionic steps whose forces were computed.
    electronic_steps : int
        Electronic steps of the last of them.
    unconverged_steps : tuple of int
        Ionic steps whose electrons did not converge.
    fmax_eV_per_A : float or None
        Largest residual force on a free atom (for an image of a band the band force) in
        eV/angstrom; given for unconverged runs too, as it says how far they got.
    fmax_target_eV_per_A : float or None
        The criterion, where the run had one.
    notes : tuple of str
        What a reader should know though it stopped nothing.
    files : tuple of str
        Names of the files that were read.
    """

    folder: str
    code: CodeName
    version: str
    task: RunTask
    state: RunState
    reason: str
    theory: str
    settings: dict[str, float | str]
    structure: Structure | None
    start: Structure | None
    energy_eV: float | None
    free_energy_eV: float | None
    forces_eV_per_A: NDArray[np.float64] | None
    stress_eV_per_A3: NDArray[np.float64] | None
    magnetic_moments: NDArray[np.float64] | None
    total_magnetic_moment: float | None
    fermi_energy_eV: float | None
    step_energies_eV: NDArray[np.float64]
    ionic_steps: int
    electronic_steps: int
    unconverged_steps: tuple[int, ...]
    fmax_eV_per_A: float | None
    fmax_target_eV_per_A: float | None
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Freeze arrays; refuse numbers of a run that did not finish."""
        if self.state not in get_args(RunState):
            raise EvidenceError(f"{self.folder}: unknown state '{self.state}'.")
        for name in _ARRAYS:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, readonly(value, np.float64))
        if self.state == "finished":
            self._check_numbers()
        else:
            self._check_no_numbers()

    def _check_numbers(self) -> None:
        """Raise unless a finished run has its energy and forces of the right shape."""
        lacks = self.energy_eV is None and self.task != "other"
        if lacks or self.structure is None or not np.isfinite(self.energy_eV or 0.0):
            raise EvidenceError(
                f"{self.folder} is called finished but has no finite energy or no structure."
            )
        shapes = {"forces_eV_per_A": (len(self.structure), 3), "stress_eV_per_A3": (3, 3),
                  "magnetic_moments": (len(self.structure),)}  # fmt: skip
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is not None and value.shape != shape:
                raise EvidenceError(
                    f"{self.folder}: {name} has shape {value.shape}; expected {shape}."
                )
        if self.reason:
            raise EvidenceError(f"{self.folder} is finished but gives a reason: {self.reason}")

    def _check_no_numbers(self) -> None:
        """Raise if a run that did not finish carries results, or does not say why it did not."""
        held = [name for name in _RESULTS if getattr(self, name) is not None]
        if held or len(self.step_energies_eV):
            raise EvidenceError(
                f"{self.folder} is {self.state} and must not carry {held or 'energies'}."
            )
        if not self.reason:
            raise EvidenceError(f"{self.folder} is {self.state} but does not say why.")

    @property
    def finished(self) -> bool:
        """Whether it ended by itself with every criterion met."""
        return self.state == "finished"

    def require_finished(self) -> CollectedRun:
        """Return itself, or raise.

        Raises
        ------
        NotConvergedError
            The run is anything but finished.
        """
        if not self.finished:
            raise NotConvergedError(f"{self.folder} is {self.state}: {self.reason}")
        return self


_RESULTS = (
    "energy_eV", "free_energy_eV", "forces_eV_per_A", "stress_eV_per_A3", "magnetic_moments",
    "total_magnetic_moment", "fermi_energy_eV",
)  # fmt: skip
_ARRAYS = ("forces_eV_per_A", "stress_eV_per_A3", "magnetic_moments", "step_energies_eV")


@dataclass(frozen=True, eq=False)
class CollectedNEB:
    """The images of one path, read back.

    Attributes
    ----------
    folder : str
        Where it was read from.
    code : {"vasp", "castep", "gpaw"}
        Which code ran.
    kind : {"band", "single-points"}
        A band that the code itself relaxed, or images computed one by one.
    climbing : bool or None
        Whether the highest image climbed; None for single points.
    images : tuple of CollectedRun
        All images in order, both ends included.
    missing_ends : tuple of int
        Ends (0, or the last index) without an energy.
    notes : tuple of str
        What a reader should know.
    """

    folder: str
    code: CodeName
    kind: Literal["band", "single-points"]
    climbing: bool | None
    images: tuple[CollectedRun, ...]
    missing_ends: tuple[int, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a path that is none."""
        if len(self.images) < 3:
            raise OutputFileError(
                f"{self.folder}: a path needs two ends and an image between; got "
                f"{len(self.images)} folders."
            )
        ends = {0, len(self.images) - 1}
        missing = tuple(sorted(k for k in ends if self.images[k].energy_eV is None))
        if missing != self.missing_ends:
            raise EvidenceError(
                f"{self.folder}: ends without energy are {missing}, not {self.missing_ends}."
            )

    @property
    def moving(self) -> tuple[CollectedRun, ...]:
        """The images between the ends."""
        return self.images[1:-1]

    @property
    def state(self) -> RunState:
        """The gravest state among the images that moved."""
        return min((image.state for image in self.moving), key=_GRAVITY.index)

    @property
    def reason(self) -> str:
        """Why there is no barrier; empty where there is one."""
        for k, image in enumerate(self.images):
            if image.state == self.state and image.reason and 0 < k < len(self.images) - 1:
                return f"image {k:02d}: {image.reason}"
        if self.missing_ends:
            names = " and ".join(f"{k:02d}" for k in self.missing_ends)
            return (
                f"the end images {names} have no energy, and a band does not compute it: run them "
                "as single points at the same settings"
            )
        return ""

    @property
    def complete(self) -> bool:
        """Whether every image has its energy."""
        return all(image.energy_eV is not None for image in self.images)

    @property
    def energies_eV(self) -> tuple[float | None, ...]:
        """Energy of each image relative to the first in eV; None where either is missing."""
        first = self.images[0].energy_eV
        return tuple(
            None if first is None or image.energy_eV is None else image.energy_eV - first
            for image in self.images
        )

    @property
    def positions(self) -> NDArray[np.float64] | None:
        """Positions in angstrom, each image continuous with the one before, or None.

        shape=(images, atoms, 3); None where an image has no structure.
        """
        structures = [image.structure or image.start for image in self.images]
        if any(s is None for s in structures):
            return None
        path: list[NDArray[np.float64]] = []
        for structure in structures:
            if structure is None or (path and structure.positions.shape != path[0].shape):
                raise OutputFileError(f"{self.folder}: the images are not the same atoms.")
            if path:
                step = structure.positions - path[-1]
                path.append(path[-1] + minimum_image(step, structure.cell, structure.pbc))
            else:
                path.append(np.array(structure.positions))
        return readonly(np.array(path), np.float64)
