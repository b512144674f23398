"""Programs that behave like VASP, CASTEP and GROMACS when they are cut off, or use up their steps.

``python fake_codes.py CODE ...`` in a run's folder. ``need.json`` there says what the system is
like: ``hang`` (the first try does not come to an end by itself), and how many ``ions`` steps and
``electrons`` cycles it takes. As with the codes, steps count from the geometry that is there.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

HELPERS = Path(__file__).parents[1] / "helpers"
sys.path.insert(0, str(HELPERS))


def need(name: str) -> int:
    path = Path("need.json")
    return int(json.loads(path.read_text()).get(name, 0)) if path.exists() else 0


def setting(path: Path, name: str, default: int) -> int:
    found = re.search(rf"(?im)^{name}\s*[=:]\s*(\d+)", path.read_text())
    return int(found.group(1)) if found else default


def made(more: int = 0) -> int:
    """Steps made so far, as the geometry that is kept tells."""
    path = Path("made.steps")
    count = (int(path.read_text()) if path.exists() else 0) + more
    path.write_text(str(count))
    return count


def vasp() -> None:
    from made_vasp import VaspEnd, VaspTags, step, write_vasp_run

    from superionic.structures.io import read_structure

    here, incar = Path(), Path("INCAR")
    structure = read_structure(here / "POSCAR")
    moved = structure.with_positions(structure.positions + 0.01)
    tags = VaspTags(NELM=setting(incar, "NELM", 60), NSW=setting(incar, "NSW", 0), IBRION=2)
    if need("hang") and not (here / "POSCAR.first").exists():
        write_vasp_run(here / "made", moved, [step(moved, -3.0)], VaspTags())
        (here / "OUTCAR").write_text((here / "made/OUTCAR").read_text()[:2000])
        (here / "made/POSCAR").rename("CONTCAR")
        time.sleep(60.0)
    cycles = min(need("electrons") or 5, tags.NELM)
    if cycles < need("electrons"):
        write_vasp_run(here, structure, [step(structure, -3.0, electronic=cycles)], tags,
                       inputs=False)  # fmt: skip
        return
    wanted = need("ions") - made()
    steps = [step(structure, -3.5, electronic=cycles - 1)] * max(min(wanted, tags.NSW), 1)
    write_vasp_run(here / "made", moved, [step(moved, -3.0)], tags)
    (here / "made/POSCAR").rename("CONTCAR")
    tags = tags if tags.NSW else VaspTags(NELM=tags.NELM)
    end = VaspEnd(reached=made(len(steps)) >= need("ions"))
    write_vasp_run(here, structure, steps, tags, end, inputs=False)


def castep(seed: str) -> None:
    from made_castep import CastepCase, write_castep_run
    from made_vasp import step

    from superionic.structures.io import read_structure

    structure, param = read_structure(f"{seed}.cell"), Path(f"{seed}.param")
    going_on = Path(f"{seed}.check").exists()
    if going_on and "continuation : default" not in param.read_text():
        sys.exit("continuation is missing")
    Path(f"{seed}.check").write_text("wave functions")
    if need("hang") and not going_on:
        time.sleep(60.0)
    one = step(structure, -3.5)
    case, steps = CastepCase(), [one]
    if setting(param, "max_scf_cycles", 30) < need("electrons"):
        case = CastepCase(unconverged=(0,))
    elif need("ions"):
        count = min(setting(param, "geom_max_iter", 30), need("ions"))  # since the very first start
        end = "done" if count == need("ions") else "failed"
        case = CastepCase("geometry optimization", geometry=end, enthalpy_eV=-3.5)
        steps = [one] * count
    write_castep_run(Path("made"), structure, steps, case, seed=seed)
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
