"""Orbital levels of a molecule with their shares on atoms, and the density of states they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.analysis.electronic import ORBITALS, ProjectedDOS
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

FermiRule = Literal["common", "homo"]
"""``common``: the chemical potential at which Fermi-Dirac filling of all levels, whatever their
spin, holds all electrons; the middle of the gap where that is wide. ``homo``: the highest level
that is at least half filled."""
WIDE_GAP_WIDTHS = 20.0
"""A gap of more than so many smearing widths leaves the potential anywhere in it: its middle is
taken."""
FULL_EV = 1.0
"""Where no level is empty, the Fermi level lies so far above the highest one, in eV."""
MARGIN_WIDTHS = 6.0
"""A widened level is followed this many standard deviations."""


@dataclass(frozen=True, eq=False)
class OrbitalLevels:
    """Energies of orbitals, how they are filled, and where they sit.

    Attributes
    ----------
    energies_eV : ndarray
        On the code's own scale (zero is the vacuum for a molecule), ascending in each spin.
        shape=(spins, levels)
    occupations : ndarray
        Electrons in each: 0 to 1, or 0 to 2 where spins are not told apart.
        shape=(spins, levels)
    shares : ndarray
        Part of each orbital on each atom and angular momentum; adds up to 1 for each level.
        shape=(spins, atoms, orbitals, levels)
    orbitals : tuple of str
        ``s``, ``p``, ``d``, ``f`` as far as there are any.
    symbols : tuple of str
        Chemical symbol of each atom.
    core_electrons : float
        Electrons in deeper levels that are left out.
    smearing_eV : float
        kT of the Fermi-Dirac filling in eV; zero for whole electrons.
    projection : str
        How orbitals were shared out: ``Loewdin`` or ``Mulliken``.
    theory : str
        Level of theory.

    Raises
    ------
    EvidenceError
        Shapes disagree, or the shares of a level do not add up to one.
    """

    energies_eV: NDArray[np.float64]
    occupations: NDArray[np.float64]
    shares: NDArray[np.float64]
    orbitals: tuple[str, ...]
    symbols: tuple[str, ...]
    core_electrons: float
    smearing_eV: float
    projection: str
    theory: str

    def __post_init__(self) -> None:
        """Freeze the arrays and check them."""
        for name in ("energies_eV", "occupations", "shares"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))
        shape = self.energies_eV.shape
        sound = (
            len(shape) == 2
            and shape[0] in (1, 2)
            and self.occupations.shape == shape
            and self.shares.shape == (shape[0], len(self.symbols), len(self.orbitals), shape[1])
            and set(self.orbitals) <= set(ORBITALS)
        )
        if not sound:
            raise EvidenceError(
                f"Levels need energies and occupations (spins, levels) and shares (spins, atoms, "
                f"orbitals, levels); got {shape}, {self.occupations.shape} and "
                f"{self.shares.shape} for {len(self.symbols)} atoms and {self.orbitals}."
            )
        off = float(np.abs(self.shares.sum(axis=(1, 2)) - 1.0).max()) if shape[1] else 0.0
        if not off < 1e-6:
            raise EvidenceError(f"The shares of a level add up to one; one is off by {off:.2g}.")

    @property
    def electrons(self) -> float:
        """Electrons in these levels."""
        return float(self.occupations.sum())

    @property
    def filling(self) -> float:
        """Electrons that one level takes."""
        return 1.0 if len(self.energies_eV) == 2 else 2.0

    def frontier_eV(self) -> tuple[float | None, float | None]:
        """Return the highest level at least half filled and the lowest one less filled, in eV."""
        full = self.occupations >= 0.5 * self.filling
        occupied, empty = self.energies_eV[full], self.energies_eV[~full]
        return (
            float(occupied.max()) if occupied.size else None,
            float(empty.min()) if empty.size else None,
        )

    def fermi_level_eV(self, rule: FermiRule = "common") -> float:
        """Return the Fermi level on the scale of the levels, in eV.

        Raises
        ------
        EvidenceError
            No level is filled.
        """
        highest, _ = self.frontier_eV()
        if highest is None:
            raise EvidenceError("No level is filled, so there is no Fermi level.")
        if rule == "homo":
            return highest
        levels = np.sort(self.energies_eV.ravel())
        return _potential(levels, self.electrons / self.filling, self.smearing_eV)

    def dos(
        self,
        *,
        width_eV: float = 0.1,
        step_eV: float = 0.02,
        window_eV: tuple[float, float] | None = None,
        rule: FermiRule = "common",
    ) -> ProjectedDOS:
        """Widen the levels by Gaussians.

        Parameters
        ----------
        width_eV
            Standard deviation in eV.
        step_eV
            Spacing of the energies in eV, at most half the width.
        window_eV
            Part of the levels to keep, relative to the Fermi level, in eV; all by default.
        rule
            What the Fermi level is.

        Raises
        ------
        EvidenceError
            Width or spacing make no sense, or no level lies in the window.
        """
        if not 0.0 < step_eV <= 0.5 * width_eV:
            raise EvidenceError(
                f"A level widened by {width_eV} eV needs a spacing of at most half of that; got "
                f"{step_eV} eV."
            )
        fermi = self.fermi_level_eV(rule)
        low, high = (-np.inf, np.inf) if window_eV is None else window_eV
        relative = self.energies_eV - fermi
        keep = (relative >= low) & (relative <= high)
        if not keep.any():
            raise EvidenceError(
                f"No level lies between {low:g} and {high:g} eV about the Fermi level; they span "
                f"{relative.min():.1f} to {relative.max():.1f} eV."
            )
        margin = MARGIN_WIDTHS * width_eV
        start, end = relative[keep].min() - margin, relative[keep].max() + margin
        energies = start + step_eV * np.arange(int(np.ceil((end - start) / step_eV)) + 1)
        total, projected = [], []
        for spin, chosen in enumerate(keep):
            curves = self.filling * _gaussians(energies, relative[spin, chosen], width_eV)
            total.append(curves.sum(axis=0))
            projected.append(self.shares[spin][:, :, chosen] @ curves)
        return ProjectedDOS(
            energies_eV=energies,
            total=np.array(total),
            projected=np.array(projected),
            orbitals=self.orbitals,
            symbols=self.symbols,
            reference="fermi",
            reference_eV=fermi,
            fermi_eV=0.0,
            width_eV=width_eV,
            electrons=float(self.occupations[keep].sum()),
            projection=self.projection,
            theory=self.theory,
        )


@dataclass(frozen=True)
class ElectronCount:
    """Whether a projected density of states holds the electrons that it should.

    Attributes
    ----------
    projected : float
        Electrons in all projections up to the Fermi level.
    total : float
        Electrons in the total density up to the Fermi level.
    expected : float
        Electrons of the levels that it is made of.
    """

    projected: float
    total: float
    expected: float

    @property
    def share_off(self) -> float:
        """How far the projections are off, as a share of the electrons."""
        return abs(self.projected - self.expected) / self.expected


def count_electrons(dos: ProjectedDOS, *, smearing_eV: float = 0.0) -> ElectronCount:
    """Integrate a projected density of states up to the Fermi level.

    Parameters
    ----------
    dos
        The densities.
    smearing_eV
        kT of the filling: with one the integral goes over all energies, weighted by the
        Fermi-Dirac function, as half-filled levels at the Fermi level need it.

    Raises
    ------
    EvidenceError
        It does not say how many electrons there are.
    """
    if not dos.electrons:
        raise EvidenceError("The density of states does not say how many electrons it stands for.")
    parts, whole = dos.projected.sum(axis=(0, 1, 2)), dos.total.sum(axis=0)
    end: float | None = dos.fermi_eV
    if smearing_eV > 0.0:
        above = np.clip((dos.energies_eV - dos.fermi_eV) / smearing_eV, -500.0, 500.0)
        filling, end = 1.0 / (1.0 + np.exp(above)), None
        parts, whole = parts * filling, whole * filling
    return ElectronCount(
        projected=dos.states(parts, below_eV=end),
        total=dos.states(whole, below_eV=end),
        expected=float(dos.electrons),
    )


def valence_start(energies_eV: NDArray[np.float64], low_eV: float, gap_eV: float = 2.0) -> float:
    """Return where to cut core levels off: the middle of the first gap below an energy.

    Parameters
    ----------
    energies_eV
        All levels in eV, any shape.
    low_eV
        Levels from here on are wanted.
    gap_eV
        Least width of the gap in eV.

    Returns
    -------
    float
        In eV; minus infinity where there is no such gap.
    """
    levels = np.sort(np.asarray(energies_eV).ravel())
    deep = levels[levels < low_eV]
    shallow = levels[levels >= low_eV]
    bounds = np.append(deep, shallow[0] if len(shallow) else low_eV)
    wide = np.flatnonzero(np.diff(bounds) >= gap_eV)
    return float(bounds[wide[-1] : wide[-1] + 2].mean()) if len(wide) else -np.inf


def _potential(levels: NDArray[np.float64], count: float, width: float) -> float:
    """Return the potential at which Fermi-Dirac filling of single levels holds a count."""
    whole = round(count)
    if abs(count - whole) < 1e-6 and whole < len(levels):
        below, above = levels[whole - 1], levels[whole]
        if above - below > WIDE_GAP_WIDTHS * width:
            return float(0.5 * (below + above))
    if whole >= len(levels):
        return float(levels[-1]) + FULL_EV
    if width <= 0.0:
        return float(levels[int(np.ceil(count)) - 1])
    low, high = levels[0] - 50.0 * width, levels[-1] + 50.0 * width
    for _ in range(200):
        middle = 0.5 * (low + high)
        filled = (1.0 / (1.0 + np.exp(np.clip((levels - middle) / width, -500, 500)))).sum()
        low, high = (middle, high) if filled < count else (low, middle)
    return float(0.5 * (low + high))


def _gaussians(
    energies: NDArray[np.float64], levels: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    """Return a normalised Gaussian for each level. shape=(levels, energies)."""
    reduced = (energies[None, :] - levels[:, None]) / width
    return np.asarray(np.exp(-0.5 * reduced**2) / (width * np.sqrt(2.0 * np.pi)))
