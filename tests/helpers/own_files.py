"""Stand-ins for the files of one's own that README and documentation speak of."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ase.build import bulk
from ase.io import write
from fenced import ROOT, fences
from made_densities import gaussians, write_density
from made_dos import metal_dos
from made_paths import write_single_points
from made_vasp import RELAX, VaspEnd, step, write_vasp_run
from small_salt import salt as small_salt
from walking_ions import write_walk

from superionic.structures.io import write_structure
from superionic.structures.structure import Structure
from superionic.structures.surfaces import build_slab
from superionic.workflows.handover import images_of, read_handover
from superionic.workflows.slurm.cluster_file import cluster_path

OUTPUTS = ("-o", "--out")
KELVIN_S_CM = ((280, 1.1e-6), (300, 3.3e-6), (320, 8.6e-6), (340, 2.0e-5), (360, 4.4e-5))
ALUMINIUM = ("--ion", "Al", "--theory", "emt", "--max-length", "3", "--images", "3")
"""A vacancy hop that takes a second."""


def salt() -> Structure:
    """NaF: few atoms, and all its hops alike."""
    return Structure.from_ase(bulk("NaF", "rocksalt", a=4.63))


def write_slab(path: Path) -> None:
    """Write the thinnest slab that holds a face and a layer below it."""
    slab = build_slab(salt(), miller=(0, 0, 1), layers=2, repeat=(3, 3), vacuum_ang=15.0)
    write_structure(slab.structure, path)


def write_hop(folder: Path) -> None:
    """Compute what a folder of `superionic barrier` holds."""
    from commands import superionic

    metal = folder.with_suffix(".cif")
    write(metal, bulk("Al", cubic=True, a=4.0))
    done = superionic("barrier", metal, *ALUMINIUM, "--fixed-cell", "-o", folder, "--workers", 1)
    assert done.code == 0, done.err


def write_deck(folder: Path) -> None:
    """Write a deck for the code that its folder is named after."""
    from commands import superionic

    code = folder.name.removesuffix("-run")
    done = superionic("inputs", code, "na3ps4", "--protocol", "latp-vasp", "-o", folder)
    assert done.code == 0, done.err


def write_trajectory(path: Path) -> None:
    write_walk(path.with_suffix(".gro"), path.with_suffix(".xtc"), anion="TFSI")


def write_conductivities(path: Path) -> None:
    rows = [f"{t},{s},{0.9 * s},{1.1 * s}" for t, s in KELVIN_S_CM]
    path.write_text("\n".join(["temperature_K,value,low_95,high_95", *rows]) + "\n")


def write_page(page: str) -> Callable[[Path], None]:
    """Return what writes the first TOML file that a page shows."""

    def copy(path: Path) -> None:
        shown = [f.text for f in fences(ROOT / page) if f.language == "toml"]
        path.write_text(shown[0])

    return copy


def write_campaign(path: Path) -> None:
    write_page("docs/workflows/slurm.md")(path)
    (path.parent / "cells").mkdir()
    write_structure(salt(), path.parent / "cells/salt.cif")


def copy_example(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    shutil.copy(ROOT / "examples" / path.name, path)


def write_cluster(path: Path) -> None:
    file = cluster_path(path.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('walltime = "00:10:00"\npoll_s = 0.1\ngrace_s = 0.5\n')


MAKERS: dict[str, Callable[[Path], None]] = {
    "my.cif": lambda path: write_structure(salt(), path),
    "slab.vasp": write_slab,
    "my-run": write_hop,
    "results": write_hop,
    "vasp-run": write_deck,
    "castep-run": write_deck,
    "run.xtc": write_trajectory,
    "conductivities.csv": write_conductivities,
    "campaign.toml": write_campaign,
    "examples/campaign.toml": copy_example,
    "my-decks.toml": write_page("docs/extend.md"),
}


def provide(words: Sequence[str], folder: Path) -> None:
    """Make what a command is about to read, where it is not there yet."""
    for before, word in zip(["", *words], words, strict=False):
        if before in OUTPUTS:
            continue
        if before == "--cluster" and not cluster_path(word).exists():
            write_cluster(folder / word)
        if word in MAKERS and not (folder / word).exists():
            MAKERS[word](folder / word)
    if words[0] == "collect" and (folder / words[1] / "handover.json").is_file():
        answer(folder / words[1])
    if words[0] in ("collect", "electronic") and (folder / words[1] / "INCAR").is_file():
        finish(folder / words[1])


def answer(decks: Path) -> None:
    """Run the decks of a handed-over path: VASP gives the energies back that it was handed."""
    _, local = read_handover(decks)
    write_single_points(decks / "vasp/single-points", images_of(local), local.energies_eV.tolist())


def finish(deck: Path) -> None:
    """Leave what a run of VASP leaves, of another crystal: steps, states and densities."""
    if (deck / "OUTCAR").exists():
        return
    atoms, points = small_salt(), 24
    steps = [step(atoms, -7.0), step(atoms, -7.5)]
    write_vasp_run(deck, atoms, steps, RELAX, VaspEnd(reached=True), dos=metal_dos())
    valence = gaussians(atoms, (0.2, 7.0, 6.2, 0.6), points)
    for name in ("CHGCAR", "AECCAR2"):
        write_density(deck / name, atoms, valence)
    write_density(deck / "AECCAR0", atoms, gaussians(atoms, (10.0, 2.0, 2.0, 0.1), points, 0.3))
