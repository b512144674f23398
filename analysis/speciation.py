"""Free ions, ion pairs and aggregates of ions that may hold many atoms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.block_average import RULE, block_mean
from superionic.analysis.contacts import Contacts, find_contacts
from superionic.analysis.estimate import Estimate, html_table
from superionic.analysis.ion_clusters import ClusterShare, cluster_shares, cluster_sizes
from superionic.analysis.residence import ResidenceTime, residence_time
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from superionic.analysis.figures.style import SavedFigure

__all__ = [
    "DEFINITION",
    "STATES",
    "ResidenceTime",
    "Speciation",
    "ion_pairs",
    "residence_time",
    "speciation_of",
]

STATES = ("free", "SSIP", "CIP", "AGG")
DEFINITION = (
    "an ion is in contact where a cation is within the contact distance of any coordinating atom "
    "of an anion; CIP: one partner in contact, AGG: two or more, SSIP: none, but one within the "
    "distance of a separated pair, free: neither"
)


@dataclass(frozen=True, eq=False)
class Speciation:
    """In which states anions and cations are, averaged over frames.

    Attributes
    ----------
    anions, cations : dict of str to Estimate
        Fraction of ions that are ``free``, ``SSIP``, ``CIP`` and ``AGG``. Without a distance of
        separated pairs these are not told from free ones, and there is no ``SSIP``.
    uncoordinated_anions : Estimate
        Fraction of anions without a cation in contact (free and SSIP): what Raman spectroscopy
        calls free.
    clusters : tuple of ClusterShare
        Clusters of ions in contact by composition, largest share of ions first.
    cluster_charge : dict of str to Estimate
        Fraction of ions in clusters of each net charge, such as ``-1``.
    largest_cluster : Estimate
        Mean number of ions in the largest cluster of a frame.
    uncoordinated_series : ndarray
        Fraction of anions without a cation in contact in each frame. shape=(frames,)
    contact_ang : float
        Distance of a contact in angstrom.
    contact_rule : str
        Where it is from.
    separated_ang : float or None
        Distance of a separated pair in angstrom.
    charges_e : tuple of float
        Of a cation and of an anion, for the charge of clusters.
    definition, interval_rule : str
        What states mean, and where intervals are from.
    frames, cation_count, anion_count : int
        Size of the data.
    """

    anions: dict[str, Estimate]
    cations: dict[str, Estimate]
    uncoordinated_anions: Estimate
    clusters: tuple[ClusterShare, ...]
    cluster_charge: dict[str, Estimate]
    largest_cluster: Estimate
    uncoordinated_series: NDArray[np.float64]
    contact_ang: float
    contact_rule: str
    separated_ang: float | None
    charges_e: tuple[float, float]
    definition: str
    interval_rule: str
    frames: int
    cation_count: int
    anion_count: int

    def __post_init__(self) -> None:
        """Freeze the series."""
        object.__setattr__(self, "uncoordinated_series", readonly(self.uncoordinated_series, float))

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and values as text."""
        return (
            *((f"anions, {name}", x.text()) for name, x in self.anions.items()),
            *((f"cations, {name}", x.text()) for name, x in self.cations.items()),
            ("anions without a cation", self.uncoordinated_anions.text()),
            *((f"ions in clusters of {q} e", x.text()) for q, x in self.cluster_charge.items()),
            ("ions in the largest cluster", self.largest_cluster.text()),
            ("contact", f"{self.contact_ang:.2f} A ({self.contact_rule})"),
        )

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        return html_table("Speciation", self.rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw the states into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.speciation import speciation_data, speciation_figure
        from superionic.analysis.figures.style import save_figure

        return save_figure(speciation_figure({"": self}), stem, speciation_data({"": self}))


def ion_pairs(
    cations: Iterable[ArrayLike],
    anion_atoms: Iterable[ArrayLike],
    *,
    cell: ArrayLike,
    contact_ang: float,
    anion_groups: ArrayLike | None = None,
    separated_ang: float | None = None,
    charges_e: tuple[float, float] = (1.0, -1.0),
    contact_rule: str = "given",
) -> Speciation:
    """Return the states of ions in a trajectory.

    Parameters
    ----------
    cations, anion_atoms
        Positions of the cations and of the coordinating atoms of the anions in each frame, in
        angstrom, wrapped or not. shape=(frames, n, 3), or anything that yields frames
    cell
        Lattice vectors as rows in angstrom, shape=(3, 3) or (frames, 3, 3).
    contact_ang
        Distance of a contact in angstrom: the first minimum of g(r) between cations and these
        atoms (:func:`~superionic.analysis.contacts.contact_cutoff`).
    anion_groups
        Number of the anion of each coordinating atom, from 0; by default each atom is an anion.
        shape=(n,)
    separated_ang
        Distance of a solvent-separated pair in angstrom, such as the second minimum of g(r).
    charges_e
        Of one cation and of one anion.
    contact_rule
        Where the contact distance is from.

    Raises
    ------
    TrajectoryError
        As :func:`~superionic.analysis.contacts.find_contacts`.
    EvidenceError
        Separated pairs are nearer than contacts.
    """
    if separated_ang is None:
        touching = find_contacts(
            cations, anion_atoms, cell=cell, cutoff_ang=contact_ang, groups=anion_groups,
            cutoff_rule=contact_rule,
        )  # fmt: skip
        return speciation_of(touching, charges_e=charges_e)
    first, second = [np.asarray(list(x), dtype=float) for x in (cations, anion_atoms)]
    near, far = (
        find_contacts(
            first, second, cell=cell, cutoff_ang=cutoff, groups=anion_groups,
            cutoff_rule=contact_rule,
        )
        for cutoff in (contact_ang, separated_ang)
    )  # fmt: skip
    return speciation_of(near, separated=far, charges_e=charges_e)


def speciation_of(
    contacts: Contacts,
    *,
    separated: Contacts | None = None,
    charges_e: tuple[float, float] = (1.0, -1.0),
) -> Speciation:
    """Return the states of ions from their contacts.

    Parameters
    ----------
    contacts
        Cations as centres, anions as groups.
    separated
        The same within the distance of separated pairs.
    charges_e
        Of one cation and of one anion.

    Raises
    ------
    EvidenceError
        Both belong to different runs, or separated pairs are nearer than contacts.
    """
    if separated is not None and (
        (separated.frames, separated.centres, separated.groups)
        != (contacts.frames, contacts.centres, contacts.groups)
        or separated.cutoff_ang <= contacts.cutoff_ang
    ):
        raise EvidenceError(
            "Separated pairs must be of the same run and wider apart than contacts; got "
            f"{separated.cutoff_ang:g} A against {contacts.cutoff_ang:g} A."
        )
    anions = _states(
        contacts.counts_of_groups(), None if separated is None else separated.counts_of_groups()
    )
    cations = _states(
        contacts.counts_of_centres(), None if separated is None else separated.counts_of_centres()
    )
    uncoordinated = anions["free"] + anions.get("SSIP", 0.0)
    sizes = cluster_sizes(contacts)
    shares, charge, largest = cluster_shares(sizes, contacts, charges_e)
    return Speciation(
        anions={name: block_mean(x, bounds=(0, 1)) for name, x in anions.items()},
        cations={name: block_mean(x, bounds=(0, 1)) for name, x in cations.items()},
        uncoordinated_anions=block_mean(uncoordinated, bounds=(0, 1)),
        clusters=shares, cluster_charge=charge, largest_cluster=largest,
        uncoordinated_series=uncoordinated, contact_ang=contacts.cutoff_ang,
        contact_rule=contacts.cutoff_rule,
        separated_ang=None if separated is None else separated.cutoff_ang,
        charges_e=(float(charges_e[0]), float(charges_e[1])), definition=DEFINITION,
        interval_rule=RULE, frames=contacts.frames, cation_count=contacts.centres,
        anion_count=contacts.groups,
    )  # fmt: skip


def _states(
    touching: NDArray[np.int64], around: NDArray[np.int64] | None
) -> dict[str, NDArray[np.float64]]:
    """Return the fraction of ions in each state in each frame. Each shape=(frames,)."""
    near = np.zeros_like(touching, dtype=bool) if around is None else around > 0
    alone = touching == 0
    masks = (alone & ~near, alone & near, touching == 1, touching > 1)
    found = {name: mask.mean(axis=1) for name, mask in zip(STATES, masks, strict=True)}
    if around is None:
        del found["SSIP"]
    return found
