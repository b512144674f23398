"""What a script for GPAW says beyond the specification."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from superionic.inputs.dft_parts import check_choice, positive
from superionic.structures.errors import DeckError

Mode = Literal["pw", "lcao"]


@dataclass(frozen=True)
class GpawOptions:
    """How GPAW is told.

    Attributes
    ----------
    mode : {"pw", "lcao"}
        Plane waves at the specification's cutoff, or atomic orbitals on a grid, which are much
        cheaper and take no cutoff.
    basis : str
        Basis of atomic orbitals.
    grid_ang : float
        Grid spacing with atomic orbitals, in angstrom.

    Raises
    ------
    DeckError
        An unknown mode, or a spacing that is not positive.
    """

    mode: Mode = "pw"
    basis: str = "dzp"
    grid_ang: float = 0.2

    def __post_init__(self) -> None:
        """Validate."""
        check_choice("mode", self.mode, Mode)
        positive(self, "grid_ang")
        if not re.fullmatch(r"[A-Za-z0-9.]+", self.basis):
            raise DeckError(f"A basis of GPAW is one word such as dzp; got '{self.basis}'.")
