"""Energies that can be written down: ASE calculators whose barriers are known without a program."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, Calculator, all_changes
from numpy.typing import NDArray

from superionic.analysis.barriers import BarrierResult
from superionic.structures.hop import Hop
from superionic.structures.structure import Structure
from superionic.workflows.barrier import BarrierSettings, find_barrier
from superionic.workflows.execution import job
from superionic.workflows.neb import BandSettings

Array = NDArray[np.float64]


class Toy(Calculator):
    """What all calculators here share."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()

    def evaluate(self, atoms: Atoms) -> dict[str, float | Array]:
        """Return the properties by name."""
        raise NotImplementedError

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        self.results = self.evaluate(self.atoms)


class Analytic(Toy):
    """Energy and forces from a function of the positions.

    Parameters
    ----------
    function
        Takes positions (atoms, 3), returns energy and gradient (atoms, 3).
    """

    def __init__(self, function: Callable[[Array], tuple[float, Array]]) -> None:
        super().__init__()
        self.function = function

    def evaluate(self, atoms: Atoms) -> dict[str, float | Array]:
        energy, gradient = self.function(np.array(atoms.positions))
        return {"energy": float(energy), "forces": -np.asarray(gradient)}


class Around(Toy):
    """Another calculator's energy and forces, with something done to them."""

    def __init__(self, engine: BaseCalculator) -> None:
        super().__init__()
        self.engine = engine

    def adjust(self, forces: Array) -> None:
        """Do it, in place."""
        raise NotImplementedError

    def evaluate(self, atoms: Atoms) -> dict[str, float | Array]:
        forces = np.array(self.engine.get_forces(atoms))
        self.adjust(forces)
        return {"energy": self.engine.get_potential_energy(atoms), "forces": forces}


class Frozen(Around):
    """A calculator with no force on some atoms, so that they never move."""

    def __init__(self, engine: BaseCalculator, frozen: NDArray[np.bool_]) -> None:
        super().__init__(engine)
        self.frozen = frozen

    def adjust(self, forces: Array) -> None:
        forces[self.frozen] = 0.0


class Slow(Around):
    """A calculator that takes its time, so that a test can kill it on the way."""

    def __init__(self, engine: BaseCalculator, seconds: float) -> None:
        super().__init__(engine)
        self.seconds = seconds

    def adjust(self, forces: Array) -> None:
        time.sleep(self.seconds)


def along_x(
    energy: Callable[[float], float], slope: Callable[[float], float], *, stiffness: float = 2.0
) -> Analytic:
    """One atom: any energy along x (eV, angstrom), a harmonic trough across it."""

    def function(positions: Array) -> tuple[float, Array]:
        x, y, z = positions[0]
        gradient = np.array([[slope(x), stiffness * y, stiffness * z]])
        return energy(x) + 0.5 * stiffness * (y * y + z * z), gradient

    return Analytic(function)


def polynomial(coefficients: Sequence[float]) -> Analytic:
    """One atom in a polynomial of x, highest power first."""
    p = np.poly1d(coefficients)
    return along_x(lambda x: float(p(x)), lambda x: float(p.deriv()(x)))


def stationary(coefficients: Sequence[float]) -> list[tuple[float, float]]:
    """Real stationary points (x, energy) of a polynomial, by x."""
    p = np.poly1d(coefficients)
    roots = p.deriv().roots
    real = np.sort(roots[abs(roots.imag) < 1e-9].real)
    return [(float(x), float(p(x))) for x in real]


def tilted_well(*, height: float = 0.4, half: float = 1.5, tilt: float = 0.05) -> list[float]:
    """``height (1 - (x/half)^2)^2 + tilt x`` in eV and angstrom, highest power first."""
    return [height / half**4, 0.0, -2 * height / half**2, tilt, height]


MINIMA = ((-0.558224, 1.441726), (-0.050011, 0.466694), (0.623499, 0.028038))
MINIMA_ENERGIES = (-146.699517, -80.767818, -108.166672)
SADDLE_ENERGIES = (-40.664844, -72.248940)
"""Stationary points of Muller and Brown, doi 10.1007/BF00547608, in its own units."""


def muller_brown(*, energy_scale: float, length_scale: float, stiffness: float = 2.0) -> Analytic:
    """One atom on the Muller-Brown surface in x and y, harmonic in z."""
    big_a = np.array([-200.0, -100.0, -170.0, 15.0])
    a = np.array([-1.0, -1.0, -6.5, 0.7])
    b = np.array([0.0, 0.0, 11.0, 0.6])
    c = np.array([-10.0, -10.0, -6.5, 0.7])
    x0 = np.array([1.0, 0.0, -0.5, -1.0])
    y0 = np.array([0.0, 0.5, 1.5, 1.0])

    def function(positions: Array) -> tuple[float, Array]:
        x, y = positions[0, :2] / length_scale
        dx, dy = x - x0, y - y0
        term = energy_scale * big_a * np.exp(a * dx**2 + b * dx * dy + c * dy**2)
        slope_x = (term * (2 * a * dx + b * dy)).sum() / length_scale
        slope_y = (term * (b * dx + 2 * c * dy)).sum() / length_scale
        z = positions[0, 2]
        gradient = np.array([[slope_x, slope_y, stiffness * z]])
        return float(term.sum() + 0.5 * stiffness * z * z), gradient

    return Analytic(function)


