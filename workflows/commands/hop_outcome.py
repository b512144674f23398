"""What became of a hop that `superionic barrier` was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from superionic.workflows.commands.console import plain

if TYPE_CHECKING:
    from superionic.analysis.barriers import BarrierResult
    from superionic.workflows.commands.hops import ListedHop

ARRAYS = ("coordinate_ang", "ion_coordinate", "energies_eV", "positions")
"""Fields of a result that are left out of JSON unless they are asked for."""


@dataclass(frozen=True, eq=False)
class HopOutcome:
    """What became of one hop that was asked for.

    Attributes
    ----------
    listed : ListedHop
        The hop in the structure as given.
    result : BarrierResult or None
        Its barrier; None where the task failed.
    task : str
        Name of the task's folder; empty where there is none.
    reason : str
        Why there is no result.
    """

    listed: ListedHop
    result: BarrierResult | None
    task: str = ""
    reason: str = ""

    @property
    def converged(self) -> bool:
        """Whether there is a barrier with its evidence."""
        return self.result is not None and self.result.verdict == "converged"

    def row(self, *, arrays: bool = False) -> dict[str, Any]:
        """Return the outcome as plain JSON values."""
        r, hop = self.result, self.listed.hop
        row: dict[str, Any] = {
            "hop": self.listed.index,
            "key": hop.key,
            "site_types": hop.site_types,
            "mechanism": hop.mechanism,
            "multiplicity": hop.multiplicity,
            "environment": "bulk" if hop.depth_ang is None else "surface",
            "length_ang": r.length_ang if r else hop.length_ang,
            "depth_ang": r.depth_ang if r else hop.depth_ang,
            "direction": r.direction if r else hop.direction,
            "verdict": r.verdict if r else "failed",
            "reason": r.reason if r else self.reason,
            "converged": r.converged if r else False,
        }
        names = (
            "forward_barrier_eV",
            "reverse_barrier_eV",
            "reaction_energy_eV",
            "fmax_eV_per_A",
            "fmax_target_eV_per_A",
            "force_calls",
            "minima",
            "images_below_ends",
            "other_ion_displacement_ang",
            "ion",
            "theory",
            "seed",
            *(ARRAYS if arrays else ()),
        )
        row |= {name: getattr(r, name) if r else None for name in names}
        row["atoms"] = len(r.structure) if r and r.structure else len(hop.host)
        row["task"] = self.task
        if arrays:
            row["structure"] = r.structure if r else None
        return {name: plain(value) for name, value in row.items()}
