"""Folders of input files for CASTEP, written and read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from superionic.inputs.castep.cell import (
    cell_file,
    read_fixed,
    read_hubbard,
    read_kgrid,
    read_potentials,
    read_structures,
)
from superionic.inputs.castep.cutoffs import check_cutoff
from superionic.inputs.castep.keys import (
    CHARGE_COMMENT,
    SPEC_CELL,
    SPEC_PARAM,
    TO_EV,
    FreeForm,
    parse_free_form,
)
from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.castep.param import (
    param_file,
    read_cutoff,
    read_dipole,
    read_dispersion,
    read_functional,
    read_motion,
    read_smearing,
    read_spin,
)
from superionic.inputs.combinations import HYBRIDS
from superionic.inputs.deck import Deck
from superionic.inputs.deck_checks import check_all
from superionic.inputs.dft import DFTSpec
from superionic.inputs.dft_parts import tidy
from superionic.inputs.folders import read_input, write_folder
from superionic.inputs.keywords import check_keywords
from superionic.inputs.notes import charge_statement, format_notes
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.structures.structure import Structure

ALWAYS_TESTED = (
    "CASTEP also asks that the energy per atom settles (GEOM_ENERGY_TOL, 2e-5 eV unless set) and "
    "the atoms stop (GEOM_DISP_TOL, 0.001 A unless set): it ends no earlier than the forces say."
)


def write_castep(deck: Deck, folder: str | Path) -> Path:
    """Write a deck as a .cell and a .param file, with NOTES.md.

    A band becomes a transition-state search, beside a static deck of each image in folders ``00``
    to ``NN``.

    Parameters
    ----------
    deck
        What to write. Options of another code than CASTEP give way to the defaults.
    folder
        A new or empty folder.

    Returns
    -------
    Path
        The folder's full path.

    Raises
    ------
    DeckError
        A request that CASTEP or its pseudopotentials cannot meet, or a folder that holds something
        else. Then nothing is written.
    """
    if not isinstance(deck.options, CastepOptions):
        deck = replace(deck, options=CastepOptions())
    return write_folder(folder, castep_files(deck))


def write_castep_neb(
    spec: DFTSpec,
    images: Sequence[Structure],
    folder: str | Path,
    *,
    options: CastepOptions | None = None,
    title: str = "",
    notes: tuple[str, ...] = (),
) -> Path:
    """Write a band: a transition-state search, and a static deck of each image in ``00`` to ``NN``.

    Parameters
    ----------
    spec
        With a `Band`; atoms it names are counted as in the images.
    images
        Both ends and the moving images between them.
    folder
        See `write_castep`.
    options, title, notes
        See `Deck`.

    Raises
    ------
    DeckError
        As `write_castep`; another number of images than the band has, or two alike.
    """
    deck = Deck(spec, tuple(images), options or CastepOptions(), title, notes)
    return write_castep(deck, folder)


def castep_files(deck: Deck) -> dict[str, str]:
    """Return the text of each file of a deck, by its path in the folder.

    Raises
    ------
    DeckError
        See `write_castep`.
    """
    spec, first, options = deck.spec, deck.structure, deck.options
    if not isinstance(options, CastepOptions):
        raise DeckError(f"This deck has the options of {deck.code}, not those of CASTEP.")
    notes = check_all(deck)
    notes += check_cutoff(spec.cutoff_eV, list(dict.fromkeys(first.symbols)), options)
    _check_hybrid(spec, first, options)
    files_needed = [v for v in options.potentials.values() if "." in v and "|" not in v]
    if files_needed:
        notes.append(f"Put the pseudopotential files beside the deck: {', '.join(files_needed)}.")
    if spec.relax is not None:
        notes.append(ALWAYS_TESTED)
    if spec.dispersion in ("d3", "d3bj"):
        notes.append("D3 needs a CASTEP that was compiled with it (GRIMMED3).")
    files = _pair(spec, deck.structures, options, deck.title)
    if spec.band is not None:
        for k, image in enumerate(deck.structures):
            single = _pair(spec.as_static(), (image,), options, f"{deck.title} image {k}")
            files |= {f"{k:02d}/{name}": text for name, text in single.items()}
        notes.append(_band_note(spec, len(deck.structures)))
    files["NOTES.md"] = format_notes(deck, notes)
    return files


def load_castep(folder: Path) -> Deck:
    """Read a folder of input files for CASTEP.

    Raises
    ------
    DeckError
        There is no single pair of .cell and .param files, a keyword is unknown, or the calculation
        is of a kind that a specification has no words for.
    """
    seed = _seed(folder)
    text = read_input(folder / f"{seed}.param")
    param = parse_free_form(text, str(folder / f"{seed}.param"))
    cell = parse_free_form(read_input(folder / f"{seed}.cell"), str(folder / f"{seed}.cell"))
    check_keywords("param", [*param.words, *param.blocks], where=param.name)
    check_keywords("cell", [*cell.words, *cell.blocks], where=cell.name)
    structures, moments = read_structures(cell)
    first = structures[0]
    relax, band = read_motion(param, cell, len(first))
    spec = DFTSpec(
        functional=read_functional(param),  # type: ignore[arg-type]
        cutoff_eV=read_cutoff(param),
        kgrid=read_kgrid(cell, first),
        dispersion=read_dispersion(param),  # type: ignore[arg-type]
        smearing=read_smearing(param),
        spin=read_spin(param, first, moments),
        charge_e=param.quantity("charge", 0.0, {}),
        charge_statement=charge_statement(text, CHARGE_COMMENT),
        hubbard_u_eV=read_hubbard(cell),
        scf_energy_eV=tidy(param.quantity("elec_energy_tol", 1e-5, TO_EV) * len(first)),
        scf_max_steps=param.whole("max_scf_cycles", 30),
        fixed=read_fixed(cell, first),
        dipole_axis=read_dipole(param, first),  # type: ignore[arg-type]
        relax=relax,
        band=band,
    )
    if band is not None:
        structures = _images(folder, band.images) or structures
    elif len(structures) > 1:
        structures = structures[:1]
    return Deck(spec, structures, _options(seed, param, cell), param.words.get("comment", ""))


def _pair(
    spec: DFTSpec, structures: Sequence[Structure], options: CastepOptions, title: str
) -> dict[str, str]:
    """Return the .cell and .param file of one calculation."""
    said = [f"{CHARGE_COMMENT} {spec.charge_statement}"] if spec.charge_statement else []
    return {
        f"{options.seed}.cell": cell_file(spec, structures, options).text(),
        f"{options.seed}.param": param_file(spec, structures[0], options, title).text(said),
    }


def _check_hybrid(spec: DFTSpec, structure: Structure, options: CastepOptions) -> None:
    """Raise where a hybrid functional meets ultrasoft pseudopotentials."""
    if spec.functional not in HYBRIDS:
        return
    for element in dict.fromkeys(structure.symbols):
        choice = options.potentials.get(element, options.library)
        if not choice.startswith("NCP") and "|" not in choice and "." not in choice:
            raise DeckError(
                f"CASTEP computes {spec.functional} with norm-conserving pseudopotentials only, "
                f"and {element} takes {choice or 'its default'}. Set library = 'NCP19'."
            )


def _band_note(spec: DFTSpec, count: int) -> str:
    climbing = spec.band is not None and spec.band.climb
    return (
        "The transition-state search needs CASTEP 22 or later. It takes the first, middle and last "
        f"image and interpolates between them"
        f"{'; the middle one climbs, so it should be near the top' if climbing else ''}. NUM_FARMS "
        "set to the number of images runs them side by side. Folders 00 to "
        f"{count - 1:02d} hold every image as a static calculation with the same settings."
    )


def _seed(folder: Path) -> str:
    """Return the name of the only pair of .cell and .param files."""
    cells = sorted(p.stem for p in folder.glob("*.cell"))
    seeds = [s for s in cells if (folder / f"{s}.param").is_file()]
    if len(seeds) != 1:
        raise DeckError(
            f"{folder} must hold one pair of .cell and .param files of one name; found "
            f"{', '.join(seeds) or 'none'}."
        )
    return seeds[0]


def _images(folder: Path, images: int) -> tuple[Structure, ...]:
    """Return the images of the static decks beside a search; none where they are not all there."""
    folders = [folder / f"{k:02d}" for k in range(images + 2)]
    if not all(any(f.glob("*.cell")) for f in folders):
        return ()
    return tuple(
        read_structures(parse_free_form(read_input(next(f.glob("*.cell"))), str(f)))[0][0]
        for f in folders
    )


def _options(seed: str, param: FreeForm, cell: FreeForm) -> CastepOptions:
    library, chosen = read_potentials(cell)
    return CastepOptions(
        library=library,
        potentials=chosen,
        seed=seed,
        extra_param={k: v for k, v in param.words.items() if k not in SPEC_PARAM},
        extra_cell={k: v for k, v in cell.words.items() if k not in SPEC_CELL},
    )
