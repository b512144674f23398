"""What a study of one molecule has found: levels side by side, starts, the value or its absence."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from superionic.analysis.binding import BindingResult, LevelBinding, StartOutcome
from superionic.analysis.binding_terms import binding_energy, split_binding
from superionic.structures.errors import (
    EvidenceError,
    InvalidStructureError,
    TaskFailedError,
)
from superionic.structures.salts import ions_of, is_salt
from superionic.workflows.binding_tasks import (
    Geometries,
    LevelEnergies,
    dispersion_task,
    eeq_task,
    level_task,
)
from superionic.workflows.start_task import start_task
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from superionic.analysis.binding import BindingVerdict, ChargeTransfer
    from superionic.analysis.binding_terms import EnergyTerm, FiveEnergies
    from superionic.structures.molecule import Molecule
    from superionic.workflows.binding_study import Study

# ---- levels side by side


def submit_levels(study: Study) -> None:
    """Compute energies at every level, at the geometries of the best start."""
    best = study.best
    if best is None:
        return
    geometries = _geometries(study, best)
    names = list(dict.fromkeys((study.theory, *study.settings.levels)))
    bases = dict.fromkeys(name.partition("+")[0] for name in names)
    added: dict[tuple[str, bool], list[str]] = {}
    for name in names:
        level = get_theory(name)
        if level.dispersion:
            kinds = added.setdefault((level.dispersion_functional, level.needs_box), [])
            kinds += [level.dispersion] if level.dispersion not in kinds else []
    own = get_theory(study.theory).base
    study.waiting["levels"] = {
        # a method with dispersion of its own is slow, and cannot be split in full anyway
        base: start_task(
            level_task, geometries, base, base == own or not get_theory(base).own_dispersion
        )
        for base in bases
    }
    study.waiting["dispersion"] = {
        (functional, needs_box): start_task(
            dispersion_task, geometries, tuple(kinds), functional, needs_box
        )
        for (functional, needs_box), kinds in added.items()
    }
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
    try:
        ions_of(molecule)
    except InvalidStructureError as error:
        return str(error)
    return ""


def _levels(study: Study, found: dict[str, LevelEnergies]) -> tuple[LevelBinding, ...]:
    """Return every level asked for, that of the geometries first."""
    added = {key: dict(f.result()) for key, f in study.waiting.pop("dispersion").items()}
    levels = []
    for name in dict.fromkeys((study.theory, *study.settings.levels)):
        level = get_theory(name)
        dispersion = None
        if level.dispersion:
            key = (level.dispersion_functional, level.needs_box)
            dispersion = added[key][level.dispersion]
        levels.append(_level(study, name, found[level.base], dispersion))
    return tuple(levels)


def _level(
    study: Study, name: str, found: LevelEnergies, added: FiveEnergies | None
) -> LevelBinding:
    """Return the binding energy at one level."""
    whole = found.energies if added is None else found.energies + added
    separated, reason = None, found.ions_reason
    if name == study.theory:
        whole = _relaxed_energies(study, whole)
        reason = study.ions_reason
        if study.ions:
            ions = sum(ion.energy_eV for ion in study.ions)
            separated = whole.complex_eV - whole.surface_eV - ions
    elif found.ions_eV is not None:
        if added is None:
            separated = whole.complex_eV - whole.surface_eV - found.ions_eV
        else:
            reason = "dispersion of the ions alone was not computed"
    return LevelBinding(
        theory=name,
        geometry=study.theory,
        binding_energy_eV=whole.binding_eV,
        parts=split_binding(whole, added, separable=not get_theory(name).own_dispersion),
        separated_ions_eV=separated,
        separated_reason=reason,
        energies=(found.energies,) if added is None else (found.energies, added),
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


def result_of(
    study: Study, failure: tuple[BindingVerdict, str] | None, surface: str
) -> BindingResult:
    """Return what is known of one molecule."""
    best = study.best if failure is None else None
    levels: tuple[LevelBinding, ...] = ()
    charges: tuple[ChargeTransfer, ...] = ()
    if best is not None:
        try:
            found = {base: f.result() for base, f in study.waiting.pop("levels").items()}
            eeq = [future.result() for future in study.waiting.pop("eeq")]
            levels = _levels(study, found)
            charges = (*(c for one in found.values() for c in one.charges), *eeq)
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
    reasons = "; ".join(dict.fromkeys(_cause(reason) for _, reason in told)) or "all starts failed"
    verdict: BindingVerdict = "unconverged" if "unconverged" in states else "failed"
    return verdict, f"No start has a value: {count} ({reasons})."


def _cause(reason: str) -> str:
    """Return why a task failed, without its name, so that equal causes are told once."""
    found = re.fullmatch(r"\S+ failed: (?:\w+: )?(.+?)(?: \(details in .+\))?", reason)
    return found[1].rstrip(".") if found else reason


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
