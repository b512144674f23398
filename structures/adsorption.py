"""Starts for the adsorption of a molecule: places on one face of a slab, times orientations.

Every start is free of clashes: the molecule is lowered along the normal until it rests on the
slab by van der Waals radii, and turned so that it keeps away from its own images. All starts of a
call share one cell, so that one slab reference serves them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.adsorption_sites import (
    PROBE_ANG,
    SYMPREC_ANG,
    all_sites,
    distinct_sites,
)
from superionic.structures.contacts import TOUCH, resting_lift, touching_ang
from superionic.structures.depths import MINIMUM_VACUUM_ANG
from superionic.structures.errors import AdsorptionError
from superionic.structures.faces import Face, Side, find_face
from superionic.structures.geometry import images_within
from superionic.structures.molecule import Molecule, image_separation
from superionic.structures.poses import Orientations, Pose, make_poses, places_in_turn
from superionic.structures.structure import Structure, minimum_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MIN_IMAGE_ANG = 3.0
"""Least distance in angstrom between an adsorbate and its own images along the face."""
VACUUM_ANG = 15.0
"""Empty height above the tallest start by default, in angstrom."""


@dataclass(frozen=True, eq=False)
class AdsorptionStart:
    """A molecule resting on a slab, not relaxed.

    Attributes
    ----------
    structure : Structure
        Atoms of the slab in their order, then those of the molecule in theirs; periodic as the
        slab is. The cell is that of all starts of one call.
    adsorbate : tuple of int
        Indices of the molecule's atoms.
    side : str
        ``top`` or ``bottom``.
    site : str
        Label of the place, as in `SurfaceSite`.
    site_atoms : tuple of int
        Atoms of the slab that make the place.
    orientation : str
        ``free``, or ``down-N5`` where that atom of the molecule points to the slab.
    mirrored : bool
        The molecule is the mirror image of the one given.
    clearance_ang : float
        Least distance between an atom of the molecule and one of the slab, in angstrom.
    height_ang : float
        Height of the molecule's lowest atom above the slab's outermost one, in angstrom.
    image_separation_ang : float
        Least distance between the molecule and its images, in angstrom.
    vacuum_ang : float
        Empty height between the molecule and the next image of the slab, in angstrom.
    key : str
        Names the start among those of its call: ``03-top-Li-down-N0``.
    """

    structure: Structure
    adsorbate: tuple[int, ...]
    side: Side
    site: str
    site_atoms: tuple[int, ...]
    orientation: str
    mirrored: bool
    clearance_ang: float
    height_ang: float
    image_separation_ang: float
    vacuum_ang: float
    key: str

    @property
    def slab(self) -> Structure:
        """The bare slab in the same cell: the reference that fits this start."""
        return self.structure.without(self.adsorbate)

    @property
    def molecule(self) -> Structure:
        """The bare molecule in the same cell and place."""
        return self.structure.take(self.adsorbate)


def adsorption_starts(
    slab: Structure,
    molecule: Molecule,
    *,
    count: int = 12,
    side: Side = "top",
    seed: int = 0,
    vacuum_ang: float = VACUUM_ANG,
    height_ang: float | None = None,
    orientations: Orientations = "mixed",
    mirror: bool = False,
    min_image_ang: float = MIN_IMAGE_ANG,
    touch: float = TOUCH,
    probe_ang: float = PROBE_ANG,
    symprec: float = SYMPREC_ANG,
) -> tuple[AdsorptionStart, ...]:
    """Return clash-free starts of a molecule on one face of a slab.

    The places are the symmetry-distinct ones of the face, taken in turn from its kinds (on each
    element, hollows, bridges); a single atom goes on to general places when they are used up.

    Parameters
    ----------
    slab
        The slab, with any vacuum.
    molecule
        What to put on it.
    count
        How many starts.
    side
        ``top``, the face at the end of the vacuum axis, or ``bottom``.
    seed
        Of places and orientations; the same seed gives the same starts.
    vacuum_ang
        Empty height between the tallest start and the next image of the slab, in angstrom; at
        least `superionic.structures.depths.MINIMUM_VACUUM_ANG`.
    height_ang
        Height of the molecule's lowest atom above the slab's outermost one, in angstrom. By
        default the molecule rests on the slab.
    orientations
        ``uniform``: spread over all orientations. ``mixed``: in every other start a donor atom or
        ion of the molecule, in turn by element, points down onto the place.
    mirror
        Every other pair of starts takes the mirror image of the molecule: for one without a
        stereocentre, whose conformers of either hand occur alike.
    min_image_ang
        Least distance between the molecule and its own images along the face, in angstrom.
    touch
        Two atoms touch at this share of the sum of their van der Waals radii.
    probe_ang
        Radius of the ball that finds the surface atoms, in angstrom.
    symprec
        Tolerance of the slab's symmetry in angstrom.

    Returns
    -------
    tuple of AdsorptionStart
        ``count`` of them, in one cell.

    Raises
    ------
    AdsorptionError
        The slab has no vacuum, the molecule does not fit beside its own images, a given height
        makes it clash with the slab, or an argument makes no sense.
    """
    _check_arguments(count, vacuum_ang, height_ang, min_image_ang, touch, orientations)
    face = find_face(slab, side)
    rng = np.random.default_rng(seed)
    sites = distinct_sites(face, all_sites(face, probe_ang=probe_ang), symprec=symprec)
    poses = make_poses(
        face,
        molecule,
        places_in_turn(face, sites, count, single=len(molecule) == 1, rng=rng),
        orientations=orientations,
        mirror=mirror,
        min_image_ang=min_image_ang,
        rng=rng,
    )
    bodies = [_settled(face, molecule, pose, touch, height_ang) for pose in poses]
    return _finished(face, molecule, list(zip(poses, bodies, strict=True)), vacuum_ang, side)


def _check_arguments(
    count: int,
    vacuum_ang: float,
    height_ang: float | None,
    min_image_ang: float,
    touch: float,
    orientations: str,
) -> None:
    """Refuse arguments that make no starts."""
    if count < 1:
        raise AdsorptionError(f"Expected at least one start; got count={count}.")
    if not MINIMUM_VACUUM_ANG <= vacuum_ang < 1e3:
        raise AdsorptionError(
            f"The vacuum above the molecule must be at least {MINIMUM_VACUUM_ANG:g} A thick, or it "
            f"meets the next image of the slab, and below 1000 A; got {vacuum_ang:g} A. Give "
            "another vacuum_ang (15 is usual)."
        )
    if height_ang is not None and not 0.0 < height_ang < 100.0:
        raise AdsorptionError(
            f"The height of a molecule must lie between 0 and 100 A; got {height_ang}."
        )
    if not 0.0 < touch <= 1.5:
        raise AdsorptionError(
            f"Atoms touch at a share of their van der Waals radii from 0 to 1.5; got {touch}."
        )
    if not 0.0 <= min_image_ang < 1e3:
        raise AdsorptionError(f"min_image_ang must lie between 0 and 1000 A; got {min_image_ang}.")
    if orientations not in ("mixed", "uniform"):
        raise AdsorptionError(f"Orientations are 'mixed' or 'uniform'; got {orientations!r}.")


def _settled(
    face: Face, molecule: Molecule, pose: Pose, touch: float, height_ang: float | None
) -> NDArray[np.float64]:
    """Return the positions of a molecule over its place, resting on the slab or at a height."""
    over = pose.over
    ground, numbers = _ground(face, over, touch)
    contact = touching_ang(molecule.structure.numbers, numbers, share=touch)
    rest = resting_lift(over, ground, face.normal, contact)
    if height_ang is None:
        return np.asarray(over + rest * face.normal)
    lift = face.top_ang + height_ang - float((over @ face.normal).min())
    if lift < rest - 1e-9:
        raise AdsorptionError(
            f"At {height_ang:g} A above {pose.site.label}, {molecule.name or molecule.formula} "
            f"clashes with the slab; it rests there at {height_ang + rest - lift:.2f} A. Give a "
            "larger height_ang, or none to let it rest."
        )
    return np.asarray(over + lift * face.normal)


def _ground(
    face: Face, body: NDArray[np.float64], touch: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return all slab atoms below a body, images included, and their atomic numbers."""
    flat, centre = face.slab.positions @ face.axes.T, body.mean(axis=0) @ face.axes.T
    widest = float(touching_ang(range(1, 119), range(1, 119), share=touch).max())
    reach = widest + float(np.linalg.norm(body @ face.axes.T - centre, axis=1).max())
    cell = np.vstack([face.plane, face.normal])
    level = flat @ face.axes  # all atoms in one plane through the origin
    found = images_within(
        level, cell, (True, True, False), centre=centre @ face.axes, radius_ang=reach
    )
    heights = face.slab.positions[found.indices] @ face.normal
    return found.positions + heights[:, None] * face.normal, face.slab.numbers[found.indices]


