"""The value for a box whose every atom and bond has its force-field parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from superionic.structures.box import Box
from superionic.structures.errors import ForceFieldError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COULOMB_KJ_ANG", "NEUTRAL_E", "SCALE_14", "Mixing", "ParameterRow", "ParametrisedBox"]

Mixing = Literal["geometric", "lorentz-berthelot"]
"""How sigma of two atoms is made: geometric mean, or arithmetic. Epsilon is geometric in both."""

SCALE_14 = 0.5
"""OPLS: atoms three bonds apart feel half their Coulomb and half their Lennard-Jones energy."""

COULOMB_KJ_ANG = 1389.35457644382
"""e^2 / (4 pi epsilon_0) in kJ/mol A (CODATA 2018)."""

NEUTRAL_E = 1e-6
"""A box with a larger net charge (e) is refused."""


@dataclass(frozen=True)
class ParameterRow:
    """One parameter that a box uses, and where it comes from.

    Attributes
    ----------
    kind : str
        ``atom``, ``bond``, ``angle``, ``torsion`` or ``spring``.
    name : str
        Type of the atom, or classes of the term joined by ``-``.
    site : str
        What the typing rules call the atom; of a term, nothing.
    values : dict
        Each number by its name, which says the unit.
    set, source, reference : str
        Set of rows, file it was read from, paper behind it.
    count : int
        How often it occurs in the box.
    """

    kind: str
    name: str
    site: str
    values: dict[str, float]
    set: str
    source: str
    reference: str
    count: int


@dataclass(frozen=True, eq=False)
class ParametrisedBox:
    """A box with all parameters of its force field.

    Atoms are those of ``box``, in its order. Energies are in kJ/mol, lengths in angstrom.

    Attributes
    ----------
    box : Box
        Atoms, cell and molecules.
    types : tuple of str
        Names of the types of atoms.
    type_index : ndarray
        Which of them each atom is. shape=(atoms,)
    masses_amu, charges_e, sigma_ang, epsilon_kJ_per_mol : ndarray
        Mass, charge as used (after scaling), and Lennard-Jones parameters. shape=(atoms,)
    bonds, bond_length_ang, bond_k_kJ_per_mol_ang2 : ndarray
        Harmonic bonds k/2 (r - r0)^2. shape=(bonds, 2) and (bonds,)
    angles, angle_deg, angle_k_kJ_per_mol_rad2 : ndarray
        Harmonic angles k/2 (t - t0)^2. shape=(angles, 3) and (angles,)
    torsions, torsion_fourier_kJ_per_mol : ndarray
        Torsions V1/2 (1 + cos p) + V2/2 (1 - cos 2p) + V3/2 (1 + cos 3p) + V4/2 (1 - cos 4p); p is
        180 degrees in trans. Those whose terms are all zero are left out.
        shape=(torsions, 4) both
    springs, spring_length_ang, spring_k_kJ_per_mol_ang2 : ndarray, ndarray, float
        Springs that hold each rigid molecule in its shape; see `assign_parameters`.
        shape=(springs, 2) and (springs,)
    excluded : ndarray
        Pairs without nonbonded interaction, the lower atom first: one or two bonds apart, and all
        pairs within a rigid molecule. shape=(n, 2)
    pairs_14 : ndarray
        Pairs whose interaction is scaled by `SCALE_14`. shape=(n, 2)
    mixing : str
        How Lennard-Jones parameters of pairs are made.
    lennard_jones, cations : str
        Set of the TFSI rows and of the Li+ and Na+ rows.
    charge_scale : float
        By which the charges of ions were multiplied.
    rows : tuple of ParameterRow
        Every parameter in use.

    Raises
    ------
    ForceFieldError
        Shapes or atoms do not fit, a number is not finite, or the box has a net charge.
    """

    box: Box
    types: tuple[str, ...]
    type_index: NDArray[np.int64]
    masses_amu: NDArray[np.float64]
    charges_e: NDArray[np.float64]
    sigma_ang: NDArray[np.float64]
    epsilon_kJ_per_mol: NDArray[np.float64]
    bonds: NDArray[np.int64]
    bond_length_ang: NDArray[np.float64]
    bond_k_kJ_per_mol_ang2: NDArray[np.float64]
    angles: NDArray[np.int64]
    angle_deg: NDArray[np.float64]
    angle_k_kJ_per_mol_rad2: NDArray[np.float64]
    torsions: NDArray[np.int64]
    torsion_fourier_kJ_per_mol: NDArray[np.float64]
    springs: NDArray[np.int64]
    spring_length_ang: NDArray[np.float64]
    spring_k_kJ_per_mol_ang2: float
    excluded: NDArray[np.int64]
    pairs_14: NDArray[np.int64]
    mixing: Mixing
    lennard_jones: str
    cations: str
    charge_scale: float
    rows: tuple[ParameterRow, ...]

    def __post_init__(self) -> None:
        """Validate, copy and freeze the arrays."""
        check_mixing(self.mixing)
        n = len(self.box)
        shapes: dict[str, tuple[int, ...]] = {
            "type_index": (n,), "masses_amu": (n,), "charges_e": (n,), "sigma_ang": (n,),
            "epsilon_kJ_per_mol": (n,), "excluded": (len(self.excluded), 2),
            "pairs_14": (len(self.pairs_14), 2),
        }  # fmt: skip
        for name, width, *values in _TERMS:
            m = len(getattr(self, name))
            shapes[name] = (m, width)
            for value in values:
                shapes[value] = (m, 4) if value.startswith("torsion") else (m,)
        for name, shape in shapes.items():
            self._freeze(name, shape)
        for name in ("excluded", "pairs_14", *(x[0] for x in _TERMS)):
            self._check_atoms(name)
        if abs(self.total_charge_e) > NEUTRAL_E:
            raise ForceFieldError(
                f"The charges of the box add up to {self.total_charge_e:+.6f} e; a periodic box "
                "must be neutral. Correct the charges that were given."
            )

    def _freeze(self, name: str, shape: tuple[int, ...]) -> None:
        integer = name in _INTEGER
        array = readonly(getattr(self, name), np.int64 if integer else np.float64)
        if array.size == 0:
            array = readonly(array.reshape(shape))
        if array.shape != shape or not np.isfinite(array).all():
            raise ForceFieldError(
                f"Expected {name} as finite numbers of shape {shape}; got shape {array.shape}."
            )
        object.__setattr__(self, name, array)

    def _check_atoms(self, name: str) -> None:
        atoms = getattr(self, name)
        if atoms.size and (atoms.min() < 0 or atoms.max() >= len(self.box)):
            raise ForceFieldError(f"{name} name atoms that the box of {len(self.box)} lacks.")

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.box)

    @property
    def total_charge_e(self) -> float:
        """Sum of all charges in e."""
        return float(self.charges_e.sum())

    @property
    def type_names(self) -> tuple[str, ...]:
        """Type of each atom. length=atoms."""
        return tuple(self.types[k] for k in self.type_index)

    @property
    def rigid(self) -> NDArray[np.bool_]:
        """Whether each atom belongs to a rigid component. shape=(atoms,)."""
        flags = np.array([c.rigid for c in self.box.components])
        return np.asarray(flags[self.box.component_index])

    def hydrogen_bonds(self) -> NDArray[np.int64]:
        """Return which of ``bonds`` end at a hydrogen; what ``h-bonds`` constrains."""
        numbers = self.box.structure.numbers
        return np.flatnonzero((numbers[self.bonds] == 1).any(axis=1))

    def repartitioned_masses(self, hydrogen_mass_amu: float) -> NDArray[np.float64]:
        """Return masses with heavier hydrogens, taken from the atoms that they are bonded to.

        Parameters
        ----------
        hydrogen_mass_amu
            New mass of a hydrogen in g/mol, such as 3.024. The mass of each molecule stays.

        Raises
        ------
        ForceFieldError
            Lighter than hydrogen, or so heavy that an atom would weigh less than a hydrogen.
        """
        numbers = self.box.structure.numbers
        masses = self.masses_amu.copy()
        for i, j in self.box.bonds:
            if (numbers[i] == 1) == (numbers[j] == 1):
                continue
            light, heavy = (i, j) if numbers[i] == 1 else (j, i)
            masses[heavy] -= hydrogen_mass_amu - self.masses_amu[light]
            masses[light] = hydrogen_mass_amu
        hydrogens = numbers == 1
        too_light = hydrogens.any() and hydrogen_mass_amu < self.masses_amu[hydrogens].min()
        if too_light or (masses[~hydrogens] < hydrogen_mass_amu).any():
            raise ForceFieldError(
                f"A hydrogen mass of {hydrogen_mass_amu:g} does not fit: expected at least that of "
                "hydrogen, and less than what is left of the atoms beside it. Try 3.024."
            )
        return readonly(masses)

    def mixed(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
        """Return sigma (angstrom) and epsilon (kJ/mol) of pairs of atoms, unscaled."""
        return mix(self.sigma_ang, self.epsilon_kJ_per_mol, i, j, self.mixing)


_TERMS = (
    ("bonds", 2, "bond_length_ang", "bond_k_kJ_per_mol_ang2"),
    ("angles", 3, "angle_deg", "angle_k_kJ_per_mol_rad2"),
    ("torsions", 4, "torsion_fourier_kJ_per_mol"),
    ("springs", 2, "spring_length_ang"),
)
"""Fields with tuples of atoms, atoms in a tuple, and the fields with their numbers."""

_INTEGER = {"type_index", "bonds", "angles", "torsions", "springs", "excluded", "pairs_14"}


def check_mixing(mixing: str) -> None:
    """Raise `ForceFieldError` unless a mixing rule is known."""
    if mixing not in get_args(Mixing):
        raise ForceFieldError(
            f"Unknown mixing rule {mixing!r}. Known: {' and '.join(get_args(Mixing))}."
        )


def mix(
    sigma: NDArray[np.float64],
    epsilon: NDArray[np.float64],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    mixing: Mixing,
) -> tuple[NDArray[np.float64], ...]:
    """Return sigma and epsilon of pairs by a mixing rule."""
    a, b = sigma[i], sigma[j]
    length = np.sqrt(a * b) if mixing == "geometric" else (a + b) / 2
    return length, np.sqrt(epsilon[i] * epsilon[j])


def ryckaert_bellemans(fourier: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return C0 to C5 of sum C_n cos(p - 180)^n for Fourier coefficients V1 to V4.

    Parameters
    ----------
    fourier
        shape=(n, 4)

    Returns
    -------
    ndarray
        In the same unit. shape=(n, 6)
    """
    v1, v2, v3, v4 = np.asarray(fourier, dtype=float).reshape(-1, 4).T
    zero = np.zeros_like(v1)
    series = [v2 + (v1 + v3) / 2, (3 * v3 - v1) / 2, 4 * v4 - v2, -2 * v3, -4 * v4, zero]
    return np.stack(series, axis=1) + 0.0  # no minus zeros
