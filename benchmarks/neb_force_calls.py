"""What does a converged hop cost? `find_barrier` against a plain climbing-image band of ASE.

    python benchmarks/neb_force_calls.py                          # vacancies in fcc metals, EMT
    python benchmarks/neb_force_calls.py --theory chgnet-0.3.0    # Na1-Na2 in Na4Zr2Si3O12

All start from the same relaxed ends, use the same calculator and as many images, and must bring the
band force on every image, the climbing one included, below the same criterion. The peer is what
ASE's tutorials show: linear interpolation along the shortest periodic way, `ase.mep.NEB` with the
improved tangent and a climbing image, FIRE. A second peer is ASE's own band optimiser from an IDPP
path; its residual leaves the climbing image out, so its saddle may not be converged, and then it is
not counted as a converged hop.

Ours sharpens the saddle to a tighter criterion than the peers', and spends six force calls on
whether the saddle has one way down; both are in its count. The relaxation of the ends, the same for
all, is not.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.crystals import reference_crystal
from superionic.structures.hop import Hop
from superionic.structures.hops import find_hops
from superionic.structures.structure import Structure, minimum_image
from superionic.workflows.barrier import BarrierSettings, find_barrier
from superionic.workflows.calculators import SharedCalculator
from superionic.workflows.endpoints import relax_ends
from superionic.workflows.evaluation import CallCounter, shared_atoms
from superionic.workflows.neb import BandSettings
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator
    from ase.mep import NEB
    from numpy.typing import NDArray

MAX_STEPS = 1000


@dataclass(frozen=True)
class Cost:
    """What one way to a saddle took."""

    way: str
    converged: bool
    calls: int
    cpu_s: float
    saddle_eV: float
    band_fmax: float
    saddle_fmax: float


def metals() -> list[tuple[str, Hop]]:
    """Return vacancy hops in fcc metals, with EMT's lattice constants."""
    from ase.build import bulk

    found = []
    for symbol, a in (("Al", 3.994), ("Cu", 3.590), ("Pt", 3.921)):
        crystal = Structure.from_ase(bulk(symbol, "fcc", a=a))
        hops = find_hops(
            crystal, ion=symbol, max_length_ang=0.8 * a, min_image_separation_ang=2.4 * a
        )
        found.append((f"{symbol} vacancy, {len(hops[0].host)} atoms", hops[0]))
    return found


def nasicon() -> list[tuple[str, Hop]]:
    """Return the Na1-Na2 vacancy hop of the ordered end member, in its lattice as read."""
    crystal = reference_crystal("na4zr2si3o12").structure.to_structure()
    hops = find_hops(crystal, ion="Na", max_length_ang=3.8, min_atoms=84)
    hop = next(h for h in hops if set(h.site_types) == {"Na1", "Na2"})
    return [(f"Na4Zr2Si3O12 Na1-Na2, {len(hop.host)} atoms", hop)]


def ours(hop: Hop, calculator: BaseCalculator, settings: BarrierSettings, ends: Cost) -> Cost:
    """Run `find_barrier`, and take off what its ends cost."""
    before = time.process_time()
    found = find_barrier(hop, calculator=calculator, settings=settings)
    cpu = time.process_time() - before
    if found.fmax_eV_per_A is None:
        raise SystemExit(f"{found.verdict}: {found.reason}")
    return Cost(
        "find_barrier",
        found.converged,
        found.force_calls - ends.calls,
        cpu - ends.cpu_s,
        float(found.energies_eV.max()),
        found.fmax_eV_per_A,
        true_force(found.positions[int(np.argmax(found.energies_eV))], hop.host, calculator),
    )


def true_force(
    positions: NDArray[np.float64], structure: Structure, calculator: BaseCalculator
) -> float:
    """Return the largest force on any atom at a saddle, eV/angstrom; not counted."""
    atoms = shared_atoms(structure.with_positions(positions), calculator, CallCounter())
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())


