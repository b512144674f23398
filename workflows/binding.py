"""From a surface and a molecule to a binding energy with its evidence.

Inside ``with Run(folder):`` the tasks run side by side and are resumed; elsewhere they run here,
one after the other. The sign convention is that of `superionic.analysis.binding_terms`.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from superionic.analysis.binding import BindingResult, LevelBinding, StartOutcome
from superionic.analysis.binding_terms import binding_energy, split_binding
from superionic.structures.errors import (
    EvidenceError,
    NotConvergedError,
    TaskFailedError,
)
from superionic.structures.salts import ions_of, is_salt
from superionic.workflows.binding_settings import BindingSettings, held_atoms
from superionic.workflows.binding_study import Study, start_task
from superionic.workflows.binding_tasks import (
    Electrons,
    Geometries,
    LevelEnergies,
    eeq_task,
    level_task,
    relax_held_task,
)
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from superionic.analysis.binding import BindingVerdict, ChargeTransfer
    from superionic.analysis.binding_terms import EnergyTerm, FiveEnergies
    from superionic.structures.adsorption import AdsorptionStart
    from superionic.structures.molecule import Molecule
    from superionic.structures.structure import Structure

__all__ = ["BindingSettings", "Electrons", "find_binding", "find_bindings"]

NO_CHARGE: Electrons = Electrons()
"""A neutral surface with paired spins."""


def find_binding(
    surface: Structure,
    molecule: Molecule,
    *,
    theory: str,
    settings: BindingSettings | None = None,
    conformers: Sequence[Molecule] = (),
    host: Electrons = NO_CHARGE,
    starts: Sequence[AdsorptionStart] | None = None,
) -> BindingResult:
    """Find the binding energy of a molecule on a surface.

    Parameters
    ----------
    surface
        A slab with a vacuum, or a cluster that does not repeat; it is relaxed first.
    molecule
        What binds.
    theory
        Level of theory of all terms.
    settings
        How to search; those of `BindingSettings` by default.
    conformers
        Other shapes of the molecule; the lowest by itself is the reference and is placed.
    host
        Charge and spin of the surface.
    starts
        Starts of the caller's own, the surface's atoms first; by default
        `superionic.structures.adsorption.adsorption_starts` makes them.

    Returns
    -------
    BindingResult
        Without a value, and with the reason, where the evidence for one is missing.

    Raises
    ------
    TheoryError
        The level of theory takes no charge, or cannot compute this surface.
    UnknownElementError
        It does not know an element.
    InvalidSlabError
        The surface is a crystal without a vacuum, or its vacuum is too thin.
    AdsorptionError
        The molecule is too large for the cell, or the surface is a cluster and ``starts`` is empty.
    InvalidStructureError
        The conformers are different molecules.
    """
    (found,) = find_bindings(
        surface,
        [(molecule, *conformers)],
        theory=theory,
        settings=settings,
        host=host,
        starts=None if starts is None else [tuple(starts)],
    )
    return found


def find_bindings(
    surface: Structure,
    molecules: Sequence[Sequence[Molecule]],
    *,
    theory: str,
    settings: BindingSettings | None = None,
    host: Electrons = NO_CHARGE,
    starts: Sequence[Sequence[AdsorptionStart]] | None = None,
) -> tuple[BindingResult, ...]:
    """Find the binding energies of several molecules on one surface, side by side.

    Parameters and errors as in `find_binding`; each molecule is given as its conformers.
    """
    own = settings or BindingSettings()
    held = held_atoms(surface, own.held_fraction, side=own.side)
    studies = [
        Study(
            conformers=tuple(conformers),
            theory=theory,
            settings=own,
            host=host,
            held=held,
            given_starts=None if starts is None else tuple(starts[k]),
        )
        for k, conformers in enumerate(molecules)
    ]
    _check(surface, studies, theory, host)
    relaxing = start_task(relax_held_task, surface, theory, own.relax, held, host)
    flow = _Flow(studies)
    flow.each(Study.submit_molecule)
    flow.each(Study.collect_molecule)
    flow.each(lambda study: study.submit_screens(_relaxed(relaxing)))
    flow.each(Study.submit_finals)
    flow.each(Study.submit_references)
    flow.each(Study.collect_references)
    flow.each(_submit_levels)
    return tuple(_result(study, flow.failures.get(id(study)), surface.formula) for study in studies)


class _Flow:
    """Takes studies through a stage; one that fails goes no further and keeps its reason."""

    def __init__(self, studies: Sequence[Study]) -> None:
        self.studies = studies
        self.failures: dict[int, tuple[BindingVerdict, str]] = {}

    def each(self, stage: Callable[[Study], None]) -> None:
        """Run a stage of all studies."""
        for study in self.studies:
            if id(study) in self.failures:
                continue
            try:
                stage(study)
            except NotConvergedError as error:
                self.failures[id(study)] = ("unconverged", str(error))
            except (EvidenceError, TaskFailedError) as error:
                self.failures[id(study)] = ("failed", str(error))


def _check(surface: Structure, studies: Sequence[Study], theory: str, host: Electrons) -> None:
    """Refuse before anything is computed what cannot work."""
    from superionic.structures.structure import check_no_overlap
    from superionic.workflows.preflight import check_elements, check_vacuum

    check_no_overlap(surface)
    level = get_theory(theory)
    levels = {theory, *(name for study in studies for name in study.settings.levels)}
    for name in levels:
        check_elements(name, surface.symbols)
        for study in studies:
            check_elements(name, study.conformers[0].symbols)
    level.check(surface, charge=host.charge, spin_multiplicity=host.spin_multiplicity)
    if any(surface.pbc):
        check_vacuum(surface, theory)
        held_atoms(surface, 1.0)
    for study in studies:
        if not study.given_starts:
            for molecule in study.conformers:
                study.place(surface, molecule)


def _relaxed(future: Any) -> Structure:
    """Return the surface as it relaxed."""
    structure: Structure = future.result().require_converged().structure
    return structure


# ---- levels side by side


def _submit_levels(study: Study) -> None:
    """Compute the five energies at every level, at the geometries of the best start."""
    best = study.best
    if best is None:
        return
    geometries = _geometries(study, best)
    wanted: dict[str, list[str]] = {}
    for name in (study.theory, *study.settings.levels):
        base, _, dispersion = name.partition("+")
        kinds = wanted.setdefault(base, [])
        if dispersion and dispersion not in kinds:
            kinds.append(dispersion)
    study.waiting["levels"] = [
        start_task(level_task, geometries, base, tuple(kinds)) for base, kinds in wanted.items()
    ]
    study.waiting["eeq"] = []
    if study.settings.eeq:
        if importlib.util.find_spec("dftd4") is None:
            study.notes.append("No EEQ charges: the Python package 'dftd4' is not installed.")
        else:
            study.waiting["eeq"] = [start_task(eeq_task, geometries)]


def _geometries(study: Study, best: int) -> Geometries:
    """Return the structures behind the value."""
    complex_, surface = study.complex_term(best).structure, study.surface_term().structure
    reference = study.molecule_energy().molecule
    ions = ions_of(reference) if is_salt(reference) and not _uncharged(reference) else ()
    return Geometries(
        complex=complex_,
        surface=surface,
        surface_there=complex_.without(study.starts[best].adsorbate),
        molecule=reference,
        molecule_there=study.molecule_there(best),
        ions=ions,
        host=study.host,
        box_vacuum_ang=study.settings.box_vacuum_ang,
    )


def _uncharged(molecule: Molecule) -> str:
    """Return why the ions of a salt are not known; nothing where they are."""
    from superionic.structures.errors import InvalidStructureError

    try:
        ions_of(molecule)
    except InvalidStructureError as error:
        return str(error)
    return ""


def _levels(study: Study, found: Sequence[LevelEnergies]) -> tuple[LevelBinding, ...]:
    """Return every level asked for, that of the geometries first."""
    by_base = {one.base: one for one in found}
    names = dict.fromkeys((study.theory, *study.settings.levels))
    return tuple(_level(study, name, by_base[name.partition("+")[0]]) for name in names)


def _level(study: Study, name: str, found: LevelEnergies) -> LevelBinding:
    """Return the binding energy at one level."""
    level = get_theory(name)
    added = dict(found.added).get(level.dispersion)
    whole = found.energies if added is None else found.energies + added
    separated, reason = None, found.ions_reason
    if name == study.theory:
        whole = _relaxed_energies(study, whole)
        if study.ions:
            separated = whole.complex_eV - whole.surface_eV
            separated -= sum(ion.energy_eV for ion in study.ions)
        reason = study.ions_reason
    elif found.ions_eV is not None:
        separated = whole.complex_eV - whole.surface_eV - found.ions_eV
        if added is not None:
            separated, reason = None, "dispersion of the ions alone was not computed"
    return LevelBinding(
        theory=name,
        geometry=study.theory,
        parts=split_binding(whole, added, separable=not level.own_dispersion),
        separated_ions_eV=separated,
        separated_reason=reason,
    )


def _relaxed_energies(study: Study, single: FiveEnergies) -> FiveEnergies:
    """Return single points with the three relaxed energies in the place of their repetition."""
    best = study.best
    if best is None:
        raise EvidenceError("No start converged.")
    return replace(
        single,
        complex_eV=study.complex_term(best).energy_eV,
        surface_eV=study.surface_term().energy_eV,
        molecule_eV=study.molecule_term().energy_eV,
    )


# ---- the result


def _result(
    study: Study, failure: tuple[BindingVerdict, str] | None, surface: str
) -> BindingResult:
    """Return what is known of one molecule."""
    best = study.best if failure is None else None
    levels: tuple[LevelBinding, ...] = ()
    charges: tuple[ChargeTransfer, ...] = ()
    if best is not None:
        try:
            found = [future.result() for future in study.waiting.pop("levels")]
            eeq = [future.result() for future in study.waiting.pop("eeq")]
            levels = _levels(study, found)
            charges = (*(c for one in found for c in one.charges), *eeq)
        except TaskFailedError as error:
            failure, best = ("failed", str(error)), None
    elif failure is None:
        failure = _no_value(study)
    verdict, reason = failure or ("converged", "")
    one = study.conformers[0]
    terms: tuple[EnergyTerm, ...] = ()
    value = None
    if best is not None:
        terms = (study.complex_term(best), study.surface_term(), study.molecule_term())
        value = binding_energy(terms[0], terms[1], terms[2:])
    return BindingResult(
        molecule=one.name or one.formula,
        molecule_formula=one.formula,
        surface_formula=surface,
        theory=study.theory,
        verdict=verdict,
        reason=reason,
        binding_energy_eV=value,
        parts=levels[0].parts if levels else None,
        starts=_outcomes(study, value is not None),
        best_start="" if best is None else study.starts[best].key,
        settings_hash=study.hash,
        terms=terms,
        adsorbate=() if best is None else tuple(study.starts[best].adsorbate),
        surface_fell_eV=study.surface_fell_eV,
        molecule_fell_eV=study.molecule_fell_eV,
        box_shift_eV=study.molecule.box_shift_eV if study.molecule else None,
        levels=levels,
        charges=charges,
        notes=(*study.notes, *(_lower_unconverged(study, best) if best is not None else ())),
    )


def _no_value(study: Study) -> tuple[BindingVerdict, str]:
    """Say why no start has a value."""
    told = [study.state_of(k) for k in study.finals]
    states = [state for state, _ in told]
    count = "; ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states)) or "none was relaxed"
    reasons = "; ".join(dict.fromkeys(reason for _, reason in told)) or "all starts failed"
    verdict: BindingVerdict = "unconverged" if "unconverged" in states else "failed"
    return verdict, f"No start has a value: {count} ({reasons})."


def _lower_unconverged(study: Study, best: int) -> tuple[str, ...]:
    """Tell of starts that are lower than the best and have no value."""
    value = study.final(best).energy_eV
    found = []
    for k in study.finals:
        state, _ = study.state_of(k)
        if state == "unconverged" and study.final(k).energy_eV < value:
            found.append(
                f"Start {study.starts[k].key} is not converged and lies "
                f"{value - study.final(k).energy_eV:.3f} eV below the best: the molecule binds at "
                "least this much more strongly. Allow more steps."
            )
    return tuple(found)


def _outcomes(study: Study, has_value: bool) -> tuple[StartOutcome, ...]:
    """Return what became of every start."""
    energies = [None if isinstance(s, str) else s.energy_eV for s in study.screens]
    lowest = min((e for e in energies if e is not None), default=0.0)
    found = []
    for k, start in enumerate(study.starts[: len(study.screens)]):
        state, reason = study.state_of(k) if study.finals or study.best is None else ("failed", "")
        final = study.finals.get(k)
        relaxed = final if final is not None and not isinstance(final, str) else None
        energy = relaxed.energy_eV if relaxed is not None and relaxed.converged else None
        value = None
        if state == "converged":
            if has_value and energy is not None:
                value = energy - study.surface_term().energy_eV
                value -= study.molecule_term().energy_eV
            else:
                state, reason = "failed", "converged, but there is no reference for it"
        screen = energies[k]
        screened = study.screens[k]
        found.append(
            StartOutcome(
                key=start.key,
                site=start.site,
                state=state,
                reason=reason,
                screen_eV=None if screen is None else screen - lowest,
                energy_eV=energy,
                binding_energy_eV=value,
                fmax_eV_per_A=relaxed.fmax_eV_per_A if relaxed is not None else None,
                force_calls=(0 if isinstance(screened, str) else screened.force_calls)
                + (relaxed.force_calls if relaxed is not None else 0),
            )
        )
    return tuple(found)
