"""Succinonitrile and LiTFSI on the (001) surface of LATP.

The computed part of "Janus Electrolyte with Modified Li+ Solvation" (Adv. Funct. Mater. 2022,
doi 10.1002/adfm.202203336, Fig. S1), with every choice in the protocol file. Only the modules
``latp*`` know about LATP; all they call works on any surface and molecule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.binding_claims import judge_binding
from superionic.structures.disordered import DisorderedStructure
from superionic.structures.errors import NotConvergedError
from superionic.structures.slab_ordering import OrderedSlab
from superionic.structures.structure import Structure
from superionic.workflows.binding import Electrons, find_bindings
from superionic.workflows.binding_settings import held_atoms
from superionic.workflows.binding_tasks import relax_held_task
from superionic.workflows.execution import job
from superionic.workflows.papers.latp_protocol import LatpProtocol, LatpSlab, load_latp_protocol
from superionic.workflows.papers.latp_report import latp_report
from superionic.workflows.papers.latp_results import LatpResults
from superionic.workflows.papers.reproduction import Paper
from superionic.workflows.relax import relax_task
from superionic.workflows.surface_ions import settle_surface_ions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.workflows.relax import RelaxResult


def compute(protocol: LatpProtocol) -> LatpResults:
    """Submit all tasks inside the open run and return what they found.

    Raises
    ------
    TaskFailedError
        A task without which nothing can be computed failed.
    NotConvergedError
        No arrangement of the slab converged.
    """
    from superionic.structures.composition import latp
    from superionic.structures.molecules import reference_molecule
    from superionic.structures.ordering import primitive

    end = primitive(latp(0.0)).to_structure()
    bulk = relax_task.submit(end, protocol.theory, protocol.bulk_relax).result()
    bulk.require_converged()
    slabs = slab_task.submit(bulk.structure, protocol.slab).result()
    relaxed = _relax_slabs(slabs, protocol)
    best = min(
        (k for k, r in enumerate(relaxed) if r.converged),
        key=lambda k: relaxed[k].energy_eV,
        default=None,
    )
    if best is None:
        raise NotConvergedError(
            f"None of {len(relaxed)} arrangements of the slab relaxed to "
            f"{protocol.binding.relax.fmax_eV_per_A:g} eV/A within "
            f"{protocol.binding.relax.max_steps} steps: there is no surface. Allow more steps."
        )
    settings = protocol.binding
    cut = slabs[best]
    surface = settle_surface_ions(
        relaxed[best],
        ion="Li",
        theory=protocol.theory,
        relax=settings.relax,
        settings=protocol.surface_ions,
        held=held_atoms(cut.slab.structure, settings.held_fraction, side=settings.side),
        side=settings.side,
    )
    molecules = [
        tuple(reference_molecule(shape) for shape in adsorbate.shapes)
        for adsorbate in (protocol.succinonitrile, protocol.litfsi)
    ]
    named = [
        tuple(replace(m, name=adsorbate.label) for m in shapes)
        for shapes, adsorbate in zip(
            molecules, (protocol.succinonitrile, protocol.litfsi), strict=True
        )
    ]
    found = find_bindings(surface.structure, named, theory=protocol.theory, settings=settings)
    return LatpResults(
        bulk=bulk.structure,
        slab=cut,
        surface=surface,
        slab_energies_eV=tuple(r.energy_eV if r.converged else None for r in relaxed),
        succinonitrile=found[0],
        litfsi=found[1],
        claim=judge_binding(found[0], found[1], protocol.claim),
    )


def _relax_slabs(slabs: Sequence[OrderedSlab], protocol: LatpProtocol) -> tuple[RelaxResult, ...]:
    """Relax every arrangement with its lower part held."""
    settings = protocol.binding
    futures = [
        relax_held_task.submit(
            one.slab.structure,
            protocol.theory,
            settings.relax,
            held_atoms(one.slab.structure, settings.held_fraction, side=settings.side),
            Electrons(),
        )
        for one in slabs
    ]
    return tuple(future.result() for future in futures)


@job(version=1, name="latp_slab")
def slab_task(end_member: Structure, settings: LatpSlab) -> tuple[OrderedSlab, ...]:
    """Cut the slab and fill its sites.

    Parameters
    ----------
    end_member
        Relaxed LiTi2(PO4)3, whose lattice constants the slab takes: those of x = 0 and x = 0.3
        differ by 0.2 % in experiment.
    settings
        Composition, plane, size.
    """
    from superionic.structures.composition import latp
    from superionic.structures.slab_ordering import ordered_slabs

    return ordered_slabs(
        stretched(latp(settings.x), end_member),
        miller=settings.miller,
        pool=("Li",),
        layers=settings.layers,
        repeat=settings.repeat,
        vacuum_ang=settings.vacuum_ang,
        count=settings.arrangements,
        seed=settings.seed,
    )


def stretched(crystal: DisorderedStructure, relaxed: Structure) -> DisorderedStructure:
    """Return a hexagonal crystal with the lattice constants of a relaxed rhombohedral cell.

    Parameters
    ----------
    crystal
        In its hexagonal cell.
    relaxed
        The primitive rhombohedral cell of an isotypic crystal.
    """
    from superionic.structures.axes import crystal_setting

    old = crystal.cell
    new = crystal_setting(relaxed)
    lengths = np.linalg.norm(new.cell, axis=1) / np.linalg.norm(old, axis=1)
    return replace(crystal, cell=old * lengths[:, None])


PAPER = Paper("latp", load_latp_protocol, compute, latp_report)
