"""From metal nodes and ions to adsorption energies with their evidence.

Inside ``with Run(folder):`` the tasks run side by side and are resumed; elsewhere they run here,
one after the other. The sign convention is that of `superionic.analysis.node_binding`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from superionic.analysis.node_binding import NodeVerdict
from superionic.structures.errors import (
    AdsorptionError,
    InvalidStructureError,
    ProtocolError,
    TheoryError,
)
from superionic.workflows.node_results import Case, Findings
from superionic.workflows.node_settings import Guest, NodeSettings
from superionic.workflows.node_study import NodeStudy
from superionic.workflows.node_tasks import relax_molecule, single_point_task
from superionic.workflows.preflight import check_elements
from superionic.workflows.relax import RelaxResult
from superionic.workflows.start_task import settled, start_task
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from superionic.structures.molecule import Molecule
    from superionic.structures.node import Node
    from superionic.workflows.node_screen import NodeScreen

UNCHECKED = "Whether the reference is the lowest was not seen: relaxing"


def check_screen(
    nodes: Mapping[str, Node], guests: Sequence[Guest], *, theory: str, settings: NodeSettings
) -> dict[str, dict[str, Molecule]]:
    """Refuse before anything is computed what cannot work; return the shapes of each guest.

    Raises
    ------
    ProtocolError
        Labels occur twice, or name what is not there.
    TheoryError
        A level is not installed, or knows of no charge.
    UnknownElementError
        A level does not know an element.
    AdsorptionError
        A node has no open site.
    """
    labels = [g.label for g in guests]
    if not nodes or not guests or len(set(labels)) != len(labels):
        raise ProtocolError(
            f"A screen needs nodes and guests, each label once; got {', '.join(nodes) or 'no node'}"
            f" and {', '.join(labels) or 'no guest'}."
        )
    for guest in guests:
        unknown = [n for n in guest.nodes if n not in nodes]
        unknown += [guest.upon] if guest.upon and guest.upon not in labels else []
        if unknown:
            raise ProtocolError(f"{guest.label} names {', '.join(unknown)}, which is not there.")
    shapes = {g.label: g.molecules() for g in guests}
    for name in (theory, *settings.levels):
        level = get_theory(name)
        if not level.takes_charge:
            raise TheoryError(
                f"{name} knows of no charge and no spin, which nodes need. Choose gfn1-xtb, "
                "gfn2-xtb or pyscf-pbe."
            )
        for node in nodes.values():
            check_elements(name, node.molecule.symbols)
        for found in shapes.values():
            check_elements(name, next(iter(found.values())).symbols)
    for name, node in nodes.items():
        if not node.sites:
            raise AdsorptionError(f"{name} has no open metal site. Build it without water.")
    return shapes


def run_screen(
    nodes: Mapping[str, Node],
    guests: Sequence[Guest],
    *,
    theory: str,
    settings: NodeSettings,
    meanwhile: Callable[[Mapping[str, Molecule]], None] | None = None,
) -> NodeScreen:
    """Find the adsorption energies of ions and salts at metal nodes, side by side.

    Parameters
    ----------
    nodes
        Short name -> node.
    guests
        What adsorbs where; one that is put upon another comes after it.
    theory
        Level of theory of all geometries.
    settings
        How to search.
    meanwhile
        Called once with the bare nodes as they relaxed, before the single points at other levels:
        what it submits runs beside them.

    Raises
    ------
    ProtocolError, TheoryError, UnknownElementError, AdsorptionError
        As `check_screen`.
    """
    return _Screen(nodes, guests, theory, settings).run(meanwhile)


class _Screen:
    """A screen as far as it has come."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        guests: Sequence[Guest],
        theory: str,
        settings: NodeSettings,
    ) -> None:
        self.built, self.guests, self.theory, self.settings = nodes, guests, theory, settings
        self.shapes = check_screen(nodes, guests, theory=theory, settings=settings)
        self.reasons: dict[str, tuple[NodeVerdict, str]] = {}
        self.nodes: dict[str, tuple[Node, RelaxResult, str]] = {}
        self.fell: dict[str, float] = dict.fromkeys(nodes, 0.0)
        self.free: dict[str, tuple[Molecule, RelaxResult, str]] = {}
        self.studies: dict[Case, NodeStudy] = {}

    def run(self, meanwhile: Callable[[Mapping[str, Molecule]], None] | None) -> NodeScreen:
        """Go through all stages."""
        self._relax_parts()
        for wave in self._waves():
            self._adsorb(wave)
        self._nodes_again()
        if meanwhile is not None:
            meanwhile({name: node.molecule for name, (node, _, _) in self.nodes.items()})
        points = self._submit_levels()
        return Findings(
            built=self.built,
            asked=self.guests,
            shapes=self.shapes,
            theory=self.theory,
            settings=self.settings,
            nodes=self.nodes,
            guests=self.free,
            fell=self.fell,
            studies=self.studies,
            reasons=self.reasons,
            points={key: settled(future) for key, future in points.items()},
        ).screen()

    # ---- 1. nodes and guests by themselves

    def _relax_parts(self) -> None:
        relax = self.settings.relax
        bare = {n: relax_molecule(node.molecule, self.theory, relax)
                for n, node in self.built.items()}  # fmt: skip
        alone = {
            (label, shape): relax_molecule(m, self.theory, replace(relax, rattle_ang=0.0))
            for label, found in self.shapes.items()
            for shape, m in found.items()
        }
        for name, node in self.built.items():
            done = self._checked(f"node {name}", settled(bare[name]))
            if done is not None:
                self.nodes[name] = (_moved(node, done), done, "as built")
        for label, found in self.shapes.items():
            for shape, molecule in found.items():
                done = self._checked(label, settled(alone[label, shape]))
                if done is not None and (
                    label not in self.free or done.energy_eV < self.free[label][1].energy_eV
                ):
                    there = molecule.with_positions(done.structure.positions)
                    self.free[label] = (there, done, shape)

    def _checked(self, what: str, found: RelaxResult | str) -> RelaxResult | None:
        """Return a relaxation that can serve as a reference, or note why there is none."""
        if isinstance(found, str):
            self.reasons[what] = ("failed", f"{what} by itself: {found}")
        elif not found.converged:
            self.reasons[what] = (
                "unconverged",
                f"{what} by itself was not relaxed within {self.settings.relax.max_steps} steps "
                f"(force {found.fmax_eV_per_A:.3f} eV/A).",
            )
        else:
            return found
        return None

    # ---- 2. adsorption, what is put upon another after it

    def _waves(self) -> list[list[Guest]]:
        waves: list[list[Guest]] = [[g for g in self.guests if not g.upon]]
        done = {g.label for g in waves[0]}
        rest = [g for g in self.guests if g.upon]
        while rest:
            wave = [g for g in rest if g.upon in done]
            if not wave:
                raise ProtocolError(
                    f"{', '.join(g.label for g in rest)} are put upon each other in a circle."
                )
            waves.append(wave)
            done |= {g.label for g in wave}
            rest = [g for g in rest if g.label not in done]
        return waves

    def _adsorb(self, wave: Sequence[Guest]) -> None:
        """Put the guests of one wave at their nodes and relax."""
        mine: list[NodeStudy] = []
        for guest in wave:
            for name in guest.nodes or tuple(self.built):
                if guest.label in self.reasons or f"node {name}" in self.reasons:
                    continue
                study = NodeStudy(
                    name, self.nodes[name][0], guest, self.free[guest.label][0], self.theory,
                    self.settings,
                )  # fmt: skip
                try:
                    study.place(self.shapes[guest.label], self.studies.get((name, guest.upon)))
                except (AdsorptionError, InvalidStructureError) as error:
                    self.reasons[f"{guest.label} at {name}"] = ("failed", str(error))
                    continue
                mine.append(study)
                self.studies[name, guest.label] = study
        for stage in (
            NodeStudy.submit_screens, NodeStudy.submit_finals, NodeStudy.collect_finals,
        ):  # fmt: skip
            for study in mine:
                stage(study)

    # ---- 3. bare nodes again, from where the best complexes have left them

    def _nodes_again(self) -> None:
        waiting: dict[str, list[tuple[NodeStudy, Any]]] = {}
        still = replace(self.settings.relax, rattle_ang=0.0)
        for (name, _), study in self.studies.items():
            for k in study.good()[:1]:
                there = study.final(k).structure.positions[: len(study.node)]
                molecule = study.node.molecule.with_positions(there)
                future = relax_molecule(molecule, self.theory, still)
                waiting.setdefault(name, []).append((study, future))
        for name, tries in waiting.items():
            node, known, _ = self.nodes[name]
            for study, future in tries:
                again = settled(future)
                if isinstance(again, str):
                    study.notes.append(f"{UNCHECKED} {name} by itself from here failed: {again}")
                    continue
                lower = self.nodes[name][1].energy_eV - again.energy_eV
                if lower <= self.settings.lower_eV:
                    if not again.converged:
                        study.notes.append(
                            f"{UNCHECKED} {name} by itself from here stopped at a force of "
                            f"{again.fmax_eV_per_A:.3f} eV/A, {-lower:.3f} eV above its reference."
                        )
                    continue
                if not again.converged:
                    self.reasons[f"node {name}"] = (
                        "unconverged",
                        f"Started from a complex, the bare {name} lies {lower:.3f} eV below its "
                        "reference and is not converged: there is no reference. Allow more steps.",
                    )
                    continue
                self.nodes[name] = (_moved(node, again), again, "from a complex")
                self.fell[name] = known.energy_eV - again.energy_eV

    # ---- 4. other levels

    def _submit_levels(self) -> dict[tuple[str, str], Any]:
        """Submit single points at every other level: key of a structure and level -> future."""
        structures: dict[str, Molecule] = {
            **{f"node {n}": node.molecule for n, (node, _, _) in self.nodes.items()},
            **{f"guest {g}": molecule for g, (molecule, _, _) in self.free.items()},
        }
        for (name, label), study in self.studies.items():
            for k in study.best_of_modes():
                structures[f"{name} {label} {study.starts[k].key}"] = study.complex(k)
        return {
            (key, level): start_task(single_point_task, molecule, level, self.settings.scf)
            for level in self.settings.levels
            for key, molecule in structures.items()
        }


def _moved(node: Node, done: RelaxResult) -> Node:
    """Return a node as it relaxed; its open sites are where they were built."""
    return node.with_positions(done.structure.positions)
