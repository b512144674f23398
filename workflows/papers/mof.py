"""TFSI-, NaTFSI and Na+ at the metal nodes of trimesate frameworks.

The computed part of "Electronic structure modulation of MOF-based host-guest recognition polymer
electrolytes" (EES Batteries 2025, 1, 1569, doi 10.1039/d5eb00117j, Figs. 1b, 1c, 4g, S14), with
every choice in the protocol file. Only the modules ``mof*`` know about it; all they call works on
any node and ion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superionic.analysis.node_claims import judge_ranking, judge_weakening
from superionic.workflows.node_energies import run_screen
from superionic.workflows.node_settings import named_nodes
from superionic.workflows.papers.mof_electronic import (
    collect_electronic,
    metal_centres,
    submit_electronic,
)
from superionic.workflows.papers.mof_protocol import MofProtocol, load_mof_protocol
from superionic.workflows.papers.mof_report import mof_report
from superionic.workflows.papers.mof_results import MofResults
from superionic.workflows.papers.reproduction import Paper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from superionic.structures.molecule import Molecule
    from superionic.workflows.electronic_results import ElectronicResult
    from superionic.workflows.node_screen import NodeScreen


def compute(protocol: MofProtocol) -> MofResults:
    """Submit all tasks inside the open run and return what they found."""
    nodes = named_nodes(protocol.nodes, cap=protocol.cap, charge=protocol.charge)
    waiting: dict[str, tuple[Molecule, Any]] = {}
    screen = run_screen(
        nodes,
        protocol.guests,
        theory=protocol.theory,
        settings=protocol.search,
        meanwhile=lambda found: waiting.update(submit_electronic(found, protocol.electronic)),
    )
    return judged(screen, protocol, collect_electronic(waiting, protocol.electronic))


def judged(
    screen: NodeScreen,
    protocol: MofProtocol,
    electronic: Mapping[str, ElectronicResult] | None = None,
) -> MofResults:
    """Return a screen with the verdicts by the rules of the protocol."""
    orbitals = dict(electronic or {})
    labels = {"cation": protocol.na.label, "anion": protocol.tfsi.label}
    pairs = screen.pairs(pair=protocol.natfsi.label, **labels)
    tfsi = screen.of(protocol.tfsi.label)
    return MofResults(
        screen=screen,
        tfsi=tfsi,
        pairs=pairs,
        ranking=judge_ranking(tfsi, protocol.ranking),
        weakening=judge_weakening(
            [p for p in pairs if p.node == protocol.ranking.strongest],
            protocol.weakening,
            levels=(protocol.theory, *protocol.search.levels),
        ),
        electronic=orbitals,
        centres_eV=metal_centres(orbitals, protocol.electronic.centre),
    )


PAPER = Paper("mof", load_mof_protocol, compute, mof_report)
