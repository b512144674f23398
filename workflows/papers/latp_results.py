"""What the LATP reproduction computed."""

from __future__ import annotations

from dataclasses import dataclass

from superionic.analysis.binding import BindingResult
from superionic.analysis.binding_claims import BindingClaim
from superionic.structures.slab_ordering import OrderedSlab
from superionic.structures.structure import Structure
from superionic.workflows.surface_ions import SurfaceIonResult


@dataclass(frozen=True, eq=False)
class LatpResults:
    """Slab and both binding energies.

    Attributes
    ----------
    bulk : Structure
        Relaxed LiTi2(PO4)3, primitive cell.
    slab : OrderedSlab
        The arrangement that was used, as cut.
    surface : SurfaceIonResult
        The same, relaxed with its lower part held and the Li of its upper face settled.
    slab_energies_eV : tuple of float or None
        Of every arrangement relaxed, in eV; None where it did not converge.
    succinonitrile, litfsi : BindingResult
        On that slab.
    claim : BindingClaim
        On |E_b(SN)| > |E_b(LiTFSI)|.
    """

    bulk: Structure
    slab: OrderedSlab
    surface: SurfaceIonResult
    slab_energies_eV: tuple[float | None, ...]
    succinonitrile: BindingResult
    litfsi: BindingResult
    claim: BindingClaim

    @property
    def both(self) -> tuple[BindingResult, BindingResult]:
        """Both molecules."""
        return self.succinonitrile, self.litfsi
