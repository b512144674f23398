"""Band centres: the mean energy of projected states, by definitions that are stated.

Whether the d states of one metal lie nearer to the Fermi level than those of another can depend on
which states are averaged: all of them or the occupied ones, of one spin or of both, within which
window. So a centre never comes without its definition, and several are computed side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.analysis.electronic import ProjectedDOS

Filling = Literal["all", "occupied"]
SpinChoice = Literal["both", "up", "down"]
LEAST_STATES = 1e-3
"""A window with fewer states than this has no centre."""


@dataclass(frozen=True)
class CentreDefinition:
    """Which states a band centre averages.

    Attributes
    ----------
    filling : {"all", "occupied"}
        All states in the window, or only those up to the Fermi level.
    spin : {"both", "up", "down"}
        Of which spin; ``up`` is the majority where a molecule has unpaired electrons.
    window_eV : tuple of float or None
        Lowest and highest energy, relative to the Fermi level, both included; None for all
        energies that there are.

    Raises
    ------
    EvidenceError
        The window is empty, or another word was given.
    """

    filling: Filling = "all"
    spin: SpinChoice = "both"
    window_eV: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Validate."""
        if self.filling not in ("all", "occupied") or self.spin not in ("both", "up", "down"):
            raise EvidenceError(
                f"A centre averages all or occupied states of both spins, up or down; got "
                f"{self.filling!r} and {self.spin!r}."
            )
        if self.window_eV is not None and not self.window_eV[0] < self.window_eV[1]:
            raise EvidenceError(f"The window of a centre must ascend; got {self.window_eV} eV.")

    @property
    def name(self) -> str:
        """For example ``occupied, both spins``."""
        spin = {"both": "both spins", "up": "spin up", "down": "spin down"}[self.spin]
        where = ""
        if self.window_eV is not None:
            where = f", {self.window_eV[0]:g} to {self.window_eV[1]:g} eV"
        return f"{self.filling}, {spin}{where}"


DEFINITIONS: tuple[CentreDefinition, ...] = tuple(
    CentreDefinition(filling, spin)
    for filling in ("all", "occupied")
    for spin in ("both", "up", "down")
)
"""The usual ones, without a window."""


def definitions(window_eV: tuple[float, float] | None = None) -> tuple[CentreDefinition, ...]:
    """Return the six usual definitions in a window, relative to the Fermi level in eV."""
    return tuple(CentreDefinition(d.filling, d.spin, window_eV) for d in DEFINITIONS)


@dataclass(frozen=True)
class StateGroup:
    """Whose states are averaged.

    Attributes
    ----------
    label : str
        What it is called in figures and tables.
    orbital : str
        ``s``, ``p``, ``d`` or ``f``.
    element : str or None
        Only atoms of this element.
    atoms : tuple of int or None
        Only these atoms.
    """

    label: str
    orbital: str = "d"
    element: str | None = None
    atoms: tuple[int, ...] | None = None

    def density(self, dos: ProjectedDOS, spin: SpinChoice = "both") -> NDArray[np.float64]:
        """Return the group's density in states/eV. shape=(energies,)."""
        which = {"both": None, "up": 0, "down": 1}[spin]
        return dos.on(atoms=self.atoms, element=self.element, orbital=self.orbital, spin=which)


@dataclass(frozen=True)
class BandCentre:
    """The centre of one group's states by one definition.

    Attributes
    ----------
    label, orbital : str
        The group.
    definition : CentreDefinition
        Which states were averaged.
    centre_eV : float or None
        Mean energy relative to the Fermi level, in eV; None where there are no such states.
    states : float
        How many states were averaged.
    reason : str
        Why there is no centre.
    """

    label: str
    orbital: str
    definition: CentreDefinition
    centre_eV: float | None
    states: float
    reason: str = ""


