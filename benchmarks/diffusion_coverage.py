"""Do intervals of D hold the truth? Ions whose D is known, and ions that have none.

    python benchmarks/diffusion_coverage.py                 # 100 runs of each model
    python benchmarks/diffusion_coverage.py --runs 400 --only brownian cage

Of ions whose D is known: Brownian ones, many and few; ions whose steps go on or turn back (memory);
jumps on a lattice with rattling; Brownian ions seen through noise of each frame. Of ions that have
none: held by springs of some strengths, jumping among the sites of a cage, fractional Brownian
motion, and free flight.

Stated are the percent of runs by verdict; among those with a value in how many the 95 % interval
holds the truth, and its mean width over 3.92 sqrt(2 / (3 ions steps)), that of the best estimator
there is for Brownian motion (maximum likelihood). A value for ions that have none is a false one.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from superionic.analysis.diffusion import self_diffusion

Path = NDArray[np.float64]
STEP = 0.5e-4
"""D in cm2/s of steps of unit variance along each axis in a ps."""


def walk(rng: np.random.Generator, frames: int, ions: int) -> Path:
    return np.cumsum(rng.normal(size=(frames, ions, 3)), axis=0)


def going_on(rng: np.random.Generator, frames: int, ions: int) -> Path:
    """Half of each step is kept in the next."""
    steps = lfilter([1.0], [1.0, -0.5], rng.normal(size=(frames + 100, ions, 3)), axis=0)
    return np.asarray(np.cumsum(steps[100:], axis=0))


def turning_back(rng: np.random.Generator, frames: int, ions: int) -> Path:
    """Half of each step is undone in the next."""
    steps = rng.normal(size=(frames + 1, ions, 3))
    return np.asarray(np.cumsum(steps[1:] - 0.5 * steps[:-1], axis=0))


def lattice(rng: np.random.Generator, frames: int, ions: int) -> Path:
    """Jumps of 2 A, one in twenty frames along each axis, and rattling of 0.3 A."""
    jumps = rng.poisson(0.05, size=(frames, ions, 3))
    places = np.cumsum(2.0 * (2 * rng.binomial(jumps, 0.5) - jumps), axis=0)
    return np.asarray(places + 0.3 * rng.normal(size=places.shape))


def noisy(width: float) -> Callable[[np.random.Generator, int, int], Path]:
    """Brownian ions that rattle by so much around their path."""
    return lambda rng, n, m: walk(rng, n, m) + width * rng.normal(size=(n, m, 3))


def sprung(frames_held: float) -> Callable[[np.random.Generator, int, int], Path]:
    """Brownian ions on springs that forget their place after so many frames."""
    keep = float(np.exp(-1 / frames_held))

    def make(rng: np.random.Generator, frames: int, ions: int) -> Path:
        kicks = rng.normal(size=(frames, ions, 3))
        kicks[0] /= np.sqrt(1 - keep**2)
        return np.asarray(lfilter([1.0], [1.0, -keep], kicks, axis=0))

    return make


def swaying(rng: np.random.Generator, frames: int, ions: int) -> Path:
    """Brownian ions, steps of 0.2 A, that sway by 1 A around their path over 20 frames.

    Lags of an eighth of 3000 frames do not see beyond it, of 12,000 they do.
    """
    around = np.sqrt(1 - np.exp(-2 / 20.0)) * sprung(20.0)(rng, frames, ions)
    return np.asarray(0.2 * walk(rng, frames, ions) + around)


def caged(rng: np.random.Generator, frames: int, ions: int) -> Path:
    """Jumps among the eight corners of a cube of 2 A, one in twenty frames along each axis."""
    turns = rng.random((frames, ions, 3)) < 0.05
    turns[0] = rng.random((ions, 3)) < 0.5
    return 2.0 * (np.cumsum(turns, axis=0) % 2) + 0.3 * rng.normal(size=(frames, ions, 3))


def fractional(power: float) -> Callable[[np.random.Generator, int, int], Path]:
    """Fractional Brownian motion, MSD ~ t^power, exact (Davies and Harte)."""

    def make(rng: np.random.Generator, frames: int, ions: int) -> Path:
        k = np.arange(frames)
        row = 0.5 * (np.abs(k + 1.0) ** power - 2 * k**power + np.abs(k - 1.0) ** power)
        circle = np.concatenate([row, [0.0], row[:0:-1]])
        root = np.sqrt(np.maximum(np.fft.fft(circle).real, 0.0) / len(circle))
        noise = rng.normal(size=(2, len(circle), 3 * ions))
        steps = np.fft.fft((noise[0] + 1j * noise[1]) * root[:, None], axis=0).real[:frames]
        return np.cumsum(steps.reshape(frames, ions, 3), axis=0)

    return make


def flight(rng: np.random.Generator, frames: int, ions: int) -> Path:
    return np.arange(frames)[:, None, None] * rng.normal(size=(ions, 3))


@dataclass(frozen=True)
class Model:
    """How paths are made, and what is true of them; no D for motion that is not diffusive."""

    make: Callable[[np.random.Generator, int, int], Path]
    D_cm2_s: float | None
    frames: int = 800
    ions: int = 30


MODELS = {
    "brownian": Model(walk, STEP),
    "brownian, 3 ions": Model(walk, STEP, 3000, 3),
    "brownian, 6 ions": Model(walk, STEP, 1500, 6),
    "brownian, 1 ion": Model(walk, STEP, 8000, 1),
    "brownian, 200 ions": Model(walk, STEP, 2000, 200),
    "steps go on": Model(going_on, 4 * STEP, 2000),
    "steps turn back": Model(turning_back, 0.25 * STEP, 2000),
    "lattice": Model(lattice, 0.2 * STEP, 2000),
    "noise 1 A": Model(noisy(1.0), STEP),
    "noise 3 A": Model(noisy(3.0), STEP, 2000),
    "swaying": Model(swaying, 0.04 * STEP, 3000),
    "swaying, longer": Model(swaying, 0.04 * STEP, 12_000),
    "springs, 10 frames": Model(sprung(10.0), None),
    "springs, 50 frames": Model(sprung(50.0), None),
    "springs, 100 frames": Model(sprung(100.0), None),
    "springs, 200 frames": Model(sprung(200.0), None, 2000),
    "springs, 5 ions": Model(sprung(50.0), None, 800, 5),
    "springs, 2 ions": Model(sprung(50.0), None, 2000, 2),
    "cage": Model(caged, None),
    "fractional 0.5": Model(fractional(0.5), None),
    "fractional 0.8": Model(fractional(0.8), None),
    "flight": Model(flight, None, 400),
}


def measure(name: str, runs: int) -> str:
    model = MODELS[name]
    verdicts: Counter[str] = Counter()
    hits, widths = 0, []
    begin = time.process_time()
    for seed in range(runs):
        x = model.make(np.random.default_rng(seed), model.frames, model.ions)
        found = self_diffusion(x, dt_ps=1.0)
        verdicts[found.verdict] += 1
        if found.interval_cm2_s is None or model.D_cm2_s is None:
            continue
        low, high = found.interval_cm2_s
        hits += low <= model.D_cm2_s <= high
        widths.append((high - low) / model.D_cm2_s)
    told = "     -      -"
    if widths:
        best = 3.92 * np.sqrt(2 / (3 * model.ions * (model.frames - 1)))
        told = f"{100 * hits / len(widths):6.1f} {np.mean(widths) / best:6.2f}"
    order = ("diffusive", "subdiffusive", "ballistic", "too short")
    cells = " ".join(f"{100 * verdicts[v] / runs:12.1f}" for v in order)
    spent = 1e3 * (time.process_time() - begin) / runs
    return f"{name:20s} {model.ions:4d} x {model.frames:<5d} {cells}  {told} {spent:7.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--only", nargs="*", default=list(MODELS), choices=list(MODELS))
    wanted = parser.parse_args()
    print(f"{wanted.runs} runs each; percent by verdict, percent that cover, width over the best")
    print(
        "model                ions x frames    diffusive subdiffusive    ballistic    too short"
        "   cover  width CPU ms"
    )
    for name in wanted.only:
        print(measure(name, wanted.runs), flush=True)


if __name__ == "__main__":
    main()
