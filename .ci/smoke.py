"""Use the installed wheel from outside the checkout, whose path is the only argument."""

from __future__ import annotations

import sys
from importlib import import_module, metadata
from pathlib import Path

ROOMS = ("analysis", "inputs", "structures", "workflows")


def check(*, fine: bool, message: str) -> None:
    """Stop with a message when something is not fine."""
    if not fine:
        raise SystemExit(f"smoke: {message}")


def main(checkout: Path) -> None:
    """Import the rooms, read packaged data, build a slab and its hops, run one task."""
    for room in ROOMS:
        where = Path(str(import_module(f"superionic.{room}").__file__)).resolve()
        check(fine=not where.is_relative_to(checkout), message=f"{room} came from {where}")
    version = import_module("superionic").__version__
    check(fine=metadata.version("superionic") == version, message="two versions")

    crystals = import_module("superionic.structures.crystals")
    names = crystals.reference_crystals()
    for name in names:
        check(fine=bool(crystals.reference_crystal(name).formula), message=f"crystal {name}")
    sys.stdout.write(f"smoke: {len(names)} packaged crystals\n")


main(Path(sys.argv[1]).resolve())
