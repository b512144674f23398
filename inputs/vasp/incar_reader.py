"""What INCAR tags ask for, as a specification."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from superionic.inputs.combinations import BAND_OPTIMISERS, FUNCTIONALS, META, RELAX_OPTIMISERS
from superionic.inputs.dft import (
    Band,
    DFTSpec,
    Relaxation,
    Smearing,
    Spin,
)
from superionic.inputs.dft_parts import shortest_moments, tidy
from superionic.inputs.vasp.incar import (
    DISPERSION_NUMBERS,
    HYBRID_TAGS,
    NO_AXIS,
    SHELLS,
    SMEARING_NUMBERS,
)
from superionic.inputs.vasp.options import Precision
from superionic.inputs.vasp.tags import Tags
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from superionic.inputs.dft import FixedAtom, KGrid
    from superionic.inputs.vasp.potentials import Potential
    from superionic.structures.structure import Structure

_DISPERSION_NAMES = {0: "none", 10: "d2", 20: "ts"} | {v: k for k, v in DISPERSION_NUMBERS.items()}
_LEXCH = {"PE": "pbe", "CA": "lda", "91": "pw91"}


def spec_from_tags(
    raw: Mapping[str, str],
    structure: Structure,
    *,
    kgrid: KGrid,
    fixed: tuple[FixedAtom, ...],
    potentials: Sequence[Potential | None],
    charge_statement: str = "",
) -> DFTSpec:
    """Return the specification that INCAR tags mean, with the defaults of VASP.

    Parameters
    ----------
    raw
        Tags and their values.
    structure
        The atoms, in the order of the POSCAR file.
    kgrid
        From KPOINTS or KSPACING.
    fixed
        From the selective dynamics of the POSCAR file.
    potentials
        One an element, in the order of the POSCAR file; None where nothing is known.
    charge_statement
        From the comment of the deck.

    Raises
    ------
    DeckError
        A calculation of a kind that a specification has no words for.
    """
    tags = Tags(raw)
    if tags.truth("LNONCOLLINEAR") or tags.truth("LSORBIT"):
        raise DeckError("INCAR: non-collinear magnetism is not covered by a specification.")
    scf = tags.number("EDIFF", 1e-4)
    relax, band = _motion(tags, scf)
    ivdw = tags.whole("IVDW", 0)
    if ivdw not in _DISPERSION_NAMES:
        raise DeckError(
            f"INCAR: IVDW = {ivdw} is a correction that is not covered; known: "
            f"{', '.join(map(str, sorted(_DISPERSION_NAMES)))}."
        )
    return DFTSpec(
        functional=_functional(tags, potentials),  # type: ignore[arg-type]
        cutoff_eV=_cutoff(tags, potentials),
        kgrid=kgrid,
        dispersion=_DISPERSION_NAMES[ivdw],  # type: ignore[arg-type]
        smearing=_smearing(tags),
        spin=_spin(tags, structure),
        charge_e=_charge(tags, structure, potentials),
        charge_statement=charge_statement,
        hubbard_u_eV=_hubbard(tags, structure),
        scf_energy_eV=scf,
        scf_max_steps=tags.whole("NELM", 60),
        fixed=fixed,
        dipole_axis=_dipole(tags),  # type: ignore[arg-type]
        relax=relax,
        band=band,
    ).for_structure(structure)


def _functional(tags: Tags, potentials: Sequence[Potential | None]) -> str:
    if tags.truth("LUSE_VDW") or "XC" in tags.tags:
        raise DeckError("INCAR: LUSE_VDW and XC choose functionals that are not covered.")
    meta = tags.word("METAGGA")
    if meta and meta not in ("NONE", "--"):
        if meta.lower() not in META:
            raise DeckError(f"INCAR: METAGGA = {meta} is not covered; known: {', '.join(META)}.")
        return meta.lower()
    gga = tags.word("GGA")
    if not gga:
        made = {_LEXCH.get(p.functional, "") for p in potentials if p is not None} - {""}
        if len(made) > 1:
            raise DeckError("POTCAR joins potentials of different functionals: use one set.")
        base = made.pop() if made else "pbe"
    else:
        plain: dict[str, str] = {}
        for functional, letters in FUNCTIONALS["vasp"].items():
            if functional not in META:
                plain.setdefault(letters, functional)
        if gga not in plain:
            raise DeckError(f"INCAR: GGA = {gga} is not covered; known: {', '.join(plain)}.")
        base = plain[gga]
    if not tags.truth("LHFCALC"):
        if base == "b3lyp":
            raise DeckError("INCAR: GGA = B3 needs LHFCALC = .TRUE. for B3LYP.")
        return base
    screen, exact = tags.number("HFSCREEN", 0.0), tags.number("AEXX", 0.25)
    if base == "b3lyp" and abs(exact - 0.2) < 1e-6:
        return "b3lyp"
    if base == "pbe" and abs(exact - 0.25) < 1e-6 and screen in (0.0, 0.2):
        return "hse06" if screen else "pbe0"
    raise DeckError(
        f"INCAR: the hybrid GGA = {gga or base}, AEXX = {exact:g}, HFSCREEN = {screen:g} is none "
        f"of {', '.join(HYBRID_TAGS)}."
    )


def _cutoff(tags: Tags, potentials: Sequence[Potential | None]) -> float:
    if "ENCUT" in tags.tags:
        return tags.number("ENCUT", 0.0)
    if any(p is None for p in potentials):
        raise DeckError(
            "INCAR has no ENCUT, and the cutoff of a potential is not known: set ENCUT. A default "
            "that comes from POTCAR differs between cells of different elements."
        )
    return max(p.enmax_eV for p in potentials if p is not None)


def _smearing(tags: Tags) -> Smearing:
    number = tags.whole("ISMEAR", 1)
    width = tags.number("SIGMA", 0.2)
    if number > 0:
        return Smearing("methfessel-paxton", width, number)
    names = {v: k for k, v in SMEARING_NUMBERS.items()}
    if number not in names:
        raise DeckError(
            f"INCAR: ISMEAR = {number} is not covered; known: {', '.join(map(str, names))} and "
            "positive orders."
        )
    return Smearing(names[number], width)  # type: ignore[arg-type]


def _spin(tags: Tags, structure: Structure) -> Spin:
    if tags.whole("ISPIN", 1) != 2:
        return Spin()
    moments = tags.numbers("MAGMOM") or [1.0] * len(structure)
    if len(moments) != len(structure):
        raise DeckError(
            f"INCAR: MAGMOM has {len(moments)} moments for {len(structure)} atoms of POSCAR."
        )
    total = tags.number("NUPDOWN", -1.0)
    return Spin(True, shortest_moments(structure.symbols, moments), None if total < 0 else total)


def _charge(tags: Tags, structure: Structure, potentials: Sequence[Potential | None]) -> float:
    if "NELECT" not in tags.tags:
        return 0.0
    species = list(dict.fromkeys(structure.symbols))
    table = {s: p.valence_electrons for s, p in zip(species, potentials, strict=True) if p}
    lacking = [s for s in species if s not in table]
    if lacking:
        raise DeckError(
            f"INCAR sets NELECT, but the valence electrons of {', '.join(lacking)} are not known, "
            "so neither is the charge. Put the POTCAR file beside it."
        )
    return tidy(sum(table[s] for s in structure.symbols) - tags.number("NELECT", 0.0))


def _hubbard(tags: Tags, structure: Structure) -> dict[str, float]:
    if not tags.truth("LDAU"):
        return {}
    species = list(dict.fromkeys(structure.symbols))
    shells, u, j = (tags.numbers(t) for t in ("LDAUL", "LDAUU", "LDAUJ"))
    j = j or [0.0] * len(species)
    if tags.whole("LDAUTYPE", 2) != 2 or {len(shells), len(u), len(j)} != {len(species)}:
        raise DeckError(
            "INCAR: only LDAUTYPE = 2 is covered, with LDAUL, LDAUU and LDAUJ for each of the "
            f"elements {', '.join(species)}."
        )
    names = {v: k for k, v in SHELLS.items()}
    if not {-1.0, *names} >= set(shells):
        raise DeckError(
            f"INCAR: LDAUL is -1 or one of {', '.join(map(str, names))} for each element; got "
            f"'{tags.tags['LDAUL']}'."
        )
    return {
        f"{s}-{names[int(shell)]}": tidy(a - b)
        for s, shell, a, b in zip(species, shells, u, j, strict=True)
        if shell >= 0
    }


def _dipole(tags: Tags) -> str:
    number = tags.whole("IDIPOL", 0)
    if number == 0:
        return NO_AXIS
    if number not in (1, 2, 3) or not tags.truth("LDIPOL"):
        raise DeckError(
            "INCAR: a dipole correction is covered along one axis (IDIPOL 1 to 3) and in the "
            "potential (LDIPOL = .TRUE.)."
        )
    return "abc"[number - 1]


def _motion(tags: Tags, scf: float) -> tuple[Relaxation | None, Band | None]:
    steps = tags.whole("NSW", 0)
    ibrion = tags.whole("IBRION", 0 if steps > 0 else -1)
    images = tags.whole("IMAGES", 0)
    if images == 0 and (steps == 0 or ibrion == -1):
        return None, None
    if ibrion not in (1, 2, 3) or tags.whole("ICHAIN", 0) != 0:
        raise DeckError(
            f"INCAR: IBRION = {ibrion} is no static calculation, relaxation or band (1, 2, 3, -1)."
        )
    stop = tags.number("EDIFFG", 10.0 * scf)
    name = f"IOPT {tags.whole('IOPT', 0)}" if tags.whole("IOPT", 0) else f"IBRION {ibrion}"
    table = (BAND_OPTIMISERS if images else RELAX_OPTIMISERS)["vasp"]
    known = {v: k for k, v in table.items()}
    known.setdefault("IOPT 2", "cg")
    known.setdefault("IBRION 2", "cg")
    if name not in known:
        raise DeckError(f"INCAR: {name.replace(' ', ' = ')} is an optimiser that is not covered.")
    optimiser = known[name]
    if images:
        spring = tags.number("SPRING", -5.0)
        if spring >= 0 or stop >= 0:
            raise DeckError(
                "INCAR: a band needs SPRING < 0 (nudged) and EDIFFG < 0 (ended by the forces)."
            )
        climb = tags.truth("LCLIMB")
        return None, Band(images, climb, -spring, -stop, steps, optimiser)  # type: ignore[arg-type]
    isif = tags.whole("ISIF", 2)
    if isif > 3:
        raise DeckError(f"INCAR: ISIF = {isif} holds part of the cell, which is not covered.")
    return Relaxation(
        force_eV_per_A=-stop if stop < 0 else None,
        energy_eV=stop if stop > 0 else None,
        max_steps=steps,
        optimiser=optimiser,  # type: ignore[arg-type]
        cell="full" if isif == 3 else "fixed",
    ), None


def precision(tags: Mapping[str, str]) -> str:
    """Return PREC by its full name."""
    word = Tags(tags).word("PREC", "NORMAL")
    for name in get_args(Precision):
        if name[:1].upper() == word[:1]:
            return str(name)
    raise DeckError(f"INCAR: PREC = {word} is none of {', '.join(get_args(Precision))}.")
