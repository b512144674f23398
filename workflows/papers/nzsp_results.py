"""What the NZSP reproduction computed: bulk and surface hops of each composition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from superionic.analysis.barriers import BarrierResult
from superionic.analysis.claims import ClaimVerdict
from superionic.analysis.scans import ScanProfile
from superionic.structures.slab import Slab
from superionic.structures.structure import Structure
from superionic.workflows.annealing import OrderResult


@dataclass(frozen=True, eq=False)
class Cell:
    """Bulk and slab of one ordered cell, and the hops tried in them.

    Attributes
    ----------
    bulk_structure : Structure
        The relaxed bulk cell.
    ordering : OrderResult or None
        How it was ordered; None where nothing had to be.
    slab : Slab or None
        The slab as cut, with its dipole; None where the cell gives bulk hops only.
    slab_energies_eV : tuple of float
        Energies of the slab relaxed as cut and after each heating, in eV.
    slab_unconverged : int
        Quenches of the slab that did not converge, and are left out.
    annealed : OrderResult or None
        The slab after its ions were annealed.
    bulk, surface : tuple of BarrierResult
        All hops tried.
    bulk_found, surface_found : int
        Matched hops found, of which those were taken.
    """

    bulk_structure: Structure
    ordering: OrderResult | None
    slab: Slab | None
    slab_energies_eV: tuple[float, ...]
    annealed: OrderResult | None
    bulk: tuple[BarrierResult, ...]
    surface: tuple[BarrierResult, ...]
    bulk_found: int
    surface_found: int
    slab_unconverged: int = 0


@dataclass(frozen=True, eq=False)
class Comparison:
    """Bulk and surface hops of one composition.

    Attributes
    ----------
    name : str
        Such as ``x = 3``.
    cells : tuple of Cell
        One for each ordered cell.
    one_bulk_class : bool
        Symmetry makes all bulk hops equal.
    verdict : ClaimVerdict
        On the paper's claim.
    scans : tuple of ScanProfile
        Rigid and relaxed scans of the hops drawn in Fig. 6c.
    """

    name: str
    cells: tuple[Cell, ...]
    one_bulk_class: bool
    verdict: ClaimVerdict
    scans: tuple[ScanProfile, ...]

    @property
    def bulk(self) -> tuple[BarrierResult, ...]:
        """All bulk hops tried."""
        return tuple(r for cell in self.cells for r in cell.bulk)

    @property
    def surface(self) -> tuple[BarrierResult, ...]:
        """All surface hops tried."""
        return tuple(r for cell in self.cells for r in cell.surface)


def first_converged(results: Sequence[BarrierResult]) -> BarrierResult | None:
    """Return the first hop, in the order they were taken, that has a barrier."""
    return next((r for r in results if r.verdict == "converged"), None)
