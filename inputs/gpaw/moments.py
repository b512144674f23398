"""Starting moments that GPAW can give a free atom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ase.data import atomic_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

CORES = ((21, 30, 18), (39, 48, 36), (72, 80, 68))
"""First and last transition metal of a row, and electrons below its outer s and d shells."""
PLACES = 12
"""Electrons that an s and a d shell hold together."""
TAKERS = frozenset({"N", "O", "F", "S", "Cl", "Se", "Br", "I"})
"""Elements that take up what metals cannot start with."""


def possible_moments(
    symbols: Sequence[str], moments: Sequence[float], *, keep_sum: bool
) -> tuple[float, ...]:
    """Return starting moments near those wanted that neutral metal atoms can have.

    GPAW starts from neutral atoms, and has no orbital to start more unpaired electrons in than the
    s and d shells of the atom allow: four on iron, whose ion Fe(III) has five.

    Parameters
    ----------
    symbols
        Chemical symbol of each atom.
    moments
        Wanted unpaired electrons, negative for spin down.
    keep_sum
        Give what was cut off to the electronegative atoms in equal parts: with a fixed total moment
        GPAW keeps the sum of the starting ones. Where there are none, nothing is cut off.
    """
    cut = [
        max(-room, min(room, moment)) + 0.0 if (room := _room(symbol)) is not None else moment
        for symbol, moment in zip(symbols, moments, strict=True)
    ]
    lost = sum(moments) - sum(cut)
    takers = [k for k, symbol in enumerate(symbols) if symbol in TAKERS]
    if not keep_sum or not lost:
        return tuple(cut)
    if not takers:
        return tuple(moments)
    for k in takers:
        cut[k] += lost / len(takers)
    return tuple(cut)


def _room(symbol: str) -> float | None:
    """Return the unpaired electrons that a neutral transition metal can have; None for others."""
    number = atomic_numbers[symbol]
    for first, last, core in CORES:
        if first <= number <= last:
            count = number - core
            return float(min(count, PLACES - count))
    return None
