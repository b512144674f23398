"""One pass through a .castep file, whole or broken off: how its last run went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NO_GROUND_STATE = (
    "SCF cycles performed but system has not reached the groundstate",
    "electronic minimisation did not converge when finding ground state",
)
"""What CASTEP says when the electrons did not converge."""
GEOMETRY_DONE = "Geometry optimization completed successfully"
GEOMETRY_FAILED = "Geometry optimization failed to converge"
STOPPED = (
    "STOP keyword detected in parameter file",
    "Insufficient time for another iteration",
)
"""What CASTEP says when it was asked to stop, or did so at its own time limit."""


@dataclass(frozen=True)
class CastepScan:
    """What a .castep file says about its last run.

    Attributes
    ----------
    version : str
        ``castep.23.1``.
    runs : int
        Runs appended to the file; a continuation writes to the same one.
    ended : bool
        The timing that CASTEP writes last is there.
    calculation : str
        Type of calculation in CASTEP's words.
    facts : dict
        Header lines by name: grid, cutoff, electrons, force tolerance, ...
    scf : tuple of int
        Electronic steps of each ground state that was begun.
    unconverged_scf : tuple of int
        Ground states that were not reached, counted from zero.
    geometry : {"", "done", "failed"}
        How the geometry optimisation ended.
    stopped : str
        Why CASTEP stopped before it was done; empty if it did not.
    enthalpy_eV : float or None
        Final enthalpy of a geometry optimisation.
    spin : float or None
        Excess of one spin over the other in the last ground state.
    """

    version: str = ""
    runs: int = 0
    ended: bool = False
    calculation: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    scf: tuple[int, ...] = ()
    unconverged_scf: tuple[int, ...] = ()
    geometry: str = ""
    stopped: str = ""
    enthalpy_eV: float | None = None
    spin: float | None = None


_FACTS = {
    "type of calculation": "calculation",
    "using functional": "functional",
    "plane wave basis set cut-off": "cutoff",
    "number of  electrons": "electrons",
    "max ionic |force| tolerance": "force_tolerance",
    "MP grid size for SCF calculation is": "grid",
    "max. number of SCF cycles": "scf_limit",
    "finite basis set correction": "basis_correction",
}


def scan_castep(path: Path) -> CastepScan:
    """Read how the last run of a .castep file went; never raises on a broken-off one."""
    scan = _Scan()
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            scan.take(line)
    return scan.result()


class _Scan:
    """State of a pass."""

    def __init__(self) -> None:
        self.runs = 0
        self.version = ""
        self._restart()

    def _restart(self) -> None:
        """Forget what belongs to an earlier run of the same file."""
        self.facts: dict[str, str] = {}
        self.scf: list[int] = []
        self.unconverged: set[int] = set()
        self.words = {"geometry": "", "stopped": ""}
        self.numbers: dict[str, float] = {}
        self.ended = False

    def take(self, line: str) -> None:
        """Take one line."""
        if "CASTEP version" in line and ("Welcome" in line or "Materials Studio" in line):
            self.runs += 1
            self._restart()
            self.version = "castep." + line.split("CASTEP version")[1].split()[0].strip("|")
        elif "<-- SCF" in line:
            self._scf_line(line)
        elif line.startswith("Total time") and "=" in line:
            self.ended = True
        else:
            self._fact(line)
            self._event(line)

    def _scf_line(self, line: str) -> None:
        """Count the electronic steps."""
        first = line.split()[0]
        if first == "Initial":
            self.scf.append(0)
        elif first.isdigit() and self.scf:
            self.scf[-1] = int(first)

    def _fact(self, line: str) -> None:
        """Keep a line of the header."""
        text = line.strip()
        for start, name in _FACTS.items():
            if text.startswith(start) and name not in self.facts:
                rest = text[len(start) :].strip(" :=")
                if rest:
                    self.facts[name] = rest

    def _event(self, line: str) -> None:
        """Keep what happened."""
        if any(words in line for words in NO_GROUND_STATE) and self.scf:
            self.unconverged.add(len(self.scf) - 1)
        elif GEOMETRY_DONE in line:
            self.words["geometry"] = "done"
        elif GEOMETRY_FAILED in line:
            self.words["geometry"] = "failed"
        elif any(words in line for words in STOPPED):
            self.words["stopped"] = line.strip()
        elif "Final Enthalpy" in line and "=" in line:
            self._number("enthalpy", line.split("=")[1].split()[0])
        elif "Integrated Spin Density" in line and "=" in line:
            self._number("spin", line.split("=")[1].split()[0])

    def _number(self, name: str, text: str) -> None:
        try:
            self.numbers[name] = float(text)
        except ValueError:
            self.numbers.pop(name, None)

    def result(self) -> CastepScan:
        return CastepScan(
            version=self.version,
            runs=self.runs,
            ended=self.ended,
            calculation=self.facts.get("calculation", ""),
            facts=self.facts,
            scf=tuple(self.scf),
            unconverged_scf=tuple(sorted(self.unconverged)),
            enthalpy_eV=self.numbers.get("enthalpy"),
            spin=self.numbers.get("spin"),
            **self.words,
        )
