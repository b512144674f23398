"""Whether two decks, of one code or of two, ask for the same physics; each difference by name."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.combinations import NAMES
from superionic.inputs.deck import Deck
from superionic.inputs.decks import load_deck
from superionic.inputs.vasp.options import VaspOptions
from superionic.structures.structure import minimum_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from superionic.structures.structure import Structure

Weight = Literal["physics", "numerics"]

SAME_CELL_ANG = 1e-4
SAME_POSITION_ANG = 1e-3
"""Lattice vectors and atoms closer than this are the same, in angstrom."""
SAME_RELATIVE = 1e-6

LABELS = {
    "functional": "functional", "cutoff_eV": "cutoff", "kgrid.divisions": "k grid",
    "kgrid.gamma_centred": "k grid centre", "dispersion": "dispersion",
    "smearing.kind": "smearing", "smearing.width_eV": "smearing width",
    "smearing.order": "smearing order", "spin.polarised": "spin",
    "spin.initial_moments": "initial moments", "spin.total_moment": "total moment",
    "charge_e": "charge", "charge_statement": "charge statement", "hubbard_u_eV": "Hubbard U",
    "scf_energy_eV": "SCF convergence", "scf_max_steps": "SCF steps", "fixed": "constraints",
    "dipole_axis": "dipole correction", "relax": "relaxation", "band": "band",
    "relax.force_eV_per_A": "force convergence", "relax.energy_eV": "energy convergence",
    "relax.max_steps": "relaxation steps", "relax.optimiser": "optimiser",
    "relax.cell": "cell relaxation", "band.images": "band images", "band.climb": "climbing image",
    "band.spring_eV_per_A2": "spring constant", "band.force_eV_per_A": "band force convergence",
    "band.max_steps": "band steps", "band.optimiser": "band optimiser",
}  # fmt: skip
UNITS = {
    "cutoff_eV": "eV", "smearing.width_eV": "eV", "charge_e": "e", "scf_energy_eV": "eV",
    "relax.force_eV_per_A": "eV/A", "relax.energy_eV": "eV", "band.force_eV_per_A": "eV/A",
    "band.spring_eV_per_A2": "eV/A2",
}  # fmt: skip
NUMERICS = frozenset(
    {
        "charge_statement", "scf_max_steps", "relax.max_steps", "relax.optimiser",
        "band.spring_eV_per_A2", "band.max_steps", "band.optimiser",
    }
)  # fmt: skip
"""What changes the way to a converged result, not the result: as long as it is the same minimum."""

HARMLESS_VASP = frozenset(
    """ISTART ICHARG LWAVE LCHARG LAECHG LORBIT LVHAR LVTOT LELF NWRITE NCORE NPAR KPAR NSIM LPLANE
    LSCALU LSCALAPACK NEDOS EMIN EMAX ALGO IALGO AMIX BMIX AMIX_MAG BMIX_MAG MAXMIX NELMIN NELMDL
    LASYNC LH5 LCHARGH5 LWAVEH5 TIME""".split()  # noqa: SIM905
)
HARMLESS_CASTEP = ("write_", "calculate_", "popn_", "pdos_", "print_", "mix", "num_", "page_")
HARMLESS_WORDS = frozenset(
    """iprint continuation reuse opt_strategy opt_strategy_bias data_distribution run_time stop
    backup_interval rand_seed checkpoint cml_output verbosity metals_method elec_method
    electronic_minimizer max_cg_steps max_sd_steps max_diis_steps nextra_bands
    perc_extra_bands""".split()  # noqa: SIM905
)
"""Keywords that change output, speed or the way to self-consistency only."""


@dataclass(frozen=True)
class Difference:
    """One thing that two decks say differently.

    Attributes
    ----------
    name : str
        What it is, such as ``cutoff``.
    first, second : str
        What each deck says, with its unit.
    weight : {"physics", "numerics"}
        Whether it changes a converged result, or only the way there.
    """

    name: str
    first: str
    second: str
    weight: Weight = "physics"


@dataclass(frozen=True)
class Comparison:
    """What two decks have in common.

    Attributes
    ----------
    differences : tuple of Difference
        All of them, those of the physics first.
    remarks : tuple of str
        What differs between codes even when decks agree.
    """

    differences: tuple[Difference, ...]
    remarks: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both decks ask for the same physics."""
        return not any(d.weight == "physics" for d in self.differences)


def same_physics(first: Deck | str | Path, second: Deck | str | Path) -> Comparison:
    """Compare two decks, or the folders they are in.

    Parameters
    ----------
    first, second
        Decks of VASP or CASTEP in any combination, or their folders.

    Returns
    -------
    Comparison
        Its `same` is True where nothing that changes a converged result differs.

    Raises
    ------
    DeckError
        A folder holds no deck that can be read.
    """
    a, b = (x if isinstance(x, Deck) else load_deck(x) for x in (first, second))
    found = [*_structures(a, b), *_settings(a.spec, b.spec), *_options(a, b)]
    found.sort(key=lambda d: d.weight != "physics")
    return Comparison(tuple(found), _remarks(a, b))


def _settings(a: Any, b: Any, path: str = "") -> Iterator[Difference]:
    """Walk two specifications field by field."""
    for field in fields(a):
        where = f"{path}{field.name}"
        x, y = getattr(a, field.name), getattr(b, field.name)
        if is_dataclass(x) and type(x) is type(y):
            yield from _settings(x, y, f"{where}.")
        elif not _equal(x, y):
            weight: Weight = "numerics" if where in NUMERICS else "physics"
            unit = UNITS.get(where, "")
            yield Difference(LABELS[where], _say(x, unit), _say(y, unit), weight)


