"""A BLAS tuned for the processor where the wheels of tblite and PySCF bring another.

Those of tblite carry the reference BLAS and LAPACK, which are not tuned for any processor: of the
time of a metal node with 43 atoms they take two thirds. A shared library calls routines of others
through a table of addresses, which the loader fills in. Here the entries of tblite's table that are
routines of BLAS and LAPACK are set to those that SciPy offers to compiled code, as a rule an
OpenBLAS. Where tblite comes with another BLAS, or the table is not as expected, it stays as it is.

PySCF's carry an OpenBLAS of 2018, which takes a processor that it does not know for one of 2007.

Nothing else in the process is touched, and the same numbers come out up to rounding.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

BUNDLED = "libblas-"
"""How the file name of the reference BLAS begins that a wheel brings along."""
_STRINGS, _SYMBOLS, _TABLE, _TABLE_BYTES, _FLAGS, _FLAGS_1 = 5, 6, 23, 2, 30, 0x6FFFFFFB
_NEEDED = 1
"""Tags in the dynamic section of a shared library (System V ABI, chapter 5)."""
_BIND_NOW, _NOW = 8, 1
"""Flags of a library whose table the loader makes read-only."""
_JUMP_SLOT = 7
"""Kind of an entry of the table on x86-64."""
_LINK_MAP = 2
"""What `dlinfo` is asked for."""


class _Dynamic(ctypes.Structure):
    _fields_ = (("tag", ctypes.c_int64), ("value", ctypes.c_uint64))


class _LinkMap(ctypes.Structure):
    _fields_ = (
        ("base", ctypes.c_uint64),
        ("name", ctypes.c_char_p),
        ("dynamic", ctypes.POINTER(_Dynamic)),
    )


class _Entry(ctypes.Structure):
    _fields_ = (("offset", ctypes.c_uint64), ("info", ctypes.c_uint64), ("added", ctypes.c_int64))


class _Symbol(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_uint32),
        ("info", ctypes.c_uint8),
        ("other", ctypes.c_uint8),
        ("section", ctypes.c_uint16),
        ("value", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
    )


@functools.cache
def speed_up_tblite() -> int:
    """Let tblite compute with SciPy's BLAS and LAPACK; return how many routines it now takes there.

    Zero where it stays with its own. Once a process is enough.
    """
    if not (sys.platform == "linux" and platform.machine() == "x86_64"):
        return 0
    from tblite import _libtblite

    count = redirect(_libtblite.__file__)
    if count:
        log.info("tblite takes %d routines of BLAS and LAPACK from SciPy.", count)
    return count


def redirect(path: str) -> int:
    """Point the calls of a loaded library to a bundled reference BLAS at SciPy's routines.

    Parameters
    ----------
    path
        The shared library.

    Returns
    -------
    int
        How many routines were found and set; zero where it brings no such BLAS along.
    """
    loaded = ctypes.CDLL(path)
    link = ctypes.POINTER(_LinkMap)()
    dlinfo = ctypes.CDLL(None).dlinfo
    dlinfo.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    if dlinfo(loaded._handle, _LINK_MAP, ctypes.byref(link)) != 0:
        return 0
    base: int = link.contents.base
    facts, needed = _dynamic_section(link.contents.dynamic)
    readonly = facts.get(_FLAGS, 0) & _BIND_NOW or facts.get(_FLAGS_1, 0) & _NOW
    if readonly or not {_STRINGS, _SYMBOLS, _TABLE, _TABLE_BYTES} <= facts.keys():
        return 0
    strings = facts[_STRINGS]
    if not any(_text(strings + name).startswith(BUNDLED) for name in needed):
        return 0
    known, count = scipy_routines(), 0
    for k in range(facts[_TABLE_BYTES] // ctypes.sizeof(_Entry)):
        entry = _Entry.from_address(facts[_TABLE] + k * ctypes.sizeof(_Entry))
        number, kind = entry.info >> 32, entry.info & 0xFFFFFFFF
        symbol = _Symbol.from_address(facts[_SYMBOLS] + number * ctypes.sizeof(_Symbol))
        address = known.get(_text(strings + symbol.name))
        if kind == _JUMP_SLOT and symbol.section == 0 and address is not None:
            ctypes.c_uint64.from_address(base + entry.offset).value = address
            count += 1
    return count


@functools.cache
def scipy_routines() -> dict[str, int]:
    """Return the address of every routine that SciPy offers, by its Fortran name (``dgemm_``).

    They take the arguments of Fortran as pointers; the lengths of strings that Fortran adds at the
    end are not looked at. Those without an integer of 32 bits among their arguments are left out.
    """
    from scipy.linalg import cython_blas, cython_lapack

    name_of, pointer_of = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, (ctypes.py_object,)
    pointer_of.restype = ctypes.c_void_p
    pointer_of.argtypes = (ctypes.py_object, ctypes.c_char_p)
    offered = {**cython_lapack.__pyx_capi__, **cython_blas.__pyx_capi__}
    return {
        f"{name}_": pointer_of(capsule, signature)
        for name, capsule in offered.items()
        if re.search(rb"[(, ]int \*", signature := name_of(capsule))
    }


CORE = "OPENBLAS_CORETYPE"
"""Environment variable by which OpenBLAS is told a kind of processor."""
AVX2_CORE = "Haswell"
"""The first kind with AVX2; its kernels run on all that have it."""


def load_pyscf() -> None:
    """Import PySCF, its OpenBLAS with the kernels for AVX2 where the processor has it.

    A metal node at PBE takes two thirds of the time then. A choice in the environment is kept.
    """
    if "pyscf" in sys.modules:
        return
    choose = CORE not in os.environ and "avx2" in processor_flags()
    if choose:
        os.environ[CORE] = AVX2_CORE
    try:
        import pyscf.lib  # noqa: F401
    finally:
        if choose:
            del os.environ[CORE]


def processor_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return what Linux says that the first processor can do; nothing elsewhere."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((x for x in lines if x.startswith("flags")), "").split())


def _dynamic_section(dynamic: Any) -> tuple[dict[int, int], list[int]]:
    """Return values by tag, and where the names of needed libraries are among the strings."""
    facts: dict[int, int] = {}
    needed: list[int] = []
    k = 0
    while dynamic[k].tag:
        if dynamic[k].tag == _NEEDED:
            needed.append(dynamic[k].value)
        else:
            facts[dynamic[k].tag] = dynamic[k].value
        k += 1
    return facts, needed


def _text(address: int) -> str:
    return ctypes.string_at(address).decode()
