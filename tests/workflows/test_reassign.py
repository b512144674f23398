"""Which sites are empty after ions have wandered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from superionic.structures.structure import Structure
from superionic.workflows.annealing import reassign_ions

CELL = np.diag([10.0, 10.0, 10.0])
ZIRCONIUM = np.array([[1.0, 1.0, 8.0], [6.0, 6.0, 8.0]])
SODIUM = np.array([[2.0, 2.0, 2.0], [2.0, 7.0, 2.0]])
EMPTY = np.array([[7.0, 2.0, 2.0], [7.0, 7.0, 2.0]])
DRIFT = np.array([0.4, -0.3, 0.2])


def crystal(sodium: NDArray[np.float64]) -> Structure:
    return Structure(
        numbers=np.array([40, 40, 11, 11]),
        positions=np.vstack([ZIRCONIUM, sodium]),
        cell=CELL,
        labels=("Zr1", "Zr1", "Na1", "Na2"),
    )


def test_an_ion_that_wandered_gives_its_site_up() -> None:
    before = crystal(SODIUM)
    wandered = before.with_positions(
        np.vstack([ZIRCONIUM, SODIUM[0] + 0.3, EMPTY[1] - [0.5, 0.0, 10.0]]) + DRIFT
    )
    after, sites, labels = reassign_ions(
        before, wandered, empty_sites=EMPTY, empty_labels=("Na3", "Na4"), ion="Na"
    )
    assert after.labels == ("Zr1", "Zr1", "Na1", "Na4")
    assert labels == ("Na2", "Na3")
    np.testing.assert_allclose(sites, np.array([SODIUM[1], EMPTY[0]]) + DRIFT, atol=1e-12)
    np.testing.assert_array_equal(after.positions, wandered.positions)


def test_two_ions_near_one_site_share_out() -> None:
    before = crystal(SODIUM)
    crowded = before.with_positions(
        np.vstack([ZIRCONIUM, EMPTY[0] + [0.1, 0.0, 0.0], EMPTY[0] + [0.0, 2.0, 0.0]])
    )
    after, _, labels = reassign_ions(
        before, crowded, empty_sites=EMPTY, empty_labels=("Na3", "Na4"), ion="Na"
    )
    assert sorted(after.labels[2:]) == ["Na3", "Na4"]
    assert sorted(labels) == ["Na1", "Na2"]


def test_nothing_moved_nothing_changes() -> None:
    before = crystal(SODIUM)
    after, sites, labels = reassign_ions(
        before, before, empty_sites=EMPTY, empty_labels=("Na3", "Na4"), ion="Na"
    )
    assert after.labels == before.labels
    assert labels == ("Na3", "Na4")
    np.testing.assert_allclose(sites, EMPTY)
