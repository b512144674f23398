"""From what the tasks of a screen of nodes found to its results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.analysis.node_binding import LevelValue, NodeAdsorption, NodeStart, NodeVerdict
from superionic.workflows.node_screen import FreeEnergy, NodeScreen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from superionic.structures.molecule import Molecule
    from superionic.structures.node import Node
    from superionic.workflows.node_settings import Guest, NodeSettings
    from superionic.workflows.node_study import NodeStudy
    from superionic.workflows.node_tasks import SinglePoint
    from superionic.workflows.relax import RelaxResult

Case = tuple[str, str]
"""Name of a node and label of a guest."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What the tasks of a screen found.

    Attributes
    ----------
    built : mapping of str to Node
        The nodes as they were built, by name.
    asked : sequence of Guest
        What was to adsorb where.
    shapes : mapping of str to mapping
        The shapes of each guest, by label.
    theory : str
        Level of theory of all geometries.
    settings : NodeSettings
        How was searched.
    nodes, guests : mapping of str to tuple
        Those that were relaxed by themselves: geometry, relaxation, origin.
    fell : mapping of str to float
        How far each node fell below its first reference, in eV.
    studies : mapping of tuple to NodeStudy
        Each guest at each node, as far as it came.
    reasons : mapping of str to tuple
        Verdict and reason of what failed, by its name.
    points : mapping of tuple to SinglePoint or str
        Energies at other levels, by structure and level, or why there is none.
    """

    built: Mapping[str, Node]
    asked: Sequence[Guest]
    shapes: Mapping[str, Mapping[str, Molecule]]
    theory: str
    settings: NodeSettings
    nodes: Mapping[str, tuple[Node, RelaxResult, str]]
    guests: Mapping[str, tuple[Molecule, RelaxResult, str]]
    fell: Mapping[str, float]
    studies: Mapping[Case, NodeStudy]
    reasons: Mapping[str, tuple[NodeVerdict, str]]
    points: Mapping[tuple[str, str], SinglePoint | str]

    def screen(self) -> NodeScreen:
        """Return the results, guests in the order they were asked for, each at all its nodes."""
        free_nodes = {
            n: self._free_energy(f"node {n}", node.molecule, done, origin)
            for n, (node, done, origin) in self.nodes.items()
        }
        free_guests = {
            g: self._free_energy(f"guest {g}", molecule, done, origin)
            for g, (molecule, done, origin) in self.guests.items()
        }
        adsorptions, complexes = [], {}
        for guest in self.asked:
            for name in guest.nodes or tuple(self.built):
                found = self._adsorption(name, guest, free_nodes, free_guests)
                adsorptions.append(found)
                best = found.best()
                study = self.studies.get((name, guest.label))
                if best is not None and study is not None:
                    complexes[f"{name} {guest.label}"] = study.complex(study.good()[0])
        return NodeScreen(tuple(adsorptions), free_nodes, free_guests, complexes)

    def _free_energy(
        self,
        key: str,
        molecule: Molecule,
        done: RelaxResult,
        origin: str,
    ) -> FreeEnergy:
        energies, missing = {self.theory: done.energy_eV}, {}
        for level in self.settings.levels:
            found = self.points[key, level]
            if isinstance(found, str):
                missing[level] = found
            else:
                energies[level] = found.energy_eV
        return FreeEnergy(molecule, energies, missing, done.fmax_eV_per_A, origin)

    def _adsorption(
        self,
        name: str,
        guest: Guest,
        nodes: Mapping[str, FreeEnergy],
        guests: Mapping[str, FreeEnergy],
    ) -> NodeAdsorption:
        """Return the result of one guest at one node."""
        study = self.studies.get((name, guest.label))
        node, one = self.built[name], next(iter(self.shapes[guest.label].values()))
        starts: tuple[NodeStart, ...] = ()
        known = [k for k in (f"node {name}", guest.label, f"{guest.label} at {name}")
                 if k in self.reasons]  # fmt: skip
        verdict, reason = self.reasons[known[0]] if known else ("converged", "")
        if study is not None and not known:
            free = nodes[name].energies_eV, guests[guest.label].energies_eV
            reference = free[0][self.theory] + free[1][self.theory]
            starts = tuple(study.outcome(k, reference) for k in range(len(study.starts)))
            if not any(s.state == "converged" for s in starts):
                states = sorted({s.state for s in starts if s.state != "screened-out"})
                verdict = "failed" if states == ["failed"] else "unconverged"
                reason = f"No start has a value: {', '.join(states)}."
        values, missing = (
            self._values(study, starts, nodes[name], guests[guest.label])
            if study is not None and verdict == "converged"
            else ((), ())
        )
        return NodeAdsorption(
            node=name,
            metals=tuple(ion.symbol for ion in node.ions),
            node_formula=node.molecule.formula,
            cap=node.cap,
            adsorbate=guest.label,
            charge=node.molecule.charge + one.charge,
            spin_multiplicity=node.molecule.spin_multiplicity + one.spin_multiplicity - 1,
            node_charge=node.molecule.charge,
            node_spin_multiplicity=node.molecule.spin_multiplicity,
            theory=self.theory,
            verdict=verdict,
            reason=reason,
            starts=starts,
            values=values,
            missing=missing,
            node_fell_eV=self.fell[name],
            notes=tuple(study.notes) if study is not None else (),
        )

    def _values(
        self,
        study: NodeStudy,
        starts: Sequence[NodeStart],
        node: FreeEnergy,
        guest: FreeEnergy,
    ) -> tuple[tuple[LevelValue, ...], tuple[tuple[str, str], ...]]:
        """Return the values at every level, and why some are missing."""
        values = [
            LevelValue(self.theory, s.key, s.adsorption_energy_eV)
            for s in starts
            if s.adsorption_energy_eV is not None
        ]
        missing: list[tuple[str, str]] = []
        for level in self.settings.levels:
            lacking = node.missing.get(level) or guest.missing.get(level)
            for k in study.best_of_modes():
                key = study.starts[k].key
                found = self.points[f"{study.name} {study.guest.label} {key}", level]
                if lacking or isinstance(found, str):
                    missing.append((level, lacking or f"{key}: {found}"))
                    continue
                reference = node.energies_eV[level] + guest.energies_eV[level]
                values.append(LevelValue(level, key, found.energy_eV - reference, found.energy_eV))
        return tuple(values), tuple(missing)
