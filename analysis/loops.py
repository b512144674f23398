"""Loops over pairs and over lags that numba compiles; import this inside functions only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

AT_ONCE = 512
"""Pairs whose shells are computed in one go before they are counted."""
CHUNK = 4096
"""Frames that all lags are taken of while they are near the processor."""


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function when it is first called; keep its machine code on disk where possible.

    Sums may be taken in any order; NaN and infinity stay what they are.
    """
    options: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz"}, "nogil": True}
    try:
        made: Callable[P, R] = njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to keep it
        made = njit(**options)(function)
    return made


@compiled
def _count(
    counts: NDArray[np.int64], shell: NDArray[np.int32], x: float, y: float, z: float,
    xs: NDArray[np.float64], ys: NDArray[np.float64], zs: NDArray[np.float64],
    metric: NDArray[np.float64], width: float, nearest: bool, group: int,
    groups: NDArray[np.int64], weight: int,
) -> None:  # fmt: skip
    """Count one particle's pairs with a few others: shells first, in a loop without branches."""
    bins = len(counts) - 1
    beyond, last, limit = bins + 0.5, bins - 0.5, (bins * width) ** 2
    m00, m11, m22 = metric[0, 0], metric[1, 1], metric[2, 2]
    m01, m02, m12 = 2.0 * metric[0, 1], 2.0 * metric[0, 2], 2.0 * metric[1, 2]
    size = len(xs)
    for k in range(size):
        u, v, w = x - xs[k], y - ys[k], z - zs[k]
        if nearest:
            u -= np.floor(u + 0.5)
            v -= np.floor(v + 0.5)
            w -= np.floor(w + 0.5)
        d = u * (m00 * u + m01 * v + m02 * w) + v * (m11 * v + m12 * w) + m22 * w * w
        r = min(np.sqrt(max(d, 0.0)) / width, last)
        shell[k] = np.int32(r if d < limit else beyond)
    if len(groups):
        for k in range(size):
            if groups[k] == group:
                shell[k] = bins
    for k in range(size):
        counts[shell[k]] += weight


@compiled
def all_pairs(
    counts: NDArray[np.int64], a: NDArray[np.float64], b: NDArray[np.float64],
    metric: NDArray[np.float64], width: float, mine: NDArray[np.int64],
    theirs: NDArray[np.int64], same: bool,
) -> None:  # fmt: skip
    """Count pairs in shells of equal width, by nearest images.

    Parameters
    ----------
    counts
        Added to; the last is of what lies beyond all shells. shape=(bins + 1,)
    a, b
        Fractional coordinates from 0 to 1. shape=(3, n)
    metric
        Scalar products of the lattice vectors in angstrom^2. shape=(3, 3)
    width
        Of a shell in angstrom.
    mine, theirs
        Groups; pairs within one are counted as beyond. Empty for none. shape=(n,)
    same
        Both are the same particles: each pair is looked at once and counted twice, none with
        itself.
    """
    shell = np.empty(AT_ONCE, dtype=np.int32)
    weight = 2 if same else 1
    xs, ys, zs = b[0], b[1], b[2]
    m = len(xs)
    for i in range(a.shape[1]):
        group = mine[i] if len(mine) else 0
        for begin in range(i + 1 if same else 0, m, AT_ONCE):
            end = min(begin + AT_ONCE, m)
            _count(
                counts, shell, a[0, i], a[1, i], a[2, i], xs[begin:end], ys[begin:end],
                zs[begin:end], metric, width, True, group, theirs[begin:end], weight,
            )  # fmt: skip


