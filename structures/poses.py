"""How a molecule is held over a surface: places, orientations, and room beside its own images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.structures.adsorption_sites import SurfaceSite, general_site
from superionic.structures.errors import AdsorptionError
from superionic.structures.faces import Face
from superionic.structures.ion_pairs import LONE_PAIR_BONDS, lone_pairs
from superionic.structures.molecule import Molecule, lattice_points
from superionic.structures.rotations import align, random_rotations, spread_rotations, turn_about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Orientations = Literal["mixed", "uniform"]
"""Spread evenly over all orientations, or every other one with a donor atom or an ion down."""

OFF_CENTRE_ANG = 0.5
"""An atom this near to the centre of mass has no direction to point, in angstrom."""
AZIMUTHS = 36
"""Turns about the normal that are tried before another orientation is."""
TRIALS = 40
"""Orientations tried over a place."""


@dataclass(frozen=True, eq=False)
class Pose:
    """A molecule held over a place.

    Attributes
    ----------
    site : SurfaceSite
        The place.
    body : ndarray
        Atoms about the centre of mass, turned, in angstrom. shape=(atoms, 3)
    down : int or None
        The atom that points to the slab and comes over the place; None puts the centre there.
    mirrored : bool
        Whether this is the mirror image of the molecule.
    """

    site: SurfaceSite
    body: NDArray[np.float64]
    down: int | None
    mirrored: bool

    @property
    def over(self) -> NDArray[np.float64]:
        """Positions over the place, the anchor at its height, in angstrom. shape=(atoms, 3)."""
        anchor = np.zeros(3) if self.down is None else self.body[self.down]
        return np.asarray(self.body - anchor + self.site.position)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The images of a molecule along a face.

    Attributes
    ----------
    shifts : ndarray
        Lattice vectors that can bring an image near, one of each opposite pair, in angstrom.
        shape=(n, 3)
    """

    shifts: NDArray[np.float64]

    @classmethod
    def along(cls, face: Face, molecule: Molecule) -> Neighbours:
        """Find the images of a molecule, however it is turned."""
        cell = np.vstack([face.plane, face.normal])
        found = lattice_points(cell, (True, True, False), molecule.length_ang)
        leading = np.array([v[np.flatnonzero(np.abs(v) > 1e-6)[0]] for v in found])
        return cls(found[leading > 0])

    def separation_ang(self, body: NDArray[np.float64]) -> float:
        """Return the least distance of a body to its images, in angstrom."""
        apart = (body[:, None] - body[None, :]).reshape(-1, 3)
        squares = ((apart[:, None] + self.shifts) ** 2).sum(axis=-1)
        return float(np.sqrt(squares.min()))


def places_in_turn(
    face: Face,
    sites: Sequence[SurfaceSite],
    count: int,
    *,
    single: bool,
    rng: np.random.Generator,
) -> list[SurfaceSite]:
    """Choose places: one of each kind in turn, in random order within a kind.

    Parameters
    ----------
    face
        The face.
    sites
        Its symmetry-distinct places.
    count
        How many to choose.
    single
        For a single atom each place comes once, then follow general ones; else they recur.
    rng
        Decides the order.
    """
    groups: dict[str, list[SurfaceSite]] = {}
    for site in sites:
        groups.setdefault(_group(site), []).append(site)
    shuffled = [[group[k] for k in rng.permutation(len(group))] for group in groups.values()]
    if not single:
        return [group[k % len(group)] for k in range(count) for group in shuffled][:count]
    depth = max(len(group) for group in shuffled)
    once = [group[k] for k in range(depth) for group in shuffled if k < len(group)]
    more = max(count - len(once), 0)
    return [*once, *(general_site(face, rng.random(2)) for _ in range(more))][:count]


def _group(site: SurfaceSite) -> str:
    """Return the kind of a place, on an atom with its element."""
    return site.label if site.kind == "top" else site.kind


