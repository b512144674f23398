"""Values at several temperatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

Z95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class ThermalData:
    """Values at several temperatures.

    Attributes
    ----------
    temperature_K : ndarray
        Ascending. shape=(points,)
    value : ndarray
        Positive. shape=(points,)
    interval : ndarray or None
        95 % intervals of the values; None where they are not known. shape=(points, 2)
    unit : str
        Of the values.
    """

    temperature_K: NDArray[np.float64]
    value: NDArray[np.float64]
    interval: NDArray[np.float64] | None
    unit: str

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "temperature_K", readonly(self.temperature_K, np.float64))
        object.__setattr__(self, "value", readonly(self.value, np.float64))
        if self.interval is not None:
            object.__setattr__(self, "interval", readonly(self.interval, np.float64))

    @property
    def log_error(self) -> NDArray[np.float64] | None:
        """Standard error of the logarithm of each value, from its interval. shape=(points,)."""
        if self.interval is None:
            return None
        return np.asarray(np.log(self.interval[:, 1] / self.interval[:, 0]) / (2 * Z95))

    @classmethod
    def checked(
        cls,
        temperature_K: ArrayLike,
        values: ArrayLike,
        intervals: Sequence[tuple[float, float]] | ArrayLike | None,
        unit: str,
    ) -> ThermalData:
        """Sort the values by temperature after checking them.

        Raises
        ------
        EvidenceError
            Lengths differ, a number is not positive, or an interval does not hold its value.
        """
        T, y = np.asarray(temperature_K, dtype=float), np.asarray(values, dtype=float)
        if T.ndim != 1 or T.shape != y.shape:
            raise EvidenceError(f"Expected one value a temperature; got {T.shape} and {y.shape}.")
        if not (np.isfinite(T) & np.isfinite(y) & (T > 0) & (y > 0)).all():
            raise EvidenceError(
                "Temperatures (K) and values must be positive; leave out runs without a value."
            )
        order = np.argsort(T, kind="stable")
        if intervals is None:
            return cls(T[order], y[order], None, unit)
        ends = np.asarray(intervals, dtype=float)
        if (
            ends.shape != (len(T), 2)
            or not (
                (ends[:, 0] > 0) & (ends[:, 0] <= y) & (y <= ends[:, 1]) & (ends[:, 0] < ends[:, 1])
            ).all()
        ):
            raise EvidenceError(
                "Expected for each value an interval (low, high) that holds it, with low above 0."
            )
        return cls(T[order], y[order], ends[order], unit)
