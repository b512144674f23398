"""From a local path to DFT and back: decks of its images, and their comparison when they return."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.analysis.barriers import BarrierResult
from superionic.analysis.path_comparison import ImageComparison, PathComparison
from superionic.inputs.collect import collect
from superionic.inputs.outputs.failures import QUIET_S
from superionic.inputs.outputs.records import CollectedNEB, OutputFileError
from superionic.structures.errors import EvidenceError, RunFolderError
from superionic.structures.structure import Structure
from superionic.workflows.collected import barrier_result, residual_forces
from superionic.workflows.returned_images import displacement, in_local_order
from superionic.workflows.serialise import (
    canonical_hash,
    decode,
    encode,
    read_json,
    write_json_atomic,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from superionic.inputs.dft_protocol import DFTProtocol

RECORD = "handover.json"
"""Which image came from where."""
LOCAL = "path.json"
"""The local path itself."""
BAND, SINGLE_POINTS = "band", "single-points"
PLACE_ANG = 0.02
"""A single point is on the path while no atom is farther from where it was handed over; files of
codes keep six digits of fractional coordinates."""

DeckCode = Literal["vasp", "castep"]


@dataclass(frozen=True)
class ImageOrigin:
    """Where one image came from.

    Attributes
    ----------
    index : int
        Place in the local path.
    folders : tuple of str
        Where its decks lie, relative to the record.
    structure_hash : str
        SHA-256 of the structure that was handed over.
    local_energy_eV : float
        Energy at the local level relative to the first image, in eV.
    """

    index: int
    folders: tuple[str, ...]
    structure_hash: str
    local_energy_eV: float


@dataclass(frozen=True)
class HandoverRecord:
    """Which image came from where.

    Attributes
    ----------
    key : str
        The hop.
    theory : str
        Level of theory that made the path.
    result_hash : str
        SHA-256 of the whole local result, which lies beside as ``path.json``.
    codes : tuple of str
        Codes that decks were written for.
    spec_hashes : tuple of str
        SHA-256 of the specification of each code's decks.
    images : tuple of ImageOrigin
        All images in order, both ends included.
    version : str
        Version of this package.
    """

    key: str
    theory: str
    result_hash: str
    codes: tuple[str, ...]
    spec_hashes: tuple[str, ...]
    images: tuple[ImageOrigin, ...]
    version: str


def hand_over(
    result: BarrierResult, settings: Mapping[DeckCode, DFTProtocol], folder: Path
) -> HandoverRecord:
    """Write decks for the images of a converged local path.

    For VASP ``vasp/band`` (folders 00 to NN and the settings of a band) and ``vasp/single-points``
    (a static deck of each image); for CASTEP ``castep/band`` (a transition-state search, beside a
    static deck of each image). ``handover.json`` says which image came from where, ``path.json``
    keeps the path itself.

    Parameters
    ----------
    result
        A converged hop.
    settings
        How each code computes it, as `load_dft_protocol` returns it. Single points put its
        relaxation and its band aside.
    folder
        New or empty.

    Raises
    ------
    EvidenceError
        The path is not converged.
    RunFolderError
        The folder holds something.
    DeckError
        The settings cannot be met for these atoms.
    """
    from superionic import __version__

    structures = images_of(result)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunFolderError(f"{folder} holds something; name a new or an empty folder.")
    written = [
        place
        for code, chosen in settings.items()
        for place in _write(code, chosen, structures, result, folder)
    ]
    record = HandoverRecord(
        key=result.key,
        theory=result.theory,
        result_hash=canonical_hash(result),
        codes=tuple(settings),
        spec_hashes=tuple(canonical_hash(chosen.spec) for chosen in settings.values()),
        images=tuple(
            ImageOrigin(
                index=k,
                folders=tuple(f"{place}/{k:02d}" for place in written),
                structure_hash=canonical_hash(structure),
                local_energy_eV=float(result.energies_eV[k] - result.energies_eV[0]),
            )
            for k, structure in enumerate(structures)
        ),
        version=__version__,
    )
    write_json_atomic(folder / LOCAL, encode(result))
    write_json_atomic(folder / RECORD, encode(record))
    return record


def images_of(result: BarrierResult) -> tuple[Structure, ...]:
    """Return the structures of a converged path.

    Raises
    ------
    EvidenceError
        It is not converged, or has no images.
    """
    if result.verdict != "converged" or result.structure is None or len(result.positions) < 3:
        raise EvidenceError(
            f"Hop {result.key} is {result.verdict} ({result.reason or 'no images'}): only a "
            "converged path is handed over."
        )
    return tuple(result.structure.with_positions(p) for p in result.positions)


def _write(
    code: DeckCode,
    chosen: DFTProtocol,
    structures: tuple[Structure, ...],
    result: BarrierResult,
    folder: Path,
) -> list[str]:
    """Write the decks for one code; return the folders that hold images."""
    from superionic.inputs.decks import write_deck
    from superionic.inputs.dft import Band

    chosen = replace(chosen, band=chosen.band or Band())
    title = f"{result.key} from {result.theory}"
    notes = (
        f"The images are the path of hop {result.key}, converged with {result.theory} to "
        f"{result.fmax_eV_per_A:.3f} eV/A; {RECORD} above says which is which.",
    )
    write_deck(chosen.deck(structures, title=title, notes=notes), folder / code / BAND)
    if code == "castep":
        return [f"{code}/{BAND}"]
    static = replace(chosen, spec=chosen.spec.as_static())
    for k, structure in enumerate(structures):
        deck = static.deck((structure,), title=f"{title} image {k}", notes=notes)
        write_deck(deck, folder / code / SINGLE_POINTS / f"{k:02d}")
    return [f"{code}/{BAND}", f"{code}/{SINGLE_POINTS}"]


def read_handover(folder: Path) -> tuple[HandoverRecord, BarrierResult]:
    """Return the record of a handover and the local path.

    Raises
    ------
    RunFolderError
        There is none.
    OutputFileError
        The path is not the one that was handed over.
    """
    if not (folder / RECORD).is_file():
        raise RunFolderError(f"{folder} has no {RECORD}: no path was handed over to it.")
    record, result = decode(read_json(folder / RECORD)), decode(read_json(folder / LOCAL))
    same = isinstance(record, HandoverRecord) and isinstance(result, BarrierResult)
    if not same or canonical_hash(result) != record.result_hash:
        raise OutputFileError(
            f"{folder / LOCAL} is not the path that {RECORD} was written for: one of them was "
            "changed. Write the decks again."
        )
    return record, result


def compare_handover(
    folder: Path, *, returned: Path | None = None, quiet_s: float = QUIET_S
) -> PathComparison:
    """Compare the images of a local path with what came back for them.

    Parameters
    ----------
    folder
        Where `hand_over` wrote to.
    returned
        The folder that holds the outputs 00 to NN; by default the one of those written that has
        the most energies.
    quiet_s
        See `collect`.

    Raises
    ------
    OutputFileError
        What came back are other atoms, or single points away from the path.
    RunFolderError
        Nothing was handed over, or nothing came back.
    """
    record, result = read_handover(folder)
    path = _returned(folder, record, returned, quiet_s)
    images = in_local_order(path, result)
    away = tuple(displacement(image, result, k) for k, image in enumerate(images.images))
    if path.kind == "single-points" and max(away) > PLACE_ANG:
        k = int(np.argmax(away))
        raise OutputFileError(
            f"Image {k:02d} in {path.folder} has an atom {away[k]:.3f} A from where it was handed "
            "over: it is no single point on this path. Compare the folder that was written for it."
        )
    residual = residual_forces(images) or (None,) * len(images.moving)
    forces = (None, *residual, None)
    energies = images.energies_eV
    band = barrier_result(images, like=result) if path.kind == "band" else None
    return PathComparison(
        key=record.key,
        local_theory=record.theory,
        returned_theory=next((i.theory for i in images.images if i.finished), ""),
        kind=path.kind,
        images=tuple(
            ImageComparison(
                index=k,
                state=image.state,
                reason=image.reason,
                local_eV=record.images[k].local_energy_eV,
                returned_eV=energies[k],
                residual_force_eV_per_A=forces[k],
                displacement_ang=away[k],
            )
            for k, image in enumerate(images.images)
        ),
        returned_converged=band is not None and band.converged,
    )


def _returned(
    folder: Path, record: HandoverRecord, given: Path | None, quiet_s: float
) -> CollectedNEB:
    """Return the path that came back: the one given, else the one with the most energies."""
    if given is not None:
        found = collect(given, quiet_s=quiet_s)
        if not isinstance(found, CollectedNEB):
            raise OutputFileError(f"{given} is no path: expected subfolders 00, 01, ...")
        return found
    places = dict.fromkeys(Path(place).parent for place in record.images[0].folders)
    paths = [
        collect(folder / place, quiet_s=quiet_s) for place in places if (folder / place).is_dir()
    ]
    known = [path for path in paths if isinstance(path, CollectedNEB)]
    if not known:
        raise RunFolderError(f"Nothing came back to {folder}: it has no folders of images.")
    return max(known, key=lambda p: sum(image.energy_eV is not None for image in p.images))
