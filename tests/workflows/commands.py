"""Running commands from tests, and the files they are given."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.build import bulk, fcc111
from ase.io import write
from typer.testing import CliRunner

from superionic.workflows.cli import app

START = [sys.executable, "-c", "from superionic.workflows.cli import main; main()"]


@dataclass(frozen=True)
class Said:
    """What a command left with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def superionic(*words: object) -> Said:
    """Run a command in this process."""
    done = CliRunner().invoke(app, [str(w) for w in words], prog_name="superionic")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


def refused(said: Said, *, lines: int = 1) -> str:
    """Return the message of a command that ended with a readable error and nothing else."""
    assert said.code == 1
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == lines
    return said.err


def write_structure_files(folder: Path) -> Path:
    """Write some structure files, good and bad."""
    cell = bulk("Al", cubic=True, a=4.0)
    write(folder / "al.cif", cell)
    crowded = cell * (2, 2, 2)
    crowded.positions[3] = crowded.positions[2] + [0.1, 0.0, 0.0]
    write(folder / "crowded.vasp", crowded)
    write(folder / "thin.vasp", fcc111("Al", (2, 2, 3), vacuum=2.5, periodic=True))
    write(folder / "slab.vasp", fcc111("Al", (3, 3, 3), vacuum=6.0, periodic=True))
    salt = bulk("NaCl", crystalstructure="rocksalt", a=5.64, cubic=True)
    write(folder / "nacl.cif", salt)
    text = (folder / "nacl.cif").read_text()
    (folder / "truncated.cif").write_text("\n".join(text.splitlines()[:-3]))
    (folder / "nan.cif").write_text(text.replace(" 0.5 ", " nan ", 1))
    salt.positions[0, 0] = np.nan
    write(folder / "nan.extxyz", salt)
    return folder


def packaged(name: str) -> Path:
    import superionic.structures

    return Path(str(superionic.structures.__file__)).with_name("data") / f"{name}.cif"