def _finished(
    face: Face,
    molecule: Molecule,
    settled: Sequence[tuple[Pose, NDArray[np.float64]]],
    vacuum_ang: float,
    side: Side,
) -> tuple[AdsorptionStart, ...]:
    """Put all starts into one cell with the vacuum over the tallest, slab and molecule centred."""
    slab, axis = face.slab, face.axis
    tallest = max(float((body @ face.normal).max()) for _, body in settled)
    tallest = max(tallest, face.top_ang)
    period = tallest - (face.top_ang - face.thickness_ang) + vacuum_ang
    cell = slab.cell.copy()
    along = float(cell[axis] @ face.normal)
    cell[axis] *= period / abs(along)
    up = face.normal if along > 0 else -face.normal
    low = face.top_ang - face.thickness_ang if along > 0 else -tallest
    shift = (vacuum_ang / 2 - low) * up
    starts = []
    for k, (pose, body) in enumerate(settled):
        structure = Structure(
            numbers=np.concatenate([slab.numbers, molecule.structure.numbers]),
            positions=np.vstack([slab.positions, body]) + shift,
            cell=cell,
            pbc=slab.pbc,
            labels=(*slab.labels, *molecule.structure.labels),
        )
        starts.append(_described(face, molecule, structure, pose, body, period, side, k))
    return tuple(starts)


