"""Programs that behave like VASP, CASTEP and GROMACS when they are cut off and go on.

``python fake_codes.py CODE ...`` in a run's folder: the first time it leaves what the code would
leave at the walltime and hangs, the second time it goes on from there and finishes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

HELPERS = Path(__file__).parents[1] / "helpers"
sys.path.insert(0, str(HELPERS))


def vasp() -> None:
    from made_vasp import VaspTags, step, write_vasp_run

    from superionic.structures.io import read_structure

    here = Path()
    structure = read_structure(here / "POSCAR")
    if not (here / "POSCAR.first").exists():
        moved = structure.with_positions(structure.positions + 0.01)
        write_vasp_run(here / "made", moved, [step(moved, -3.0)], VaspTags())
        (here / "OUTCAR").write_text((here / "made/OUTCAR").read_text()[:2000])
        (here / "made/POSCAR").rename("CONTCAR")
        time.sleep(60.0)
    write_vasp_run(here, structure, [step(structure, -3.5)], VaspTags(), inputs=False)


def castep(seed: str) -> None:
    from made_castep import write_castep_run
    from made_vasp import step

    from superionic.structures.io import read_structure

    structure = read_structure(f"{seed}.cell")
    param = Path(f"{seed}.param").read_text()
    if not Path(f"{seed}.check").exists():
        Path(f"{seed}.check").write_text("wave functions")
        time.sleep(60.0)
    if "continuation : default" not in param:
        sys.exit("continuation is missing")
    write_castep_run(Path("made"), structure, [step(structure, -3.5)], seed=seed)
    Path(f"made/{seed}.castep").rename(f"{seed}.castep")


def gmx(words: list[str]) -> None:
    options = dict(zip(words[1::2], words[2::2], strict=True))
    with Path("calls").open("a") as stream:
        stream.write(f"{words[0]} {options.get('-deffnm') or options['-o']}\n")
    if words[0] == "grompp":
        Path(options["-o"]).write_text("tpr")
        return
    stage = options["-deffnm"]
    if stage == "npt" and not Path("npt.cpt").exists():
        Path("npt.cpt").write_text("state")
        return  # as with -maxh: ends well, but has no last frame
    Path(f"{stage}.gro").write_text("frame")
    Path(f"{stage}.cpt").write_text("state")


if __name__ == "__main__":
    {"vasp": lambda: vasp(), "castep": lambda: castep(sys.argv[2]),
     "gmx": lambda: gmx(sys.argv[2:])}[sys.argv[1]]()  # fmt: skip
