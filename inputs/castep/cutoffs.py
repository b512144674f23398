"""What is known of the least cutoffs of CASTEP's own pseudopotentials."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ase.units import Hartree

from superionic.inputs.castep.options import LIBRARIES
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from superionic.inputs.castep.options import CastepOptions


@dataclass(frozen=True)
class CutoffAdvice:
    """Cutoffs that a pseudopotential is meant for.

    Attributes
    ----------
    coarse_eV, fine_eV : float
        Coarsest and fine one in eV.
    """

    coarse_eV: float
    fine_eV: float


def advice_from_text(text: str) -> CutoffAdvice | None:
    """Return the cutoffs inside the text that CASTEP makes a pseudopotential from.

    The text reads ``local|radius|...|coarse|medium|fine|projectors``, energies in hartree; None
    where it does not.
    """
    parts = text.split("|")
    if len(parts) < 6:
        return None
    try:
        coarse, _, fine = (float(x) * Hartree for x in parts[-4:-1])
    except ValueError:
        return None
    return CutoffAdvice(coarse, fine)


@cache
def _table() -> Mapping[tuple[str, str], CutoffAdvice]:
    text = files("superionic.inputs").joinpath("castep", "cutoffs.csv").read_text("utf-8")
    rows = [x.split(",", 2) for x in text.splitlines() if x and not x.startswith("#")][1:]
    known = {(r[0], r[1]): advice_from_text(r[2]) for r in rows}
    return {key: advice for key, advice in known.items() if advice is not None}


def check_cutoff(cutoff_eV: float, elements: Sequence[str], options: CastepOptions) -> list[str]:
    """Raise where a cutoff lies below the coarsest of a pseudopotential; return notes.

    Raises
    ------
    DeckError
        Names the element, its least cutoff and what to do.
    """
    unknown, rough = [], []
    for element in elements:
        choice = options.potentials.get(element, options.library)
        advice = advice_from_text(choice) or _table().get((choice, element))
        if advice is None:
            unknown.append(f"{element} ({choice or 'default of the version'})")
        elif cutoff_eV < advice.coarse_eV:
            raise DeckError(
                f"The cutoff of {cutoff_eV:g} eV lies below the coarsest that the pseudopotential "
                f"of {element} ({choice}) is meant for, {advice.coarse_eV:.0f} eV. Raise cutoff_eV"
                ", or choose a softer set, such as the library QC5."
            )
        elif cutoff_eV < advice.fine_eV:
            rough.append(f"{element} ({advice.fine_eV:.0f} eV)")
    notes = []
    if rough:
        notes.append(
            f"The cutoff of {cutoff_eV:g} eV lies below the 'fine' one of the pseudopotentials of "
            f"{', '.join(rough)}: test its convergence."
        )
    if unknown:
        notes.append(
            "The cutoff was not checked for the pseudopotentials of "
            f"{', '.join(unknown)}, whose least cutoffs are not packaged. CASTEP prints them at "
            "the start of its output."
        )
    return notes


def is_library(word: str) -> bool:
    """Whether a word names a whole set of pseudopotentials."""
    return word in LIBRARIES or bool(re.fullmatch(r"\S+\.otfglib", word))
