"""Do intervals of conductivities hold the truth? Ions whose Onsager coefficients are known.

    python benchmarks/transport_coverage.py                 # 100 runs of each model
    python benchmarks/transport_coverage.py --runs 400 --frames 5000

Models, 25 cations and 25 anions each: independent Brownian ions (Haven ratio 1), ions whose steps
turn back (memory), pairs whose steps are correlated and that rattle (Haven ratio 1.92), and pairs
that never part (no conductivity). Stated are the fraction of runs with a value, in how many of
these the 95 % interval holds the truth, and its mean width over that of the best estimator there
is for Brownian motion, 3.92 sqrt(2 / 3 steps); beside it what one end point gives as Haven ratio.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.constants import Boltzmann, elementary_charge
from scipy.signal import lfilter

from superionic.analysis.transport import conductivity, onsager, transference

IONS, TEMPERATURE_K, VOLUME_ANG3 = 25, 400.0, 40_000.0
Paths = dict[str, NDArray[np.float64]]


def walk(rng: np.random.Generator, frames: int, step: float) -> NDArray[np.float64]:
    return np.cumsum(rng.normal(scale=step, size=(frames, IONS, 3)), axis=0)


def independent(rng: np.random.Generator, frames: int) -> Paths:
    return {"Na": walk(rng, frames, 0.3), "X": walk(rng, frames, 0.5)}


def memory(rng: np.random.Generator, frames: int) -> Paths:
    out: Paths = {}
    for name, scale in (("Na", 0.5), ("X", 0.7)):
        steps = rng.normal(scale=scale, size=(frames + 1, IONS, 3))
        out[name] = np.cumsum(steps[1:] - 0.5 * steps[:-1], axis=0)
    return out


def correlated(rng: np.random.Generator, frames: int) -> Paths:
    root = 0.3 * np.linalg.cholesky(np.array([[1.0, 0.6], [0.6, 1.5]]))
    x = np.cumsum(rng.normal(size=(frames, IONS, 3, 2)) @ root.T, axis=0)
    x += 0.2 * rng.normal(size=x.shape)
    return {"Na": x[..., 0], "X": x[..., 1]}


def paired(rng: np.random.Generator, frames: int) -> Paths:
    centre, keep = walk(rng, frames, 0.3), float(np.exp(-0.2))
    kicks = 0.25 * np.sqrt(1 - keep**2) * rng.normal(size=(frames, IONS, 3))
    arm = np.asarray(lfilter([1.0], [1.0, -keep], kicks, axis=0))
    return {"Na": centre + arm, "X": centre - arm}


MODELS: dict[str, tuple[Callable[[np.random.Generator, int], Paths], float, float, float]] = {
    "independent": (independent, 0.09, 0.25, 0.0),
    "memory": (memory, 0.0625, 0.1225, 0.0),
    "correlated": (correlated, 0.09, 0.135, 0.054),
    "paired": (paired, 0.09, 0.09, 0.09),
}
"""How ions are made; growth of <dP dP> a frame, axis and ion: cations, anions, both."""


def conductivity_of(per_axis_ang2: float) -> float:
    """S/cm of a current whose path grows by this many A^2 a ps and axis."""
    kT = Boltzmann * TEMPERATURE_K
    return (
        float(elementary_charge**2)
        * per_axis_ang2
        * 1e-8
        / (2 * float(kT) * VOLUME_ANG3 * 1e-30)
        / 100.0
    )


def one_end_point(paths: Paths) -> float:
    """Return the Haven ratio from the last frame alone, as often done."""
    ends = {k: x[-1] - x[0] for k, x in paths.items()}
    alone = sum(float((e**2).sum()) for e in ends.values())
    together = ends["Na"].sum(axis=0) - ends["X"].sum(axis=0)
    return alone / float((together**2).sum())


def measure(name: str, runs: int, frames: int) -> str:
    make, a, b, c = MODELS[name]
    sigma, ideal = conductivity_of(IONS * (a + b - 2 * c)), conductivity_of(IONS * (a + b))
    unit = conductivity_of(IONS) / elementary_charge**2
    hits: Counter[str] = Counter()
    values, widths, ends = 0, [], []
    begin = time.process_time()
    for seed in range(runs):
        paths = make(np.random.default_rng(seed), frames)
        found = onsager(
            paths, charges={"Na": 1.0, "X": -1.0}, dt_ps=1.0, temperature_K=TEMPERATURE_K,
            volume_ang3=VOLUME_ANG3,
        )  # fmt: skip
        ends.append(one_end_point(paths))
        if not found.diffusive:
            continue
        values += 1
        told, shares = conductivity(found), transference(found)
        hits["sigma"] += told.einstein_helfand_S_cm.covers(sigma)
        hits["NE"] += told.nernst_einstein_S_cm.covers(ideal)
        hits["1/H"] += told.ionicity.covers(sigma / ideal)
        for key, pair, truth in (("L++", "Na Na", a), ("L+-", "Na X", c), ("L--", "X X", b)):
            hits[key] += found.coefficient(*pair.split()).covers(truth * unit)
        hits["t NE"] += shares.nernst_einstein[0].covers(a / (a + b))
        if name != "paired":
            hits["t"] += shares.onsager[0].covers((a - c) / (a + b - 2 * c))
            low, high = told.einstein_helfand_S_cm.interval or (0.0, 0.0)
            widths.append((high - low) / sigma)
    best = 3.92 * np.sqrt(2 / (3 * (frames - 1)))
    wide = f"{np.mean(widths) / best:5.2f}" if widths else "    -"
    cells = " ".join(
        f"{100 * hits[k] / values:6.1f}" if k in hits else "     -"
        for k in ("sigma", "NE", "1/H", "L++", "L+-", "L--", "t NE", "t")
    )
    spent = (time.process_time() - begin) / runs
    low, high = np.quantile(ends, [0.025, 0.975])
    share = 100 * values / runs
    return f"{name:12s} {share:6.1f} {cells} {wide} {spent:6.2f}   {low:.2f} to {high:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--frames", type=int, default=2000)
    wanted = parser.parse_args()
    print(
        f"{wanted.runs} runs of {wanted.frames} frames; percent of runs with a value, percent of "
        "these whose interval covers, mean width over the best, CPU s a run, end-point Haven ratio"
    )
    print(
        "model         value  sigma     NE    1/H    L++    L+-    L--   t NE      t width    CPU"
        "   one end point"
    )
    for name in MODELS:
        print(measure(name, wanted.runs, wanted.frames), flush=True)


if __name__ == "__main__":
    main()
