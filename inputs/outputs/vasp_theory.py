"""How a VASP run names its level of theory, and what decides whether energies may be subtracted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.inputs.outputs.outcar import OutcarScan

FUNCTIONALS = {
    "PE": "pbe", "PS": "pbesol", "RP": "rpbe", "RE": "revpbe", "AM": "am05", "CA": "lda",
    "91": "pw91", "8": "pbe", "14": "pbesol", "OR": "optpbe", "BO": "optb88", "MK": "optb86b",
    "MF": "df2b86r", "ML": "df2",
}  # fmt: skip
"""``GGA`` and ``LEXCH`` tags; numbers are VASP's internal ones."""
DISPERSIONS = {
    "1": "d2", "10": "d2", "11": "d3", "12": "d3bj", "13": "d4", "2": "ts", "20": "ts",
    "21": "ts-hirshfeld", "202": "mbd", "263": "mbd-fi", "3": "ulg", "4": "ddsc",
}  # fmt: skip
"""``IVDW`` tags."""
GRID = "k grid"
"""Name under which readers put the k grid among the tags."""


def functional_of(tags: dict[str, str]) -> str:
    """Return the functional's usual short name, or an empty text."""
    meta = tags.get("METAGGA", "").strip("-").upper()
    if meta and meta not in ("F", "NONE", "T"):
        return meta.lower()
    gga = tags.get("GGA", "").upper()
    name = FUNCTIONALS.get(gga, "") if gga not in ("", "--", "NO") else ""
    name = name or FUNCTIONALS.get(tags.get("LEXCH", "").upper(), "")
    if tags.get("LHFCALC", "F").upper().startswith((".T", "T")):
        screening = float(tags.get("HFSCREEN", 0.0) or 0.0)
        return "hse06" if abs(screening - 0.2) < 0.02 else f"{name}-hybrid" if name else "hybrid"
    return name


def theory_of(tags: dict[str, str]) -> str:
    """Return ``vasp-functional-dispersion``, or an empty text where the functional is unknown."""
    functional, dispersion = functional_of(tags), DISPERSIONS.get(tags.get("IVDW", "0"), "")
    return "-".join(filter(None, ("vasp", functional, dispersion))) if functional else ""


def settings_of(scan: OutcarScan, tags: dict[str, str], folder: Path) -> dict[str, float | str]:
    """Return what two runs must share before their energies are subtracted."""
    settings: dict[str, float | str] = {}
    for name, tag in (("cutoff_eV", "ENCUT"), ("electrons", "NELECT")):
        if tag in tags:
            settings[name] = float(tags[tag])
    if functional_of(tags):
        settings["functional"] = functional_of(tags)
        settings["dispersion"] = DISPERSIONS.get(tags.get("IVDW", "0"), "none")
    if "ISPIN" in tags:
        settings["spin_polarised"] = "yes" if tags["ISPIN"].strip() == "2" else "no"
    if scan.titles:
        settings["pseudopotentials"] = ", ".join(dict.fromkeys(scan.titles))
    grid = tags.get(GRID) or kpoint_grid(folder)
    if grid:
        settings["kpoints"] = grid
    return settings


def kpoint_grid(folder: Path) -> str:
    """Return the k grid of a KPOINTS file as ``3x3x1``, or an empty text if there is none.

    The images of a band share the file in the folder above.
    """
    from pymatgen.io.vasp.inputs import Kpoints

    places = (folder, folder.parent) if folder.name.isdigit() else (folder,)
    for path in (place / "KPOINTS" for place in places):
        if not path.is_file():
            continue
        try:
            kpoints = Kpoints.from_file(path)
        except (ValueError, IndexError, KeyError):
            return ""
        if kpoints.style.name in ("Gamma", "Monkhorst"):
            return "x".join(str(int(n)) for n in kpoints.kpts[0])
        return ""
    return ""
