"""Radial distribution functions with running coordination numbers, added up frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.block_average import block_half_width
from superionic.analysis.estimate import html_table
from superionic.analysis.frame_bunches import FrameBunches
from superionic.analysis.pair_histogram import pair_histogram, widest_sphere_ang
from superionic.structures.errors import EvidenceError, TrajectoryError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from superionic.analysis.figures.style import SavedFigure

BIN_ANG = 0.05


@dataclass(frozen=True, eq=False)
class RDF:
    """How many neighbours stand at which distance, against an even spread of them.

    Attributes
    ----------
    edges_ang : ndarray
        Edges of the shells in angstrom. shape=(bins + 1,)
    g : ndarray
        Radial distribution function. shape=(bins,)
    g_blocks : ndarray
        The same of each stretch of frames. shape=(blocks, bins)
    neighbours : ndarray
        Mean number of neighbours of a centre up to the outer edge of each shell: the running
        coordination number. shape=(bins,)
    neighbours_blocks : ndarray
        The same of each stretch. shape=(blocks, bins)
    density_per_ang3 : float
        Mean number density of possible neighbours in 1/angstrom^3.
    frames, centres, others : int
        Frames, and particles of both kinds in each.
    excluded_pairs : int
        Pairs in a frame that were left out, as they belong to one molecule or are one atom.
    centre_name, other_name : str
        What the two kinds are called.
    """

    edges_ang: NDArray[np.float64]
    g: NDArray[np.float64]
    g_blocks: NDArray[np.float64]
    neighbours: NDArray[np.float64]
    neighbours_blocks: NDArray[np.float64]
    density_per_ang3: float
    frames: int
    centres: int
    others: int
    excluded_pairs: int
    centre_name: str = "A"
    other_name: str = "B"

    def __post_init__(self) -> None:
        """Freeze the arrays and compare their lengths."""
        for name in ("edges_ang", "g", "g_blocks", "neighbours", "neighbours_blocks"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))
        bins = len(self.edges_ang) - 1
        if self.g.shape != (bins,) or self.neighbours.shape != (bins,):
            raise EvidenceError(f"Expected {bins} shells in every array, got {self.g.shape}.")
        if (
            self.g_blocks.shape[1:] != (bins,)
            or self.g_blocks.shape != self.neighbours_blocks.shape
        ):
            raise EvidenceError(f"Expected (blocks, {bins}) values, got {self.g_blocks.shape}.")

    @property
    def r_ang(self) -> NDArray[np.float64]:
        """Middle of each shell in angstrom. shape=(bins,)."""
        return np.asarray(0.5 * (self.edges_ang[1:] + self.edges_ang[:-1]))

    @property
    def g_error(self) -> NDArray[np.float64] | None:
        """Half-width of the 95 % interval of g from the scatter of blocks; None with too few."""
        return block_half_width(self.g_blocks)

    @property
    def neighbours_error(self) -> NDArray[np.float64] | None:
        """The same of the running coordination number."""
        return block_half_width(self.neighbours_blocks)

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        from superionic.analysis.coordination import first_shell

        rows = [
            ("g(r)", f"{self.other_name} around {self.centre_name}"), *first_shell(self).rows,
            ("distances", f"to {self.edges_ang[-1]:.2f} A in {len(self.g)} shells"),
            ("data", f"{self.frames} frames, {self.centres} and {self.others} particles"),
        ]  # fmt: skip
        return html_table("Radial distribution", rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw g(r) and n(r) into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.radial_distribution import rdf_figure, rdf_figure_data
        from superionic.analysis.figures.style import save_figure

        runs = {f"{self.centre_name} - {self.other_name}": self}
        return save_figure(rdf_figure(runs), stem, rdf_figure_data(runs))


class PairCounter:
    """Adds up pairs frame by frame, so that no trajectory has to fit into memory.

    Parameters
    ----------
    r_max_ang
        Largest distance in angstrom; by default that of the largest sphere inside the cell of the
        first frame.
    bin_ang
        Width of a shell in angstrom.
    centre_groups, other_groups
        Numbers of the molecules of the particles: pairs within one molecule are left out.
        shape=(centres,) and (others,)
    same
        Whether both kinds are the same particles, of which none is its own neighbour.
    names
        What the two kinds are called.
    """

    def __init__(
        self,
        *,
        r_max_ang: float | None = None,
        bin_ang: float = BIN_ANG,
        centre_groups: ArrayLike | None = None,
        other_groups: ArrayLike | None = None,
        same: bool = False,
        names: tuple[str, str] = ("A", "B"),
    ) -> None:
        if not bin_ang > 0 or (r_max_ang is not None and not r_max_ang > bin_ang):
            raise EvidenceError(f"Expected 0 < bin < r_max; got {bin_ang} and {r_max_ang} A.")
        if (centre_groups is None) != (other_groups is None):
            raise EvidenceError("Give the molecules of both kinds of particles or of neither.")
        self._r_max, self._bin, self._same, self._names = r_max_ang, bin_ang, same, names
        self._groups = (
            None
            if centre_groups is None or other_groups is None
            else (np.asarray(centre_groups), np.asarray(other_groups))
        )
        self._edges: NDArray[np.float64] = np.empty(0)
        self._bunches = FrameBunches()
        self._shape: tuple[int, int] = (0, 0)
        self._excluded = 0

    def add(self, centres: ArrayLike, others: ArrayLike, cell: ArrayLike) -> None:
        """Count the pairs of one frame.

        Parameters
        ----------
        centres, others
            Positions in angstrom, wrapped or not. shape=(n, 3)
        cell
            Lattice vectors as rows in angstrom. shape=(3, 3)

        Raises
        ------
        TrajectoryError
            Other particles than before, values that are not finite, no cell, or one that became
            too small for the largest distance.
        """
        a, h = np.asarray(centres, dtype=np.float64), np.asarray(cell, dtype=np.float64)
        b = a if self._same else np.asarray(others, dtype=np.float64)
        self._check(a, b, h)
        counts = pair_histogram(a, b, h, edges_ang=self._edges, groups=self._groups)
        if self._same:
            counts[0] -= len(a) if self._groups is None else 0
        volume = float(abs(np.linalg.det(h)))
        self._bunches.add(counts, (len(a) * len(b) - self._excluded) / volume)

    def result(self, *, blocks: int = 10) -> RDF:
        """Return the radial distribution function of all frames so far.

        Parameters
        ----------
        blocks
            Stretches of frames whose scatter gives the intervals.

        Raises
        ------
        EvidenceError
            There was no frame.
        """
        frames = self._bunches.frames
        if not frames:
            raise EvidenceError("No frame was counted: the trajectory or the chosen part is empty.")
        counts, ideal, sizes = self._bunches.counts, self._bunches.ideal, self._bunches.sizes
        shells = 4.0 / 3.0 * np.pi * np.diff(self._edges**3)
        bunches = np.arange(len(sizes))
        parts = np.array_split(bunches, min(blocks, len(sizes)))

        def both(rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            total = counts[rows].sum(axis=0)
            return total / (ideal[rows].sum() * shells), np.cumsum(total) / (
                sizes[rows].sum() * self._shape[0]
            )

        g, running = both(bunches)
        each = [both(rows) for rows in parts]
        return RDF(
            edges_ang=self._edges,
            g=g,
            g_blocks=np.stack([x for x, _ in each]),
            neighbours=running,
            neighbours_blocks=np.stack([x for _, x in each]),
            density_per_ang3=float(ideal.sum() / frames / self._shape[0]),
            frames=frames,
            centres=self._shape[0],
            others=self._shape[1],
            excluded_pairs=self._excluded,
            centre_name=self._names[0],
            other_name=self._names[1],
        )

    def _check(
        self, a: NDArray[np.float64], b: NDArray[np.float64], h: NDArray[np.float64]
    ) -> None:
        """Take over sizes from the first frame and hold later ones to them."""
        frame = self._bunches.frames
        if a.ndim != 2 or b.ndim != 2 or not len(a) or not len(b):
            raise TrajectoryError(f"Expected positions (n, 3) of both kinds; {a.shape}, {b.shape}.")
        if h.shape != (3, 3) or abs(np.linalg.det(h)) < 1e-6:
            raise TrajectoryError(
                f"Frame {frame} has no periodic cell; a radial distribution needs one. Give the "
                "lattice vectors, or a topology or trajectory that holds them."
            )
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise TrajectoryError(f"Frame {frame} holds positions that are not finite numbers.")
        widest = widest_sphere_ang(h)
        if frame == 0:
            self._begin(a, b, widest)
        elif (len(a), len(b)) != self._shape:
            raise TrajectoryError(
                f"Frame {frame} has {len(a)} and {len(b)} particles, the first {self._shape}."
            )
        if self._edges[-1] > widest + 1e-9:
            raise TrajectoryError(
                f"Distances up to {self._edges[-1]:.2f} A were asked for, but the cell of frame "
                f"{frame} holds spheres of {widest:.2f} A only: ask for less."
            )

    def _begin(self, a: NDArray[np.float64], b: NDArray[np.float64], widest: float) -> None:
        """Set the shells and the number of pairs that are left out."""
        margin = 1.0 if self._r_max is not None else 0.97  # cells breathe
        limit = (self._r_max or widest) * margin
        bins = max(int(limit / self._bin + 1e-9), 1)
        self._edges = np.asarray(self._bin * np.arange(bins + 1), dtype=np.float64)
        self._shape = (len(a), len(b))
        if self._groups is not None:
            first, second = self._groups
            if (len(first), len(second)) != self._shape:
                raise TrajectoryError(
                    f"{len(first)} and {len(second)} molecule numbers for {self._shape} particles."
                )
            size = int(max(first.max(), second.max())) + 1
            self._excluded = int(
                np.bincount(first, minlength=size) @ np.bincount(second, minlength=size)
            )
        elif self._same:
            self._excluded = len(a)


def rdf(
    centres: Iterable[ArrayLike],
    others: Iterable[ArrayLike] | None = None,
    *,
    cell: ArrayLike,
    r_max_ang: float | None = None,
    bin_ang: float = BIN_ANG,
    centre_groups: ArrayLike | None = None,
    other_groups: ArrayLike | None = None,
    blocks: int = 10,
    names: tuple[str, str] = ("A", "B"),
) -> RDF:
    """Return the radial distribution function of one kind of particles around another.

    Parameters
    ----------
    centres, others
        Positions in angstrom of each frame, an array of shape (frames, n, 3) or anything that
        yields frames. Without ``others`` the centres around each other.
    cell
        Lattice vectors as rows in angstrom, one or one for each frame. shape=(3, 3) or
        (frames, 3, 3)
    r_max_ang, bin_ang, centre_groups, other_groups, names
        As for :class:`PairCounter`.
    blocks
        Stretches of frames whose scatter gives the intervals.

    Raises
    ------
    TrajectoryError
        As :meth:`PairCounter.add`; or the two kinds have different numbers of frames.
    """
    if others is None and centre_groups is not None:
        other_groups = centre_groups
    counter = PairCounter(
        r_max_ang=r_max_ang, bin_ang=bin_ang, centre_groups=centre_groups,
        other_groups=other_groups, same=others is None, names=names,
    )  # fmt: skip
    cells = np.asarray(cell, dtype=float)
    if cells.ndim not in (2, 3):
        raise TrajectoryError(f"Expected lattice vectors (3, 3) or (frames, 3, 3): {cells.shape}.")
    around = None if others is None else iter(others)
    frames = 0
    for frames, a in enumerate(centres, start=1):
        b = a if around is None else next(around, None)
        if b is None or (cells.ndim == 3 and frames > len(cells)):
            raise TrajectoryError(f"There are more frames of centres than of the rest: {frames}.")
        counter.add(a, b, cells if cells.ndim == 2 else cells[frames - 1])
    if around is not None and next(around, None) is not None:
        raise TrajectoryError(f"There are only {frames} frames of centres, fewer than of others.")
    return counter.result(blocks=blocks)
