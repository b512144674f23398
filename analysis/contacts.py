"""Which centres touch which neighbours in each frame: what pairing and residence are told from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.coordination import first_shell
from superionic.analysis.estimate import html_table
from superionic.analysis.neighbour_pairs import pairs_within
from superionic.structures.errors import EvidenceError, TrajectoryError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from superionic.analysis.rdf import RDF


LEAST_PEAK = 2.0
"""Height of g(r) in a shell of contacts, and its ratio to the minimum behind."""


@dataclass(frozen=True, eq=False)
class Contacts:
    """Touching pairs of centres and groups in each frame.

    Attributes
    ----------
    frame, centre, group : ndarray
        One entry for each touching pair: frame, index of the centre, number of the group; sorted,
        each pair once a frame. shape=(contacts,)
    frames, centres, groups : int
        How many of each.
    cutoff_ang : float
        Distance of a contact in angstrom, from a centre to any atom of the group.
    cutoff_rule : str
        Where it is from.
    """

    frame: NDArray[np.int64]
    centre: NDArray[np.int64]
    group: NDArray[np.int64]
    frames: int
    centres: int
    groups: int
    cutoff_ang: float
    cutoff_rule: str

    def __post_init__(self) -> None:
        """Freeze the arrays and compare their lengths."""
        for name, size in (
            ("frame", self.frames),
            ("centre", self.centres),
            ("group", self.groups),
        ):
            values = readonly(getattr(self, name), np.int64)
            object.__setattr__(self, name, values)
            if values.shape != self.frame.shape or (len(values) and not 0 <= values.max() < size):
                raise EvidenceError(f"Expected numbers of {name}s from 0 to {size - 1}.")

    def counts_of_groups(self) -> NDArray[np.int64]:
        """Return how many centres touch each group. shape=(frames, groups)."""
        flat = self.frame * self.groups + self.group
        counts = np.bincount(flat, minlength=self.frames * self.groups)
        return counts.reshape(self.frames, self.groups)

    def counts_of_centres(self) -> NDArray[np.int64]:
        """Return how many groups touch each centre. shape=(frames, centres)."""
        flat = self.frame * self.centres + self.centre
        counts = np.bincount(flat, minlength=self.frames * self.centres)
        return counts.reshape(self.frames, self.centres)

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        rows = [
            ("touching pairs", f"{len(self.frame)} in {self.frames} frames"),
            ("centres", str(self.centres)),
            ("groups", str(self.groups)),
            ("contact", f"{self.cutoff_ang:.2f} A ({self.cutoff_rule})"),
        ]
        if self.frames and self.centres:
            mean = len(self.frame) / (self.frames * self.centres)
            rows.insert(3, ("groups that a centre touches", f"{mean:.3g} on average"))
        return html_table("Contacts", rows)


class ContactRecorder:
    """Records contacts frame by frame, so that no trajectory has to fit into memory.

    Parameters
    ----------
    cutoff_ang
        Distance of a contact in angstrom.
    groups
        Number of the molecule of each neighbouring atom, from 0 without gaps; by default each is
        its own. shape=(neighbours,)
    cutoff_rule
        Where the cutoff is from.
    """

    def __init__(
        self, *, cutoff_ang: float, groups: ArrayLike | None = None, cutoff_rule: str = "given"
    ) -> None:
        self._cutoff, self._rule = float(cutoff_ang), cutoff_rule
        self._groups = None if groups is None else np.asarray(groups, dtype=np.int64)
        self._shape: tuple[int, int] | None = None
        self._rows: list[NDArray[np.int64]] = []

    def add(self, centres: ArrayLike, neighbours: ArrayLike, cell: ArrayLike) -> None:
        """Record the contacts of one frame.

        Parameters
        ----------
        centres, neighbours
            Positions in angstrom, wrapped or not. shape=(n, 3)
        cell
            Lattice vectors as rows in angstrom. shape=(3, 3)

        Raises
        ------
        TrajectoryError
            Other particles than before, or what :func:`pairs_within` refuses.
        """
        shape = (len(np.asarray(centres)), len(np.asarray(neighbours)))
        if self._shape is None:
            self._begin(shape)
        elif shape != self._shape:
            raise TrajectoryError(
                f"Frame {len(self._rows)} has {shape} particles, the first {self._shape}."
            )
        i, j = pairs_within(centres, neighbours, cell, cutoff_ang=self._cutoff)
        group = j if self._groups is None else self._groups[j]
        self._rows.append(np.unique(i * self._count + group))

    def result(self) -> Contacts:
        """Return the contacts of all frames so far.

        Raises
        ------
        EvidenceError
            There was no frame.
        """
        if self._shape is None:
            raise EvidenceError("No frame was recorded: the trajectory or the part is empty.")
        code = np.concatenate(self._rows)
        frame = np.repeat(np.arange(len(self._rows)), [len(r) for r in self._rows])
        return Contacts(
            frame, code // self._count, code % self._count, len(self._rows), self._shape[0],
            self._count, self._cutoff, self._rule,
        )  # fmt: skip

    def _begin(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        groups = np.arange(shape[1]) if self._groups is None else self._groups
        if groups.shape != (shape[1],) or not np.array_equal(
            np.unique(groups), np.arange(groups.max() + 1)
        ):
            raise TrajectoryError(
                f"Expected the molecule of each of {shape[1]} neighbours, numbered from 0 without "
                f"gaps; got shape {groups.shape}."
            )
        self._count = int(groups.max()) + 1


def find_contacts(
    centres: Iterable[ArrayLike],
    neighbours: Iterable[ArrayLike],
    *,
    cell: ArrayLike,
    cutoff_ang: float,
    groups: ArrayLike | None = None,
    cutoff_rule: str = "given",
) -> Contacts:
    """Return the contacts in all frames.

    Parameters
    ----------
    centres, neighbours
        Positions of each frame in angstrom, arrays of shape (frames, n, 3) or anything that yields
        frames.
    cell
        Lattice vectors as rows in angstrom, shape=(3, 3) or (frames, 3, 3).
    cutoff_ang, groups, cutoff_rule
        As for :class:`ContactRecorder`.

    Raises
    ------
    TrajectoryError
        As :meth:`ContactRecorder.add`; or both have different numbers of frames.
    """
    recorder = ContactRecorder(cutoff_ang=cutoff_ang, groups=groups, cutoff_rule=cutoff_rule)
    cells = np.asarray(cell, dtype=float)
    try:
        for k, (a, b) in enumerate(zip(centres, neighbours, strict=True)):
            recorder.add(a, b, cells if cells.ndim == 2 else cells[k])
    except (ValueError, IndexError) as error:
        if isinstance(error, TrajectoryError):
            raise
        raise TrajectoryError(
            f"Centres, neighbours and cells must have the same number of frames: {error}."
        ) from error
    return recorder.result()


def contact_cutoff(found: RDF) -> tuple[float, str]:
    """Return the distance of a contact from the first minimum of a radial distribution function.

    Returns
    -------
    tuple of float and str
        In angstrom, and the rule.

    Raises
    ------
    EvidenceError
        There is no first minimum behind a peak of at least twice its height.
    """
    shell = first_shell(found)
    if shell.cutoff_ang is None:
        raise EvidenceError(
            f"No contact distance of {found.centre_name} and {found.other_name} can be read from "
            f"their g(r): {shell.reason}. Give one (--contact, or cutoffs_ang)."
        )
    at = float(np.interp(shell.cutoff_ang, found.r_ang, found.g))
    if shell.peak_g is None or shell.peak_g < LEAST_PEAK or at > shell.peak_g / LEAST_PEAK:
        raise EvidenceError(
            f"{found.centre_name} and {found.other_name} have no shell of contacts: g(r) is "
            f"{shell.peak_g} at its first maximum and {at:.2f} behind it. Give one "
            "(--contact, or cutoffs_ang)."
        )
    return shell.cutoff_ang, f"first minimum of g(r) at {shell.cutoff_ang:.2f} A"
