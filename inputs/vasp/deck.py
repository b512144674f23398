"""Folders of input files for VASP, written and read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from superionic.inputs.deck import Deck
from superionic.inputs.deck_checks import check_all
from superionic.inputs.folders import read_input, write_folder
from superionic.inputs.keywords import check_keywords
from superionic.inputs.notes import charge_statement, format_notes
from superionic.inputs.vasp.geometry import (
    format_kpoints,
    format_poscar,
    grid_from_spacing,
    parse_kpoints,
    parse_poscar,
)
from superionic.inputs.vasp.incar import incar_tags
from superionic.inputs.vasp.incar_reader import precision, spec_from_tags
from superionic.inputs.vasp.options import VaspOptions
from superionic.inputs.vasp.potentials import (
    FOLDER_VARIABLES,
    Potential,
    find_potential,
    labels_for,
    potential_folder,
    split_potcar,
)
from superionic.inputs.vasp.tags import CHARGE_COMMENT, SPEC_TAGS, format_incar, parse_incar
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.inputs.dft import DFTSpec, FixedAtom, KGrid
    from superionic.structures.structure import Structure


def write_vasp(deck: Deck, folder: str | Path, *, potentials: Path | None = None) -> Path:
    """Write a deck as INCAR, KPOINTS, POSCAR and POTCAR or POTCAR.spec, with NOTES.md.

    A band has its POSCAR files in folders ``00`` to ``NN``.

    Parameters
    ----------
    deck
        What to write. Options of another code than VASP give way to the defaults.
    folder
        A new or empty folder.
    potentials
        Folder of the user's own potentials; by default the one that an environment variable of
        `superionic.inputs.vasp.potentials.FOLDER_VARIABLES` names.

    Returns
    -------
    Path
        The folder's full path.

    Raises
    ------
    DeckError
        A request that VASP or its potentials cannot meet, or a folder that holds something else.
        Then nothing is written.
    """
    if not isinstance(deck.options, VaspOptions):
        deck = replace(deck, options=VaspOptions())
    return write_folder(folder, vasp_files(deck, potentials or potential_folder()))


def write_vasp_neb(
    spec: DFTSpec,
    images: Sequence[Structure],
    folder: str | Path,
    *,
    options: VaspOptions | None = None,
    title: str = "",
    notes: tuple[str, ...] = (),
    potentials: Path | None = None,
) -> Path:
    """Write a band: INCAR, KPOINTS, POTCAR once, and POSCAR in folders ``00`` to ``NN``.

    Parameters
    ----------
    spec
        With a `Band`; atoms it names are counted as in the images.
    images
        Both ends and the moving images between them.
    folder, potentials
        See `write_vasp`.
    options, title, notes
        See `Deck`.

    Raises
    ------
    DeckError
        As `write_vasp`; another number of images than the band has, or two alike.
    """
    deck = Deck(spec, tuple(images), options or VaspOptions(), title, notes)
    return write_vasp(deck, folder, potentials=potentials)


def vasp_files(deck: Deck, potentials: Path | None) -> dict[str, str]:
    """Return the text of each file of a deck, by its path in the folder.

    Raises
    ------
    DeckError
        See `write_vasp`.
    """
    spec, first, options = deck.spec, deck.structure, deck.options
    if not isinstance(options, VaspOptions):
        raise DeckError(f"This deck has the options of {deck.code}, not those of VASP.")
    notes = check_all(deck)
    species = tuple(dict.fromkeys(first.symbols))
    labels = labels_for(species, options.potentials)
    chosen = [find_potential(x, options.potential_set, potentials) for x in labels]
    notes += _check_cutoff(spec.cutoff_eV, labels, chosen)
    electrons = _electrons(first, chosen)
    tags = {"SYSTEM": deck.title, "PREC": options.precision}
    tags |= incar_tags(spec, first, electrons)
    tags |= {k: str(v) for k, v in options.extra.items()}
    comments = (f"{CHARGE_COMMENT} {spec.charge_statement}",) if spec.charge_statement else ()
    files = {
        "INCAR": format_incar(tags, comments),
        "KPOINTS": format_kpoints(spec.kgrid, deck.title),
    }
    if spec.band is None:
        files["POSCAR"] = format_poscar(first, spec.fixed, deck.title)
    else:
        notes.append(_band_note(spec, tags))
        for k, image in enumerate(deck.structures):
            files[f"{k:02d}/POSCAR"] = format_poscar(image, spec.fixed, f"{deck.title} image {k}")
    if all(p is not None and p.text for p in chosen):
        files["POTCAR"] = "".join(_whole(p) for p in chosen if p is not None)
    else:
        files["POTCAR.spec"] = "\n".join(labels) + "\n"
        notes.append(_potcar_note(labels, options.potential_set))
        if spec.charge_e:
            notes.append(
                f"NELECT = {tags['NELECT']} holds for the potentials of POTCAR.spec only: with "
                "others the charge would be another."
            )
    files["NOTES.md"] = format_notes(deck, notes)
    return files


def load_vasp(folder: Path) -> Deck:
    """Read a folder of input files for VASP.

    Raises
    ------
    DeckError
        A file is missing or cannot be read, a tag is unknown, or the calculation is of a kind that
        a specification has no words for.
    """
    text = read_input(folder / "INCAR")
    raw = parse_incar(text)
    check_keywords("INCAR", raw, where=str(folder / "INCAR"))
    structures, fixed = _read_structures(folder, raw)
    first = structures[0]
    chosen, labels = _read_potentials(folder, first)
    spec = spec_from_tags(
        raw,
        first,
        kgrid=_read_grid(folder, raw, first),
        fixed=fixed,
        potentials=chosen,
        charge_statement=charge_statement(text, CHARGE_COMMENT),
    )
    species = tuple(dict.fromkeys(first.symbols))
    own = incar_tags(spec, first, 0.0)
    extra = {k: v for k, v in raw.items() if k not in SPEC_TAGS and own.get(k) != v}
    options = VaspOptions(
        precision=precision(raw),  # type: ignore[arg-type]
        potentials=dict(zip(species, labels, strict=True)) if labels else {},
        extra=extra,
    )
    return Deck(spec, structures, options, raw.get("SYSTEM", ""))


def _check_cutoff(
    cutoff: float, labels: Sequence[str], chosen: Sequence[Potential | None]
) -> list[str]:
    """Raise where the cutoff lies below the least of a potential; return notes."""
    notes = []
    for label, potential in zip(labels, chosen, strict=True):
        if potential is None:
            notes.append(
                f"The cutoff was not checked for {label}: it is not in the packaged table, and no "
                "folder of potentials is configured. Compare ENCUT with ENMIN and ENMAX in POTCAR."
            )
            continue
        where = "its POTCAR" if potential.source == "POTCAR" else "the table of the VASP Wiki"
        if cutoff < potential.enmin_eV:
            raise DeckError(
                f"The cutoff of {cutoff:g} eV lies below the least that the potential {label} "
                f"allows, {potential.enmin_eV:g} eV (ENMAX {potential.enmax_eV:g} eV, from "
                f"{where}). Raise cutoff_eV, or choose a softer potential."
            )
        if cutoff < potential.enmax_eV:
            notes.append(
                f"The cutoff of {cutoff:g} eV lies below the default of {label}, "
                f"{potential.enmax_eV:g} eV (from {where}): test its convergence."
            )
    return notes


def _electrons(structure: Structure, chosen: Sequence[Potential | None]) -> float | None:
    """Return the valence electrons of the neutral cell, None where a potential is not known."""
    if any(p is None for p in chosen):
        return None
    species = dict.fromkeys(structure.symbols)
    table = {s: p.valence_electrons for s, p in zip(species, chosen, strict=True) if p}
    return float(sum(table[s] for s in structure.symbols))


def _whole(potential: Potential) -> str:
    """Return a potential as it stands in a joined POTCAR file."""
    return potential.text if potential.text.endswith("\n") else potential.text + "\n"


def _band_note(spec: DFTSpec, tags: dict[str, str]) -> str:
    if "IOPT" in tags or (spec.band is not None and spec.band.climb):
        return (
            "LCLIMB and IOPT are obeyed only by a VASP built with the VTST tools; another one runs "
            "without climbing and with IBRION alone. The energies of both ends belong in 00/OUTCAR "
            "and NN/OUTCAR: compute them as static calculations with the same settings."
        )
    return (
        "The energies of both ends belong in 00/OUTCAR and NN/OUTCAR: compute them as static "
        "calculations with the same settings."
    )


def _potcar_note(labels: Sequence[str], potential_set: str) -> str:
    return (
        f"There is no POTCAR file: potentials are licensed and none were configured. Join yours "
        f"in this order, from the set {potential_set}: cat "
        f"{' '.join(f'{label}/POTCAR' for label in labels)} > POTCAR. Or set "
        f"{FOLDER_VARIABLES[0]} (or {FOLDER_VARIABLES[1]}) to the folder that holds them, and "
        "write the deck again into a new folder."
    )


def _read_structures(
    folder: Path, raw: dict[str, str]
) -> tuple[tuple[Structure, ...], tuple[FixedAtom, ...]]:
    from superionic.inputs.vasp.tags import Tags

    images = Tags(raw).whole("IMAGES", 0)
    if images < 0:
        raise DeckError(f"INCAR: IMAGES must not be below 0; got {images}.")
    if images:
        paths = [folder / f"{k:02d}" / "POSCAR" for k in range(images + 2)]
        lacking = [p.parent.name for p in paths if not p.is_file()]
        if lacking:
            raise DeckError(
                f"{folder} sets IMAGES = {images} but has no POSCAR in {', '.join(lacking)}; a "
                f"band has them in 00 to {images + 1:02d}."
            )
    else:
        paths = [folder / "POSCAR"]
    read = [parse_poscar(read_input(p), str(p)) for p in paths]
    for path, (_, held) in zip(paths, read, strict=True):
        if held != read[0][1]:
            raise DeckError(f"{path} holds other atoms fixed than {paths[0]}.")
    return tuple(s for s, _ in read), read[0][1]


def _read_grid(folder: Path, raw: dict[str, str], structure: Structure) -> KGrid:
    if (folder / "KPOINTS").is_file():
        return parse_kpoints(read_input(folder / "KPOINTS"))
    return grid_from_spacing(raw, structure)


def _read_potentials(
    folder: Path, structure: Structure
) -> tuple[list[Potential | None], tuple[str, ...]]:
    species = tuple(dict.fromkeys(structure.symbols))
    if (folder / "POTCAR").is_file():
        joined = split_potcar(read_input(folder / "POTCAR"), str(folder / "POTCAR"))
        labels = tuple(p.label for p in joined)
        chosen: list[Potential | None] = list(joined)
    elif (folder / "POTCAR.spec").is_file():
        words = read_input(folder / "POTCAR.spec").split()
        labels = tuple(words)
        chosen = [find_potential(x, "", None) for x in labels]
    else:
        return [None] * len(species), ()
    elements = tuple(label.split("_")[0].split(".")[0] for label in labels)
    if elements != species:
        raise DeckError(
            f"{folder}: the potentials are for {', '.join(elements) or 'nothing'}, the POSCAR file "
            f"has {', '.join(species)}. Both list the same elements in the same order."
        )
    return chosen, labels
