"""Which tasks a number of a report comes from: those that have it, to the last bit, as a result."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.structure import Structure
from superionic.workflows.report.content import Traced
from superionic.workflows.runfolder import RESULT, read_optional

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TELLING_DIGITS = 9
"""A number of fewer significant digits may be a setting, or stand in two results by chance."""
LONGEST_ARRAY = 64
"""Longer arrays (positions, curves) are not searched."""


class TaskIndex:
    """Finds the tasks behind a number.

    A computed number has some sixteen digits, so that the same sixteen in the result of a task say
    where it was made. Where several tasks have it, the first to be submitted made it and the others
    were handed it.

    Parameters
    ----------
    runs
        Folder that has the tasks' folders.
    keys
        Names of those, in the order in which the tasks were submitted.
    """

    def __init__(self, runs: Path, keys: Sequence[str]) -> None:
        self.runs, self.keys = runs, tuple(keys)
        self._made: dict[float, int] = {}
        for place, key in enumerate(self.keys):
            result = read_optional(runs / key / RESULT).get("result")
            for number in _numbers_in_json(result):
                self._made.setdefault(abs(number), place)

    def tasks_of(self, *sources: object) -> tuple[int, ...]:
        """Return the places in `keys` of the tasks behind numbers or results, in their order.

        Parameters
        ----------
        sources
            Numbers; results, of which all single numbers count; or tuples, lists and dicts of
            those.
        """
        found = {
            self._made[abs(number)]
            for source in sources
            for number in _numbers_in(source)
            if abs(number) in self._made
        }
        return tuple(sorted(found))


def is_telling(number: float) -> bool:
    """Tell whether a number has so many digits that it is found in one place only."""
    digits = repr(number).split("e")[0].replace("-", "").replace(".", "").strip("0")
    return len(digits) >= TELLING_DIGITS


def _numbers_in(value: Any) -> Iterator[float]:
    """Return the telling numbers of a result; large arrays and structures are left out."""
    if isinstance(value, Traced):
        value = (value.value, *value.of)
    if isinstance(value, (float, np.floating)):
        if is_telling(float(value)):
            yield float(value)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and value.ndim == 1 and len(value) <= LONGEST_ARRAY:
            yield from (float(x) for x in value if is_telling(float(x)))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _numbers_in(item)
    elif isinstance(value, dict):
        yield from _numbers_in(tuple(value.values()))
    elif is_dataclass(value) and not isinstance(value, (type, Structure)):
        for field in fields(value):
            yield from _numbers_in(getattr(value, field.name))


def _numbers_in_json(value: Any) -> Iterator[float]:
    """Return the telling numbers of a result as it stands in ``result.json``."""
    if isinstance(value, float):
        if is_telling(value):
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _numbers_in_json(item)
    elif isinstance(value, dict):
        if "$array" in value:
            shape = value.get("shape", ())
            if len(shape) == 1 and shape[0] <= LONGEST_ARRAY:
                yield from _numbers_in_json(value.get("values"))
            return
        for item in value.values():
            yield from _numbers_in_json(item)
