"""Collective transport: names to import in notebooks."""

from __future__ import annotations

from superionic.analysis.conductivity import (
    Conductivity,
    Transference,
    conductivity,
    transference,
)
from superionic.analysis.onsager import OnsagerCoefficients
from superionic.analysis.onsager import onsager_coefficients as onsager

__all__ = [
    "Conductivity",
    "OnsagerCoefficients",
    "Transference",
    "conductivity",
    "onsager",
    "transference",
]