def d_groups(dos: ProjectedDOS, elements: Sequence[str] | None = None) -> tuple[StateGroup, ...]:
    """Return the d states of each transition metal of a density of states.

    Parameters
    ----------
    dos
        Its symbols tell which metals there are.
    elements
        Only these; by default all elements of groups 3 to 12.
    """
    from ase.data import atomic_numbers

    rows = ((21, 30), (39, 48), (57, 57), (72, 80))
    present = dict.fromkeys(dos.symbols)
    if elements is None:
        elements = [s for s in present if any(a <= atomic_numbers[s] <= b for a, b in rows)]
    return tuple(StateGroup(label=f"{s} d", orbital="d", element=s) for s in elements)


def band_centre(
    dos: ProjectedDOS, group: StateGroup, definition: CentreDefinition = CentreDefinition()
) -> float:
    """Return the mean energy of a group's states relative to the Fermi level, in eV.

    The integrals are trapezoidal on the energies of the density, as in pymatgen's
    ``CompleteDos.get_band_center``.

    Raises
    ------
    EvidenceError
        No states, or fewer than `LEAST_STATES`, lie in the window; or the spins are not told apart.
    """
    found = _centre(dos, group, definition)
    if found.centre_eV is None:
        raise EvidenceError(found.reason)
    return found.centre_eV


def band_centres(
    dos: ProjectedDOS,
    groups: Sequence[StateGroup] | None = None,
    wanted: Sequence[CentreDefinition] = DEFINITIONS,
) -> tuple[BandCentre, ...]:
    """Return the centres of several groups by several definitions, side by side.

    One spin alone is left out where the density does not tell spins apart.

    Parameters
    ----------
    dos
        Densities of states, with any zero.
    groups
        Whose; by default the d states of each transition metal.
    wanted
        Definitions.
    """
    chosen = d_groups(dos) if groups is None else groups
    kept = [d for d in wanted if dos.spin_polarised or d.spin == "both"]
    return tuple(_centre(dos, group, definition) for group in chosen for definition in kept)


def nearest_to_fermi(centres: Sequence[BandCentre]) -> dict[str, str]:
    """Return, for each definition by name, whose centre lies nearest to the Fermi level.

    A definition by which fewer than two groups have a centre is left out.
    """
    by_name: dict[str, list[tuple[float, str]]] = {}
    for centre in centres:
        if centre.centre_eV is not None:
            away = (abs(centre.centre_eV), centre.label)
            by_name.setdefault(centre.definition.name, []).append(away)
    return {name: min(found)[1] for name, found in by_name.items() if len(found) > 1}


def _centre(dos: ProjectedDOS, group: StateGroup, definition: CentreDefinition) -> BandCentre:
    """Return a centre, or why there is none."""
    if definition.spin != "both" and not dos.spin_polarised:
        raise EvidenceError(
            f"The density of states does not tell spins apart; a centre of {definition.name} needs "
            "a spin-polarised calculation."
        )
    energies = dos.energies_eV - dos.fermi_eV
    low, high = definition.window_eV or (-np.inf, np.inf)
    if definition.filling == "occupied":
        high = min(high, 0.0)
    keep = (energies >= low) & (energies <= high)
    density, energies = group.density(dos, definition.spin)[keep], energies[keep]
    states = float(np.trapezoid(density, energies)) if len(energies) > 1 else 0.0
    if not states >= LEAST_STATES:
        reason = (
            f"{group.label}: the window ({definition.name}) holds {states:.2g} states, fewer than "
            f"{LEAST_STATES:g}, on energies from {dos.energies_eV[0] - dos.fermi_eV:.1f} to "
            f"{dos.energies_eV[-1] - dos.fermi_eV:.1f} eV about the Fermi level. Choose another "
            "window, spin or group."
        )
        return BandCentre(group.label, group.orbital, definition, None, max(states, 0.0), reason)
    centre = float(np.trapezoid(energies * density, energies)) / states
    return BandCentre(group.label, group.orbital, definition, centre, states)
