"""PEO/NaTFSI with and without nodes of an Fe-Ni framework: structure, motion, hops along a chain.

The computed part of Fig. 4d, e, f and h of "Fe-Ni bimetallic MOF in PEO" (EES Batteries 2025, 1,
1569, doi 10.1039/d5eb00117j), with every choice in the protocol file. Only the modules ``peo*``
know about this paper; all they call works on any polymer box, node and chain.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.chain_hop_claims import judge_chain_hops
from superionic.analysis.coordination import coordination_number
from superionic.analysis.electrolyte_claims import judge_motion, judge_pairing
from superionic.structures.chain_atoms import chain_ends, ether_oxygens
from superionic.structures.errors import SuperionicError, TaskFailedError
from superionic.structures.molecule import Molecule
from superionic.structures.pockets import Pocket
from superionic.structures.polymers import peo_chain
from superionic.structures.recipe import BoxSpec
from superionic.workflows.chain_hops import chain_drag_task, chain_hop_task, single_points_task
from superionic.workflows.chain_pockets import (
    ChainSystem,
    RelaxedPocket,
    choose_pair,
    middle_pockets,
    pocket_task,
)
from superionic.workflows.electrolyte_md import (
    ElectrolyteRun,
    FillerModel,
    electrolyte_task,
    pooled_motion,
)
from superionic.workflows.execution import job
from superionic.workflows.papers.peo_protocol import PeoNode, PeoProtocol, load_peo_protocol
from superionic.workflows.papers.peo_report import peo_report
from superionic.workflows.papers.peo_results import HopStudy, NodeModel, PeoResults
from superionic.workflows.papers.reproduction import Paper
from superionic.workflows.relax import relax
from superionic.workflows.tethers import Tethers
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.analysis.chain_hops import ChainHop
    from superionic.workflows.futures import TaskFuture

log = logging.getLogger(__name__)

BARE, FILLED = "PEO", "CPE"
"""Names of the electrolyte without and with the filler."""
NO_PAIR = (
    "No two pockets near the middle of the bare chain relaxed and were told apart, or a pocket's "
    "task failed."
)
"""Why there is no hop."""


def compute(protocol: PeoProtocol) -> PeoResults:
    """Submit all tasks inside the open run and return what they found.

    Raises
    ------
    TaskFailedError
        The node could not be computed, without which there is no filler.
    """
    node_future = node_task.submit(protocol.node)
    chain = chain_system(protocol, None)
    pockets = [
        pocket_task.submit(chain, pocket, protocol.chain.theory, protocol.hops)
        for pocket in middle_pockets(chain, protocol.hops)
    ]
    numbers = range(protocol.electrolyte.boxes)
    runs = {BARE: [_submit_box(protocol, BARE, k, None) for k in numbers]}
    tried: list[RelaxedPocket | None] = [_or_none(future) for future in pockets]
    ends = [end for k in choose_pair(tried, protocol.hops) or () if (end := tried[k]) is not None]
    alone = tuple(p for p in tried if p is not None)
    first = (*_submit_band(chain, ends, protocol), *_submit_drags(chain, ends, protocol))
    node = node_future.result()
    beside = chain_system(protocol, node.molecule, ends)
    seated = _submit_beside(chain, beside, ends, protocol)
    others = [_or_none(future) for future in seated]
    # the longest first: the band beside the node, the boxes with it, the short drags
    band = _submit_band(beside, others, protocol)
    runs[FILLED] = [_submit_box(protocol, FILLED, k, node) for k in numbers]
    second = (*band, *_submit_drags(beside, others, protocol))
    hops = (
        _study(chain, alone, first, protocol),
        _study(beside, tuple(p for p in others if p is not None), second, protocol),
    )
    failures: list[str] = []
    bare, filled = (_finished(runs[name], failures) for name in (BARE, FILLED))
    pairs = [(a.hop, b.hop) for a, b in [hops] if a.hop is not None and b.hop is not None]
    rule = protocol.electrolyte_claim
    beside_cation = [
        [coordination_number(run.anion_oxygen, cutoff_ang=rule.cutoff_ang) for run in group]
        for group in (bare, filled)
    ]
    return PeoResults(
        node=node,
        bare=bare,
        filled=filled,
        failures=tuple(failures),
        hops=hops,
        hop_claim=judge_chain_hops(pairs, protocol.hop_claim),
        pairing=judge_pairing(beside_cation[0], beside_cation[1], rule),
        motion=judge_motion(pooled_motion(bare), pooled_motion(filled)),
    )


@job(version=1, name="peo_node")
def node_task(settings: PeoNode) -> NodeModel:
    """Build the node, relax it, and take its charges.

    Raises
    ------
    NotConvergedError
        It did not relax.
    """
    from superionic.structures.clusters import build_node

    node = build_node(settings.metals, cap=settings.cap)
    molecule, level = node.molecule, get_theory(settings.theory)
    level.check(molecule.structure, charge=molecule.charge)
    engine = level.calculator(charge=molecule.charge, spin_multiplicity=molecule.spin_multiplicity)
    found = relax(
        molecule.structure, calculator=engine, settings=settings.relax, theory=settings.theory,
        label="node",
    ).require_converged()  # fmt: skip
    charges = np.asarray(engine.get_property("charges", found.structure.to_ase()), dtype=float)
    spread = molecule.charge - charges.sum()  # rounding, so that boxes are neutral to all digits
    source = f"Mulliken charges of {settings.theory}"
    return NodeModel(
        replace(molecule, structure=found.structure),
        found,
        FillerModel(charges + spread / len(charges), source),
    )


def recipe(protocol: PeoProtocol, number: int, node: Molecule | None) -> BoxSpec:
    """Return what the ``number``-th box holds, with or without the node as a filler."""
    made = protocol.electrolyte
    return BoxSpec(
        units=made.units,
        chains=made.chains,
        salt=made.salt,
        units_per_cation=made.units_per_cation,
        filler=node,
        filler_wt_percent=made.filler_wt_percent if node is not None else 0.0,
        density_g_cm3=made.density_g_cm3,
        temperature_K=protocol.run.settings.temperature_K,
        seed=protocol.run.settings.seed + number,
    )


def _submit_box(
    protocol: PeoProtocol, name: str, number: int, node: NodeModel | None
) -> TaskFuture[ElectrolyteRun]:
    """Submit one box, packed and run with a seed of its own."""
    seed = protocol.run.settings.seed + number
    plan = replace(protocol.run, settings=replace(protocol.run.settings, seed=seed))
    return electrolyte_task.submit(
        f"{name} {number + 1}",
        recipe(protocol, number, None if node is None else node.molecule),
        FillerModel() if node is None else node.filler,
        protocol.force_field,
        plan,
        protocol.observables,
    )


def chain_system(
    protocol: PeoProtocol, node: Molecule | None, ends: Sequence[RelaxedPocket] = ()
) -> ChainSystem:
    """Return the oligomer, alone or beside the node, with what holds it.

    The node comes beside the ether oxygen in the middle of the chain, clear of the shapes that the
    chain has with the ion in either of the ``ends``. Springs hold the carbons at
    both ends, where a longer chain would go on, and the carboxylate carbons of the node, where the
    framework would.
    """
    from superionic.structures.beside import node_beside
    from superionic.structures.node import node_of

    chain = peo_chain(protocol.chain.oxygens, torsions="helix")
    donors, held = ether_oxygens(chain), list(chain_ends(chain, heavy_atoms=1))
    whole, name = chain, BARE
    if node is not None:
        name = FILLED
        whole = node_beside(
            chain,
            node_of(node),
            facing=protocol.node.facing,
            atom=donors[len(donors) // 2],
            also=[end.relaxed.structure for end in ends],
        )
        carbons = [k for k, symbol in enumerate(node.symbols) if symbol == "C"]
        held += [len(chain) + k for k in carbons]
    return ChainSystem(
        name=name,
        molecule=whole,
        donors=donors,
        ion="Na",
        ion_charge=1,
        tethers=Tethers(tuple(held), whole.positions[held], protocol.chain.tether_eV_per_A2),
    )


def _submit_beside(
    chain: ChainSystem,
    beside: ChainSystem,
    ends: Sequence[RelaxedPocket],
    protocol: PeoProtocol,
) -> list[TaskFuture[RelaxedPocket]]:
    """Submit the pockets of a hop beside the node, chain and ion starting as they are without it.

    So both hops differ by the node alone.
    """
    return [
        pocket_task.submit(
            beside, _there(end.pocket, chain, beside), protocol.chain.theory, protocol.hops, end
        )
        for end in ends
    ]


def _there(pocket: Pocket, chain: ChainSystem, beside: ChainSystem) -> Pocket:
    """Return a pocket in the frame of the chain beside the node."""
    shift = beside.molecule.positions[0] - chain.molecule.positions[0]
    return Pocket(pocket.donors, pocket.position + shift)


def _submit_band(
    system: ChainSystem, ends: Sequence[RelaxedPocket | None], protocol: PeoProtocol
) -> tuple[Any, ...]:
    """Submit the band between two pockets; nothing where one is missing."""
    known = [end for end in ends if end is not None]
    if len(known) != 2:
        return ()
    return (chain_hop_task.submit(system, *known, protocol.chain.theory, protocol.hops),)


def _submit_drags(
    system: ChainSystem, ends: Sequence[RelaxedPocket | None], protocol: PeoProtocol
) -> tuple[Any, ...]:
    """Submit the drags either way between two pockets; nothing where one is missing."""
    known = [end for end in ends if end is not None]
    if len(known) != 2:
        return ()
    given = (protocol.chain.theory, protocol.hops)
    return tuple(chain_drag_task.submit(system, a, b, *given) for a, b in (known, known[::-1]))


def _study(
    system: ChainSystem,
    pockets: tuple[RelaxedPocket, ...],
    futures: tuple[Any, ...],
    protocol: PeoProtocol,
) -> HopStudy:
    """Return a hop with its drags and its single points at other levels."""
    if not futures:
        return HopStudy(system.name, pockets, None, NO_PAIR)
    hop: ChainHop | None = _or_none(futures[0])
    if hop is None:
        return HopStudy(system.name, pockets, None, "The task of the band failed; see its log.")
    drags = [d for f in futures[1:] if (d := _or_none(f)) is not None]
    points = []
    if hop.climb_eV is not None:
        asked = [single_points_task.submit(system, hop, name) for name in protocol.hops.levels]
        points = [p for f in asked if (p := _or_none(f)) is not None]
    both = tuple(drags) if len(drags) == 2 else ()
    return HopStudy(system.name, pockets, replace(hop, drags=both, levels=tuple(points)), "")


def _or_none(future: TaskFuture[Any]) -> Any:
    """Return the result of a task, or None where it failed; the run has logged why."""
    try:
        return future.result()
    except TaskFailedError as error:
        log.warning("%s", error)
        return None


def _finished(
    futures: Sequence[TaskFuture[ElectrolyteRun]], failures: list[str]
) -> tuple[ElectrolyteRun, ...]:
    """Return the runs that came to their end, and note the others."""
    found = []
    for future in futures:
        try:
            found.append(future.result())
        except SuperionicError as error:
            failures.append(str(error))
    return tuple(found)


PAPER = Paper("peo", load_peo_protocol, compute, peo_report)
