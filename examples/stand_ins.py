"""What the notebooks take where no file of the reader's is there; nobody else needs it.

The electrolyte is made up: ions that walk at random with diffusivities of our choice, some of them
bound in pairs for ever. So the right answers are known, and a reader sees whether the
analysis finds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FRAMES, DT_PS, EDGE_ANG = 1500, 2.0, 42.0
FREE, PAIRS = 24, 8
D_CATION, D_ANION, D_PAIR = 1.0e-5, 0.5e-5, 0.25e-5
"""In cm2/s."""
CONTACT_ANG, ARM_ANG = 2.4, 1.5
ANION = ("S", "O", "O")


@dataclass(frozen=True)
class Truth:
    """What an analysis of the made-up electrolyte should find."""

    cation_cm2_s: float
    transference: float
    transference_without_correlation: float


def truth() -> Truth:
    """Return the answers: averages over free ions and pairs; pairs carry no charge."""
    share = PAIRS / (FREE + PAIRS)
    cation = (1 - share) * D_CATION + share * D_PAIR
    anion = (1 - share) * D_ANION + share * D_PAIR
    return Truth(cation, D_CATION / (D_CATION + D_ANION), cation / (cation + anion))


def walk(rng: np.random.Generator, count: int, d_cm2_s: float) -> NDArray[np.float64]:
    """Return random walks from random places in angstrom. shape=(frames, count, 3)."""
    step = np.sqrt(2.0 * d_cm2_s * 1e4 * DT_PS)
    steps = rng.normal(scale=step, size=(FRAMES, count, 3))
    steps[0] = rng.uniform(0.0, EDGE_ANG, size=(count, 3))
    return np.cumsum(steps, axis=0)


def electrolyte(seed: int = 0) -> tuple[list[str], NDArray[np.float64]]:
    """Return symbols, cations first, and wrapped positions in angstrom, (frames, atoms, 3)."""
    rng = np.random.default_rng(seed)
    centres = np.concatenate([walk(rng, FREE, D_ANION), walk(rng, PAIRS, D_PAIR)], axis=1)
    arms = rng.normal(size=(FREE + PAIRS, 3))
    arms *= ARM_ANG / np.linalg.norm(arms, axis=1, keepdims=True)
    anions = np.stack([centres, centres + arms, centres - arms], axis=2)
    bound = centres[:, FREE:] + arms[FREE:] * (1.0 + CONTACT_ANG / ARM_ANG)
    bound = bound + rng.normal(scale=0.08, size=bound.shape)
    cations = np.concatenate([walk(rng, FREE, D_CATION), bound], axis=1)
    ions = FREE + PAIRS
    positions = np.concatenate([cations, anions.reshape(FRAMES, 3 * ions, 3)], axis=1)
    return ["Na"] * ions + list(ANION) * ions, positions % EDGE_ANG


def write_gromacs(gro: Path, xtc: Path) -> None:
    """Write the trajectory as GROMACS does."""
    from MDAnalysis import Universe

    symbols, positions = electrolyte()
    ions = FREE + PAIRS
    residues = np.concatenate([np.arange(ions), ions + np.repeat(np.arange(ions), len(ANION))])
    universe = Universe.empty(
        len(symbols), n_residues=2 * ions, atom_resindex=residues, trajectory=True
    )
    universe.add_TopologyAttr("names", [s.upper() for s in symbols])
    universe.add_TopologyAttr("resnames", ["NA"] * ions + ["ANI"] * ions)
    universe.add_TopologyAttr("resids", list(range(1, 2 * ions + 1)))
    universe.dimensions = [EDGE_ANG] * 3 + [90.0] * 3
    universe.atoms.positions = positions[0]
    universe.atoms.write(str(gro), reindex=True)
    from MDAnalysis import Writer

    with Writer(str(xtc), len(symbols)) as writer:
        for k, frame in enumerate(positions):
            universe.atoms.positions = frame
            universe.trajectory.ts.time = k * DT_PS
            writer.write(universe.atoms)


def write_lammps(data: Path, dump: Path) -> None:
    """Write the trajectory as LAMMPS does, with a data file that knows masses and molecules."""
    symbols, positions = electrolyte()
    kinds = {"Na": (1, 22.990, 1.0), "S": (2, 32.06, 1.0), "O": (3, 15.999, -1.0)}
    ions = FREE + PAIRS
    molecule = [*range(1, ions + 1), *(ions + 1 + k // 3 for k in range(3 * ions))]
    edge = f"0.0 {EDGE_ANG}"
    lines = ["made-up electrolyte", "", f"{len(symbols)} atoms", "3 atom types", ""]
    lines += [f"{edge} {a}lo {a}hi" for a in "xyz"] + ["", "Masses", ""]
    lines += [f"{k} {mass}" for k, mass, _ in kinds.values()] + ["", "Atoms # full", ""]
    lines += [
        f"{k + 1} {molecule[k]} {kinds[s][0]} {kinds[s][2]} {x:.4f} {y:.4f} {z:.4f}"
        for k, (s, (x, y, z)) in enumerate(zip(symbols, positions[0], strict=True))
    ]
    data.write_text("\n".join(lines) + "\n")
    with dump.open("w") as stream:
        for k, frame in enumerate(positions):
            stream.write(f"ITEM: TIMESTEP\n{k * 1000}\nITEM: NUMBER OF ATOMS\n{len(symbols)}\n")
            stream.write("ITEM: BOX BOUNDS pp pp pp\n" + f"{edge}\n" * 3)
            stream.write("ITEM: ATOMS id type x y z\n")
            for n, (s, (x, y, z)) in enumerate(zip(symbols, frame, strict=True), start=1):
                stream.write(f"{n} {kinds[s][0]} {x:.4f} {y:.4f} {z:.4f}\n")


def write_xdatcar(path: Path) -> None:
    """Write the trajectory as VASP does: grouped by element, no times."""
    symbols, positions = electrolyte()
    order = np.argsort([{"Na": 0, "S": 1, "O": 2}[s] for s in symbols], kind="stable")
    ions = FREE + PAIRS
    edge = [" ".join(f"{EDGE_ANG if i == j else 0.0:.6f}" for j in range(3)) for i in range(3)]
    with path.open("w") as stream:
        stream.write("\n".join(["made-up electrolyte", "1.0", *edge, "Na S O"]) + "\n")
        stream.write(f"{ions} {ions} {2 * ions}\n")
        for k, frame in enumerate(positions, start=1):
            stream.write(f"Direct configuration= {k:5d}\n")
            for x, y, z in frame[order] / EDGE_ANG:
                stream.write(f"{x:.8f} {y:.8f} {z:.8f}\n")


def vasp_run(folder: Path) -> None:
    """Copy the example output of VASP that ASE ships for its own tests."""
    _from_ase("vasp/OUTCAR_example_1", folder / "OUTCAR")


def castep_run(folder: Path) -> None:
    """Copy the example output of CASTEP that ASE ships for its own tests."""
    _from_ase("castep/md.castep", folder / "md.castep")


def _from_ase(name: str, target: Path) -> None:
    import ase

    source = Path(ase.__file__).with_name("test") / "testdata" / name
    if not source.is_file():
        raise SystemExit(f"This ASE came without {name}: put your own run into {target.parent}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())
