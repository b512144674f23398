"""Random calculations and cells that decks are written from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from superionic.inputs.combinations import (
    BAND_OPTIMISERS,
    DISPERSIONS,
    FUNCTIONALS,
    RELAX_OPTIMISERS,
    SMEARINGS,
)
from superionic.inputs.dft import Band, DFTSpec, FixedAtom, KGrid, Relaxation, Smearing, Spin
from superionic.structures.structure import Structure

ELEMENTS = ("H", "Li", "C", "N", "O", "F", "Na", "Al", "Si", "P", "S", "Ti", "Fe", "Ni", "Zr")
TEXT = st.text("abcdefghijklmnopqrstuvwxyzABC 0123456789.,()=\"'%", min_size=1, max_size=60)
CODES = ("vasp", "castep")


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Positive numbers spread over powers of ten."""
    exponents = st.floats(np.log10(low), np.log10(high), allow_nan=False)
    return exponents.map(lambda x: float(10.0**x))


@st.composite
def cells(draw: st.DrawFn, *, slab: bool | None = None) -> Structure:
    """Right-handed cells, skewed at will, with atoms in any order; slabs lie across c, along z."""
    count = draw(st.integers(2, 7))
    seed = draw(st.integers(0, 2**31))
    symbols = draw(st.lists(st.sampled_from(ELEMENTS), min_size=count, max_size=count))
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(3.5, 5.4, size=3)
    cell = np.diag(lengths)
    cell[1, 0], cell[2, 0], cell[2, 1] = rng.uniform(-1.0, 1.0, size=3)
    fractional = rng.random((count, 3))
    if slab if slab is not None else draw(st.booleans()):
        cell[2] = (0.0, 0.0, 22.0)
        fractional[:, 2] *= 0.2
    from ase.data import atomic_numbers

    return Structure(np.array([atomic_numbers[s] for s in symbols]), fractional @ cell, cell)


@st.composite
def specs(
    draw: st.DrawFn, structure: Structure, codes: Sequence[str] = CODES, task: str = ""
) -> DFTSpec:
    """Calculations of these atoms that all of some codes can do."""
    slab = bool(structure.cell[2, 2] > 20)
    functional = draw(st.sampled_from(common(FUNCTIONALS, codes)))
    dispersions = [
        d
        for d in common(DISPERSIONS, codes)
        if all(functional in DISPERSIONS[code][d] for code in codes)
    ]
    charge = draw(st.sampled_from([0.0, 0.0, 1.0, -1.0, 0.37]))
    kind = task or draw(st.sampled_from(["static", "relax", "neb"]))
    smearing = draw(smearings(codes))
    return DFTSpec(
        functional=functional,  # type: ignore[arg-type]
        cutoff_eV=draw(st.floats(500, 900)),
        kgrid=draw(grids(slab)),
        dispersion=draw(st.sampled_from(["none", *dispersions])),
        smearing=smearing,
        spin=draw(spins(structure, smearing)),
        charge_e=charge,
        charge_statement=draw(TEXT.filter(str.strip)) if charge else "",
        hubbard_u_eV=draw(st.sampled_from([{}, {"Fe-d": 4.0, "O-p": -1.25}, {"Ni-d": 6.2}])),
        scf_energy_eV=draw(numbers(1e-9, 1e-3)),
        scf_max_steps=draw(st.integers(1, 500)),
        fixed=draw(fixings(structure)),
        dipole_axis=draw(st.sampled_from(["none", "c"])) if slab else "none",
        relax=draw(relaxations(slab, codes)) if kind == "relax" else None,
        band=draw(bands(codes)) if kind == "neb" else None,
    )


def common(table: Any, codes: Sequence[str]) -> list[str]:
    """Return what all codes have, in a fixed order."""
    return [name for name in table[codes[0]] if all(name in table[code] for code in codes)]


