"""What each code can do of what a specification can ask, so that nothing is replaced in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ase.data import atomic_numbers

from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from superionic.inputs.dft import DFTSpec
    from superionic.structures.structure import Structure

NAMES = {"vasp": "VASP", "castep": "CASTEP", "gpaw": "GPAW"}

FUNCTIONALS: Mapping[str, Mapping[str, str]] = {
    "vasp": {
        "lda": "CA", "pw91": "91", "pbe": "PE", "pbesol": "PS", "rpbe": "RP", "revpbe": "RE",
        "scan": "SCAN", "rscan": "RSCAN", "r2scan": "R2SCAN", "pbe0": "PE", "hse06": "PE",
        "b3lyp": "B3",
    },
    "castep": {
        "lda": "LDA", "pw91": "PW91", "pbe": "PBE", "pbesol": "PBESOL", "rpbe": "RPBE",
        "rscan": "RSCAN", "pbe0": "PBE0", "hse06": "HSE06", "b3lyp": "B3LYP",
    },
    "gpaw": {  # those that its PAW datasets are made for, or that share those of PBE
        "lda": "LDA", "pbe": "PBE", "rpbe": "RPBE", "revpbe": "revPBE",
        "scan": "MGGA_X_SCAN+MGGA_C_SCAN", "rscan": "MGGA_X_RSCAN+MGGA_C_RSCAN",
        "r2scan": "MGGA_X_R2SCAN+MGGA_C_R2SCAN", "pbe0": "PBE0", "hse06": "HSE06",
    },
}  # fmt: skip
"""What each code calls a functional."""

HYBRIDS = ("pbe0", "hse06", "b3lyp")
META = ("scan", "rscan", "r2scan")

DISPERSIONS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "vasp": {
        "d2": frozenset({"pbe"}),
        "d3": frozenset({"pbe", "rpbe", "revpbe", "pbesol"}),
        "d3bj": frozenset({"pbe", "rpbe", "revpbe", "pbesol"}),
        "d4": frozenset({"pbe", "rpbe", "revpbe", "pbe0", "hse06", "b3lyp", "scan", "r2scan"}),
        "ts": frozenset({"pbe"}),
        "mbd": frozenset({"pbe"}),
    },
    "castep": {
        "d2": frozenset({"pbe", "b3lyp"}),
        "d3": frozenset({"pbe", "pbe0"}),
        "d3bj": frozenset({"pbe", "pbe0"}),
        "ts": frozenset({"pbe", "pbe0", "b3lyp", "rpbe", "pbesol", "pw91"}),
        "mbd": frozenset({"pbe", "pbe0", "hse06", "rscan"}),
    },
    "gpaw": {
        "d2": frozenset({"pbe"}),
        "d3": frozenset({"pbe", "rpbe", "revpbe", "pbe0", "hse06"}),
        "d3bj": frozenset({"pbe", "rpbe", "revpbe", "pbe0", "hse06", "r2scan"}),
        "d4": frozenset({"pbe", "rpbe", "revpbe", "pbe0", "hse06", "scan", "r2scan"}),
    },
}
"""Functionals for which a code brings the parameters of a dispersion correction."""

HEAVIEST: Mapping[str, Mapping[str, int]] = {
    "vasp": {"d2": 86, "d3": 94, "d3bj": 94, "d4": 86, "ts": 86, "mbd": 86},
    "castep": {"d2": 54, "d3": 94, "d3bj": 94, "ts": 54, "mbd": 54},
    "gpaw": {"d2": 86, "d3": 94, "d3bj": 94, "d4": 86},
}
"""Last element with parameters, by atomic number."""

RELAX_OPTIMISERS: Mapping[str, Mapping[str, str]] = {
    "vasp": {
        "cg": "IBRION 2", "quasi-newton": "IBRION 1", "damped-md": "IBRION 3", "lbfgs": "IOPT 1",
        "fire": "IOPT 7", "quick-min": "IOPT 3",
    },
    "castep": {
        "bfgs": "BFGS", "lbfgs": "LBFGS", "damped-md": "DAMPEDMD", "tpsd": "TPSD", "fire": "FIRE",
    },
    "gpaw": {"bfgs": "BFGS", "lbfgs": "LBFGS", "fire": "FIRE"},
}  # fmt: skip
BAND_OPTIMISERS: Mapping[str, Mapping[str, str]] = {
    "vasp": {
        "quasi-newton": "IBRION 1", "damped-md": "IBRION 3", "lbfgs": "IOPT 1", "cg": "IOPT 2",
        "quick-min": "IOPT 3", "fire": "IOPT 7",
    },
    "castep": {"fire": "FIRE", "ode12r": "ODE12R", "tpsd": "GRAD_BB"},
    "gpaw": {"bfgs": "BFGS", "lbfgs": "LBFGS", "fire": "FIRE"},
}  # fmt: skip
"""What each code calls an optimiser of atoms and of bands."""

SMEARINGS: Mapping[str, frozenset[str]] = {
    "vasp": frozenset({"gaussian", "fermi-dirac", "methfessel-paxton", "tetrahedron"}),
    "castep": frozenset({"fixed", "gaussian", "fermi-dirac", "methfessel-paxton"}),
    "gpaw": frozenset({"fixed", "gaussian", "fermi-dirac", "methfessel-paxton", "tetrahedron"}),
}


def check_supported(spec: DFTSpec, structure: Structure, code: str) -> None:
    """Raise unless a code can do what a specification asks of it.

    Parameters
    ----------
    spec
        The calculation.
    structure
        Its atoms.
    code
        ``vasp``, ``castep`` or ``gpaw``.

    Raises
    ------
    DeckError
        Names what the code lacks, and what it has in its place.
    """
    _need(code, "functional", spec.functional, FUNCTIONALS[code])
    if spec.dispersion != "none":
        _check_dispersion(spec, structure, code)
    _need(code, "smearing", spec.smearing.kind, SMEARINGS[code])
    if spec.relax is not None:
        _need(code, "optimiser of atoms", spec.relax.optimiser, RELAX_OPTIMISERS[code])
    if spec.band is not None:
        _need(code, "optimiser of bands", spec.band.optimiser, BAND_OPTIMISERS[code])
    {"vasp": _check_vasp, "castep": _check_castep, "gpaw": _check_gpaw}[code](spec, structure)


def _need(code: str, what: str, wanted: str, known: Iterable[str]) -> None:
    if wanted not in known:
        raise DeckError(
            f"{NAMES[code]} has no {what} '{wanted}'; it has {', '.join(sorted(known))}. Set one "
            "of these for this code; nothing is replaced in silence."
        )


def _check_dispersion(spec: DFTSpec, structure: Structure, code: str) -> None:
    _need(code, "dispersion correction", spec.dispersion, {"none", *DISPERSIONS[code]})
    allowed = DISPERSIONS[code][spec.dispersion]
    if spec.functional not in allowed:
        raise DeckError(
            f"{NAMES[code]} brings parameters of {spec.dispersion} for {', '.join(sorted(allowed))}"
            f", not for {spec.functional}. Change the functional or the dispersion correction."
        )
    last = HEAVIEST[code][spec.dispersion]
    heavy = sorted({s for s in structure.symbols if atomic_numbers[s] > last})
    if heavy:
        raise DeckError(
            f"{NAMES[code]} has no {spec.dispersion} parameters for {', '.join(heavy)} (beyond "
            f"element {last}). Choose another dispersion correction."
        )


def _check_vasp(spec: DFTSpec, structure: Structure) -> None:
    relax = spec.relax
    if relax is not None and relax.force_eV_per_A is not None and relax.energy_eV is not None:
        raise DeckError(
            "VASP ends a relaxation by the forces or by the energy (EDIFFG), not by both: leave "
            "out force_eV_per_A or energy_eV."
        )
    if relax is not None and relax.cell == "full" and relax.optimiser in ("lbfgs", "fire"):
        raise DeckError(
            f"The optimiser {relax.optimiser} of the VTST tools keeps the cell: take cg, "
            "quasi-newton or damped-md to relax it."
        )
    if spec.spin.total_moment is not None and spec.spin.total_moment < 0:
        raise DeckError(
            "VASP holds a total moment (NUPDOWN) of 0 or more: turn the sign of all moments."
        )


def _check_castep(spec: DFTSpec, structure: Structure) -> None:
    if spec.relax is not None and spec.relax.force_eV_per_A is None:
        raise DeckError(
            "CASTEP always ends a relaxation by the forces: set force_eV_per_A (energy_eV may be "
            "set as well)."
        )
    if spec.smearing.order > 1:
        raise DeckError("CASTEP has methfessel-paxton smearing of order 1 only.")
    if spec.smearing.kind == "fixed" and spec.spin.polarised and spec.spin.total_moment is None:
        raise DeckError(
            "CASTEP holds the total moment where occupations are fixed: set total_moment, or "
            "another smearing."
        )
    if spec.band is not None and spec.band.climb and spec.band.images % 2 == 0:
        raise DeckError(
            f"In CASTEP the middle image climbs, so a climbing band has an odd number of moving "
            f"images; got {spec.band.images}. Add or drop one."
        )
    axis = "abc".find(spec.dipole_axis)
    if axis >= 0 and cartesian_axis(structure, axis) is None:
        raise DeckError(
            f"CASTEP corrects the dipole along a Cartesian axis, but the vacuum along "
            f"{spec.dipole_axis} is open in none of them. Turn the cell so that the normal of the "
            "slab lies along z."
        )


def _check_gpaw(spec: DFTSpec, structure: Structure) -> None:
    if spec.relax is not None and spec.relax.force_eV_per_A is None:
        raise DeckError("The script for GPAW ends a relaxation by the forces: set force_eV_per_A.")
    if spec.relax is not None and spec.relax.energy_eV is not None:
        raise DeckError("The script for GPAW has no energy_eV criterion: leave it out.")
    total = spec.spin.total_moment
    if total is not None and abs(sum(spec.spin.moments(structure)) - total) > 1e-6:
        raise DeckError(
            "GPAW holds the sum of the starting moments; they sum to "
            f"{sum(spec.spin.moments(structure)):g}, but total_moment is {total:g}. Make them "
            "agree."
        )
    axis = "abc".find(spec.dipole_axis)
    if axis >= 0 and cartesian_axis(structure, axis) != axis:
        raise DeckError(
            "GPAW corrects the dipole along a lattice vector that is a Cartesian axis, the same in "
            "number (c along z). Turn the cell, or set dipole_axis = 'none'."
        )


def cartesian_axis(structure: Structure, axis: int) -> int | None:
    """Return the Cartesian axis normal to the other two lattice vectors, or None."""
    import numpy as np

    others = [structure.cell[k] for k in range(3) if k != axis]
    normal = np.cross(*others)
    normal /= np.linalg.norm(normal)
    place = int(np.argmax(np.abs(normal)))
    return place if abs(abs(normal[place]) - 1.0) < 1e-6 else None
