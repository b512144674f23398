"""Whether a second relaxation, started from the complex, ends below the reference first found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from superionic.workflows.relax import RelaxResult


def fall_eV(
    known_eV: float, again: RelaxResult | str, *, limit_eV: float, what: str, notes: list[str]
) -> float:
    """Return how far below a reference another relaxation ended in eV, zero if it does not count.

    Parameters
    ----------
    known_eV
        Energy of the reference in eV.
    again
        The other relaxation, or why there is none.
    limit_eV
        A fall counts when it is larger than this, in eV.
    what
        What was relaxed.
    notes
        Takes up what is to be said of it.

    Raises
    ------
    EvidenceError
        It ended lower and is not converged: there is no reference.
    """
    if isinstance(again, str):
        notes.append(
            f"Whether the reference of the {what} is the lowest was not seen: relaxing it from the "
            f"complex failed: {again}"
        )
        return 0.0
    if known_eV - again.energy_eV <= limit_eV:
        if not again.converged:
            notes.append(
                f"Whether the reference of the {what} is the lowest was not seen: relaxing it from "
                f"the complex stopped at a force of {again.fmax_eV_per_A:.3f} eV/A."
            )
        return 0.0
    if not again.converged:
        raise EvidenceError(
            f"Started from the complex, the {what} lies {known_eV - again.energy_eV:.3f} eV below "
            f"its reference and is not converged (fmax {again.fmax_eV_per_A:.3f} eV/A): there is "
            "no reference. Allow more steps."
        )
    notes.append(
        f"The reference of the {what} is the one relaxed from the complex: "
        f"{known_eV - again.energy_eV:.3f} eV lower than the one first found."
    )
    return known_eV - again.energy_eV
