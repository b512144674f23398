"""Tables that reports share: computed beside published, hops with their reasons, tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.structures.errors import EvidenceError
from superionic.workflows.report.content import Badge, Cell, ReportTable, Traced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from superionic.analysis.barriers import BarrierResult
    from superionic.workflows.report.content import Tone

NOT_PRINTED = "not printed"

_HOP_TONES: dict[str, Tone] = {"converged": "good", "unconverged": "warn"}


@dataclass(frozen=True)
class Comparison:
    """A quantity as computed here and as published, never one in place of the other.

    Attributes
    ----------
    quantity : str
        What it is.
    unit : str
        Of both values.
    computed : float or None
        None where nothing converged.
    published : float or str or None
        A number; or what was printed in its place, such as ``B below A``; None when nothing was.
    fidelity : str
        At which the computed value was made.
    verdict : Badge
        What the two say together.
    note : str
        Evidence, or why a value is missing.
    of : tuple
        What the computed value was worked out from; see `Traced`.
    """

    quantity: str
    unit: str
    computed: float | None
    published: float | str | None
    fidelity: str
    verdict: Badge
    note: str = ""
    of: tuple[object, ...] = ()

    @property
    def difference(self) -> float | None:
        """Computed less published; None unless both are numbers."""
        if self.computed is None or not isinstance(self.published, (int, float)):
            return None
        return self.computed - self.published


def comparison_table(comparisons: Sequence[Comparison], *, caption: str) -> ReportTable:
    """Return computed and published values side by side, each in a column of its own."""
    return ReportTable(
        caption=caption,
        header=(
            "Quantity",
            "Unit",
            "Computed",
            "Published",
            "Difference",
            "Fidelity",
            "Verdict",
            "Evidence",
        ),
        rows=tuple(
            (
                c.quantity,
                c.unit,
                "no value" if c.computed is None else Traced(float(c.computed), c.of),
                NOT_PRINTED if c.published is None else c.published,
                None if c.difference is None else Traced(c.difference, (c.computed, *c.of)),
                c.fidelity,
                c.verdict,
                c.note,
            )
            for c in comparisons
        ),
    )


def hop_table(results: Sequence[BarrierResult], *, caption: str) -> ReportTable:
    """Return every hop that was tried, those without a value with the reason."""
    rows: list[tuple[Cell, ...]] = [
        (
            r.key,
            r.environment,
            " to ".join(r.site_types),
            Badge(r.verdict, _HOP_TONES.get(r.verdict, "bad")),
            r.forward_barrier_eV,
            r.reverse_barrier_eV,
            hop_remark(r),
            r.reaction_energy_eV,
            r.fmax_eV_per_A,
            r.length_ang,
            r.direction,
            r.depth_ang,
            r.mechanism,
            r.force_calls,
            r.theory,
        )
        for r in results
    ]
    return ReportTable(
        caption=caption,
        header=(
            "Hop",
            "Where",
            "Sites",
            "Verdict",
            "Forward (eV)",
            "Reverse (eV)",
            "Remark",
            "Reaction (eV)",
            "fmax (eV/Å)",
            "Length (Å)",
            "Direction",
            "Depth (Å)",
            "Mechanism",
            "Force calls",
            "Theory",
        ),
        rows=tuple(rows),
    )


def hop_remark(result: BarrierResult) -> str:
    """Return why a hop has no value, or what to know about the value it has."""
    if result.verdict != "converged":
        return result.reason
    remarks = []
    inner = len(result.minima) - 2
    if inner > 0:
        remarks.append(f"chain of {inner + 1} elementary hops")
    if result.images_below_ends:
        below = ", ".join(str(k) for k in result.images_below_ends)
        remarks.append(f"image {below} below both ends")
    return "; ".join(remarks)


def task_table(manifests: Sequence[Mapping[str, object]], *, caption: str) -> ReportTable:
    """Return a row a task from the contents of ``manifest.json`` files.

    Parameters
    ----------
    manifests
        Each with ``key``, ``state``, ``wall_s``, ``cpu_s``, ``started``, ``python`` and
        ``versions``.

    Raises
    ------
    EvidenceError
        A manifest lacks one of these.
    """
    rows: list[tuple[Cell, ...]] = []
    for manifest in manifests:
        state = _text(manifest, "state")
        tone: Tone = "good" if state == "done" else "bad"
        rows.append(
            (
                _text(manifest, "key"),
                Badge(state, tone),
                _number(manifest, "wall_s"),
                _number(manifest, "cpu_s"),
                _text(manifest, "started").replace("T", " ")[:19],
            )
        )
    header = ("Task", "State", "Wall time (s)", "CPU time (s)", "Started (UTC)")
    return ReportTable(caption=caption, header=header, rows=tuple(rows), decimals=1)


def version_table(manifests: Sequence[Mapping[str, object]], *, caption: str) -> ReportTable:
    """Return the versions that computed; a library that changed on the way shows all of them."""
    seen: dict[str, list[str]] = {}
    for manifest in manifests:
        versions = manifest.get("versions")
        found = dict(versions) if isinstance(versions, dict) else {}
        for name, version in {"python": manifest.get("python"), **found}.items():
            texts = seen.setdefault(str(name), [])
            if version is not None and str(version) not in texts:
                texts.append(str(version))
    rows = tuple((name, ", ".join(texts)) for name, texts in sorted(seen.items()) if texts)
    return ReportTable(caption=caption, header=("Library", "Version"), rows=rows)


def _text(manifest: Mapping[str, object], name: str) -> str:
    if name not in manifest:
        raise EvidenceError(f"A manifest needs '{name}'; this one holds {sorted(manifest)}.")
    return str(manifest[name])


def _number(manifest: Mapping[str, object], name: str) -> float:
    try:
        return float(_text(manifest, name))
    except ValueError:
        raise EvidenceError(
            f"A manifest's '{name}' must be a number; got {manifest[name]!r}."
        ) from None