@st.composite
def grids(draw: st.DrawFn, slab: bool) -> KGrid:
    across = 1 if slab else draw(st.integers(1, 6))
    return KGrid((draw(st.integers(1, 6)), draw(st.integers(1, 6)), across), draw(st.booleans()))


@st.composite
def smearings(draw: st.DrawFn, codes: Sequence[str]) -> Smearing:
    kinds = sorted(frozenset.intersection(*(SMEARINGS[code] for code in codes)))
    kind = draw(st.sampled_from(kinds))
    orders = st.just(1) if "castep" in codes else st.integers(1, 3)
    order = draw(orders) if kind == "methfessel-paxton" else 0
    return Smearing(kind, draw(numbers(1e-3, 0.5)), order)  # type: ignore[arg-type]


@st.composite
def spins(draw: st.DrawFn, structure: Structure, smearing: Smearing) -> Spin:
    if draw(st.booleans()):
        return Spin()
    keys = [*dict.fromkeys(structure.symbols), *(str(k) for k in range(len(structure))), "U"]
    moments = draw(st.dictionaries(st.sampled_from(keys), st.floats(-6, 6), max_size=4))
    free = smearing.kind != "fixed" and draw(st.booleans())
    return Spin(True, moments, None if free else draw(st.floats(0, 20)))


@st.composite
def fixings(draw: st.DrawFn, structure: Structure) -> tuple[FixedAtom, ...]:
    places = draw(st.sets(st.integers(0, len(structure) - 1), max_size=4))
    axes = st.tuples(st.booleans(), st.booleans(), st.booleans()).filter(any)
    return tuple(FixedAtom(k, draw(axes)) for k in places)


@st.composite
def relaxations(draw: st.DrawFn, slab: bool, codes: Sequence[str]) -> Relaxation:
    names = common(RELAX_OPTIMISERS, codes)
    cell = "fixed" if slab else draw(st.sampled_from(["fixed", "full"]))
    if cell == "full" and "vasp" in codes:
        names = [n for n in names if n not in ("lbfgs", "fire")]
    both = codes == ("castep",) and draw(st.booleans())
    by_energy = codes == ("vasp",) and draw(st.booleans())
    return Relaxation(
        force_eV_per_A=None if by_energy else draw(numbers(1e-4, 0.5)),
        energy_eV=draw(numbers(1e-8, 1e-2)) if both or by_energy else None,
        max_steps=draw(st.integers(1, 999)),
        optimiser=draw(st.sampled_from(names)),
        cell=cell,  # type: ignore[arg-type]
    )


@st.composite
def bands(draw: st.DrawFn, codes: Sequence[str]) -> Band:
    climb = draw(st.booleans())
    images = draw(st.sampled_from([1, 3, 5] if climb and "castep" in codes else [1, 2, 3, 4]))
    return Band(
        images=images,
        climb=climb,
        spring_eV_per_A2=draw(numbers(0.01, 50)),
        force_eV_per_A=draw(numbers(1e-3, 0.5)),
        max_steps=draw(st.integers(1, 999)),
        optimiser=draw(st.sampled_from(common(BAND_OPTIMISERS, codes))),
    )


def images_of(structure: Structure, spec: DFTSpec) -> tuple[Structure, ...]:
    """Return the structure, or a band in which its first atom moves."""
    if spec.band is None:
        return (structure,)
    moved = np.zeros((len(structure), 3))
    moved[0, 0] = 0.3
    return tuple(
        structure.with_positions(structure.positions + k * moved)
        for k in range(spec.band.images + 2)
    )


def rough_slab() -> Structure:
    """A small oxide slab with vacuum along c."""
    cell = np.diag([5.0, 5.2, 25.0])
    fractional = np.array(
        [[0.0, 0.0, 0.1], [0.5, 0.5, 0.1], [0.5, 0.0, 0.16], [0.0, 0.5, 0.16], [0.1, 0.1, 0.26]]
    )
    return Structure(np.array([11, 40, 8, 8, 14]), fractional @ cell, cell)