def make_poses(
    face: Face,
    molecule: Molecule,
    places: Sequence[SurfaceSite],
    *,
    orientations: Orientations,
    mirror: bool,
    min_image_ang: float,
    rng: np.random.Generator,
) -> list[Pose]:
    """Choose an orientation over each place, away from the images of the molecule.

    Parameters
    ----------
    face
        The face.
    molecule
        What is held.
    places
        One a pose.
    orientations
        ``uniform``, or ``mixed``: every other pose of each kind of place has a donor atom or ion
        down, in turn.
    mirror
        Every other pair of poses takes the mirror image.
    min_image_ang
        Least distance to the images, in angstrom.
    rng
        Decides the orientations.

    Raises
    ------
    AdsorptionError
        The molecule is too large for the cell.
    """
    neighbours = Neighbours.along(face, molecule)
    check_room(face, molecule, neighbours, min_image_ang)
    spread = spread_rotations(len(places), rng)[rng.permutation(len(places))]
    downs = _downs(molecule, rng) if orientations == "mixed" else []
    poses, taken, used = [], Counter[str](), 0
    order = list(dict.fromkeys(_group(site) for site in places))
    for k, (site, rotation) in enumerate(zip(places, spread, strict=True)):
        mirrored = mirror and k // 2 % 2 == 1
        body = (molecule.mirrored() if mirrored else molecule).centred() @ rotation.T
        down = None
        if downs and (order.index(_group(site)) + taken[_group(site)]) % 2:
            down, used = downs[used % len(downs)], used + 1
            body = body @ align(body[down], -face.normal).T
        taken[_group(site)] += 1
        pose = Pose(site, body, down, mirrored)
        poses.append(_turned_apart(face, molecule, pose, neighbours, min_image_ang, rng))
    return poses


def check_room(
    face: Face, molecule: Molecule, neighbours: Neighbours, min_image_ang: float
) -> None:
    """Refuse a molecule that, lying flat, comes too near to its own images in every direction.

    An upright one might still fit; but then the cell would have chosen the orientation.

    Raises
    ------
    AdsorptionError
        Says how much larger the cell must be.
    """
    body = molecule.centred()
    if len(body) > 1:
        thinnest = np.linalg.svd(body, full_matrices=True)[2][2]
        body = body @ align(thinnest, face.normal).T
    turned = (body @ turn.T for turn in _turns(face.normal))
    found = max(neighbours.separation_ang(flat) for flat in turned)
    if found >= min_image_ang:
        return
    width = float(np.linalg.norm(face.plane, axis=1).min())
    wanted = molecule.length_ang + min_image_ang
    raise AdsorptionError(
        f"{molecule.name or molecule.formula} is {molecule.length_ang:.1f} A long; lying on this "
        f"slab, whose shortest repeat is {width:.1f} A, it comes within {found:.1f} A of its own "
        f"image. Expected at least {min_image_ang:g} A: repeat the slab in the plane (shortest "
        f"repeat {wanted:.1f} A or more, {int(np.ceil(wanted / width))} times this one), or lower "
        "min_image_ang."
    )


def _turns(normal: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return rotations about the normal, the identity first."""
    return [turn_about(normal, 2 * np.pi * k / AZIMUTHS) for k in range(AZIMUTHS)]


def _downs(molecule: Molecule, rng: np.random.Generator) -> list[int]:
    """Return the atoms that may point down: elements in turn, single ions before donors."""
    away = np.linalg.norm(molecule.centred(), axis=1) > OFF_CENTRE_ANG
    bonded = {k for i, j, _ in molecule.bonds for k in (i, j)}
    groups: dict[str, list[int]] = {}
    for k, symbol in enumerate(molecule.symbols):
        if away[k] and k not in bonded:
            groups.setdefault(f"ion {symbol}", []).append(k)
    for donor in LONE_PAIR_BONDS:
        for k in lone_pairs(molecule):
            if away[k] and molecule.symbols[k] == donor:
                groups.setdefault(donor, []).append(k)
    shuffled = [[int(k) for k in rng.permutation(group)] for group in groups.values()]
    depth = max((len(group) for group in shuffled), default=0)
    return [group[k] for k in range(depth) for group in shuffled if k < len(group)]


def _turned_apart(
    face: Face,
    molecule: Molecule,
    pose: Pose,
    neighbours: Neighbours,
    min_image_ang: float,
    rng: np.random.Generator,
) -> Pose:
    """Turn a molecule about the normal until its images are far; failing that, turn it anyhow."""
    for _ in range(TRIALS):
        for turn in _turns(face.normal):
            turned = pose.body @ turn.T
            if neighbours.separation_ang(turned) >= min_image_ang:
                return replace(pose, body=turned)
        fresh = pose.body @ random_rotations(1, rng)[0].T
        if pose.down is not None:  # the same atom stays down
            fresh = fresh @ align(fresh[pose.down], -face.normal).T
        pose = replace(pose, body=fresh)
    raise AdsorptionError(
        f"No orientation of {molecule.name or molecule.formula} over {pose.site.label} keeps it "
        f"{min_image_ang:g} A from its own images. Repeat the slab in the plane, use "
        "orientations='uniform', or lower min_image_ang."
    )
