"""What is computed, and how well: the .param file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.inputs.castep.keys import TO_EV, FreeForm, force_units, spring_units
from superionic.inputs.combinations import (
    BAND_OPTIMISERS,
    FUNCTIONALS,
    RELAX_OPTIMISERS,
    cartesian_axis,
)
from superionic.inputs.dft import Band, Relaxation, Smearing, Spin
from superionic.inputs.dft_parts import shortest_moments, tidy
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from superionic.inputs.castep.options import CastepOptions
    from superionic.inputs.dft import DFTSpec
    from superionic.structures.structure import Structure

SCHEMES = {"d2": "G06", "d3": "D3", "d3bj": "D3-BJ", "ts": "TS", "mbd": "MBD*"}
SMEARINGS = {
    "gaussian": "Gaussian",
    "fermi-dirac": "FermiDirac",
    "methfessel-paxton": "HermitePolynomials",
}
TASKS = {
    "static": "SinglePoint",
    "relax": "GeometryOptimization",
    "neb": "TransitionStateSearch",
}
TASK_WORDS = {
    "singlepoint": "static",
    "energy": "static",
    "geometryoptimization": "relax",
    "geometryoptimisation": "relax",
    "geomopt": "relax",
    "transitionstatesearch": "neb",
}
"""What a .param file may call each of them."""


def param_file(spec: DFTSpec, structure: Structure, options: CastepOptions, title: str) -> FreeForm:
    """Return the contents of the .param file."""
    words = {
        "task": TASKS[spec.task],
        "comment": title,
        "xc_functional": FUNCTIONALS["castep"][spec.functional],
        "cut_off_energy": f"{spec.cutoff_eV:.12g} eV",
    }
    if spec.dispersion != "none":
        words |= {"sedc_apply": "TRUE", "sedc_scheme": SCHEMES[spec.dispersion]}
    words |= {
        "elec_energy_tol": f"{float(spec.scf_energy_eV / len(structure))!r} eV",
        "max_scf_cycles": str(spec.scf_max_steps),
    }
    if spec.smearing.kind == "fixed":
        words["fix_occupancy"] = "TRUE"
    else:
        words |= {
            "fix_occupancy": "FALSE",
            "smearing_scheme": SMEARINGS[spec.smearing.kind],
            "smearing_width": f"{spec.smearing.width_eV:.12g} eV",
        }
    words |= _spin_words(spec, structure)
    if spec.charge_e:
        words["charge"] = f"{spec.charge_e:.12g}"
    if spec.dipole_axis != "none":
        axis = cartesian_axis(structure, "abc".index(spec.dipole_axis))
        words |= {"dipole_correction": "SELFCONSISTENT", "dipole_dir": "XYZ"[axis or 0]}
    words |= _motion_words(spec, len(structure))
    words |= {k: str(v) for k, v in options.extra_param.items()}
    return FreeForm(words)


def _spin_words(spec: DFTSpec, structure: Structure) -> dict[str, str]:
    spin = spec.spin
    if not spin.polarised:
        return {"spin_polarized": "FALSE"}
    words = {"spin_polarized": "TRUE"}
    if spin.total_moment is None:
        return words | {"spin": f"{sum(spin.moments(structure)):.12g}"}
    words |= {"spin": f"{spin.total_moment:.12g}", "spin_fix": "-1"}
    return words | ({"geom_spin_fix": "-1"} if spec.relax is not None else {})


def _motion_words(spec: DFTSpec, atoms: int) -> dict[str, str]:
    if spec.relax is not None:
        relax = spec.relax
        words = {
            "geom_method": RELAX_OPTIMISERS["castep"][relax.optimiser],
            "geom_max_iter": str(relax.max_steps),
            "geom_force_tol": f"{relax.force_eV_per_A:.12g} eV/ang",
        }
        if relax.energy_eV is not None:
            words["geom_energy_tol"] = f"{float(relax.energy_eV / atoms)!r} eV"
        return words
    if spec.band is None:
        return {}
    return {
        "tssearch_method": "NEB",
        "tssearch_max_path_points": str(spec.band.images),
        "tssearch_force_tol": f"{spec.band.force_eV_per_A:.12g} eV/ang",
        "tssearch_neb_max_iter": str(spec.band.max_steps),
        "tssearch_neb_climbing": "TRUE" if spec.band.climb else "FALSE",
        "tssearch_neb_spring_constant": f"{spec.band.spring_eV_per_A2:.12g} eV/ang**2",
        "tssearch_neb_method": BAND_OPTIMISERS["castep"][spec.band.optimiser],
    }


def read_functional(param: FreeForm) -> str:
    """Return the functional.

    Raises
    ------
    DeckError
        It is not covered.
    """
    if "xc_definition" in param.blocks:
        raise DeckError(f"{param.name}: a functional mixed in XC_DEFINITION is not covered.")
    word = param.word("xc_functional", "lda")
    if word not in FUNCTIONALS["castep"]:
        raise DeckError(
            f"{param.name}: XC_FUNCTIONAL {word.upper()} is not covered; known: "
            f"{', '.join(FUNCTIONALS['castep'].values())}."
        )
    return word


def read_cutoff(param: FreeForm) -> float:
    """Return the cutoff in eV.

    Raises
    ------
    DeckError
        There is none.
    """
    if "cut_off_energy" not in param.words:
        raise DeckError(
            f"{param.name} has no CUT_OFF_ENERGY. What BASIS_PRECISION means depends on the "
            "pseudopotentials, so that two decks would not share a basis: give a number."
        )
    return param.quantity("cut_off_energy", 0.0, TO_EV)


def read_dispersion(param: FreeForm) -> str:
    """Return the dispersion correction.

    Raises
    ------
    DeckError
        It is not covered.
    """
    scheme = param.word("sedc_scheme", "none")
    if not param.truth("sedc_apply", False) or scheme == "none":
        return "none"
    names = {v.lower(): k for k, v in SCHEMES.items()} | {"mbd": "mbd"}
    if scheme not in names:
        raise DeckError(
            f"{param.name}: SEDC_SCHEME {scheme.upper()} is not covered; known: "
            f"{', '.join(SCHEMES.values())}."
        )
    return names[scheme]


def read_smearing(param: FreeForm) -> Smearing:
    """Return the occupations.

    Raises
    ------
    DeckError
        They are not covered.
    """
    if param.truth("fix_occupancy", False):
        return Smearing("fixed")
    names = {v.lower(): k for k, v in SMEARINGS.items()}
    scheme = param.word("smearing_scheme", "gaussian")
    if scheme not in names:
        raise DeckError(
            f"{param.name}: SMEARING_SCHEME {scheme.upper()} is not covered; known: "
            f"{', '.join(SMEARINGS.values())}."
        )
    width = param.quantity("smearing_width", 0.2, TO_EV)
    kind = names[scheme]
    return Smearing(kind, width, 1 if kind == "methfessel-paxton" else 0)  # type: ignore[arg-type]


def read_spin(param: FreeForm, structure: Structure, moments: list[float]) -> Spin:
    """Return the polarisation and the starting moments."""
    total = param.quantity("spin", 0.0, {})
    spelt = "spin_polarised" if "spin_polarised" in param.words else "spin_polarized"
    if not param.truth(spelt, total > 0):
        return Spin()
    held = param.whole("spin_fix", 10) < 0 or param.truth("fix_occupancy", False)
    return Spin(True, shortest_moments(structure.symbols, moments), total if held else None)


def read_dipole(param: FreeForm, structure: Structure) -> str:
    """Return the axis of the dipole correction.

    Raises
    ------
    DeckError
        It is of another kind than self-consistent and along one lattice vector.
    """
    kind = param.word("dipole_correction", "none")
    if kind == "none":
        return "none"
    direction = "xyz".find(param.word("dipole_dir", "z")[:1])
    for k, name in enumerate("abc"):
        if kind == "selfconsistent" and cartesian_axis(structure, k) == direction:
            return name
    raise DeckError(
        f"{param.name}: DIPOLE_CORRECTION {kind.upper()} along "
        f"{param.word('dipole_dir', 'z').upper()} is not covered: it must be SELFCONSISTENT, along "
        "the normal of two lattice vectors."
    )


def read_motion(
    param: FreeForm, cell: FreeForm, atoms: int
) -> tuple[Relaxation | None, Band | None]:
    """Return how atoms or a band relax.

    Raises
    ------
    DeckError
        Another task, or an optimiser that is not covered.
    """
    word = param.word("task", "singlepoint")
    if word not in TASK_WORDS:
        raise DeckError(
            f"{param.name}: the task {word} is not covered; known: {', '.join(TASKS.values())}."
        )
    task = TASK_WORDS[word]
    if task == "static":
        return None, None
    forces = force_units()
    force = param.quantity("geom_force_tol", 0.05, forces)
    if task == "neb":
        return None, _read_band(param, force)
    names = {v.lower(): k for k, v in RELAX_OPTIMISERS["castep"].items()}
    method = param.word("geom_method", "lbfgs")
    if method not in names:
        raise DeckError(f"{param.name}: GEOM_METHOD {method.upper()} is not covered.")
    energy = None
    if "geom_energy_tol" in param.words:
        energy = tidy(param.quantity("geom_energy_tol", 0.0, TO_EV) * atoms)
    fixed = cell.truth("fix_all_cell", False) or cell.truth("fix_cell", False)
    return Relaxation(
        force_eV_per_A=force,
        energy_eV=energy,
        max_steps=param.whole("geom_max_iter", 30),
        optimiser=names[method],  # type: ignore[arg-type]
        cell="fixed" if fixed else "full",
    ), None


def _read_band(param: FreeForm, force: float) -> Band:
    if param.word("tssearch_method", "lstqst") != "neb":
        raise DeckError(f"{param.name}: only TSSEARCH_METHOD NEB is covered.")
    names = {v.lower(): k for k, v in BAND_OPTIMISERS["castep"].items()}
    method = param.word("tssearch_neb_method", "ode12r")
    if method not in names:
        raise DeckError(f"{param.name}: TSSEARCH_NEB_METHOD {method.upper()} is not covered.")
    return Band(
        images=param.whole("tssearch_max_path_points", 20),
        climb=param.truth("tssearch_neb_climbing", False),
        spring_eV_per_A2=param.quantity("tssearch_neb_spring_constant", 0.1, spring_units()),
        force_eV_per_A=param.quantity("tssearch_force_tol", force, force_units()),
        max_steps=param.whole("tssearch_neb_max_iter", 20),
        optimiser=names[method],  # type: ignore[arg-type]
    )