def _described(
    face: Face,
    molecule: Molecule,
    structure: Structure,
    pose: Pose,
    body: NDArray[np.float64],
    period: float,
    side: Side,
    index: int,
) -> AdsorptionStart:
    """Measure a start."""
    first = len(face.slab)
    adsorbate = tuple(range(first, len(structure)))
    apart = structure.positions[first:, None] - structure.positions[None, :first]
    near = minimum_image(apart.reshape(-1, 3), structure.cell, structure.pbc)
    heights = body @ face.normal
    way = "free" if pose.down is None else f"down-{molecule.symbols[pose.down]}{pose.down}"
    return AdsorptionStart(
        structure=structure,
        adsorbate=adsorbate,
        side=side,
        site=pose.site.label,
        site_atoms=pose.site.atoms,
        orientation=way,
        mirrored=pose.mirrored,
        clearance_ang=float(np.linalg.norm(near, axis=1).min()),
        height_ang=float(heights.min()) - face.top_ang,
        image_separation_ang=image_separation(structure, adsorbate),
        vacuum_ang=period
        - float(max(heights.max(), face.top_ang))
        + face.top_ang
        - face.thickness_ang,
        key=f"{index:02d}-{pose.site.label}-{way}{'-mirror' if pose.mirrored else ''}",
    )
