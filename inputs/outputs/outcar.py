"""One pass through an OUTCAR, whole or broken off: what readers of finished ones do not tell."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ITERATION = re.compile(r"-+ Iteration\s+(\d+)\(\s*(\d+)\)")
_SETTING = re.compile(r"([A-Z][A-Z_0-9]+)\s*=\s*([^\s;]+)")
_HEADER_KEYS = frozenset(
    [
        "NELM",
        "NSW",
        "IBRION",
        "EDIFF",
        "EDIFFG",
        "ISPIN",
        "ENCUT",
        "ICHARG",
        "NELECT",
        "GGA",
        "METAGGA",
        "LHFCALC",
        "LEXCH",
        "IVDW",
        "LCLIMB",
        "SPRING",
        "IMAGES",
        "ISIF",
        "LEPSILON",
        "ALGO",
        "HFSCREEN",
        "LSORBIT",
        "LNONCOLLINEAR",
        "NKPTS",
    ]
)


@dataclass(frozen=True)
class OutcarScan:
    """What an OUTCAR says about how its run went.

    Attributes
    ----------
    version : str
        ``vasp.6.4.2`` without what follows.
    ended : bool
        The accounting that VASP writes last is there.
    soft_stop : bool
        A STOPCAR ended it.
    reached_accuracy : bool
        The ionic relaxation says that it met its criterion.
    iterations : tuple of int
        Electronic steps of each ionic step that was begun.
    band_fmax_eV_per_A : float or None
        Largest band force on an atom of this image at the last step; only patched builds say it.
    settings : dict
        Resolved tags by name, as text, the first time each occurs; tags named by this module only.
    titles : tuple of str
        Pseudopotentials, in the order of the species.
    valences : tuple of float
        Valence electrons of each species.
    ions_per_type : tuple of int
        Atoms of each species.
    """

    version: str = ""
    ended: bool = False
    soft_stop: bool = False
    reached_accuracy: bool = False
    iterations: tuple[int, ...] = ()
    band_fmax_eV_per_A: float | None = None
    settings: dict[str, str] = field(default_factory=dict)
    titles: tuple[str, ...] = ()
    valences: tuple[float, ...] = ()
    ions_per_type: tuple[int, ...] = ()

    def number(self, name: str, default: float) -> float:
        """Return a tag as a number, or the default where it is missing or no number."""
        try:
            return float(self.settings[name])
        except (KeyError, ValueError):
            return default


def scan_outcar(path: Path) -> OutcarScan:
    """Read what an OUTCAR says about its run; never raises on a broken-off one."""
    scan = _Scan()
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            scan.take(line)
    return scan.result()


class _Scan:
    """State of a pass."""

    def __init__(self) -> None:
        self.version = ""
        self.flags = {"ended": False, "soft_stop": False, "reached_accuracy": False}
        self.iterations: dict[int, int] = {}
        self.band_fmax: float | None = None
        self.settings: dict[str, str] = {}
        self.titles: list[str] = []
        self.valences: list[float] = []
        self.ions: tuple[int, ...] = ()

    def take(self, line: str) -> None:
        """Take one line."""
        if not self.iterations:
            self._header(line)
        if "Iteration" in line and (match := _ITERATION.search(line)):
            self.iterations[int(match[1])] = int(match[2])
        elif "General timing and accounting" in line:
            self.flags["ended"] = True
        elif "soft stop encountered" in line:
            self.flags["soft_stop"] = True
        elif "reached required accuracy" in line:
            self.flags["reached_accuracy"] = True
        elif "FORCES: max atom, RMS" in line:
            self.band_fmax = _number(line.split()[-2])

    def _header(self, line: str) -> None:
        """Take one line before the first electronic step."""
        if not self.version and line.lstrip().startswith("vasp."):
            self.version = ".".join(line.split()[0].split(".")[:4])
        if "TITEL" in line and "=" in line:
            self.titles.append(line.split("=", 1)[1].strip())
        elif "ions per type" in line and "=" in line:
            self.ions = tuple(int(x) for x in line.split("=", 1)[1].split() if x.isdigit())
        elif "POMASS" in line and "ZVAL" in line:
            self.valences.append(_number(line.split("ZVAL")[1].split("=")[1].split()[0]) or 0.0)
        elif "NEB:" in line and "LCLIMB" in line:
            self.settings.setdefault("LCLIMB", line.split()[-1])
        elif "OPT:" in line and "IMAGES" in line:
            self.settings.setdefault("IMAGES", line.split()[-1])
        for key, value in _SETTING.findall(line):
            if key in _HEADER_KEYS:
                self.settings.setdefault(key, value)

    def result(self) -> OutcarScan:
        return OutcarScan(
            version=self.version,
            iterations=tuple(self.iterations[k] for k in sorted(self.iterations)),
            band_fmax_eV_per_A=self.band_fmax,
            settings=self.settings,
            titles=tuple(self.titles),
            valences=tuple(self.valences),
            ions_per_type=self.ions,
            **self.flags,
        )


def _number(text: str) -> float | None:
    """Return a number, or None for the asterisks of an overflown field."""
    try:
        return float(text)
    except ValueError:
        return None
