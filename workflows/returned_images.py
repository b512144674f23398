"""Images that came back from a code: their atoms in the order of the path that was handed over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.outputs.records import OutputFileError
from superionic.structures.structure import minimum_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.barriers import BarrierResult
    from superionic.inputs.outputs.records import CollectedNEB, CollectedRun
    from superionic.structures.structure import Structure


def in_local_order(path: CollectedNEB, result: BarrierResult) -> CollectedNEB:
    """Return a path with its atoms in the order of the local one."""
    if result.structure is None or len(path.images) != len(result.positions):
        raise OutputFileError(
            f"{path.folder} holds {len(path.images)} images; {len(result.positions)} were handed "
            "over."
        )
    images = []
    for k, image in enumerate(path.images):
        found = image.start if image.start is not None else image.structure
        if found is None:
            images.append(image)
            continue
        wanted = result.structure.with_positions(result.positions[k])
        order = same_atoms(wanted, found, limit_ang=1.0)
        images.append(
            replace(
                image,
                structure=None if image.structure is None else image.structure.take(order),
                start=None if image.start is None else image.start.take(order),
                forces_eV_per_A=_taken(image.forces_eV_per_A, order),
                magnetic_moments=_taken(image.magnetic_moments, order),
            )
        )
    return replace(path, images=tuple(images))


def _taken(
    values: NDArray[np.float64] | None, order: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    return None if values is None else values[order]


def same_atoms(wanted: Structure, found: Structure, *, limit_ang: float) -> NDArray[np.int64]:
    """Return where each atom of one structure stands in another.

    Codes sort atoms by element; the nearest of the same element is the same atom.

    Parameters
    ----------
    wanted, found
        The same cell and elements, atoms near the same places.
    limit_ang
        No pair is farther apart than this, in angstrom.

    Raises
    ------
    OutputFileError
        Another cell, other elements, or atoms that cannot be paired.
    """
    from scipy.optimize import linear_sum_assignment

    if sorted(wanted.symbols) != sorted(found.symbols) or not np.allclose(
        wanted.cell, found.cell, rtol=0.0, atol=1e-3
    ):
        raise OutputFileError(
            f"{found.formula} in {found.volume:.1f} A^3 came back for {wanted.formula} in "
            f"{wanted.volume:.1f} A^3: these are other atoms or another cell."
        )
    order = np.full(len(wanted), -1, dtype=np.int64)
    for z in set(wanted.numbers.tolist()):
        mine, theirs = np.flatnonzero(wanted.numbers == z), np.flatnonzero(found.numbers == z)
        apart = found.positions[theirs][None, :, :] - wanted.positions[mine][:, None, :]
        distance = np.linalg.norm(minimum_image(apart.reshape(-1, 3), wanted.cell, wanted.pbc),
                                  axis=1).reshape(len(mine), len(theirs))  # fmt: skip
        rows, columns = linear_sum_assignment(distance)
        if distance[rows, columns].max() > limit_ang:
            raise OutputFileError(
                f"An atom of {found.formula} that came back is {distance[rows, columns].max():.2f} "
                "A from any place that it was handed over at."
            )
        order[mine[rows]] = theirs[columns]
    return order


def displacement(image: CollectedRun, result: BarrierResult, k: int) -> float:
    """Return the farthest that an atom of image k is from where it was handed over, in angstrom."""
    found = image.structure or image.start
    if found is None or result.structure is None:
        return 0.0
    moved = minimum_image(
        found.positions - result.positions[k], result.structure.cell, result.structure.pbc
    )
    return float(np.linalg.norm(moved, axis=1).max())
