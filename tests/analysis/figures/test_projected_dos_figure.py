"""Projected densities of states with their centres, as drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from superionic.analysis.band_centre import CentreDefinition, StateGroup, band_centres
from superionic.analysis.electronic import ProjectedDOS
from superionic.analysis.figures.projected_dos import (
    DosPanel,
    band_centres_data,
    projected_dos,
    projected_dos_data,
)
from superionic.analysis.figures.style import save_figure
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

ENERGIES = np.linspace(-12.0, 8.0, 401)


def made(symbols: tuple[str, ...] = ("Fe", "Ni", "O"), spins: int = 2) -> ProjectedDOS:
    projected = np.zeros((spins, len(symbols), 3, len(ENERGIES)))
    for spin in range(spins):
        for atom in range(len(symbols)):
            for shell in range(3):
                place = -4.0 + 1.5 * spin + 0.8 * atom + 0.3 * shell
                projected[spin, atom, shell] = np.exp(-((ENERGIES - place) ** 2))
    return ProjectedDOS(
        energies_eV=ENERGIES, total=projected.sum(axis=(1, 2)), projected=projected,
        orbitals=("s", "p", "d"), symbols=symbols, reference="fermi", reference_eV=-5.0,
        fermi_eV=0.0, width_eV=0.1, electrons=20.0, projection="Loewdin", theory="pyscf-pbe",
    )  # fmt: skip


def line(ax: Axes, gid: str) -> tuple[np.ndarray, np.ndarray]:
    found = next(x for x in ax.lines if x.get_gid() == gid)
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


def test_curves_and_centres_are_where_the_numbers_are(tmp_path: Path) -> None:
    dos = made()
    panel = DosPanel("Fe2Ni", dos, evidence="converged")
    wanted = (CentreDefinition(), CentreDefinition("occupied", "down"))
    figure = projected_dos((panel,), definitions=wanted, window_eV=(-8.0, 4.0))
    (ax,) = figure.axes
    x, y = line(ax, "Fe d 1")
    keep = (ENERGIES >= -8.0) & (ENERGIES <= 4.0)
    assert x == pytest.approx(ENERGIES[keep])
    assert y == pytest.approx(-dos.on(element="Fe", orbital="d", spin=1)[keep])
    for centre in band_centres(dos, [StateGroup("Ni d", "d", "Ni")], wanted):
        drawn, _ = line(ax, f"centre Ni d {centre.definition.name}")
        assert drawn == pytest.approx([centre.centre_eV, centre.centre_eV])
    assert not [x for x in ax.lines if str(x.get_gid()).startswith("centre O p")]
    data = projected_dos_data((panel,), window_eV=(-8.0, 4.0))
    assert {row[2] for row in data.rows} == {"total", "Fe d", "Ni d", "O p"}
    assert len(data.rows) == 4 * 2 * np.count_nonzero(keep)
    saved = save_figure(figure, tmp_path / "pdos", data)
    assert saved.png.stat().st_size > 10_000


def test_panels_share_colours_and_one_spin_stays_above() -> None:
    panels = (DosPanel("a", made(("Co", "O"))), DosPanel("b", made(("Fe", "Co", "O"), spins=1)))
    figure = projected_dos(panels)
    first, second = figure.axes
    colours = [
        next(x for x in ax.lines if x.get_gid() == "Co d 0").get_color() for ax in (first, second)
    ]
    assert colours[0] == colours[1]
    assert second.get_ylim()[0] == 0.0
    assert first.get_ylim()[0] < 0.0


def test_without_a_metal_all_valence_shells_are_drawn() -> None:
    panel = DosPanel("water", made(("H", "N")))
    assert [g.label for g in panel.series()] == ["H s", "N s", "N p"]
    figure = projected_dos((panel,))
    assert not [x for x in figure.axes[0].lines if str(x.get_gid()).startswith("centre")]


def test_a_table_of_centres() -> None:
    centres = band_centres(made(), wanted=[CentreDefinition(window_eV=(-5.0, 5.0))])
    table = band_centres_data([("Fe2Ni", c) for c in centres])
    assert [row[1] for row in table.rows] == ["Fe d", "Ni d"]
    assert table.rows[0][4:6] == (-5.0, 5.0)


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(EvidenceError, match="at least one panel"):
        projected_dos(())
    with pytest.raises(EvidenceError, match="No energies"):
        projected_dos((DosPanel("a", made()),), window_eV=(20.0, 30.0))
