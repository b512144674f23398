"""How long does a box take, and how good is it? `build_box` against packmol where it is installed.

    python benchmarks/box_packing.py                    # 1,000 to 10,000 atoms of PEO/NaTFSI
    python benchmarks/box_packing.py --density 0.15     # where packmol can place fifty-mers

Both get the same molecules and the same cubic cell, packmol with the same rotational-state chains,
drawn free, with tolerance 2 A, and a limit of CPU time. Stated are CPU seconds on one core, the
shortest distance between atoms that are not bonded, and for packmol whether it found a packing.
It wants every atom inside the cell, periodic or not: a chain that is longer than the cell, as
fifty-mers are at 0.9 g/cm3, has no place at all, and it gives up.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from superionic.structures.box import Box, Component
from superionic.structures.box_contacts import box_contacts
from superionic.structures.molecule_files import write_molecule
from superionic.structures.packing import build_box
from superionic.structures.polymers import peo_chain
from superionic.structures.recipe import BoxSpec

TOLERANCE_ANG = 2.0


def ours(spec: BoxSpec) -> tuple[Box, float]:
    start = time.process_time()
    box = build_box(spec)
    return box, time.process_time() - start


def packmol(box: Box, *, limit_s: int, seed: int) -> tuple[str, float]:
    """Let packmol place the same molecules in the same cell; every chain has its own shape."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blocks = [b for c in box.components for b in blocks_of(c, folder, seed)]
        head = [
            f"tolerance {TOLERANCE_ANG}", "filetype xyz", "output packed.xyz", f"seed {seed + 1}",
            "pbc " + " ".join(f"{x:.4f}" for x in box.edges_ang),
        ]  # fmt: skip
        script = folder / "packmol.inp"  # packmol rewinds its input, which a pipe cannot
        script.write_text("\n".join([*head, *blocks, ""]))
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        with script.open() as stream:
            done = subprocess.run(
                ["packmol"], stdin=stream, capture_output=True, text=True, cwd=folder,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s)),
                check=False,
            )  # fmt: skip
        if "Seed" not in done.stdout:
            raise RuntimeError(f"packmol did not take its input: {done.stderr[-300:]}")
        if done.returncode < 0:
            word = f"stopped after {limit_s} s"
        else:
            word = "packed" if "Success!" in done.stdout else "gave up"
        return word, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def blocks_of(component: Component, folder: Path, seed: int) -> list[str]:
    found = []
    for k in range(component.count if component.is_polymer else 1):
        molecule = component.molecule
        if component.is_polymer:
            molecule = peo_chain(component.units, seed=seed + k)
        file = f"{component.name}{k}.xyz"
        write_molecule(molecule, folder / file)
        number = 1 if component.is_polymer else component.count
        found.append(f"structure {file}\n  number {number}\nend structure")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=50)
    parser.add_argument("--chains", type=int, nargs="*", default=[2, 4, 10, 26])
    parser.add_argument("--density", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=120, help="Of packmol, in CPU seconds.")
    wanted = parser.parse_args()
    installed = shutil.which("packmol") is not None
    spec = BoxSpec(
        wanted.units, 1, salt="NaTFSI", units_per_cation=20.0, density_g_cm3=wanted.density,
        seed=wanted.seed,
    )  # fmt: skip
    build_box(replace(spec, chains=2, units=20, density_g_cm3=0.3))  # imports
    print(f"{'atoms':>6} {'ours CPU s':>10} {'H-H A':>6} {'worst share':>11}  packmol")
    for chains in wanted.chains:
        box, seconds = ours(replace(spec, chains=chains))
        report = box_contacts(box)
        line = (
            f"{len(box):6d} {seconds:10.1f} {report.shortest_ang['H-H']:6.2f} "
            f"{report.lowest_share:11.2f}"
        )
        if not installed:
            print(f"{line}  not installed")
            continue
        word, theirs = packmol(box, limit_s=wanted.limit, seed=wanted.seed)
        print(f"{line}  {theirs:.1f} s ({theirs / seconds:.2f} of ours), {word}", flush=True)


if __name__ == "__main__":
    main()
