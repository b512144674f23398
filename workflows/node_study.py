"""One ion or salt at one node: its starts and relaxations, stage by stage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from superionic.analysis.node_binding import Contact, NodeStart, NodeStartState
from superionic.structures.errors import AdsorptionError, EvidenceError
from superionic.structures.node_contacts import DETACHED, ContactGeometry, contact_geometry
from superionic.workflows.binding_tasks import wider
from superionic.workflows.intact import broken_bond
from superionic.workflows.node_guest_starts import Start, rigid_starts, starts_upon
from superionic.workflows.node_settings import Guest, NodeSettings
from superionic.workflows.node_tasks import relax_molecule
from superionic.workflows.relax import RelaxResult
from superionic.workflows.start_task import settled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from superionic.structures.molecule import Molecule
    from superionic.structures.node import Node


@dataclass(eq=False)
class NodeStudy:
    """One ion or salt at one node, as far as it has come.

    Attributes
    ----------
    name : str
        Of the node.
    node : Node
        Relaxed.
    guest : Guest
        What adsorbs.
    free : Molecule
        Its lowest geometry by itself, whose bonds must not break.
    theory, settings
        Level of theory and how to search.
    """

    name: str
    node: Node
    guest: Guest
    free: Molecule
    theory: str
    settings: NodeSettings
    starts: tuple[Start, ...] = ()
    screens: list[RelaxResult | str] = field(default_factory=list)
    finals: dict[int, RelaxResult | str] = field(default_factory=dict)
    waiting: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    # ---- starts

    def place(self, shapes: Mapping[str, Molecule], anion: NodeStudy | None) -> None:
        """Make the starts: every shape in its modes, then the cation upon the anion's best.

        Raises
        ------
        AdsorptionError
            Nothing fits.
        """
        found: list[Start] = []
        for shape, modes in self.guest.shapes.items():
            for mode in modes:
                found += rigid_starts(
                    self.node, shapes[shape], shape=shape, mode=mode, settings=self.settings,
                    notes=self.notes,
                )  # fmt: skip
        if anion is not None:
            pair = shapes[next(iter(shapes))]
            found += starts_upon(anion, pair, node=self.node, guest=self.guest, notes=self.notes)
        if not found:
            raise AdsorptionError(
                f"{self.guest.label} fits at no open metal of {self.name} in any mode asked for."
            )
        self.starts = tuple(found)

    # ---- relaxations

    def submit_screens(self) -> None:
        """Relax every start for some steps, where there is something to choose."""
        if not self._choosing():
            return
        short = wider(self.settings.relax, self.settings.screen_steps)
        self.waiting["screens"] = [
            relax_molecule(s.molecule, self.theory, _still(short)) for s in self.starts
        ]

    def submit_finals(self) -> None:
        """Relax the lowest of each site and mode to the end, or all where none was chosen."""
        self.screens = [settled(f) for f in self.waiting.pop("screens", ())]
        groups: dict[tuple[str, str], list[tuple[float, int]]] = {}
        for k, screen in enumerate(self.screens):
            if isinstance(screen, RelaxResult):
                start = self.starts[k]
                groups.setdefault((start.site, start.mode), []).append((screen.energy_eV, k))
        chosen = sorted(k for g in groups.values() for _, k in sorted(g)[: self.settings.keep])
        if not self.screens:
            chosen = list(range(len(self.starts)))
        self.waiting["finals"] = {
            k: relax_molecule(self._screened(k), self.theory, _still(self.settings.relax))
            for k in chosen
        }

    def _choosing(self) -> bool:
        """Return whether a site and mode has more starts than are relaxed to the end."""
        groups = Counter((start.site, start.mode) for start in self.starts)
        return any(count > self.settings.keep for count in groups.values())

    def _screened(self, k: int) -> Molecule:
        if not self.screens:
            return self.starts[k].molecule
        found = self.screens[k]
        if isinstance(found, str):
            raise EvidenceError(f"Start {self.starts[k].key} has no energy: {found}")
        return self.starts[k].molecule.with_positions(found.structure.positions)

    def collect_finals(self) -> None:
        """Take what the relaxations found."""
        self.finals = {k: settled(f) for k, f in self.waiting.pop("finals").items()}

    # ---- what is known

    def _screen_of(self, k: int) -> RelaxResult | str | None:
        """Return the first steps of a start; None where nothing was to be chosen."""
        return self.screens[k] if self.screens else None

    def final(self, k: int) -> RelaxResult:
        """Return a start relaxed to the end."""
        found = self.finals[k]
        if isinstance(found, str):
            raise EvidenceError(f"Start {self.starts[k].key} has no energy: {found}")
        return found

    def complex(self, k: int) -> Molecule:
        """Return node and adsorbate as a start relaxed, with its bonds."""
        return self.starts[k].molecule.with_positions(self.final(k).structure.positions)

    def geometry(self, k: int) -> ContactGeometry:
        """Return how a relaxed start holds on."""
        own = range(len(self.node), len(self.starts[k].molecule))
        return contact_geometry(
            self.node, self.complex(k), tuple(own), tolerance_ang=self.settings.tolerance_ang
        )

    def state_of(self, k: int) -> tuple[NodeStartState, str]:
        """Return what became of a start, and why."""
        screen = self._screen_of(k)
        if isinstance(screen, str):
            return "failed", screen
        if k not in self.finals:
            return "screened-out", f"not among the {self.settings.keep} lowest of its mode"
        found = self.finals[k]
        if isinstance(found, str):
            return "failed", found
        if not found.converged:
            return "cap-hit", (
                f"force {found.fmax_eV_per_A:.3f} eV/A after {self.settings.relax.max_steps} steps"
            )
        broken = self._broken(k)
        if broken:
            return "broken", broken
        if let_go(self.geometry(k)):
            return "desorbed", "no atom of the adsorbate holds on to the node"
        return "converged", ""

    def good(self) -> list[int]:
        """Return the starts with a value, the lowest in energy first."""
        found = [k for k in self.finals if self.state_of(k)[0] == "converged"]
        return sorted(found, key=lambda k: (self.final(k).energy_eV, k))

    def best_of_modes(self) -> list[int]:
        """Return the lowest start of each way of holding on."""
        first: dict[str, int] = {}
        for k in self.good():
            first.setdefault(self.geometry(k).pattern, k)
        return list(first.values())

    def _broken(self, k: int) -> str:
        """Return which bond of either part broke."""
        points, own = self.final(k).structure.positions, len(self.node)
        for part, there, what in (
            (self.free, points[own:], "adsorbate"),
            (self.node.molecule, points[:own], "node"),
        ):
            broken = broken_bond(part, there, what=what)
            if broken:
                return f"{broken}: a reaction, not adsorption"
        return ""

    def outcome(self, k: int, reference_eV: float) -> NodeStart:
        """Return a start as a result.

        Parameters
        ----------
        k
            Which.
        reference_eV
            Energies of bare node and free adsorbate, summed, in eV.
        """
        state, reason = self.state_of(k)
        final = self.finals.get(k)
        relaxed = final if isinstance(final, RelaxResult) else None
        geometry = self.geometry(k) if relaxed is not None and relaxed.converged else None
        screen = self._screen_of(k)
        calls = sum(r.force_calls for r in (screen, relaxed) if isinstance(r, RelaxResult))
        return NodeStart(
            key=self.starts[k].key,
            site=self.starts[k].site,
            start_mode=self.starts[k].mode,
            state=state,
            reason=reason,
            scf_converged=state != "failed",
            adsorption_energy_eV=(
                relaxed.energy_eV - reference_eV
                if relaxed is not None and state == "converged"
                else None
            ),
            mode=geometry.pattern if geometry else "",
            held_by=geometry.mode if geometry else "",
            denticity=geometry.denticity if geometry else 0,
            contacts=told(geometry) if geometry else (),
            fmax_eV_per_A=relaxed.fmax_eV_per_A if relaxed else None,
            force_calls=calls,
        )


def _still(settings: Any) -> Any:
    """Return the same settings without a rattle."""
    return replace(settings, rattle_ang=0.0)


def let_go(geometry: ContactGeometry) -> bool:
    """Return whether neither a metal nor a single ion joins adsorbate and node."""
    inner = any(k < geometry.node_atoms for ion in geometry.ions for k in ion.donors)
    return not inner and all(contact.mode == DETACHED for contact in geometry.metals)


def told(geometry: ContactGeometry) -> tuple[Contact, ...]:
    """Return the contacts of a geometry as plain values."""
    return tuple(
        Contact(c.label, c.symbols, c.distances_ang, c.rings)
        for c in (*geometry.metals, *geometry.ions)
    )
