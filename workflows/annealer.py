"""Ions of one element, moved one at a time between the sites of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.structure import Structure, minimum_image
from superionic.workflows.progress import report_progress
from superionic.workflows.relax import RelaxSettings, relax

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

    from superionic.workflows.annealing import AnnealSettings
    from superionic.workflows.evaluation import CallCounter


class Annealer:
    """An arrangement of ions on the sites of a cell, and the moves tried from it.

    Parameters
    ----------
    structure
        Where to start; positions of its ions and the empty sites are the sites.
    empty_sites, empty_labels
        Positions in angstrom (shape=(m, 3)) and labels of the empty sites.
    ion
        Chemical symbol of the mobile ion.
    calculator, settings, counter
        What computes, how, and what counts the force calls.
    """

    def __init__(
        self,
        structure: Structure,
        empty_sites: NDArray[np.float64],
        empty_labels: tuple[str, ...],
        ion: str,
        calculator: BaseCalculator,
        settings: AnnealSettings,
        counter: CallCounter,
    ) -> None:
        self.calculator, self.settings, self.counter = calculator, settings, counter
        self.ions, self.cell = structure.indices(ion), structure.cell
        self.sites = np.vstack([structure.positions[self.ions], empty_sites.reshape(-1, 3)])
        self.labels = (*(structure.labels[i] for i in self.ions), *empty_labels)
        self.tried, self.accepted, self.blocked = 0, 0, 0
        self.seen: set[frozenset[int]] = set()
        self.exhausted = False
        start = settings.final
        first = self._relax(structure, start.fmax_eV_per_A, start.max_steps)
        self.structure, self.energy = first
        self.start_energy = self.energy

    def _relax(self, structure: Structure, fmax: float, steps: int) -> tuple[Structure, float]:
        settings = RelaxSettings(fmax_eV_per_A=fmax, max_steps=steps)
        done = relax(
            structure,
            calculator=self.calculator,
            settings=settings,
            counter=self.counter,
            label=f"trial {self.tried} of at most {self.settings.max_trials}",
        )
        return done.structure, done.energy_eV

    def sites_in(self, cell: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sites in angstrom, carried along with a cell that relaxed. shape=(n, 3)."""
        return np.asarray(np.linalg.solve(self.cell.T, self.sites.T).T @ cell)

    def home(self, structure: Structure) -> NDArray[np.int64]:
        """Return the site nearest to each ion. shape=(ions,)."""
        away = structure.positions[self.ions][:, None] - self.sites_in(structure.cell)[None]
        short = minimum_image(away.reshape(-1, 3), structure.cell, structure.pbc)
        distance = np.linalg.norm(short, axis=1).reshape(len(self.ions), -1)
        return np.asarray(distance.argmin(axis=1))

    def empties(self, structure: Structure) -> NDArray[np.int64]:
        """Return the sites that no ion is nearest to, ascending."""
        return np.setdiff1d(np.arange(len(self.sites)), self.home(structure))

    def moves(self) -> list[tuple[int, int]]:
        """Return (ion, empty site) pairs within reach whose outcome is not known yet."""
        found = []
        home = self.home(self.structure)
        for k, ion in enumerate(self.ions):
            for site in self.empties(self.structure):
                gap = minimum_image(
                    self.sites[site] - self.structure.positions[ion],
                    self.structure.cell,
                    self.structure.pbc,
                )
                target = frozenset([*np.delete(home, k).tolist(), int(site)])
                if np.linalg.norm(gap) <= self.settings.max_move_ang and target not in self.seen:
                    found.append((int(ion), int(site)))
        return found

    def run(self) -> None:
        """Try moves until none is left that helps, or the limit is reached."""
        rng = np.random.default_rng(self.settings.seed)
        self.seen.add(frozenset(self.home(self.structure).tolist()))
        while True:
            moves = self.moves()
            if not moves:
                self.exhausted = True
                return
            if self.tried >= self.settings.max_trials:
                return
            ion, site = moves[int(rng.integers(len(moves)))]
            self._try(ion, site)

    def _try(self, ion: int, site: int) -> None:
        """Try one move; take it if it lowers the energy."""
        home = self.home(self.structure)
        k = int(np.flatnonzero(self.ions == ion)[0])
        self.seen.add(frozenset([*np.delete(home, k).tolist(), site]))
        positions = self.structure.positions.copy()
        positions[ion] = self.sites[site]
        trial = self.structure.with_positions(positions)
        others = np.delete(positions, ion, axis=0) - positions[ion]
        near = np.linalg.norm(minimum_image(others, trial.cell, trial.pbc), axis=1).min()
        if near < self.settings.clash_ang:
            self.blocked += 1
            return
        self.tried += 1
        fmax = self.settings.trial_fmax_eV_per_A
        trial, energy = self._relax(trial, fmax, self.settings.screen_steps)
        if energy > self.energy + self.settings.screen_window_eV:
            return
        trial, energy = self._relax(trial, fmax, self.settings.trial_steps)
        report_progress(
            step=self.tried,
            total=self.settings.max_trials,
            message=f"move {self.tried}: {energy - self.energy:+.3f} eV",
        )
        if energy < self.energy - self.settings.accept_eV:
            self.structure, self.energy = trial, energy
            self.accepted += 1

    def relabelled(self, structure: Structure) -> Structure:
        """Return the structure with each ion labelled by the site nearest to it."""
        labels = list(structure.labels)
        for ion, site in zip(self.ions, self.home(structure), strict=True):
            labels[ion] = self.labels[site]
        return Structure(
            numbers=structure.numbers,
            positions=structure.positions,
            cell=structure.cell,
            pbc=structure.pbc,
            labels=tuple(labels),
        )
