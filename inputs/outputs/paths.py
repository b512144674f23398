"""The images of one path, each in its folder: `read_path`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.inputs.outputs.castep import is_castep_folder, read_castep_run
from superionic.inputs.outputs.failures import QUIET_S
from superionic.inputs.outputs.records import CollectedNEB, CollectedRun, OutputFileError
from superionic.inputs.outputs.vasp import is_vasp_folder, read_vasp_run
from superionic.structures.structure import minimum_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from superionic.structures.structure import Structure

_IMAGE = re.compile(r"(?:image[-_])?(\d{2,3})")
SAME_PLACE_ANG = 0.05
"""An end computed elsewhere has no atom farther than this from the end of the path."""
COMPARED = (
    "cutoff_eV", "functional", "dispersion", "kpoints", "spin_polarised", "electrons",
    "pseudopotentials",
)  # fmt: skip
"""Settings that must agree before two energies are subtracted."""


def image_folders(folder: Path) -> tuple[Path, ...]:
    """Return the subfolders 00, 01, ... of a path in order; none if the folder is no path.

    A band is often copied without its ends, which VASP does not write to: folders of ends that
    are not there are returned where the number of moving images says that there were some.
    """
    found = {
        int(match[1]): path
        for path in sorted(folder.iterdir())
        if path.is_dir() and (match := _IMAGE.fullmatch(path.name))
    }
    if not found:
        return ()
    moving = _moving_images(folder, found)
    for place in (0, moving + 1) if moving else ():
        if place not in found:
            found[place] = folder / f"{place:02d}"
    if len(found) < 3 or sorted(found) != list(range(len(found))):
        return ()
    return tuple(found[k] for k in range(len(found)))


def _moving_images(folder: Path, found: Mapping[int, Path]) -> int:
    """Return how many images a band of VASP moved; zero if nothing says that it is one."""
    from superionic.inputs.outputs.outcar import scan_outcar

    said = _incar(folder).get("IMAGES")
    outcar = found.get(1, folder) / "OUTCAR"
    if said is None and outcar.is_file():
        said = scan_outcar(outcar).settings.get("IMAGES")
    return int(said) if said is not None and said.isdigit() else 0


def read_path(
    folder: Path,
    *,
    ends: Sequence[Path] = (),
    quiet_s: float = QUIET_S,
    now: float | None = None,
) -> CollectedNEB:
    """Read the images of a path back.

    Parameters
    ----------
    folder
        Holds ``00``, ``01``, ...: a band that VASP relaxed, or images computed one by one.
    ends
        Folders of the two ends where they were computed elsewhere, first and last.
    quiet_s, now
        See `read_vasp_run`.

    Raises
    ------
    OutputFileError
        Images are missing, of other atoms, or of other settings; or an end given is not the
        path's.
    """
    folders = image_folders(folder)
    if not folders:
        raise OutputFileError(
            f"{folder} has no images of a path: expected subfolders 00, 01, ... without a gap."
        )
    castep = not is_vasp_folder(folders[1]) and is_castep_folder(folders[1])
    band = not castep and _moving_images(folder, dict(enumerate(folders))) > 0
    images = [
        read_castep_run(f, quiet_s=quiet_s, now=now)
        if castep
        else read_vasp_run(f, quiet_s=quiet_s, now=now, image=band and 0 < k < len(folders) - 1)
        for k, f in enumerate(folders)
    ]
    notes = _take_ends(images, ends, castep=castep, quiet_s=quiet_s, now=now)
    _check_one_level(images)
    last = len(images) - 1
    kind: Literal["band", "single-points"] = "band" if band else "single-points"
    return CollectedNEB(
        folder=str(folder),
        code="castep" if castep else "vasp",
        kind=kind,
        climbing=_climbs(folder, folders) if band else None,
        images=tuple(images),
        missing_ends=tuple(k for k in (0, last) if images[k].energy_eV is None),
        notes=tuple(notes),
    )


def _incar(folder: Path) -> dict[str, str]:
    """Return the tags of an INCAR as text; none if there is no INCAR."""
    from pymatgen.io.vasp.inputs import Incar

    path = folder / "INCAR"
    return {k: str(v) for k, v in Incar.from_file(path).items()} if path.is_file() else {}


def _climbs(folder: Path, folders: Sequence[Path]) -> bool:
    """Tell whether the highest image of a band climbed."""
    from superionic.inputs.outputs.outcar import scan_outcar

    outcar = folders[1] / "OUTCAR"
    said = scan_outcar(outcar).settings.get("LCLIMB") if outcar.is_file() else None
    said = said or _incar(folder).get("LCLIMB", "F")
    return said.upper().startswith((".T", "T"))


def _take_ends(
    images: list[CollectedRun],
    ends: Sequence[Path],
    *,
    castep: bool,
    quiet_s: float,
    now: float | None,
) -> list[str]:
    """Put ends that were computed elsewhere in their places; return what to note."""
    if not ends:
        return []
    if len(ends) != 2:
        raise OutputFileError(f"A path has two ends; got {len(ends)} folders for them.")
    notes = []
    for place, folder in zip((0, len(images) - 1), ends, strict=True):
        reader = read_castep_run if castep else read_vasp_run
        run = reader(folder, quiet_s=quiet_s, now=now)
        _check_place(images, place, run)
        images[place] = replace(run, notes=(*run.notes, f"in place of {images[place].folder}"))
        notes.append(f"the energy of end {place:02d} is from {folder}")
    return notes


def _check_place(images: Sequence[CollectedRun], place: int, run: CollectedRun) -> None:
    """Raise unless a run's structure is the end of the path that it is given for."""
    wanted = images[place].structure or images[place].start
    got = run.structure or run.start
    if wanted is None or got is None:
        return
    apart = _farthest(wanted, got)
    if apart is None or apart > SAME_PLACE_ANG:
        how = "other atoms" if apart is None else f"an atom {apart:.2f} A away"
        raise OutputFileError(
            f"{run.folder} is not end {place:02d} of the path: it has {how}. Give the folders of "
            "the first and of the last end, in that order, with the atoms in the path's order."
        )


def _farthest(one: Structure, other: Structure) -> float | None:
    """Return the largest distance between the same atoms in angstrom; None for other atoms."""
    if not np.array_equal(one.numbers, other.numbers) or not np.allclose(
        one.cell, other.cell, rtol=0.0, atol=1e-3
    ):
        return None
    apart = minimum_image(other.positions - one.positions, one.cell, one.pbc)
    return float(np.linalg.norm(apart, axis=1).max())


def _check_one_level(images: Sequence[CollectedRun]) -> None:
    """Raise if two images that have energies were computed at different settings."""
    runs = [run for run in images if run.finished]
    for name in COMPARED:
        values = {str(run.settings[name]) for run in runs if name in run.settings}
        if len(values) > 1:
            where = "; ".join(
                f"{Path(run.folder).name}: {run.settings[name]}" for run in runs
                if name in run.settings
            )  # fmt: skip
            raise OutputFileError(
                f"The images of one path were computed at different {name} ({where}), so their "
                "energies cannot be subtracted. Run them again at one setting."
            )
