"""The settings of the LATP reproduction, typed; their values stand in ``inputs/protocols``."""

from __future__ import annotations

from dataclasses import dataclass

from superionic.analysis.binding_claims import BindingClaimRule
from superionic.workflows.binding_settings import BindingSettings
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.surface_ions import SurfaceIonSettings

PUBLISHED_EV = {"succinonitrile": 1.35, "litfsi": 0.75}
"""Binding strengths printed in the paper, in eV."""


@dataclass(frozen=True)
class LatpSlab:
    """How the slab is cut and filled; see `superionic.structures.slab_ordering.ordered_slabs`.

    Attributes
    ----------
    x : float
        Al per formula unit of Li(1+x)Al(x)Ti(2-x)(PO4)3 that is wanted; whole atoms give the
        nearest.
    miller : tuple of int
        Plane of the conventional cell.
    layers : int
        PO4 layers.
    repeat : tuple of int
        Cells in the plane.
    vacuum_ang : float
        Vacuum of the bare slab, in angstrom.
    arrangements : int
        Arrangements of Li and Al relaxed, from the lowest electrostatic energy up; the lowest at
        the level of theory goes on.
    seed : int
        Of their search.
    """

    x: float
    miller: tuple[int, int, int]
    layers: int
    repeat: tuple[int, int]
    vacuum_ang: float
    arrangements: int
    seed: int = 0


@dataclass(frozen=True)
class Adsorbate:
    """One molecule.

    Attributes
    ----------
    label : str
        How tables and figures call it.
    shapes : tuple of str
        Packaged geometries of it; the lowest by itself is the reference and is placed.
    """

    label: str
    shapes: tuple[str, ...]


@dataclass(frozen=True)
class LatpProtocol:
    """Everything the run depends on; built from ``inputs/protocols/latp-*.toml``.

    Attributes
    ----------
    paper, fidelity, theory : str
        Which paper, how good, what relaxes.
    bulk_relax : RelaxSettings
        Relaxation of the ordered end member LiTi2(PO4)3, whose cell the slab takes.
    slab : LatpSlab
        The (001) slab.
    surface_ions : SurfaceIonSettings
        How the Li of its upper face are tried in other places before anything is put on it.
    succinonitrile, litfsi : Adsorbate
        What binds.
    binding : BindingSettings
        How the binding energies are found.
    claim : BindingClaimRule
        When the paper's claim counts as decided.
    decks : str
        Protocol of the input decks written for a cluster.
    """

    paper: str
    fidelity: str
    theory: str
    bulk_relax: RelaxSettings
    slab: LatpSlab
    surface_ions: SurfaceIonSettings
    succinonitrile: Adsorbate
    litfsi: Adsorbate
    binding: BindingSettings
    claim: BindingClaimRule
    decks: str


def load_latp_protocol(fidelity: str) -> tuple[LatpProtocol, str]:
    """Return the protocol of a fidelity and its resolved text.

    Raises
    ------
    ProtocolError
        No protocol of that fidelity, or one with an unknown or missing setting.
    """
    from superionic.inputs.protocol import build, paper_protocol

    protocol = paper_protocol("latp", fidelity)
    typed = build(LatpProtocol, protocol.settings, where=protocol.name)
    return typed, protocol.resolved_text()
