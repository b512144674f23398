"""Clusters of ions in contact: their sizes and charges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.block_average import block_mean
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.contacts import Contacts
    from superionic.analysis.estimate import Estimate

MOST_SHARES = 40


@dataclass(frozen=True)
class ClusterShare:
    """Clusters of one composition.

    Attributes
    ----------
    cations, anions : int
        Ions in one.
    per_frame : float
        Mean number of them in a frame.
    ion_fraction : Estimate
        Fraction of all ions that are in them.
    """

    cations: int
    anions: int
    per_frame: float
    ion_fraction: Estimate


def cluster_sizes(contacts: Contacts) -> NDArray[np.int64]:
    """Return the clusters of all frames: connected components of the graph of contacts.

    An ion without contacts is a cluster of one.

    Returns
    -------
    ndarray
        Frame, cations and anions of each cluster. shape=(clusters, 3)
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    frames, ions = contacts.frames, contacts.centres + contacts.groups
    rows = contacts.frame * ions + contacts.centre
    columns = contacts.frame * ions + contacts.centres + contacts.group
    graph = coo_matrix(
        (np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(frames * ions,) * 2
    )
    count, label = connected_components(graph, directed=False)
    is_cation = np.tile(np.arange(ions) < contacts.centres, frames)
    cations = np.bincount(label, is_cation, minlength=count)
    size = np.bincount(label, minlength=count)
    frame = np.zeros(count, dtype=np.int64)
    frame[label] = np.repeat(np.arange(frames), ions)
    return np.stack([frame, cations.astype(np.int64), size - cations.astype(np.int64)], axis=1)


def cluster_shares(
    sizes: NDArray[np.int64], contacts: Contacts, charges_e: tuple[float, float]
) -> tuple[tuple[ClusterShare, ...], dict[str, Estimate], Estimate]:
    """Return clusters by composition, ions by the charge of their cluster, and the largest size.

    Parameters
    ----------
    sizes
        From :func:`cluster_sizes`.
    contacts
        What they are from.
    charges_e
        Of one cation and of one anion.
    """
    frames, ions = contacts.frames, contacts.centres + contacts.groups
    if len(charges_e) != 2 or charges_e[0] * charges_e[1] >= 0:
        raise EvidenceError(f"Expected charges of a cation and an anion, got {charges_e}.")
    frame, cations, anions = sizes.T
    members = cations + anions

    def fraction(mask: NDArray[np.bool_]) -> Estimate:
        held = np.bincount(frame[mask], members[mask], minlength=frames) / ions
        return block_mean(held, bounds=(0, 1))

    kinds, counts = np.unique(sizes[:, 1:], axis=0, return_counts=True)
    order = np.argsort(-counts * kinds.sum(axis=1), kind="stable")[:MOST_SHARES]
    shares = tuple(
        ClusterShare(
            int(kinds[k, 0]), int(kinds[k, 1]), float(counts[k] / frames),
            fraction((cations == kinds[k, 0]) & (anions == kinds[k, 1])),
        )
        for k in order
    )  # fmt: skip
    charge = np.round(cations * charges_e[0] + anions * charges_e[1], 9) + 0.0
    by_charge = {f"{q:+g}" if q else "0": fraction(charge == q) for q in np.unique(charge).tolist()}
    largest = np.zeros(frames)
    np.maximum.at(largest, frame, members)
    return shares, by_charge, block_mean(largest)
