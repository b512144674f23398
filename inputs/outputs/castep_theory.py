"""How a CASTEP run names its level of theory, and what lets its energies be subtracted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from superionic.inputs.outputs.castep_scan import CastepScan

FUNCTIONALS = {
    "Perdew Burke Ernzerhof": "pbe", "PBE for solids (2008)": "pbesol",
    "Local Density Approximation": "lda", "revised Perdew Burke Ernzerhof": "rpbe",
    "Perdew Wang (1991)": "pw91", "PBE with Wu-Cohen exchange": "wc", "RSCAN": "rscan",
    "hybrid HSE06": "hse06", "hybrid PBE0": "pbe0", "hybrid B3LYP": "b3lyp",
}  # fmt: skip
"""Functionals in CASTEP's words."""
DISPERSIONS = {
    "G06": "d2", "OBS": "obs", "TS": "ts", "D3": "d3", "D3-BJ": "d3bj", "D4": "d4", "MBD": "mbd",
    "MBD*": "mbd", "TSSURF": "tssurf", "XDM": "xdm", "JCHS": "jchs",
}  # fmt: skip
"""``SEDC_SCHEME`` values."""


def settings_of(scan: CastepScan, header: Mapping[str, Any]) -> dict[str, float | str]:
    """Return what two runs must share before their energies are subtracted."""
    facts, settings = scan.facts, dict[str, float | str]()
    for name in ("cutoff", "electrons"):
        try:
            key = "cutoff_eV" if name == "cutoff" else name
            settings[key] = float(facts[name].split()[0])
        except (KeyError, ValueError, IndexError):
            continue
    if "functional" in facts:
        settings["functional"] = FUNCTIONALS.get(facts["functional"], facts["functional"].lower())
        settings["dispersion"] = dispersion_of(header) or "none"
    if "grid" in facts:
        settings["kpoints"] = "x".join(facts["grid"].split()[:3])
    if header:
        settings["spin_polarised"] = "yes" if header.get("spin_polarized") else "no"
    return settings


def dispersion_of(header: Mapping[str, Any]) -> str:
    """Return the dispersion correction's usual short name, or an empty text."""
    scheme = header.get("sedc_scheme", "") if header.get("sedc_apply") else ""
    return DISPERSIONS.get(str(scheme), str(scheme).lower())


def theory_of(scan: CastepScan, header: Mapping[str, Any]) -> str:
    """Return ``castep-functional-dispersion``, or an empty text without a functional."""
    functional = settings_of(scan, header).get("functional", "")
    parts = ("castep", str(functional), dispersion_of(header))
    return "-".join(filter(None, parts)) if functional else ""