@compiled
def near_pairs(
    counts: NDArray[np.int64], a: NDArray[np.float64], b: NDArray[np.float64],
    a_starts: NDArray[np.int64], b_starts: NDArray[np.int64], boxes: NDArray[np.int64],
    metric: NDArray[np.float64], width: float, mine: NDArray[np.int64],
    theirs: NDArray[np.int64], same: bool,
) -> None:  # fmt: skip
    """Count pairs as :func:`all_pairs` does, in neighbouring boxes only.

    Parameters
    ----------
    counts, a, b, metric, width, mine, theirs, same
        As there, particles sorted by box.
    a_starts, b_starts
        First particle of each box. shape=(number of boxes + 1,)
    boxes
        How many along each lattice vector: three at least, none narrower than the last shell.
    """
    shell = np.empty(AT_ONCE, dtype=np.int32)
    xs, ys, zs = b[0], b[1], b[2]
    weight = 2 if same else 1
    nx, ny, nz = boxes[0], boxes[1], boxes[2]
    for box in range(nx * ny * nz):
        bx, by, bz = box // (ny * nz), (box // nz) % ny, box % nz
        for way in range(14 if same else 27):  # 13 is the box itself; behind it are mirror images
            ox, oy, oz = bx + way // 9 - 1, by + (way // 3) % 3 - 1, bz + way % 3 - 1
            sx, sy, sz = ox // nx, oy // ny, oz // nz
            other = ((ox - sx * nx) * ny + oy - sy * ny) * nz + oz - sz * nz
            for i in range(a_starts[box], a_starts[box + 1]):
                x, y, z = a[0, i] - sx, a[1, i] - sy, a[2, i] - sz
                group = mine[i] if len(mine) else 0
                first = i + 1 if same and way == 13 else b_starts[other]
                for begin in range(first, b_starts[other + 1], AT_ONCE):
                    end = min(begin + AT_ONCE, b_starts[other + 1])
                    _count(
                        counts, shell, x, y, z, xs[begin:end], ys[begin:end], zs[begin:end],
                        metric, width, False, group, theirs[begin:end], weight,
                    )  # fmt: skip


@compiled
def lag_sums(
    sums: NDArray[np.float64], series: NDArray[np.float64], lags: NDArray[np.int64],
    edges: NDArray[np.int64],
) -> None:  # fmt: skip
    """Sum squared displacements over the origins in each stretch of time.

    Parameters
    ----------
    sums
        Added to. shape=(lags, particles, stretches, 3)
    series
        Positions. shape=(particles, 3, frames)
    lags
        In frames. shape=(lags,)
    edges
        First frame of each stretch, and the end of the last. shape=(stretches + 1,)
    """
    particles, axes, frames = series.shape
    for p in range(particles):
        for s in range(len(edges) - 1):
            for begin in range(edges[s], edges[s + 1], CHUNK):
                end = min(begin + CHUNK, edges[s + 1])
                for k in range(len(lags)):
                    lag = lags[k]
                    for axis in range(axes):
                        total = 0.0
                        for t in range(begin, min(end, frames - lag)):
                            step = series[p, axis, t + lag] - series[p, axis, t]
                            total += step * step
                        sums[k, p, s, axis] += total


@compiled
def count_long_steps(
    counts: NDArray[np.int64], series: NDArray[np.float64], middling: float, far: float
) -> None:
    """Count steps beyond ``far`` forwards and backwards, and those between ``middling`` and it.

    Parameters
    ----------
    counts
        Added to: forwards, backwards, between. shape=(3,)
    series
        Positions along one axis. shape=(particles, frames)
    middling, far
        Lengths of steps, ``middling`` < ``far``.
    """
    forwards, backwards, beyond = 0, 0, 0
    for p in range(series.shape[0]):
        x = series[p]
        for t in range(len(x) - 1):
            step = x[t + 1] - x[t]
            forwards += 1 if step > far else 0
            backwards += 1 if step < -far else 0
            beyond += 1 if abs(step) > middling else 0
    counts[0] += forwards
    counts[1] += backwards
    counts[2] += beyond - forwards - backwards


@compiled
def centred_squares(squares: NDArray[np.float64], series: NDArray[np.float64]) -> None:
    """Take the mean over time from each path, and add up the squares of what is left.

    Parameters
    ----------
    squares
        Added to. shape=(3, frames)
    series
        Positions; changed in place. shape=(particles, 3, frames)
    """
    for p in range(series.shape[0]):
        for axis in range(series.shape[1]):
            x, total = series[p, axis], 0.0
            for t in range(len(x)):
                total += x[t]
            mean = total / len(x)
            for t in range(len(x)):
                x[t] -= mean
                squares[axis, t] += x[t] * x[t]


@compiled
def add_squares(sums: NDArray[np.float64], parts: NDArray[np.float64]) -> None:
    """Add up squares over particles.

    Parameters
    ----------
    sums
        Added to. shape=(3, numbers)
    parts
        shape=(particles, 3, numbers)
    """
    for p in range(parts.shape[0]):
        for axis in range(parts.shape[1]):
            x = parts[p, axis]
            for k in range(len(x)):
                sums[axis, k] += x[k] * x[k]
