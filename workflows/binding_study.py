"""One molecule on one surface: its tasks, stage by stage, so that several can share the cores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.binding import StartState
from superionic.analysis.binding_terms import EnergyTerm, Role
from superionic.structures.errors import (
    EvidenceError,
    InvalidStructureError,
    TheoryError,
)
from superionic.structures.salts import ions_of, is_salt
from superionic.structures.structure import minimum_image
from superionic.workflows.binding_settings import BindingSettings
from superionic.workflows.binding_tasks import (
    Electrons,
    MoleculeEnergy,
    molecule_task,
    relax_held_task,
    settings_hash,
    wider,
)
from superionic.workflows.intact import broken_bond
from superionic.workflows.lower_reference import fall_eV
from superionic.workflows.relax import RelaxResult, RelaxSettings
from superionic.workflows.start_task import settled, start_task
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.structures.adsorption import AdsorptionStart
    from superionic.structures.molecule import Molecule
    from superionic.structures.structure import Structure


@dataclass(eq=False)
class Study:
    """One molecule on one surface: its tasks, as far as they have come.

    Attributes
    ----------
    conformers : tuple of Molecule
        Shapes of the molecule; the one that is lowest by itself is the reference.
    theory, settings, host
        Level of theory, how to search, charge and spin of the surface.
    held : tuple of int
        Atoms of the surface that do not move.
    given_starts : tuple of AdsorptionStart or None
        Starts made by the caller.
    """

    conformers: tuple[Molecule, ...]
    theory: str
    settings: BindingSettings
    host: Electrons
    held: tuple[int, ...] = ()
    given_starts: tuple[AdsorptionStart, ...] | None = None
    starts: tuple[AdsorptionStart, ...] = ()
    screens: list[RelaxResult | str] = field(default_factory=list)
    finals: dict[int, RelaxResult | str] = field(default_factory=dict)
    surface: EnergyTerm | None = None
    molecule: MoleculeEnergy | None = None
    ions: tuple[EnergyTerm, ...] = ()
    ions_reason: str = ""
    surface_fell_eV: float = 0.0
    molecule_fell_eV: float = 0.0
    notes: list[str] = field(default_factory=list)
    waiting: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what can be checked."""
        level = get_theory(self.theory)
        for molecule in self.conformers:
            if molecule.formula != self.conformers[0].formula:
                raise InvalidStructureError(
                    f"Conformers of one molecule have one formula; got {molecule.formula} and "
                    f"{self.conformers[0].formula}."
                )
            level.check_charge(molecule.charge)

    @property
    def hash(self) -> str:
        """What all terms must share."""
        return settings_hash(self.theory, self.settings.relax)

    @property
    def whole(self) -> Electrons:
        """Charge and spin of the complex."""
        one = self.conformers[0]
        return self.host + Electrons(one.charge, one.spin_multiplicity)

    # ---- 1. the molecule by itself

    def submit_molecule(self) -> None:
        """Relax every conformer, and the ions of a salt where the level has charges."""
        s = self.settings
        self.waiting["molecule"] = [self._relax_molecule(m) for m in self.conformers]
        one = self.conformers[0]
        self.waiting["ions"] = []
        if is_salt(one):
            try:
                for ion in ions_of(one):
                    get_theory(self.theory).check_charge(ion.charge)
                self.waiting["ions"] = [
                    start_task(molecule_task, ion, self.theory, s.relax, s.box_vacuum_ang)
                    for ion in ions_of(one)
                ]
            except (TheoryError, InvalidStructureError) as error:
                self.ions_reason = str(error)

    def _relax_molecule(self, molecule: Molecule) -> Any:
        s = self.settings
        return start_task(molecule_task, molecule, self.theory, s.relax, s.box_vacuum_ang)

    def collect_molecule(self) -> None:
        """Take the lowest conformer as the reference.

        Raises
        ------
        NotConvergedError
            One of them did not converge.
        EvidenceError
            Its box is too small.
        """
        found = [f.result() for f in self.waiting.pop("molecule")]
        for one in found:
            one.relaxed.require_converged()
            self._check_box(one)
        self.molecule = min(found, key=lambda m: m.relaxed.energy_eV)
        ions = [f.result() for f in self.waiting.pop("ions")]
        self.ions = tuple(self._molecule_term(ion, "by itself") for ion in ions)

    def _check_box(self, one: MoleculeEnergy) -> None:
        shift, limit = one.box_shift_eV, self.settings.box_tolerance_eV
        if shift is not None and abs(shift) > limit:
            raise EvidenceError(
                f"The box around {one.molecule.name or one.molecule.formula} is too small: a "
                f"wider one changes its energy by {shift:+.4f} eV, more than {limit:g} eV. Enlarge "
                f"box_vacuum_ang ({self.settings.box_vacuum_ang:g} A)."
            )

    # ---- 2. starts and their screening

    def submit_screens(self, surface: Structure) -> None:
        """Place the molecule on the relaxed surface, relax every start for some steps."""
        s, molecule = self.settings, self.molecule_energy().molecule
        self.starts = self.given_starts or self.place(surface, molecule)
        bare = self.starts[0].structure.without(self.starts[0].adsorbate)
        short = wider(s.relax, s.screen_steps)
        self.waiting["surface"] = self._relax_held(bare, s.relax, self.host)
        self.waiting["screens"] = [
            self._relax_held(start.structure, short, self.whole) for start in self.starts
        ]

    def place(self, surface: Structure, molecule: Molecule) -> tuple[AdsorptionStart, ...]:
        """Return seeded starts of the molecule on a surface.

        Raises
        ------
        AdsorptionError
            It does not fit, or the surface has no vacuum.
        """
        from superionic.structures.adsorption import adsorption_starts

        s = self.settings
        return adsorption_starts(
            surface, molecule, count=s.starts, side=s.side, seed=s.seed, vacuum_ang=s.vacuum_ang,
            mirror=s.mirror, min_image_ang=s.min_image_ang,
        )  # fmt: skip

    def _relax_held(self, structure: Structure, settings: RelaxSettings, e: Electrons) -> Any:
        return start_task(relax_held_task, structure, self.theory, settings, self.held, e)

    def submit_finals(self) -> None:
        """Relax the lowest of the screened starts to the end."""
        self.screens = [settled(f) for f in self.waiting.pop("screens")]
        relaxed = [k for k, r in enumerate(self.screens) if isinstance(r, RelaxResult)]
        ranked = sorted(relaxed, key=lambda k: (self._screen(k).energy_eV, k))
        self.waiting["finals"] = {
            k: self._relax_held(self._screen(k).structure, self.settings.relax, self.whole)
            for k in ranked[: self.settings.keep]
        }
        relaxed_surface = self.waiting.pop("surface").result().require_converged()
        self.surface = self._of_surface(relaxed_surface, "as cut")

    def _screen(self, k: int) -> RelaxResult:
        found = self.screens[k]
        if isinstance(found, str):
            raise EvidenceError(f"Start {self.starts[k].key} has no energy: {found}")
        return found

    # ---- 3. references again, from the best complex

    def submit_references(self) -> None:
        """Relax surface and molecule once more, from where the best complex has left them."""
        self.finals = {k: settled(f) for k, f in self.waiting.pop("finals").items()}
        best = self.best
        if best is None:
            return
        structure = self.final(best).structure
        there = structure.without(self.starts[best].adsorbate)
        self.waiting["again"] = self._relax_held(there, self.settings.relax, self.host)
        self.waiting["molecule again"] = self._relax_molecule(self.molecule_there(best))

    def collect_references(self) -> None:
        """Take over a reference that was found lower than before."""
        if self.best is None:
            return
        again = settled(self.waiting.pop("again"))
        surface, limit = self.surface_term(), self.settings.lower_eV
        fell = fall_eV(surface.energy_eV, again, limit_eV=limit, what="surface", notes=self.notes)
        if fell and isinstance(again, RelaxResult):
            self.surface, self.surface_fell_eV = self._of_surface(again, "from the complex"), fell
        one = settled(self.waiting.pop("molecule again"))
        known = self.molecule_energy()
        relaxed = one.relaxed if isinstance(one, MoleculeEnergy) else one
        fell = fall_eV(
            known.relaxed.energy_eV, relaxed, limit_eV=limit, what="molecule", notes=self.notes
        )
        if fell and isinstance(one, MoleculeEnergy):
            self._check_box(one)
            self.molecule, self.molecule_fell_eV = one, fell

    # ---- what is known

    def final(self, k: int) -> RelaxResult:
        """Return a start relaxed to the end."""
        found = self.finals[k]
        if isinstance(found, str):
            raise EvidenceError(f"Start {self.starts[k].key} has no energy: {found}")
        return found

    @property
    def best(self) -> int | None:
        """Index of the start that is lowest among those that can have a value."""
        good = [k for k in self.finals if self.state_of(k)[0] == "converged"]
        return min(good, key=lambda k: (self.final(k).energy_eV, k), default=None)

    def state_of(self, k: int) -> tuple[StartState, str]:
        """Return what became of a start, and why."""
        if isinstance(self.screens[k], str):
            return "failed", str(self.screens[k])
        if k not in self.finals:
            return "screened-out", f"not among the {self.settings.keep} lowest after screening"
        found = self.finals[k]
        if isinstance(found, str):
            return "failed", found
        if not found.converged:
            return "unconverged", (
                f"force {found.fmax_eV_per_A:.3f} eV/A after {self.settings.relax.max_steps} steps"
            )
        broken = self._broken_bond(k)
        if broken:
            return "not-intact", broken
        gap = _gap(found.structure, self.starts[k].adsorbate)
        if gap > self.settings.desorbed_ang:
            return "desorbed", f"the nearest atom of the surface is {gap:.1f} A away"
        return "converged", ""

    def molecule_there(self, k: int) -> Molecule:
        """Return the molecule as it is in a relaxed complex."""
        index = list(self.starts[k].adsorbate)
        free = self.molecule_energy().molecule
        return free.with_positions(self.final(k).structure.positions[index])

    def _broken_bond(self, k: int) -> str:
        free = self.molecule_energy().molecule
        broken = broken_bond(free, self.molecule_there(k).positions)
        return f"{broken}: this is a reaction, not adsorption" if broken else ""

    def complex_term(self, k: int) -> EnergyTerm:
        """Return a relaxed complex as a term."""
        return self._term("complex", self.final(k), self.whole.charge, self.starts[k].key)

    def molecule_term(self) -> EnergyTerm:
        """Return the molecule by itself as a term."""
        return self._molecule_term(self.molecule_energy(), "by itself")

    def _molecule_term(self, one: MoleculeEnergy, origin: str) -> EnergyTerm:
        return self._term("molecule", one.relaxed, one.molecule.charge, origin, held=())

    def _of_surface(self, relaxed: RelaxResult, origin: str) -> EnergyTerm:
        return self._term("surface", relaxed, self.host.charge, origin)

    def _term(
        self,
        role: Role,
        relaxed: RelaxResult,
        charge: int,
        origin: str,
        held: tuple[int, ...] | None = None,
    ) -> EnergyTerm:
        return EnergyTerm(
            role=role,
            structure=relaxed.structure,
            energy_eV=relaxed.energy_eV,
            converged=relaxed.converged,
            fmax_eV_per_A=relaxed.fmax_eV_per_A,
            theory=relaxed.theory,
            settings_hash=self.hash,
            charge=charge,
            held=self.held if held is None else held,
            origin=origin,
            force_calls=relaxed.force_calls,
        )

    def molecule_energy(self) -> MoleculeEnergy:
        """Return the reference of the molecule, once it was relaxed."""
        if self.molecule is None:
            raise EvidenceError("The molecule has not been relaxed yet.")
        return self.molecule

    def surface_term(self) -> EnergyTerm:
        """Return the reference of the surface, once it was relaxed."""
        if self.surface is None:
            raise EvidenceError("The surface has not been relaxed yet.")
        return self.surface


def _gap(structure: Structure, adsorbate: Sequence[int]) -> float:
    """Return the least distance between adsorbate and surface, in angstrom."""
    mine = np.zeros(len(structure), dtype=bool)
    mine[list(adsorbate)] = True
    apart = structure.positions[mine][:, None] - structure.positions[~mine][None]
    short = minimum_image(apart.reshape(-1, 3), structure.cell, structure.pbc)
    return float(np.linalg.norm(short, axis=1).min())