def plain(
    way: str,
    ends: tuple[Structure, Structure],
    calculator: BaseCalculator,
    settings: BandSettings,
    drive: Callable[[NEB, float], object],
    *,
    idpp: bool,
) -> Cost:
    """Run a band of ASE in a peer's way."""
    from ase.mep import NEB

    start, end = ends
    counter = CallCounter()
    last = start.positions + minimum_image(end.positions - start.positions, start.cell, start.pbc)
    images = [
        shared_atoms(structure, calculator, counter)
        for structure in (*[start] * (settings.images + 1), start.with_positions(last))
    ]
    band = NEB(images, k=settings.spring_eV_per_A2, climb=True, method="improvedtangent")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The default method has changed", UserWarning)
        band.interpolate("idpp" if idpp else "linear", mic=False)
    for image in images:  # IDPP leaves its own calculator behind
        image.calc = SharedCalculator(calculator, counter)
    before = time.process_time()
    drive(band, settings.fmax_eV_per_A)
    cpu = time.process_time() - before
    forces = np.linalg.norm(band.get_forces().reshape(settings.images, -1, 3), axis=2)
    energies = np.array([image.get_potential_energy() for image in images])
    k = int(np.argmax(energies))
    return Cost(
        way,
        bool(forces.max() <= settings.fmax_eV_per_A),
        counter.calls,
        cpu,
        float(energies[k] - energies[0]),
        float(forces.max()),
        true_force(images[k].positions, start, calculator),
    )


def fire(band: NEB, fmax: float) -> object:
    from ase.optimize import FIRE

    return FIRE(band, logfile=None).run(fmax=fmax, steps=MAX_STEPS)


def ode(band: NEB, fmax: float) -> object:
    from ase.mep.neb import NEBOptimizer

    return NEBOptimizer(band, logfile=None).run(fmax=fmax, steps=MAX_STEPS)


def compare(
    name: str, hop: Hop, calculator: BaseCalculator, settings: BarrierSettings, peers: str
) -> tuple[Cost, Cost]:
    """Run all ways on one hop and print their costs."""
    counter, before = CallCounter(), time.process_time()
    relaxed = relax_ends(hop, calculator=calculator, settings=settings.ends, counter=counter)
    spent = Cost("ends", True, counter.calls, time.process_time() - before, 0.0, 0.0, 0.0)
    if relaxed.verdict != "converged":
        raise SystemExit(f"{name}: {relaxed.verdict}: {relaxed.reason}")
    ends = (relaxed.start.structure, relaxed.end.structure)
    print(f"\n{name}; ends, the same for all: {spent.calls} calls, {spent.cpu_s:.1f} CPU s")
    print(f"  {'':22}{'converged':>10}{'calls':>7}{'CPU s':>8}{'saddle eV':>11}", end="")
    print(f"{'band fmax':>11}{'force there':>13}")
    rows = [ours(hop, calculator, settings, spent)]
    show(rows[0])
    ways = [("NEB linear FIRE", fire, False)]
    if peers == "all":
        ways += [("NEB IDPP FIRE", fire, True), ("NEB IDPP NEBOptimizer", ode, True)]
    for way, drive, idpp in ways:
        rows.append(plain(way, ends, calculator, settings.band, drive, idpp=idpp))
        show(rows[-1])
    return rows[0], rows[1]


def show(cost: Cost) -> None:
    print(
        f"  {cost.way:22}{'yes' if cost.converged else 'NO':>10}{cost.calls:7d}{cost.cpu_s:8.1f}"
        f"{cost.saddle_eV:11.4f}{cost.band_fmax:11.4f}{cost.saddle_fmax:13.4f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--theory", default="emt")
    parser.add_argument("--fmax", type=float, default=0.05, help="eV/A, on every image")
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--peers", choices=("first", "all"), default="all")
    words = parser.parse_args()
    settings = BarrierSettings(band=BandSettings(images=words.images, fmax_eV_per_A=words.fmax))
    hops = metals() if words.theory == "emt" else nasicon()
    calculator = get_theory(words.theory).calculator()
    print(f"{words.theory}, {words.images} images, fmax {words.fmax} eV/A on every image")
    pairs = [(n, *compare(n, h, calculator, settings, words.peers)) for n, h in hops]
    print(f"\n{'plain ASE (linear, FIRE) over ours':40}{'calls':>8}{'CPU':>8}{'saddle, meV':>14}")
    for name, mine, peer in pairs:
        print(
            f"{name:40}{peer.calls / mine.calls:8.2f}{peer.cpu_s / mine.cpu_s:8.2f}"
            f"{1000 * (peer.saddle_eV - mine.saddle_eV):+14.2f}"
            + ("" if mine.converged and peer.converged else "   NOT CONVERGED")
        )


if __name__ == "__main__":
    main()
