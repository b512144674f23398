"""`superionic binding`: from a surface and a molecule to a binding energy, in one folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import typer

from superionic.analysis.binding import SIGN_CONVENTION
from superionic.structures.errors import AdsorptionError, NoHopFoundError
from superionic.workflows.commands.adsorb import as_options
from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_json,
    emit_table,
    note,
    plain,
    say,
)
from superionic.workflows.commands.folders import claim_folder, flattened
from superionic.workflows.commands.loading import load_atoms

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.binding import BindingResult
    from superionic.structures.molecule import Molecule
    from superionic.structures.structure import Structure
    from superionic.workflows.binding_settings import BindingSettings


@dataclass(frozen=True)
class BindingRequest:
    """What `superionic binding` was asked for.

    Attributes
    ----------
    surface, molecule : str
        File or packaged crystal; packaged name, SMILES or file.
    theory : str
        Level of theory.
    levels : tuple of str
        Others to show beside it.
    charge : int or None
        Of the molecule, in e.
    conformers : int
        Shapes from the molecule's SMILES that are relaxed too; the lowest is the reference.
    starts, screen_steps, keep, max_steps : int
        As in `BindingSettings`.
    fmax_eV_per_A, vacuum_ang, held_fraction, min_image_ang : float
        As there.
    side : str
        ``top`` or ``bottom``.
    mirror : bool
        Start from both hands of the molecule.
    seed : int
        Of every random choice.
    settle : str
        Element of mobile ions that are tried in other places of the face first; may be empty.
    """

    surface: str
    molecule: str
    theory: str
    levels: tuple[str, ...]
    charge: int | None
    conformers: int
    starts: int
    screen_steps: int
    keep: int
    max_steps: int
    fmax_eV_per_A: float
    vacuum_ang: float
    held_fraction: float
    min_image_ang: float
    side: Any
    mirror: bool
    seed: int
    settle: str = ""

    def settings(self) -> BindingSettings:
        """Return how the binding energy is found."""
        from superionic.workflows.binding_settings import BindingSettings
        from superionic.workflows.relax import RelaxSettings

        return BindingSettings(
            relax=RelaxSettings(fmax_eV_per_A=self.fmax_eV_per_A, max_steps=self.max_steps),
            starts=self.starts,
            screen_steps=self.screen_steps,
            keep=min(self.keep, self.starts),
            held_fraction=self.held_fraction,
            vacuum_ang=self.vacuum_ang,
            side=self.side,
            min_image_ang=self.min_image_ang,
            mirror=self.mirror,
            levels=self.levels,
            eeq=True,
            seed=self.seed,
        )

    def molecules(self) -> tuple[Molecule, ...]:
        """Return the molecule and other shapes of it."""
        from superionic.structures.conformers import same_shape
        from superionic.structures.molecules import find_conformers, find_molecule

        given = find_molecule(self.molecule, charge=self.charge, seed=self.seed)
        found = [given]
        if given.smiles and self.conformers and len(given) > 1:
            shapes = find_conformers(
                given.smiles, name=given.name, charge=given.charge, seed=self.seed
            )
            for shape in shapes[: self.conformers]:
                if not any(same_shape(shape.molecule, other) for other in found):
                    found.append(shape.molecule)
        return tuple(found)


def run_binding(
    request: BindingRequest,
    *,
    out: Path,
    workers: int | None,
    progress: bool,
    as_json: bool,
) -> None:
    """Find a binding energy, write it out and say what was found.

    Leaves with exit code 1 unless there is a value.
    """
    from superionic.workflows.binding import check_binding, find_binding
    from superionic.workflows.commands.binding_files import write_binding
    from superionic.workflows.execution import Run
    from superionic.workflows.serialise import canonical_hash

    with chatter_to_stderr():
        surface = load_atoms(request.surface).structure
        settings, molecules = request.settings(), request.molecules()
        if request.settle and request.settle not in surface.symbols:
            raise NoHopFoundError(
                f"There is no {request.settle} on the surface to settle: it holds "
                f"{', '.join(dict.fromkeys(surface.symbols))}. Correct --settle, or leave it out."
            )
        try:
            check_binding(surface, [molecules], theory=request.theory, settings=settings)
        except AdsorptionError as error:
            raise AdsorptionError(as_options(str(error))) from error
        folder = claim_folder(
            out,
            "binding",
            {
                "surface": surface.formula,
                "surface_atoms": canonical_hash(surface),
                "molecule": molecules[0].name,
                "molecule_atoms": canonical_hash(molecules),
                "theory": request.theory,
                "settle": request.settle,
                **flattened("binding", plain(settings)),
            },
        )
        with Run(folder, workers=workers, progress=progress):
            surface, remarks = _settled(request, surface, settings)
            found = find_binding(
                surface,
                molecules[0],
                conformers=molecules[1:],
                theory=request.theory,
                settings=settings,
            )
        result = replace(found, notes=(*remarks, *found.notes))
        write_binding(folder, result)
    if as_json:
        emit_json(row(result))
    else:
        _show(result, folder)
    if result.binding_energy_eV is None:
        note(f"error: no binding energy: {result.reason}")
        raise typer.Exit(1)


def _settled(
    request: BindingRequest, surface: Structure, settings: BindingSettings
) -> tuple[Structure, tuple[str, ...]]:
    """Relax the surface and move its ions where that was asked for; say what came of it."""
    from superionic.workflows.binding_settings import held_atoms
    from superionic.workflows.binding_tasks import relax_held_task
    from superionic.workflows.surface_ions import SurfaceIonSettings, settle_surface_ions

    if not request.settle:
        return surface, ()
    held = held_atoms(surface, settings.held_fraction, side=settings.side)
    relaxed = relax_held_task.submit(surface, request.theory, settings.relax, held).result()
    found = settle_surface_ions(
        relaxed,
        ion=request.settle,
        theory=request.theory,
        relax=settings.relax,
        settings=SurfaceIonSettings(seed=request.seed),
        held=held,
        side=settings.side,
    )
    end = "nothing lower was found in the last round" if found.exhausted else "a lower may exist"
    told = (
        f"{request.settle} of the face were tried in {found.tried} other places; the face fell by "
        f"{found.fell_eV:.3f} eV, and {end}."
    )
    return found.structure, (told,)


def row(result: BindingResult) -> dict[str, Any]:
    """Return a result as plain JSON values, without structures."""
    found: dict[str, Any] = {
        "molecule": result.molecule,
        "molecule_formula": result.molecule_formula,
        "surface_formula": result.surface_formula,
        "theory": result.theory,
        "verdict": result.verdict,
        "reason": result.reason,
        "sign_convention": SIGN_CONVENTION,
        "binding_energy_eV": result.binding_energy_eV,
        "binding_strength_eV": result.binding_strength_eV,
        "parts": result.parts,
        "spread_eV": result.spread_eV,
        "starts_tried": len(result.starts),
        "starts_relaxed": result.relaxed_starts,
        "starts_converged": result.converged_starts,
        "best_start": result.best_start,
        "settings_hash": result.settings_hash,
        "surface_fell_eV": result.surface_fell_eV,
        "molecule_fell_eV": result.molecule_fell_eV,
        "box_shift_eV": result.box_shift_eV,
        "levels": [
            {
                "theory": level.theory,
                "kind": level.kind,
                "binding_energy_eV": level.binding_energy_eV,
                "parts": level.parts,
                "separated_ions_eV": level.separated_ions_eV,
                "separated_reason": level.separated_reason,
            }
            for level in result.levels
        ],
        "charges": result.charges,
        "starts": result.starts,
        "terms": [
            {
                "role": term.role,
                "formula": term.structure.formula,
                "energy_eV": term.energy_eV,
                "fmax_eV_per_A": term.fmax_eV_per_A,
                "charge": term.charge,
                "held": term.held,
                "origin": term.origin,
                "settings_hash": term.settings_hash,
            }
            for term in result.terms
        ],
        "notes": result.notes,
    }
    return {name: plain(value) for name, value in found.items()}


def _show(result: BindingResult, folder: Path) -> None:
    """Write the value and its evidence to standard output."""
    from superionic.workflows.report.binding_blocks import summary_line

    rows: list[list[Cell]] = [
        [
            level.theory,
            level.kind,
            level.binding_energy_eV,
            level.parts.surface_deformation_eV if level.parts else None,
            level.parts.molecule_deformation_eV if level.parts else None,
            level.parts.dispersion_eV if level.parts else None,
            level.parts.rest_eV if level.parts else None,
            level.separated_ions_eV,
        ]
        for level in result.levels
    ]
    if rows:
        emit_table(
            ["theory", "kind", "E_b eV", "surface eV", "molecule eV", "dispersion eV", "rest eV",
             "against ions eV"],
            rows,
        )  # fmt: skip
    starts: list[list[Cell]] = [
        [s.key, s.state, s.binding_energy_eV, s.screen_eV, s.fmax_eV_per_A, s.force_calls, s.reason]
        for s in result.starts
    ]
    if starts:
        emit_table(
            ["start", "state", "E_b eV", "screened eV", "fmax eV/A", "calls", "remark"], starts
        )
    for moved in result.charges:
        say(f"charge of the molecule, {moved.model}: {moved.molecule_e:+.3f} e")
    for remark in result.notes:
        say(remark)
    say()
    say(summary_line(result))
    say(SIGN_CONVENTION)
    left = ("best.extxyz", "binding.csv", "report.html")
    say(f"{', '.join(n for n in left if (folder / n).is_file())} are in {folder}")
