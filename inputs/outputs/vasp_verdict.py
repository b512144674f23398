"""What a VASP run was asked to do, and whether it got there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from superionic.inputs.outputs.records import RunState, RunTask


@dataclass(frozen=True)
class Course:
    """How an ended run went.

    Attributes
    ----------
    tags : dict
        Resolved tags as text.
    image : bool
        The run is an image of a band.
    iterations : tuple of int
        Electronic steps of each ionic step.
    soft_stop : bool
        A STOPCAR ended it.
    reached_accuracy : bool or None
        What OUTCAR says about the ionic criterion; None without a whole OUTCAR.
    fmax_eV_per_A : float or None
        Largest force on a free atom at the end.
    """

    tags: dict[str, str]
    image: bool
    iterations: tuple[int, ...]
    soft_stop: bool
    reached_accuracy: bool | None
    fmax_eV_per_A: float | None


def task_of(tags: dict[str, str], *, image: bool) -> RunTask:
    """Return what a run was asked to do."""
    if image:
        return "neb-image"
    if not {"NSW", "IBRION"} & set(tags):
        return "other"  # it broke off before it said
    steps, mode = integer(tags, "NSW", 0), integer(tags, "IBRION", -1)
    special = tags.get("LEPSILON", "F").upper().startswith((".T", "T")) or mode >= 5
    if special or is_nonscf(tags) or tags.get("ALGO", "").lower()[:2] in ("gw", "ch", "bs"):
        return "other"
    if steps <= 0 or mode == -1:
        return "static"
    return "md" if mode == 0 else "relax"


def is_nonscf(tags: dict[str, str]) -> bool:
    """Tell whether the density was kept: bands come out, but no meaningful total energy."""
    return integer(tags, "ICHARG", 2) >= 10


def integer(tags: dict[str, str], name: str, default: int) -> int:
    """Return a tag as a whole number, or the default where it is missing or none."""
    try:
        return int(float(tags[name]))
    except (KeyError, ValueError):
        return default


def force_target(tags: dict[str, str]) -> float | None:
    """Return the force criterion in eV/angstrom, if the run had one."""
    try:
        value = float(tags["EDIFFG"])
    except (KeyError, ValueError):
        return None
    return -value if value < 0 and integer(tags, "NSW", 0) > 0 else None


def breached_steps(iterations: tuple[int, ...], tags: dict[str, str]) -> tuple[int, ...]:
    """Return the ionic steps that used up all electronic steps, counted from zero.

    VASP 5 says "EDIFF is reached" then, too, so that line cannot be believed.
    """
    limit = integer(tags, "NELM", 60)
    exempt = limit == 1 and tags.get("ALGO", "").lower().startswith("exact")
    return () if exempt else tuple(k for k, n in enumerate(iterations) if n >= limit)


def verdict_of(course: Course) -> tuple[RunState, str]:
    """Judge a run that ended: finished or unconverged, and why."""
    tags, steps = course.tags, len(course.iterations)
    task = task_of(tags, image=course.image)
    breaches = breached_steps(course.iterations, tags)
    if task != "other" and breaches and breaches[-1] == steps - 1:
        return "unconverged", (
            f"the electrons of the last ionic step used all NELM = {integer(tags, 'NELM', 60)} "
            "steps: raise NELM, or change ALGO or the mixing, and continue from CONTCAR"
        )
    if course.soft_stop:
        return "unconverged", "it was stopped by a STOPCAR"
    wanted = integer(tags, "NSW", 0)
    if task == "md" and steps < wanted:
        return "unconverged", f"it ended after {steps} of {wanted} steps"
    if task == "relax" or (task == "neb-image" and wanted > 0):
        return _relaxed(course, steps, wanted)
    return "finished", ""


def _relaxed(course: Course, steps: int, wanted: int) -> tuple[RunState, str]:
    """Judge an ionic relaxation."""
    fmax, target = course.fmax_eV_per_A, force_target(course.tags)
    if course.reached_accuracy is None:
        met = steps < wanted and (target is None or (fmax is not None and fmax <= target))
    else:
        met = course.reached_accuracy
    if met:
        return "finished", ""
    residual = "" if fmax is None else f" at a residual force of {fmax:.3f} eV/A"
    why = f"all NSW = {wanted} ionic steps were used" if steps >= wanted else "it ended early"
    return "unconverged", f"the ions are not relaxed: {why}{residual}; continue from CONTCAR"