def egg_box(*, period: float, height: float) -> Analytic:
    """Every atom in ``height/2 sum(1 - cos(2 pi r / period))``: minima on a cubic lattice."""
    k = 2 * np.pi / period

    def function(positions: Array) -> tuple[float, Array]:
        energy = 0.5 * height * (1 - np.cos(k * positions)).sum()
        return float(energy), 0.5 * height * k * np.sin(k * positions)

    return Analytic(function)


def lattice_gas(
    sites: Array,
    depths: Array,
    *,
    cell: Array,
    framework: Array | None = None,
    width: float = 0.5,
    repulsion: float = 0.0,
    reach: float = 2.0,
    stiffness: float = 5.0,
) -> Analytic:
    """Ions in Gaussian wells that repel each other, in a periodic orthogonal cell.

    The first atoms are the framework, each tied to its place by a spring; the rest are ions.
    """
    anchors = np.zeros((0, 3)) if framework is None else np.asarray(framework)
    n, lengths = len(anchors), np.diag(cell)

    def bell(gap: Array, spread: float) -> tuple[Array, Array]:
        """A Gaussian of the periodic distance, and its gradient; smooth everywhere."""
        squared = ((lengths / np.pi * np.sin(np.pi * gap / lengths)) ** 2).sum(axis=-1)
        value = np.exp(-squared / (2 * spread**2))
        slope = lengths / np.pi * np.sin(2 * np.pi * gap / lengths) / (2 * spread**2)
        return value, -value[..., None] * slope

    def function(positions: Array) -> tuple[float, Array]:
        gradient = np.zeros_like(positions)
        away, ions = positions[:n] - anchors, positions[n:]
        gradient[:n] = stiffness * away
        well, pull = bell(ions[:, None] - sites[None], width)
        energy = 0.5 * stiffness * (away**2).sum() - (depths * well).sum()
        gradient[n:] -= (depths[:, None] * pull).sum(axis=1)
        pairs, push = bell(ions[:, None] - ions[None], reach)
        energy += 0.5 * repulsion * (pairs.sum() - len(ions))
        gradient[n:] += repulsion * push.sum(axis=1)
        return float(energy), gradient

    return Analytic(function)


def one_atom(position: Sequence[float], *, symbol: int = 11, box: float = 20.0) -> Structure:
    """One atom alone, without periodic images."""
    return Structure(
        numbers=np.array([symbol]),
        positions=np.array([position], dtype=float),
        cell=np.eye(3) * box,
        pbc=(False, False, False),
    )


def make_hop(
    host: Structure,
    ion: int,
    displacement: Sequence[float],
    *,
    site_types: tuple[str, str] | None = None,
) -> Hop:
    """A hop of one atom by a vector."""
    return Hop(
        host=host,
        ion=ion,
        displacement=np.asarray(displacement, dtype=float),
        mechanism="vacancy",
        site_types=site_types or (host.labels[ion], host.labels[ion]),
        length_ang=float(np.linalg.norm(displacement)),
        multiplicity=1,
        key="hop",
    )


def point_hop(
    start: Sequence[float], end: Sequence[float], *, site_types: tuple[str, str] | None = None
) -> Hop:
    """A hop of a lone atom from one point to another."""
    return make_hop(one_atom(start), 0, np.subtract(end, start).tolist(), site_types=site_types)


def aluminium(a: float = 3.994, *, cubic: bool = False) -> Structure:
    """Aluminium with EMT's lattice constant."""
    from ase.build import bulk

    return Structure.from_ase(bulk("Al", "fcc", a=a, cubic=cubic))


def vacancy_hop() -> Hop:
    """A nearest-neighbour vacancy hop in 27 sites of aluminium (26 atoms)."""
    from superionic.structures.hops import find_hops

    return find_hops(aluminium(), ion="Al", max_length_ang=3.2, min_image_separation_ang=7.5)[0]


@job(version=1, name="slow_barrier")
def slow_barrier(hop: Hop, seconds: float) -> BarrierResult:
    """Find a barrier slowly, with EMT, to a criterion that takes many steps of the band."""
    from ase.calculators.emt import EMT

    settings = BarrierSettings(band=BandSettings(fmax_eV_per_A=0.005))
    return find_barrier(hop, calculator=Slow(EMT(), seconds), settings=settings)
