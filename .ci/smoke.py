"""Use the installed wheel from outside the checkout, whose path is the only argument."""

from __future__ import annotations

import sys
from importlib import import_module, metadata, resources
from pathlib import Path

ROOMS = ("analysis", "inputs", "structures", "workflows")

JOBS = """
from superionic.structures.crystals import reference_crystal
from superionic.workflows.execution import job

@job(version=1)
def formula(name: str) -> tuple[str, str]:
    import superionic.structures
    return reference_crystal(name).formula, str(superionic.structures.__file__)
"""


def check(*, fine: bool, message: str) -> None:
    """Stop with a message when something is not fine."""
    if not fine:
        raise SystemExit(f"smoke: {message}")


def check_rooms(checkout: Path) -> None:
    """Import the four rooms, and see that none of them is the checkout's."""
    for room in ROOMS:
        where = Path(str(import_module(f"superionic.{room}").__file__)).resolve()
        check(fine=not where.is_relative_to(checkout), message=f"{room} came from {where}")
    version = import_module("superionic").__version__
    check(fine=metadata.version("superionic") == version, message="two versions")


def check_data() -> str:
    """Load every packaged crystal and protocol; return the name of a crystal."""
    crystals = import_module("superionic.structures.crystals")
    names: list[str] = list(crystals.reference_crystals())
    check(fine=bool(names), message="no packaged crystals")
    for name in names:
        check(fine=bool(crystals.reference_crystal(name).formula), message=f"crystal {name}")
    folder = resources.files("superionic.inputs").joinpath("protocols")
    files = [entry.name for entry in folder.iterdir() if entry.name.endswith(".toml")]
    check(fine=bool(files), message="no packaged protocols")
    load_protocol = import_module("superionic.inputs.protocol").load_protocol
    for file in files:
        load_protocol(file.removesuffix(".toml"))
    sys.stdout.write(f"smoke: {len(names)} packaged crystals, {len(files)} protocols\n")
    return names[0]


def check_run(checkout: Path, crystal: str) -> None:
    """Run a job of a user's own module in a worker process, twice; the second time from disk."""
    Path("users_jobs.py").write_text(JOBS, encoding="utf-8")
    sys.path.insert(0, str(Path.cwd()))
    job = import_module("users_jobs").formula
    execution = import_module("superionic.workflows.execution")
    for _ in range(2):
        with execution.Run("run"):
            formula, where = job.submit(crystal).result()
        check(fine=bool(formula), message="the job returned nothing")
        foreign = not Path(where).resolve().is_relative_to(checkout)
        check(fine=foreign, message=f"the worker took superionic from {where}")
    sys.stdout.write("smoke: a job ran in a worker process and was resumed\n")


if __name__ == "__main__":
    checkout = Path(sys.argv[1]).resolve()
    check_rooms(checkout)
    check_run(checkout, check_data())
