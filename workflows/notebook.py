"""Interactive views in notebooks: structures and paths that turn, with nothing from the network.

In a notebook the last line of a cell is shown::

    from superionic.workflows.notebook import show

    show(structure)
    show(*barriers)          # paths to choose from, each with its profile
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from superionic.analysis.barriers import BarrierResult
from superionic.analysis.binding import BindingResult
from superionic.analysis.chain_hops import ChainHop
from superionic.structures.errors import EvidenceError
from superionic.structures.hop import Hop
from superionic.structures.molecule import Molecule
from superionic.structures.slab import Slab
from superionic.structures.structure import Structure
from superionic.workflows.report.blocks import path_model
from superionic.workflows.report.content import ReportContent, ReportViewer, Section, ViewerModel

HEIGHT_PX = 720
"""Height of a view."""


@dataclass(frozen=True, eq=False)
class View:
    """A page with an interactive view, which a notebook shows.

    Attributes
    ----------
    html : str
        The whole page; may also be written to a file.
    height_px : int
        How high it is shown.
    """

    html: str
    height_px: int = HEIGHT_PX

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own."""
        return (
            f'<iframe srcdoc="{escape(self.html, quote=True)}" width="100%" '
            f'height="{self.height_px}" style="border:0" title="Interactive view"></iframe>'
        )


def show(*things: Any, caption: str = "") -> View:
    """Return an interactive view of structures and paths.

    Parameters
    ----------
    things
        Structures, molecules, slabs, hops, barriers, hops along chains or binding energies; one is
        shown at a time.
    caption
        Below the view.

    Raises
    ------
    EvidenceError
        One of them has nothing to show.
    TypeError
        One of them is something else.
    """
    from superionic.workflows.report.render import render_report

    models = tuple(_model(thing) for thing in things)
    viewer = ReportViewer(caption=caption, models=models)
    title = models[0].name if len(models) == 1 else f"{len(models)} views"
    return View(render_report(ReportContent(title, "", (), (Section("View", (viewer,)),))))


def _model(thing: Any) -> ViewerModel:
    """Return what the viewer shows of a value."""
    if isinstance(thing, ChainHop):
        return _path(thing.barrier, name=thing.name)
    if isinstance(thing, BarrierResult):
        return _path(thing, name="")
    if isinstance(thing, Hop):
        frames = np.stack([thing.initial.positions, thing.final.positions])
        return ViewerModel(thing.key, "", thing.initial, frames, ion=thing.ion)
    if isinstance(thing, BindingResult):
        if not thing.terms:
            raise EvidenceError(f"{thing.molecule} has no geometry to show: {thing.reason}")
        return _still(thing.terms[0].structure, f"{thing.molecule} on {thing.surface_formula}")
    if isinstance(thing, (Molecule, Slab)):
        return _still(thing.structure, thing.structure.formula)
    if isinstance(thing, Structure):
        return _still(thing, thing.formula)
    raise TypeError(
        f"Expected structures, molecules, slabs, hops, barriers or binding energies; got "
        f"{type(thing).__name__}."
    )


def _still(structure: Structure, name: str) -> ViewerModel:
    return ViewerModel(name, "", structure, structure.positions[None])


def _path(result: BarrierResult, *, name: str) -> ViewerModel:
    found = path_model(result, name=name)
    if found is None:
        raise EvidenceError(f"Hop {result.key} has no images to show: {result.reason}")
    return found
