"""Hops of cations along a polymer chain and from one chain to another, in a trajectory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.estimate import Estimate, html_table
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from superionic.analysis.contacts import Contacts
    from superionic.analysis.figures.style import SavedFigure

RULE = (
    "the host of a cation is the chain with most of its donors, and stays so in a tie; an inter-"
    "chain hop is a new host that lasts for the dwell time, an intra-chain hop a set of donors on "
    "the same host that has none in common with that of the hop before and lasts as long"
)
UNITS = 8


@dataclass(frozen=True, eq=False)
class PolymerHops:
    """Hops of cations between and along chains.

    Attributes
    ----------
    inter_chain, intra_chain : int
        Hops that were counted.
    inter_rate_per_ns, intra_rate_per_ns : Estimate
        Hops of one cation in a nanosecond, with the scatter between cations.
    events : ndarray
        Frame, cation, host before and host after of each hop, in order of time; equal hosts for
        an intra-chain hop. shape=(hops, 4)
    host : ndarray
        Host chain of each cation in each frame, -1 where no donor holds it. shape=(frames, cations)
    chains_held : ndarray
        Fraction of cations and frames that are held by 0, 1, 2, ... chains. shape=(most + 1,)
    mean_donors : float
        Donors of a cation on average.
    dwell_ps, dt_ps, length_ps : float
        In ps.
    rule : str
        What counts as a hop.
    """

    inter_chain: int
    intra_chain: int
    inter_rate_per_ns: Estimate
    intra_rate_per_ns: Estimate
    events: NDArray[np.int64]
    host: NDArray[np.int64]
    chains_held: NDArray[np.float64]
    mean_donors: float
    dwell_ps: float
    dt_ps: float
    length_ps: float
    rule: str = RULE

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "events", readonly(self.events, np.int64))
        object.__setattr__(self, "host", readonly(self.host, np.int64))
        object.__setattr__(self, "chains_held", readonly(self.chains_held, float))

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and values as text."""
        held = enumerate(self.chains_held.tolist())
        return (
            ("hops between chains", f"{self.inter_chain}"),
            ("of one cation, between chains", self.inter_rate_per_ns.text("/ns")),
            ("hops along a chain", f"{self.intra_chain}"),
            ("of one cation, along a chain", self.intra_rate_per_ns.text("/ns")),
            *((f"cations held by {n} chains", f"{share:.3f}") for n, share in held),
            ("donors of a cation", f"{self.mean_donors:.3g}"),
            ("a hop lasts", f"{self.dwell_ps:g} ps"),
            ("run", f"{self.length_ps:.4g} ps"),
        )

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        return html_table("Hops along polymer chains", self.rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw rates and holding chains into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.polymer_hops import (
            polymer_hops_data,
            polymer_hops_figure,
        )
        from superionic.analysis.figures.style import save_figure

        return save_figure(polymer_hops_figure({"": self}), stem, polymer_hops_data({"": self}))


def chain_hops_from_trajectory(
    contacts: Contacts, *, donor_chain: ArrayLike, dt_ps: float, dwell_ps: float
) -> PolymerHops:
    """Return the hops of cations between and along the chains that hold them.

    Parameters
    ----------
    contacts
        Cations as centres and donor atoms as groups, each atom its own group.
    donor_chain
        Number of the chain of each donor, from 0. shape=(donors,)
    dt_ps
        Time between frames in ps.
    dwell_ps
        How long a new site must last to count, in ps: excursions that turn back are no hops.

    Raises
    ------
    EvidenceError
        Donors without a chain, or a run shorter than two dwell times.
    """
    chain = np.asarray(donor_chain, dtype=np.int64)
    if chain.shape != (contacts.groups,) or (len(chain) and chain.min() < 0):
        raise EvidenceError(
            f"Expected the chain of each of {contacts.groups} donors, numbered from 0; got shape "
            f"{chain.shape}."
        )
    dwell = max(1, int(np.ceil(dwell_ps / dt_ps - 1e-9))) if dt_ps > 0 <= dwell_ps else 0
    if not dwell or contacts.frames < 2 * dwell:
        raise EvidenceError(
            f"{contacts.frames} frames of {dt_ps:g} ps are too few for a dwell of {dwell_ps:g} ps."
        )
    host = np.full((contacts.frames, contacts.centres), -1, dtype=np.int64)
    events: list[tuple[int, int, int, int]] = []
    chains = int(chain.max()) + 1
    held = np.zeros(chains + 1, dtype=np.int64)
    order = np.lexsort((contacts.frame, contacts.centre))
    bounds = np.searchsorted(contacts.centre[order], np.arange(contacts.centres + 1))
    for ion in range(contacts.centres):
        mine = order[bounds[ion] : bounds[ion + 1]]
        frame, donor = contacts.frame[mine], contacts.group[mine]
        counts = np.bincount(frame * chains + chain[donor], minlength=contacts.frames * chains)
        counts = counts.reshape(contacts.frames, chains)
        held += np.bincount((counts > 0).sum(axis=1), minlength=chains + 1)
        host[:, ion] = _hosts(counts)
        sets = _sets(frame, donor, contacts.frames)
        events += [(f, ion, a, b) for f, a, b in _hops(host[:, ion], sets, chain, dwell)]
    table = np.array(sorted(events), dtype=np.int64).reshape(-1, 4)
    length = (contacts.frames - 1) * dt_ps
    inter = table[:, 2] != table[:, 3]
    return PolymerHops(
        inter_chain=int(inter.sum()), intra_chain=int((~inter).sum()),
        inter_rate_per_ns=_rate(table[inter, 1], contacts.centres, length),
        intra_rate_per_ns=_rate(table[~inter, 1], contacts.centres, length), events=table,
        host=host, chains_held=np.trim_zeros(held, "b") / (contacts.frames * contacts.centres),
        mean_donors=len(contacts.frame) / (contacts.frames * contacts.centres),
        dwell_ps=dwell * dt_ps, dt_ps=float(dt_ps), length_ps=length,
    )  # fmt: skip


def _sets(frame: NDArray[np.int64], donor: NDArray[np.int64], frames: int) -> list[frozenset[int]]:
    """Return the donors of one cation in each frame."""
    bounds = np.searchsorted(frame, np.arange(frames + 1))
    listed = donor.tolist()
    return [frozenset(listed[bounds[k] : bounds[k + 1]]) for k in range(frames)]


def _hosts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the chain with most donors in each frame; it stays in a tie, -1 without donors."""
    most = counts.max(axis=1)
    found = np.where(most > 0, counts.argmax(axis=1), -1)
    for k in np.flatnonzero((counts == most[:, None]).sum(axis=1) > 1):
        before = found[k - 1] if k else -1
        if most[k] > 0 and before >= 0 and counts[k, before] == most[k]:
            found[k] = before
    return np.asarray(found, dtype=np.int64)


def _hops(
    host: NDArray[np.int64], sets: list[frozenset[int]], chain: NDArray[np.int64], dwell: int
) -> list[tuple[int, int, int]]:
    """Return frame, host before and host after of each hop of one cation."""
    hops: list[tuple[int, int, int]] = []
    place: tuple[int, frozenset[int]] | None = None
    changes = np.append(np.flatnonzero(np.diff(host)) + 1, len(host))
    until = changes[np.searchsorted(changes, np.arange(len(host)), side="right")]
    lasting = np.flatnonzero((until - np.arange(len(host)) >= dwell) & (host >= 0))
    on_chain = chain.tolist()
    for k, now in zip(lasting.tolist(), host[lasting].tolist(), strict=True):
        if place is not None and now == place[0]:
            if any(place[1] & s for s in sets[k : k + dwell]):
                continue
            hops.append((k, now, now))
        elif place is not None:
            hops.append((k, place[0], now))
        place = (now, frozenset(d for d in sets[k] if on_chain[d] == now))
    return hops


def _rate(ions: NDArray[np.int64], count: int, length_ps: float) -> Estimate:
    """Return events of one cation in a nanosecond: Poisson, or the scatter between cations."""
    from scipy.stats import chi2
    from scipy.stats import t as student

    each = np.bincount(ions, minlength=count) / (length_ps * 1e-3)
    total, time = len(ions), count * length_ps * 1e-3
    low = 0.5 * float(chi2.ppf(0.025, 2 * total)) / time if total else 0.0
    high = 0.5 * float(chi2.ppf(0.975, 2 * (total + 1))) / time
    value = total / time
    if count >= UNITS and total:
        half = float(student.ppf(0.975, count - 1) * each.std(ddof=1) / np.sqrt(count))
        low, high = min(low, max(value - half, 0.0)), max(high, value + half)
    return Estimate(value, (low, high))
