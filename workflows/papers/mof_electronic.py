"""Electronic structure in the MOF reproduction: which nodes, and what the report says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from superionic.analysis.band_centre import CentreDefinition, StateGroup, band_centre
from superionic.structures.errors import EvidenceError
from superionic.workflows.electronic_results import ElectronicResult, ElectronicSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from superionic.structures.molecule import Molecule
    from superionic.workflows.electronic_files import ElectronicSummary
    from superionic.workflows.report.content import Block, Cell

FOLDER = "electronic"


@dataclass(frozen=True)
class ElectronicPlan:
    """Which bare nodes get densities of states, as they relaxed.

    Attributes
    ----------
    nodes : tuple of str
        Their names; none for no electronic structure.
    theory : str
        A level with orbitals.
    centre : CentreDefinition
        Of the d-band centres that adsorption energies are drawn against; the report has all
        definitions side by side.
    settings : ElectronicSettings
        How it is computed.
    """

    nodes: tuple[str, ...] = ()
    theory: str = "pyscf-pbe"
    centre: CentreDefinition = field(default_factory=CentreDefinition)
    settings: ElectronicSettings = field(default_factory=ElectronicSettings)


def submit_electronic(
    nodes: Mapping[str, Molecule], plan: ElectronicPlan
) -> dict[str, tuple[Molecule, Any]]:
    """Submit the electronic structures of a plan; return each node and what has ``result``."""
    from superionic.workflows.electronic import electronic_task
    from superionic.workflows.start_task import start_task

    return {
        name: (nodes[name], start_task(electronic_task, nodes[name], plan.theory, plan.settings))
        for name in plan.nodes
        if name in nodes
    }


def collect_electronic(
    waiting: Mapping[str, tuple[Molecule, Any]], plan: ElectronicPlan
) -> dict[str, ElectronicResult]:
    """Return the electronic structures by node; a task that failed is one without a field."""
    from superionic.workflows.start_task import settled

    found: dict[str, ElectronicResult] = {}
    for name, (molecule, future) in waiting.items():
        one = settled(future)
        if isinstance(one, str):
            one = ElectronicResult(molecule, plan.theory, plan.settings, False, one, ())
        found[name] = one
    return found


def metal_centres(
    results: Mapping[str, ElectronicResult], definition: CentreDefinition
) -> dict[str, dict[str, float]]:
    """Return node -> metal -> d-band centre in eV from the Fermi level, where there is one."""
    from superionic.structures.metals import is_metal

    found: dict[str, dict[str, float]] = {}
    for name, result in results.items():
        if not result.converged:
            continue
        dos = result.dos()
        for symbol in (s for s in dict.fromkeys(dos.symbols) if is_metal(s)):
            try:
                value = band_centre(dos, StateGroup(f"{symbol} d", "d", symbol), definition)
            except EvidenceError:  # no d states
                continue
            found.setdefault(name, {})[symbol] = value
    return found


def electronic_blocks(
    results: Mapping[str, ElectronicResult], plan: ElectronicPlan, folder: Path
) -> tuple[Block, ...]:
    """Write figures and tables of every node to ``electronic/`` and return them as blocks."""
    from superionic.workflows.electronic_files import summary_of, write_electronic

    blocks: list[Block] = []
    for name in plan.nodes:
        result = results.get(name)
        if result is None or not result.converged:
            why = "the node has no geometry" if result is None else result.reason
            blocks.append(f"{name}: no electronic structure with {plan.theory}; {why}.")
            continue
        summary = summary_of(result)
        place = folder / FOLDER / name
        place.mkdir(parents=True, exist_ok=True)
        files = {path.name: path for path in write_electronic(place, summary)}
        blocks.append(f"{name}: {summary.evidence}.")
        blocks += _drawn(name, summary, files)
        blocks.append(_metals(name, summary))
        blocks += _centres(name, summary)
    return tuple(blocks)


def _drawn(name: str, summary: ElectronicSummary, files: Mapping[str, Path]) -> list[Block]:
    """Return the densities of states and, where there is one, the potential."""
    from superionic.workflows.report.content import Download, ReportFigure

    found: list[Block] = [
        ReportFigure(
            image=files["projected_dos.png"],
            caption=f"Projected densities of states of {name} (Fig. 1c).",
            alt=f"Projected densities of states of {name}; the numbers are in the CSV",
            downloads=(Download(f"{name}-projected_dos.csv", files["projected_dos.csv"]),),
        )
    ]
    if summary.surface is not None:
        low, high = summary.surface.extremes_V
        found.append(
            ReportFigure(
                image=files["potential.png"],
                caption=(
                    f"Electrostatic potential of {name} where its density is "
                    f"{summary.surface.isodensity_e_bohr3:g} e/bohr^3 (as Fig. S15), from "
                    f"{low:+.2f} to {high:+.2f} V; an anion goes to where it is high."
                ),
                alt=f"Electrostatic potential around {name}; the points are in the CSV",
                downloads=(Download(f"{name}-potential.csv", files["potential.csv"]),),
            )
        )
    return found


def _metals(name: str, summary: ElectronicSummary) -> Block:
    """Return charges, spins and d electrons of the metals, and their sums over all atoms."""
    from superionic.structures.metals import is_metal
    from superionic.workflows.electronic_files import charges_table
    from superionic.workflows.report.content import ReportTable

    table = charges_table(summary)
    summed: list[Cell] = ["all atoms", ""]
    for k, column in enumerate(table.header[2:], start=2):
        values = [float(row[k]) for row in table.rows if isinstance(row[k], float)]
        summed.append(None if "d_electrons" in column else sum(values))
    return ReportTable(
        caption=(
            f"Metals of {name}: charge, spin and d electrons by each partition. Over all atoms "
            "charges add up to that of the node and spins to its unpaired electrons."
        ),
        header=("Atom", "Element", *(_heading(column) for column in table.header[2:])),
        rows=(*(row for row in table.rows if is_metal(str(row[1]))), tuple(summed)),
    )


def _heading(column: str) -> str:
    """Return ``loewdin_charge_e`` as ``Loewdin charge (e)``."""
    method, kind = column.split("_", 1)
    names = {"charge_e": "charge (e)", "spin": "spin", "d_electrons": "d electrons"}
    return f"{method.capitalize()} {names[kind]}"


def _centres(name: str, summary: ElectronicSummary) -> list[Block]:
    """Return the d-band centres by every definition, and which metal each puts nearer."""
    from superionic.analysis.band_centre import nearest_to_fermi
    from superionic.workflows.report.content import ReportTable

    if not summary.centres:
        return []
    rows: list[tuple[Cell, ...]] = [
        (c.label, c.definition.name, c.centre_eV, c.states) for c in summary.centres
    ]
    found: list[Block] = [
        ReportTable(
            caption=f"d-band centres of {name} from the Fermi level, by every definition.",
            header=("States", "Definition", "Centre (eV)", "States averaged"),
            rows=tuple(rows),
        )
    ]
    near = "; ".join(f"{k}: {v}" for k, v in nearest_to_fermi(summary.centres).items())
    if near:
        said = f"Nearest to the Fermi level in {name}, definition by definition: {near}."
        if {"Fe", "Ni"} <= set(summary.dos.symbols):
            said += " In the paper it is Fe rather than Ni, by no definition that it states."
        found.append(said)
    return found
