"""`superionic structure adsorb`: starts of a molecule on a slab, with the slab that fits them."""

from __future__ import annotations

import re
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from superionic.structures.errors import AdsorptionError, SuperionicError
from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_json,
    emit_table,
    note,
)
from superionic.workflows.commands.loading import load_atoms

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.structures.adsorption import AdsorptionStart
    from superionic.structures.faces import Side
    from superionic.structures.molecule import Molecule
    from superionic.structures.poses import Orientations
    from superionic.structures.structure import Structure
    from superionic.workflows.serialise import Json

STARTS = "starts.json"
"""Lists the starts of a folder."""


@dataclass(frozen=True)
class AdsorbRequest:
    """How starts are asked for; see `superionic.structures.adsorption.adsorption_starts`.

    Attributes
    ----------
    molecule : str
        File, packaged name or SMILES.
    charge : int or None
        Total charge in e.
    count : int
        How many starts.
    side : str
        ``top`` or ``bottom``.
    vacuum_ang, height_ang, min_image_ang : float
        In angstrom; no height lets the molecule rest.
    orientations : str
        ``mixed`` or ``uniform``.
    mirror : bool
        Take mirror images too.
    seed : int
        Of places and orientations.
    """

    molecule: str
    charge: int | None
    count: int
    side: Side
    vacuum_ang: float
    height_ang: float | None
    orientations: Orientations
    mirror: bool
    min_image_ang: float
    seed: int

    def build(self, slab: Structure) -> tuple[Molecule, tuple[AdsorptionStart, ...]]:
        """Build the molecule and its starts."""
        from superionic.structures.adsorption import adsorption_starts
        from superionic.structures.molecules import find_molecule

        molecule = find_molecule(self.molecule, charge=self.charge, seed=self.seed)
        try:
            starts = adsorption_starts(
                slab,
                molecule,
                count=self.count,
                side=self.side,
                seed=self.seed,
                vacuum_ang=self.vacuum_ang,
                height_ang=self.height_ang,
                orientations=self.orientations,
                mirror=self.mirror,
                min_image_ang=self.min_image_ang,
            )
        except AdsorptionError as error:
            raise AdsorptionError(as_options(str(error))) from error
        return molecule, starts


def as_options(message: str) -> str:
    """Return a message about starts with the library's keywords as options of the command."""
    words = {
        r"\b(orientations)='(\w+)'": r"--\1 \2",
        r"\bmin_image_ang\b": "--min-image",
        r"\bheight_ang\b": "--height",
        r"\bvacuum_ang\b": "--vacuum",
    }
    for pattern, option in words.items():
        message = re.sub(pattern, option, message)
    return message


def adsorb(source: str, request: AdsorbRequest, *, out: Path, suffix: str, as_json: bool) -> None:
    """Write the starts of a molecule on a slab into a folder, and list them."""
    from superionic.structures.io import write_structure
    from superionic.structures.molecules import write_molecule
    from superionic.workflows.commands.folders import claim_folder
    from superionic.workflows.serialise import canonical_hash, write_json_atomic

    with chatter_to_stderr():
        slab = load_atoms(source).structure
        molecule, starts = request.build(slab)
        asked: dict[str, Json] = {
            "slab": f"{source} ({canonical_hash(slab)[:16]})",
            "molecule_atoms": canonical_hash(molecule)[:16],
            "format": suffix,
            **asdict(request),
        }
        new = not out.expanduser().exists()
        folder = claim_folder(out, "structure adsorb", asked)
        listed = [_listed(start, suffix) for start in starts]
        try:
            write_structure(starts[0].slab, folder / f"slab.{suffix}")
            write_molecule(molecule, folder / "molecule.sdf")
            for start in starts:
                write_structure(start.structure, folder / f"{start.key}.{suffix}")
            write_json_atomic(folder / STARTS, {"starts": [dict(row) for row in listed]})
        except SuperionicError:
            if new:
                shutil.rmtree(folder, ignore_errors=True)
            raise
    if as_json:
        emit_json(listed)
        return
    rows: list[list[Cell]] = [
        [s.key, s.clearance_ang, s.height_ang, s.image_separation_ang, s.vacuum_ang] for s in starts
    ]
    emit_table(["start", "clearance A", "height A", "to its image A", "vacuum A"], rows)
    note(
        f"{len(starts)} starts of {molecule.name} are in {folder}, with slab.{suffix} in their "
        "cell as the reference."
    )


def _listed(start: AdsorptionStart, suffix: str) -> dict[str, Json]:
    """Return what `starts.json` says of a start."""
    return {
        "key": start.key,
        "file": f"{start.key}.{suffix}",
        "site": start.site,
        "site_atoms": list(start.site_atoms),
        "orientation": start.orientation,
        "mirrored": start.mirrored,
        "side": start.side,
        "adsorbate": list(start.adsorbate),
        "clearance_ang": start.clearance_ang,
        "height_ang": start.height_ang,
        "image_separation_ang": start.image_separation_ang,
        "vacuum_ang": start.vacuum_ang,
    }
