"""`superionic analyse` on one made-up salt in each format that people bring."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import MDAnalysis as mda
import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from ase.io.vasp import write_vasp_xdatcar
from commands import packaged, refused, superionic

SIDE, FRAMES, IONS, DT_PS = 20.0, 240, 16, 2.0
SYMBOLS = ["Na"] * IONS + ["Cl"] * IONS


@dataclass(frozen=True)
class Files:
    """One run in several formats: trajectory, and what else a command has to be told."""

    told: dict[str, tuple[object, ...]]
    positions: np.ndarray[Any, np.dtype[np.float64]]

    def of(self, kind: str) -> tuple[object, ...]:
        return self.told[kind]


def lammps(path: Path, frames: Any) -> Path:
    """A dump of every 500th step, elements as a column."""
    lines = []
    for k, x in enumerate(frames):
        lines += [
            "ITEM: TIMESTEP", str(500 * k), "ITEM: NUMBER OF ATOMS", str(len(x)),
            "ITEM: BOX BOUNDS pp pp pp", *[f"0.0 {SIDE}"] * 3, "ITEM: ATOMS id type element x y z",
        ]  # fmt: skip
        lines += [
            f"{i + 1} {1 if s == 'Na' else 2} {s} {a:.5f} {b:.5f} {c:.5f}"
            for i, (s, (a, b, c)) in enumerate(zip(SYMBOLS, x, strict=True))
        ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("salt")
    rng = np.random.default_rng(0)
    x = rng.uniform(0, SIDE, (2 * IONS, 3)) + np.cumsum(
        rng.normal(scale=0.4, size=(FRAMES, 2 * IONS, 3)), axis=0
    )
    inside = x % SIDE
    images = [Atoms(SYMBOLS, positions=p, cell=[SIDE] * 3, pbc=True) for p in inside]
    write(folder / "run.extxyz", images)
    write_vasp_xdatcar(str(folder / "XDATCAR"), images)
    n = len(SYMBOLS)
    box = mda.Universe.empty(n, n, atom_resindex=np.arange(n), trajectory=True)
    for name in ("names", "elements", "resnames"):
        box.add_TopologyAttr(name, SYMBOLS)
    box.add_TopologyAttr("resids", np.arange(n) + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with mda.Writer(str(folder / "run.xtc"), n) as writer:
            for k, p in enumerate(inside):
                box.atoms.positions = p
                box.dimensions = [SIDE, SIDE, SIDE, 90, 90, 90]
                box.trajectory.ts.time = DT_PS * k
                if k == 0:
                    box.atoms.write(str(folder / "top.pdb"))
                writer.write(box.atoms)
    return Files(
        {
            "xtc": (folder / "run.xtc", "--top", folder / "top.pdb"),
            "extxyz": (folder / "run.extxyz", "--dt", DT_PS),
            "xdatcar": (folder / "XDATCAR", "--dt", DT_PS),
            "lammps": (lammps(folder / "run.lammpstrj", inside), "--dt", DT_PS),
        },
        x,
    )


KINDS = ("xtc", "extxyz", "xdatcar", "lammps")


@pytest.fixture(scope="module")
def D_known(files: Files) -> float:
    from superionic.analysis.diffusion import self_diffusion

    masses = Atoms(SYMBOLS).get_masses()
    centre = np.einsum("a,fai->fi", masses / masses.sum(), files.positions)
    return self_diffusion(
        files.positions[:, :IONS], dt_ps=DT_PS, drift_ang=centre - centre[0]
    ).value()


@pytest.mark.parametrize("kind", KINDS)
def test_msd(files: Files, kind: str, D_known: float) -> None:
    said = superionic("analyse", "msd", *files.of(kind), "--sel", "element Na", "--json")
    assert said.code == 0, said.err
    assert said.json["verdict"] == "diffusive"
    assert said.json["D_cm2_s"] == pytest.approx(D_known, rel=0.02)
    assert said.json["length_ps"] == pytest.approx(DT_PS * (FRAMES - 1))


@pytest.mark.parametrize("kind", KINDS)
def test_rdf(files: Files, kind: str) -> None:
    said = superionic(
        "analyse", "rdf", *files.of(kind), "--sel", "element Na", "--to", "element Cl", "--bin",
        0.5, "--cutoff", 6.0, "--step", 10, "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    gas = IONS / SIDE**3 * 4 / 3 * np.pi * 6.0**3
    assert said.json["neighbours"] == pytest.approx(gas, rel=0.15)


@pytest.mark.parametrize("kind", KINDS)
def test_transport(files: Files, kind: str) -> None:
    said = superionic(
        "analyse", "transport", *files.of(kind), "--ion", "Na:+1:element Na", "--ion",
        "Cl:-1:element Cl", "--temperature", 400, "--json",
    )  # fmt: skip
    assert said.code in (0, 1), said.err
    assert said.json["onsager"]["ions"] == [IONS, IONS]
    assert said.json["onsager"]["volume_ang3"] == pytest.approx(SIDE**3, rel=1e-3)
    assert said.code == (0 if said.json["onsager"]["verdict"] == "diffusive" else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_speciation(files: Files, kind: str) -> None:
    said = superionic(
        "analyse", "speciation", *files.of(kind), "--cations", "element Na", "--anions",
        "element Cl", "--contact", 4.0, "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["anion_count"] == IONS
    assert sum(s["value"] for s in said.json["anions"].values()) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_van_hove(files: Files, kind: str) -> None:
    said = superionic(
        "analyse", "van-hove", *files.of(kind), "--sel", "element Na", "--lag", 2, "--lag", 20,
        "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["lag_ps"] == [2.0, 20.0]
    assert np.abs(said.json["non_gaussian"]).max() < 0.25


def test_distinct_van_hove(files: Files) -> None:
    said = superionic(
        "analyse", "van-hove", *files.of("extxyz"), "--sel", "element Na", "--to", "element Cl",
        "--lag", 0, "--lag", 4, "--step", 2,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "distinct" in said.out
    assert "after 4 ps" in said.out
    odd = superionic("analyse", "van-hove", *files.of("extxyz"), "--sel", "element Na", "--lag", 3)
    assert "no whole number of frames" in refused(odd)


@pytest.mark.parametrize("kind", KINDS)
def test_hops(files: Files, kind: str) -> None:
    said = superionic(
        "analyse", "hops", *files.of(kind), "--cations", "element Na", "--donors", "element Cl",
        "--contact", 6.0, "--dwell", 6, "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["inter_chain"] > 0
    assert said.json["intra_chain"] == 0  # each Cl is a chain of its own
    assert sum(said.json["chains_held"]) == pytest.approx(1.0)


def test_residence(files: Files) -> None:
    said = superionic(
        "analyse", "residence", *files.of("lammps"), "--centres", "element Na", "--partners",
        "element Cl", "--contact", 6.0,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.out.startswith("residence time")


COMMANDS: dict[str, tuple[object, ...]] = {
    "rdf": ("--sel", "element Na", "--to", "element Cl", "--step", 20),
    "msd": ("--sel", "element Na"),
    "van-hove": ("--sel", "element Na", "--lag", 2),
    "transport": (
        "--ion", "Na:+1:element Na", "--ion", "Cl:-1:element Cl", "--temperature", 400,
    ),
    "speciation": ("--cations", "element Na", "--anions", "element Cl", "--contact", 4.0),
    "residence": ("--centres", "element Na", "--partners", "element Cl", "--contact", 6.0),
    "hops": (
        "--cations", "element Na", "--donors", "element Cl", "--contact", 6.0, "--dwell", 6,
    ),
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_figure_to_a_file(files: Files, command: str, tmp_path: Path) -> None:
    target = tmp_path / "deep" / f"{command}.svg"
    said = superionic("analyse", command, *files.of("extxyz"), *COMMANDS[command], "--plot", target)
    assert said.code in (0, 1), said.err
    assert {p.suffix for p in target.parent.iterdir()} == {".png", ".svg", ".csv"}
    assert f"wrote {target}" in said.out


def test_other_pictures_are_refused_at_once(files: Files, tmp_path: Path) -> None:
    said = superionic(
        "analyse", "msd", tmp_path / "none.xtc", "--sel", "element Na", "--plot", "msd.jpg"
    )
    assert ".png or .svg" in refused(said)


def test_missing_time_is_named(files: Files) -> None:
    for kind in ("extxyz", "xdatcar", "lammps"):
        path = files.of(kind)[0]
        said = superionic("analyse", "msd", path, "--sel", "element Na")
        assert "does not say the time between its frames: give dt" in refused(said)


def test_a_crystal_is_no_topology(files: Files) -> None:
    words = (files.of("xtc")[0], "--top", packaged("na3ps4"), "--sel", "element Na")
    assert "cannot be read" in refused(superionic("analyse", "msd", *words))
    assert "(`--top`: a PDB" in refused(superionic("analyse", "msd", words[0], *words[3:]))