def _equal(x: Any, y: Any) -> bool:
    if isinstance(x, float) and isinstance(y, float):
        return abs(x - y) <= SAME_RELATIVE * max(abs(x), abs(y))
    return bool(x == y)


def _say(value: Any, unit: str = "") -> str:
    """Return a value as text."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.9g} {unit}".rstrip()
    if isinstance(value, dict):
        return ", ".join(f"{k} {v:g}" for k, v in value.items()) or "none"
    if is_dataclass(value):
        return ", ".join(f"{f.name} {_say(getattr(value, f.name))}" for f in fields(value))
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        shown = ", ".join(
            str(v.index) if all(v.axes) else f"{v.index} along {_axes(v.axes)}" for v in value[:8]
        )
        more = f", ... ({len(value)} atoms)" if len(value) > 8 else ""
        return f"fixed atoms {shown}{more}"
    if isinstance(value, tuple):
        return " x ".join(str(v) for v in value) or "none"
    return str(value) or "none"


def _axes(held: tuple[bool, bool, bool]) -> str:
    return "".join(name for name, h in zip("abc", held, strict=True) if h)


def _structures(a: Deck, b: Deck) -> Iterator[Difference]:
    """Compare composition, cells and positions, image by image."""
    if len(a.structures) != len(b.structures):
        yield Difference("structures", str(len(a.structures)), str(len(b.structures)))
        return
    for k, (x, y) in enumerate(zip(a.structures, b.structures, strict=True)):
        image = f" of image {k}" if len(a.structures) > 1 else ""
        yield from _pair(x, y, image)


def _pair(x: Structure, y: Structure, image: str) -> Iterator[Difference]:
    if x.formula != y.formula:
        yield Difference(f"composition{image}", x.formula, y.formula)
        return
    gap = float(np.abs(x.cell - y.cell).max())
    if gap > SAME_CELL_ANG:
        yield Difference(f"cell{image}", _lengths(x), _lengths(y))
        return
    if not np.array_equal(x.numbers, y.numbers):
        yield Difference(f"atom order{image}", " ".join(x.symbols[:12]), " ".join(y.symbols[:12]))
        return
    away = np.linalg.norm(minimum_image(x.positions - y.positions, x.cell, x.pbc), axis=1)
    worst = int(np.argmax(away))
    if away[worst] > SAME_POSITION_ANG:
        name = f"{x.symbols[worst]} (atom {worst})"
        yield Difference(
            f"positions{image}", f"{name} as given", f"{name} {away[worst]:.4f} A away"
        )


def _lengths(structure: Structure) -> str:
    rows = ("(" + " ".join(f"{x:.4f}" for x in row) + ")" for row in structure.cell)
    return f"{' '.join(rows)} A"


def _options(a: Deck, b: Deck) -> Iterator[Difference]:
    """Compare what is particular to a code, where both decks are for the same."""
    p, q = a.options, b.options
    if isinstance(p, VaspOptions) and isinstance(q, VaspOptions):
        yield from _one("precision", p.precision, q.precision)
        yield from _potentials(p.potentials, q.potentials)
        yield from _extra(p.extra, q.extra, lambda k: k in HARMLESS_VASP)
    elif isinstance(p, CastepOptions) and isinstance(q, CastepOptions):
        yield from _one("pseudopotential library", p.library, q.library)
        yield from _potentials(p.potentials, q.potentials)
        yield from _extra(
            {**p.extra_param, **p.extra_cell}, {**q.extra_param, **q.extra_cell}, _idle
        )


def _idle(key: str) -> bool:
    return key in HARMLESS_WORDS or key.startswith(HARMLESS_CASTEP)


def _one(name: str, x: str, y: str) -> Iterator[Difference]:
    if x != y:
        yield Difference(name, x or "default", y or "default")


def _potentials(x: Mapping[str, str], y: Mapping[str, str]) -> Iterator[Difference]:
    for element in sorted({*x, *y}):
        yield from _one(f"potential of {element}", x.get(element, ""), y.get(element, ""))


def _extra(x: Mapping[str, Any], y: Mapping[str, Any], harmless: Any) -> Iterator[Difference]:
    for key in sorted({*x, *y}):
        p, q = (str(t.get(key, "default")) for t in (x, y))
        if _word(p) != _word(q):
            yield Difference(key.upper(), p, q, "numerics" if harmless(key) else "physics")


def _word(value: str) -> str:
    """Return a value so that ``.TRUE.`` and ``T``, ``0.1`` and ``1e-1`` are the same."""
    word = value.strip().strip(".").lower()
    if word in ("t", "true", "f", "false"):
        return word[0]
    try:
        return repr(float(word))
    except ValueError:
        return " ".join(word.split())


def _remarks(a: Deck, b: Deck) -> tuple[str, ...]:
    if a.code == b.code:
        return ()
    return (
        f"{NAMES[a.code]} and {NAMES[b.code]} have pseudopotentials of their own: compare "
        "differences of energies between them, never total energies. Converge the cutoff of each "
        "for itself.",
        "A moment of an atom, the extrapolation to zero smearing and further stopping criteria are "
        "each code's own.",
    )
