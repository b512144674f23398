"""A specification as INCAR tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.inputs.combinations import BAND_OPTIMISERS, FUNCTIONALS, META, RELAX_OPTIMISERS
from superionic.inputs.vasp.tags import as_text
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from superionic.inputs.dft import DFTSpec, Spin
    from superionic.structures.structure import Structure

DISPERSION_NUMBERS = {"d2": 1, "d3": 11, "d3bj": 12, "d4": 13, "ts": 2, "mbd": 202}
SMEARING_NUMBERS = {"fermi-dirac": -1, "gaussian": 0, "tetrahedron": -5}
SHELLS = {"s": 0, "p": 1, "d": 2, "f": 3}
HYBRID_TAGS = {
    "pbe0": {"AEXX": 0.25},
    "hse06": {"AEXX": 0.25, "HFSCREEN": 0.2},
    "b3lyp": {"AEXX": 0.2, "AGGAX": 0.72, "AGGAC": 0.81, "ALDAC": 0.19},
}
NO_AXIS = "none"


def incar_tags(spec: DFTSpec, structure: Structure, electrons: float | None) -> dict[str, str]:
    """Return the tags that a specification decides, in the order they are written.

    Parameters
    ----------
    spec
        The calculation.
    structure
        Its atoms, element by element.
    electrons
        Valence electrons of the neutral cell; needed where it has a charge.

    Raises
    ------
    DeckError
        A charged cell whose number of electrons is not known.
    """
    tags: dict[str, str | int | float | bool] = {"ENCUT": spec.cutoff_eV}
    tags |= _functional_tags(spec.functional)
    if spec.dispersion != "none":
        tags["IVDW"] = DISPERSION_NUMBERS[spec.dispersion]
    tags |= {"EDIFF": spec.scf_energy_eV, "NELM": spec.scf_max_steps}
    if spec.smearing.kind == "methfessel-paxton":
        tags["ISMEAR"] = spec.smearing.order
    else:
        tags["ISMEAR"] = SMEARING_NUMBERS[spec.smearing.kind]
    if spec.smearing.width_eV:
        tags["SIGMA"] = spec.smearing.width_eV
    tags |= _spin_tags(spec.spin, structure)
    if spec.charge_e:
        if electrons is None:
            raise DeckError(
                "VASP takes a charge as a number of electrons (NELECT), and that of a potential "
                "here is not known. Name potentials of the packaged table, or configure your own "
                "potential folder."
            )
        tags["NELECT"] = float(electrons - spec.charge_e)
    tags |= _hubbard_tags(spec.hubbard_u_eV, structure)
    tags |= _motion_tags(spec)
    if spec.dipole_axis != NO_AXIS:
        tags |= {"LDIPOL": True, "IDIPOL": "abc".index(spec.dipole_axis) + 1}
        tags["DIPOL"] = " ".join(f"{x:.4f}" for x in _centre(structure))
    return {tag: as_text(value) for tag, value in tags.items()}


def _functional_tags(functional: str) -> dict[str, str | int | float | bool]:
    name = FUNCTIONALS["vasp"][functional]
    if functional in META:
        return {"METAGGA": name, "LASPH": True}
    tags: dict[str, str | int | float | bool] = {"GGA": name}
    if functional in HYBRID_TAGS:
        tags |= {"LHFCALC": True, **HYBRID_TAGS[functional]}
    return tags


def _spin_tags(spin: Spin, structure: Structure) -> dict[str, str | int | float | bool]:
    if not spin.polarised:
        return {"ISPIN": 1}
    tags: dict[str, str | int | float | bool] = {
        "ISPIN": 2,
        "MAGMOM": _runs(spin.moments(structure)),
    }
    if spin.total_moment is not None:
        tags["NUPDOWN"] = spin.total_moment
    return tags


def _runs(values: Sequence[float]) -> str:
    """Return a list of numbers as VASP takes it: ``4*0.5 -1``."""
    words: list[str] = []
    k = 0
    while k < len(values):
        end = k
        while end < len(values) and values[end] == values[k]:
            end += 1
        words.append(f"{end - k}*{values[k]:.12g}")
        k = end
    return " ".join(words)


def _hubbard_tags(
    table: Mapping[str, float], structure: Structure
) -> dict[str, str | int | float | bool]:
    if not table:
        return {}
    shells = {key.split("-")[0]: (SHELLS[key[-1]], u) for key, u in table.items()}
    species = list(dict.fromkeys(structure.symbols))
    rows = [shells.get(s, (-1, 0.0)) for s in species]
    return {
        "LDAU": True,
        "LDAUTYPE": 2,
        "LDAUL": " ".join(str(shell) for shell, _ in rows),
        "LDAUU": " ".join(f"{u:.12g}" for _, u in rows),
        "LDAUJ": " ".join("0" for _ in rows),
        "LMAXMIX": _mixing_angular_momentum(table),
    }


def _mixing_angular_momentum(table: Mapping[str, float]) -> int:
    """Return the LMAXMIX that a U on d or f shells needs for its density to mix."""
    return 6 if any(key.endswith("-f") for key in table) else 4


def _motion_tags(spec: DFTSpec) -> dict[str, str | int | float | bool]:
    if spec.band is not None:
        tags = {**_optimiser(BAND_OPTIMISERS["vasp"][spec.band.optimiser])}
        return tags | {
            "NSW": spec.band.max_steps,
            "ISIF": 2,
            "EDIFFG": -spec.band.force_eV_per_A,
            "IMAGES": spec.band.images,
            "SPRING": -spec.band.spring_eV_per_A2,
            "LCLIMB": spec.band.climb,
        }
    if spec.relax is None:
        return {"IBRION": -1, "NSW": 0}
    relax = spec.relax
    force = relax.force_eV_per_A
    tags = {**_optimiser(RELAX_OPTIMISERS["vasp"][relax.optimiser])}
    return tags | {
        "NSW": relax.max_steps,
        "ISIF": 2 if relax.cell == "fixed" else 3,
        "EDIFFG": -force if force is not None else float(relax.energy_eV or 0.0),
    }


def _optimiser(name: str) -> dict[str, str | int | float | bool]:
    tag, number = name.split()
    if tag == "IBRION":
        return {"IBRION": int(number)}
    return {"IBRION": 3, "POTIM": 0, "IOPT": int(number)}  # the optimisers of the VTST tools


def _centre(structure: Structure) -> Sequence[float]:
    """Return the centre of mass in fractional coordinates, a vacuum across the boundary allowed."""
    import numpy as np
    from ase.data import atomic_masses

    weights = atomic_masses[structure.numbers]
    angles = 2.0 * np.pi * structure.fractional
    mean = (weights[:, None] * np.exp(1j * angles)).sum(axis=0)
    return [float(x) for x in np.angle(mean) / (2.0 * np.pi) % 1.0]
