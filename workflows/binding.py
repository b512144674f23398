"""From a surface and a molecule to a binding energy with its evidence.

Inside ``with Run(folder):`` the tasks run side by side and are resumed; elsewhere they run here,
one after the other. The sign convention is that of `superionic.analysis.binding_terms`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superionic.structures.errors import (
    EvidenceError,
    InvalidSlabError,
    NotConvergedError,
    TaskFailedError,
)
from superionic.workflows.binding_results import result_of, submit_levels
from superionic.workflows.binding_settings import BindingSettings, held_atoms
from superionic.workflows.binding_study import Study
from superionic.workflows.binding_tasks import Electrons, relax_held_task
from superionic.workflows.start_task import start_task
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from superionic.analysis.binding import BindingResult, BindingVerdict
    from superionic.structures.adsorption import AdsorptionStart
    from superionic.structures.molecule import Molecule
    from superionic.structures.structure import Structure

__all__ = [
    "NO_CHARGE",
    "BindingSettings",
    "Electrons",
    "check_binding",
    "find_binding",
    "find_bindings",
]

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
        The surface is a crystal without a vacuum, its vacuum is too thin, or a slab is charged.
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
    studies = check_binding(
        surface, molecules, theory=theory, settings=own, host=host, starts=starts
    )
    held = held_atoms(surface, own.held_fraction, side=own.side)
    for study in studies:
        study.held = held
    relaxing = start_task(relax_held_task, surface, theory, own.relax, held, host)
    flow = _Flow(studies)
    flow.each(Study.submit_molecule)
    flow.each(Study.collect_molecule)
    flow.each(lambda study: study.submit_screens(_relaxed(relaxing)))
    flow.each(Study.submit_finals)
    flow.each(Study.submit_references)
    flow.each(Study.collect_references)
    flow.each(submit_levels)
    return tuple(
        result_of(study, flow.failures.get(id(study)), surface.formula) for study in studies
    )


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


def check_binding(
    surface: Structure,
    molecules: Sequence[Sequence[Molecule]],
    *,
    theory: str,
    settings: BindingSettings,
    host: Electrons = NO_CHARGE,
    starts: Sequence[Sequence[AdsorptionStart]] | None = None,
) -> tuple[Study, ...]:
    """Refuse before anything is computed what cannot work; return what would be computed.

    Parameters and errors as in `find_bindings`.
    """
    from superionic.structures.structure import check_no_overlap
    from superionic.workflows.preflight import check_elements, check_vacuum

    studies = tuple(
        Study(
            conformers=tuple(conformers),
            theory=theory,
            settings=settings,
            host=host,
            given_starts=None if starts is None else tuple(starts[k]),
        )
        for k, conformers in enumerate(molecules)
    )
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
        _check_room(studies, levels)
        _check_neutral(studies)
        held_atoms(surface, 1.0)
    for study in studies:
        if not study.given_starts:
            for molecule in study.conformers:
                study.place(surface, molecule)
    return studies


def _check_room(studies: Sequence[Study], levels: Iterable[str]) -> None:
    """Raise where a level of theory would reach from a molecule to the next image of the slab."""
    from superionic.workflows.preflight import check_vacuum

    name = max(levels, key=lambda level: (get_theory(level).cutoff_ang, level))
    reach = get_theory(name).cutoff_ang
    for study in studies:
        for start in study.given_starts or ():
            check_vacuum(start.structure, name)
        given = study.settings.vacuum_ang
        if not study.given_starts and given < reach:
            raise InvalidSlabError(
                f"A vacuum of {given:g} A above the molecule is too thin: {name} reaches "
                f"{reach:g} A, so the molecule would see the next image of the slab. Make it at "
                f"least {reach:g} A (15 is usual)."
            )


def _check_neutral(studies: Sequence[Study]) -> None:
    """Raise where a slab or what lies on it has a charge: its energy would hang on the vacuum."""
    for study in studies:
        molecule = study.conformers[0]
        if study.host.charge or molecule.charge:
            raise InvalidSlabError(
                f"A slab of charge {study.host.charge:+d} e with {molecule.name} of "
                f"{molecule.charge:+d} e repeats for ever: its energy depends on the vacuum and on "
                "the background that neutralises it. Bind a neutral pair (litfsi), or use a "
                "cluster that does not repeat."
            )


def _relaxed(future: Any) -> Structure:
    """Return the surface as it relaxed."""
    structure: Structure = future.result().require_converged().structure
    return structure
