"""A fast BLAS for tblite and PySCF: the same numbers, and nothing else touched."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import blas, lapack

from superionic.structures.clusters import build_node
from superionic.workflows.fast_blas import (
    CORE,
    load_pyscf,
    processor_flags,
    redirect,
    scipy_routines,
    speed_up_tblite,
)
from superionic.workflows.molecule_calculators import SteadyXTB
from superionic.workflows.theory import get_theory

OWN = """
import json, sys
import numpy as np
from ase import Atoms
from tblite.ase import TBLite
told = json.load(sys.stdin)
atoms = Atoms(told["symbols"], told["positions"])
atoms.calc = TBLite(method="GFN1-xTB", charge=0, multiplicity=told["multiplicity"], verbosity=0,
                    spin_polarization=1.0)
print(json.dumps([atoms.get_potential_energy(), atoms.get_forces().tolist()]))
"""
"""tblite with the BLAS that it came with."""


def test_routines_of_scipy_take_the_arguments_of_fortran() -> None:
    known = scipy_routines()
    assert {"dgemm_", "dsyevd_", "ddot_", "dpotrf_", "dtrsm_", "dsygst_"} <= known.keys()
    a, b = np.arange(1.0, 4.0), np.array([2.0, 0.5, -1.0])
    ddot = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_void_p] * 5)(known["ddot_"])
    n, one = ctypes.c_int(3), ctypes.c_int(1)
    found = ddot(
        ctypes.addressof(n), a.ctypes.data, ctypes.addressof(one), b.ctypes.data,
        ctypes.addressof(one),
    )  # fmt: skip
    assert found == pytest.approx(blas.ddot(a, b))


def test_factorisation_with_the_length_of_a_string_at_the_end() -> None:
    """As Fortran passes it."""
    rng = np.random.default_rng(0)
    square = rng.normal(size=(5, 5))
    matrix = np.asfortranarray(square @ square.T + 5.0 * np.eye(5))
    expected = lapack.dpotrf(matrix, lower=1)[0]
    dpotrf = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5, ctypes.c_size_t)(
        scipy_routines()["dpotrf_"]
    )
    n, info = ctypes.c_int(5), ctypes.c_int(7)
    dpotrf(b"L", ctypes.addressof(n), matrix.ctypes.data, ctypes.addressof(n),
           ctypes.addressof(info), 1)  # fmt: skip
    assert info.value == 0
    np.testing.assert_allclose(np.tril(matrix), np.tril(expected), atol=1e-12)


def test_energy_and_forces_are_those_with_its_own() -> None:
    pytest.importorskip("tblite")
    molecule = build_node(("Cu", "Cu")).molecule
    told = {
        "symbols": list(molecule.symbols),
        "positions": molecule.positions.tolist(),
        "multiplicity": molecule.spin_multiplicity,
    }
    words = [sys.executable, "-c", OWN]
    said = subprocess.run(words, input=json.dumps(told), capture_output=True, text=True, check=True)
    energy, forces = json.loads(said.stdout)
    atoms = molecule.structure.to_ase()
    atoms.calc = get_theory("gfn1-xtb").calculator(spin_multiplicity=molecule.spin_multiplicity)
    assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-7)
    np.testing.assert_allclose(atoms.get_forces(), forces, atol=1e-5)
    assert speed_up_tblite() >= 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads tables of Linux libraries")
def test_a_library_without_the_reference_blas_stays_as_it_is() -> None:
    import _ctypes

    assert redirect(_ctypes.__file__) == 0


def test_first_energy_in_a_continuum_is_that_of_a_second_start() -> None:
    """It begins with the electrons of free space; a fresh one at the same place does not."""
    pytest.importorskip("tblite")
    molecule = build_node(("Cu", "Cu")).molecule
    level = get_theory("gfn1-xtb@eps7.5")
    calculator = level.calculator(spin_multiplicity=molecule.spin_multiplicity)
    atoms = molecule.structure.to_ase()
    atoms.calc = calculator
    energy = atoms.get_potential_energy()
    assert isinstance(calculator, SteadyXTB)
    calculator._again(atoms)
    assert calculator._engine.results["energy"] == pytest.approx(energy, abs=1e-6)


def test_processor_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("processor : 0\nflags\t\t: fpu sse2 avx2 fma\n\nprocessor : 1\nflags : fpu\n")
    assert {"avx2", "fma"} <= processor_flags(file)
    assert processor_flags(tmp_path / "none") == frozenset()
    before = os.environ.get(CORE)
    load_pyscf()
    assert "pyscf" in sys.modules
    assert os.environ.get(CORE) == before


LOADED = """
import ctypes, os, sys
from superionic.workflows.fast_blas import load_pyscf
load_pyscf()
paths = {line.split()[-1] for line in open("/proc/self/maps") if "/pyscf/lib/libopenblas" in line}
library = ctypes.CDLL(paths.pop())
library.openblas_get_corename.restype = ctypes.c_char_p
print(library.openblas_get_corename().decode())
"""


@pytest.mark.skipif("avx2" not in processor_flags(), reason="the processor has no AVX2")
def test_openblas_of_pyscf_knows_what_the_processor_can_do() -> None:
    """Where its wheel brings one; a choice of the user is kept."""
    pyscf = pytest.importorskip("pyscf")
    if not list((Path(pyscf.__file__).parent / "lib").glob("libopenblas*")):
        pytest.skip("PySCF has no OpenBLAS of its own")
    plain = {k: v for k, v in os.environ.items() if k != CORE}
    for environment, expected in ((plain, "Haswell"), (plain | {CORE: "Nehalem"}, "Nehalem")):
        words = [sys.executable, "-c", LOADED]
        said = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        assert said.stdout.strip() == expected
