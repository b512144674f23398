"""Tuples of atoms of one molecule, such as bonds, for all molecules of a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.box import Component


def tiled(
    components: Sequence[Component], tuples: Sequence[ArrayLike], width: int
) -> NDArray[np.int64]:
    """Return tuples of atoms of each component's first molecule for all its molecules.

    Parameters
    ----------
    components
        What is in the box, in the order of its atoms.
    tuples
        For each component, atoms of one molecule counted from 0; none is an empty sequence.
        shape=(n, width) each
    width
        Atoms in a tuple.

    Returns
    -------
    ndarray
        Atoms of the box, component by component, molecule by molecule. shape=(total, width)
    """
    parts, first = [np.zeros((0, width), dtype=np.int64)], 0
    for c, own in zip(components, tuples, strict=True):
        shifts = first + c.atoms * np.arange(c.count)
        held = np.asarray(own, dtype=np.int64).reshape(1, -1, width)
        parts.append((held + shifts[:, None, None]).reshape(-1, width))
        first += c.atoms * c.count
    return np.concatenate(parts)
