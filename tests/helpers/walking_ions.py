"""A made-up electrolyte as a trajectory file: ions that walk among atoms that stand still."""

from __future__ import annotations

import warnings
from pathlib import Path

import MDAnalysis as mda
import numpy as np

SIDE, FRAMES, IONS = 24.0, 1000, 20


def write_walk(top: Path, trajectory: Path, *, anion: str) -> None:
    """Write Na and anions of two O that walk in heavy argon, 2 ps between frames.

    Parameters
    ----------
    top
        File of the first frame, .pdb or .gro.
    trajectory
        File of all frames, .xtc.
    anion
        Name of an anion's residue.
    """
    rng = np.random.default_rng(1)
    cation = np.cumsum(rng.normal(scale=0.5, size=(FRAMES, IONS, 3)), axis=0)
    cation += rng.uniform(0, SIDE, (IONS, 3))
    centre = np.cumsum(rng.normal(scale=0.8, size=(FRAMES, IONS, 3)), axis=0)
    centre += rng.uniform(0, SIDE, (IONS, 3))
    arm = np.tile([0.0, 0.0, 0.7], (FRAMES, IONS, 1))
    argon = np.tile(rng.uniform(0, SIDE, (60, 3)), (FRAMES, 1, 1))
    pair = np.stack([centre - arm, centre + arm], axis=2).reshape(FRAMES, 2 * IONS, 3)
    positions = np.concatenate([cation, pair, argon], axis=1) % SIDE
    n = 3 * IONS + 60
    residue = np.concatenate(
        [np.arange(IONS), IONS + np.repeat(np.arange(IONS), 2), np.arange(2 * IONS, 2 * IONS + 60)]
    )
    box = mda.Universe.empty(n, residue[-1] + 1, atom_resindex=residue, trajectory=True)
    elements = ["Na"] * IONS + ["O", "O"] * IONS + ["Ar"] * 60
    box.add_TopologyAttr("names", elements)
    box.add_TopologyAttr("elements", elements)
    box.add_TopologyAttr("resnames", ["NA"] * IONS + [anion] * IONS + ["AR"] * 60)
    box.add_TopologyAttr("resids", np.arange(residue[-1] + 1) + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with mda.Writer(str(trajectory), n) as writer:
            for k, x in enumerate(positions):
                box.atoms.positions = x
                box.dimensions = [SIDE, SIDE, SIDE, 90, 90, 90]
                box.trajectory.ts.time = 2.0 * k
                if k == 0:
                    box.atoms.write(str(top))
                writer.write(box.atoms)
