"""How fast are displacements and g(r)? Side by side with tidynamics, freud, mdtraj and MDAnalysis.

    python benchmarks/transport_speed.py                     # all of it: some minutes, one thread
    python benchmarks/transport_speed.py msd rdf             # against peers only
    python benchmarks/transport_speed.py large               # a million frames of 200 ions
    python benchmarks/transport_speed.py growth              # cost against the number of frames

Peers that are not installed are left out and named. Everything gets the same arrays in one process
on one thread, the CPU time of the best of three runs counts (of one where it takes more than 10 s),
and results are compared: mean squared displacements at all lags up to half the run to 1e-6, and
pairs in all shells. The first call of ours, which compiles its loops, is told apart. freud takes
positions in single precision, which shows in displacements of long paths as DIFFERENT; MDAnalysis
counts pairs in it, and one within that of an edge may fall to either side.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from superionic.analysis.diffusion import self_diffusion  # noqa: E402
from superionic.analysis.mean_squared_displacement import mean_squared_displacement  # noqa: E402
from superionic.analysis.rdf import PairCounter  # noqa: E402
from superionic.analysis.transport import onsager  # noqa: E402

Array = NDArray[np.float64]
Peer = Callable[[], Array]
SYSTEMS = (
    (5_000, 40.0, 10.0, 5), (5_000, 40.0, 19.5, 3), (10_000, 50.4, 10.0, 3),
    (1_000, 25.0, 12.0, 40),
)  # fmt: skip
"""Atoms, edge of the cube and largest distance in angstrom, frames."""
LONG_S = 10.0
"""What takes longer is timed once."""


def best(function: Peer, times: int = 3) -> tuple[float, Array]:
    spent, found = [], np.empty(0)
    for _ in range(times):
        begin = time.process_time()
        found = function()
        spent.append(time.process_time() - begin)
        if spent[-1] > LONG_S:
            break
    return min(spent), found


def race(ours: Peer, peers: dict[str, Callable[[], Peer]], tolerance: float) -> None:
    """Time all, compare what they find, and state the ratio to the fastest peer."""
    first = time.process_time()
    ours()
    first = time.process_time() - first
    seconds, found = best(ours)
    print(f"  superionic {seconds:8.3f} s   (first call {first:.2f} s)")
    others: dict[str, float] = {}
    for name, prepare in peers.items():
        try:
            peer = prepare()
        except ImportError as error:
            print(f"  {name:10s} not installed: {error.name}")
            continue
        others[name], theirs = best(peer)
        gap = float(np.max(np.abs(theirs - found) / np.maximum(np.abs(found), 1e-300)))
        word = "same" if gap < tolerance else "DIFFERENT"
        print(f"  {name:10s} {others[name]:8.3f} s   {word}: largest difference {gap:.1e}")
    if others:
        fastest = min(others, key=lambda k: others[k])
        print(f"  -> {others[fastest] / seconds:.1f} times as fast as {fastest}")


def squared_displacements(x: Array) -> Array:
    return mean_squared_displacement(x, dt_ps=1.0).msd_ang2


def coefficient(x: Array) -> Array:
    return np.array([self_diffusion(x, dt_ps=1.0).value()])


def msd() -> None:
    for frames, particles in ((100_000, 200), (1_000, 5_000)):
        x = np.cumsum(np.random.default_rng(0).normal(size=(frames, particles, 3)), axis=0)
        print(f"mean squared displacement, {frames} frames of {particles} particles")
        race(partial(squared_displacements, x), msd_peers(x), 1e-6)


def msd_peers(x: Array) -> dict[str, Callable[[], Peer]]:
    half = len(x) // 2

    def tidy() -> Peer:
        import tidynamics

        return lambda: np.mean([tidynamics.msd(x[:, k]) for k in range(x.shape[1])], axis=0)[
            1 : half + 1
        ]

    def freud() -> Peer:
        import freud

        return lambda: np.asarray(freud.msd.MSD(mode="window").compute(x).msd)[1 : half + 1]

    def mdanalysis() -> Peer:
        import tidynamics  # noqa: F401
        from MDAnalysis import Universe
        from MDAnalysis.analysis.msd import EinsteinMSD

        universe = Universe.empty(x.shape[1], trajectory=True)
        universe.load_new(x, order="fac")
        return lambda: np.asarray(
            EinsteinMSD(universe, fft=True).run().results.timeseries[1 : half + 1]
        )

    return {"tidynamics": tidy, "freud": freud, "MDAnalysis": mdanalysis}


def rdf() -> None:
    rng = np.random.default_rng(1)
    for atoms, side, r_max, frames in SYSTEMS:
        x = rng.uniform(0, side, size=(frames, atoms, 3)).astype(np.float32)
        print(f"g(r) up to {r_max} A, {atoms} atoms in {side} A, {frames} frames")

        def ours(x: NDArray[np.float32] = x, side: float = side, r_max: float = r_max) -> Array:
            counter = PairCounter(r_max_ang=r_max, bin_ang=0.1, same=True)
            for frame in x:
                counter.add(frame, frame, side * np.eye(3))
            return np.asarray(np.cumsum(counter.result().g)[20:])

        race(ours, rdf_peers(x, side, r_max), 3e-3)


def rdf_peers(x: NDArray[np.float32], side: float, r_max: float) -> dict[str, Callable[[], Peer]]:
    bins, atoms = round(r_max / 0.1), x.shape[1]
    share = atoms / (atoms - 1)  # peers take the density of all atoms, oneself among them

    def freud() -> Peer:
        import freud

        freud.parallel.set_num_threads(1)
        box = freud.box.Box.cube(side)

        def run() -> Array:
            counter = freud.density.RDF(bins=bins, r_max=r_max)
            for frame in x:
                counter.compute((box, frame), reset=False)
            return np.asarray(np.cumsum(share * np.asarray(counter.rdf, dtype=float))[20:])

        return run

    def mdtraj() -> Peer:
        import mdtraj as md

        topology = md.Topology()
        residue = topology.add_residue("X", topology.add_chain())
        for _ in range(atoms):
            topology.add_atom("X", md.element.sodium, residue)
        run = md.Trajectory(
            x / 10, topology, unitcell_lengths=np.full((len(x), 3), side / 10),
            unitcell_angles=np.full((len(x), 3), 90.0),
        )  # fmt: skip
        pairs = np.stack(np.triu_indices(atoms, 1), axis=1)

        def found() -> Array:
            total = np.zeros(bins)
            for k in range(len(x)):  # all frames at once would need gigabytes
                _, g = md.compute_rdf(run[k], pairs, r_range=(0.0, r_max / 10), n_bins=bins)
                total += g
            return np.asarray(np.cumsum(total / len(x))[20:])

        return found

    def mdanalysis() -> Peer:
        from MDAnalysis import Universe
        from MDAnalysis.analysis.rdf import InterRDF

        universe = Universe.empty(atoms, trajectory=True)
        universe.load_new(x, dimensions=[side, side, side, 90, 90, 90])

        def run() -> Array:
            found = InterRDF(
                universe.atoms, universe.atoms, nbins=bins, range=(0.0, r_max),
                exclusion_block=(1, 1),
            ).run()  # fmt: skip
            return np.asarray(np.cumsum(found.results.rdf)[20:])

        return run

    return {"freud": freud, "mdtraj": mdtraj, "MDAnalysis": mdanalysis}


def large(frames: int = 1_000_000, ions: int = 200) -> None:
    """Analyse a trajectory that does not fit into memory; state the largest memory used."""
    rng = np.random.default_rng(2)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "positions.bin"
        last = np.zeros((ions, 3))
        with file.open("wb") as stream:
            for _ in range(0, frames, 10_000):
                part = last + np.cumsum(
                    rng.normal(scale=0.3, size=(min(10_000, frames), ions, 3)), axis=0
                )
                last = part[-1]
                part.astype(np.float32).tofile(stream)
        x = np.memmap(file, dtype=np.float32, mode="r", shape=(frames, ions, 3))
        half = ions // 2
        print(f"{frames} frames of {ions} ions in a file of {x.nbytes / 1e9:.1f} GB")
        jobs: dict[str, Callable[[], object]] = {
            "self_diffusion": lambda: self_diffusion(x, dt_ps=1.0).summary,
            "mean_squared_displacement": lambda: mean_squared_displacement(
                x, dt_ps=1.0
            ).msd_ang2[[0, -1]],
            "onsager": lambda: onsager(
                {"Na": x[:, :half], "X": x[:, half:]}, charges={"Na": 1, "X": -1}, dt_ps=1.0,
                temperature_K=400.0, volume_ang3=1e5,
            ).conductivity_S_cm.text("S/cm"),
        }  # fmt: skip
        for name, job in jobs.items():
            begin, cpu = time.perf_counter(), time.process_time()
            found = job()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(
                f"  {name:26s} {time.perf_counter() - begin:7.1f} s, CPU "
                f"{time.process_time() - cpu:7.1f} s, largest memory so far {peak:.2f} GB: {found}",
                flush=True,
            )


def growth() -> None:
    print("cost against the number of frames, 20 ions (s)")
    print("  frames     self_diffusion   displacement at all lags")
    for frames in (10_000, 30_000, 100_000, 300_000, 1_000_000):
        x = np.cumsum(np.random.default_rng(3).normal(size=(frames, 20, 3)), axis=0)
        one, _ = best(partial(coefficient, x), 2)
        two, _ = best(partial(squared_displacements, x), 2)
        print(f"  {frames:8d} {one:14.3f} {two:14.3f}", flush=True)


PARTS = {"large": large, "msd": msd, "rdf": rdf, "growth": growth}
"""In this order: the largest memory is that of the process up to then."""


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    wanted = parser.parse_args().parts
    if not set(wanted) <= set(PARTS):
        parser.error(f"Parts are {', '.join(PARTS)}.")
    for name, part in PARTS.items():
        if name in wanted:
            part()


if __name__ == "__main__":
    main()
