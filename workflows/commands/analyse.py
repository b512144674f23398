"""`superionic analyse rdf` and `analyse msd`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from superionic.workflows.commands.console import Cell, emit_facts, emit_json, plain, say
from superionic.workflows.serialise import encode, write_json_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.coordination import Shell
    from superionic.analysis.diffusivity import Diffusivity
    from superionic.analysis.figures.style import SavedFigure
    from superionic.analysis.trajectory import Trajectory


@dataclass(frozen=True)
class TrajectoryRequest:
    """Which frames of which files."""

    trajectory: Path
    topology: Path | None
    dt_ps: float | None
    start: int
    stop: int | None
    step: int

    @property
    def frames(self) -> slice:
        """The chosen frames."""
        return slice(self.start, self.stop, self.step)

    def open(self) -> Trajectory:
        """Open the files."""
        from superionic.analysis.trajectory import read

        return read(self.trajectory, topology=self.topology, dt_ps=self.dt_ps)


@dataclass(frozen=True)
class PairRequest:
    """Which pairs, and how far."""

    centres: str
    others: str
    r_max_ang: float | None
    bin_ang: float
    own_molecule: bool
    cutoff_ang: float | None
    blocks: int


def show_rdf(
    files: TrajectoryRequest, pairs: PairRequest, *, out: Path | None, as_json: bool
) -> None:
    """Say where neighbours stand, and how many; write figure, table and result."""
    from superionic.analysis.coordination import first_shell
    from superionic.analysis.from_trajectory import rdf_from

    found = rdf_from(
        files.open(), pairs.centres, pairs.others, r_max_ang=pairs.r_max_ang,
        bin_ang=pairs.bin_ang, own_molecule=pairs.own_molecule, frames=files.frames,
        blocks=pairs.blocks,
    )  # fmt: skip
    shell = first_shell(found, cutoff_ang=pairs.cutoff_ang)
    written: list[Path] = []
    if out is not None:
        from superionic.analysis.figures.radial_distribution import rdf_figure, rdf_figure_data

        name = f"{pairs.centres} - {pairs.others}"
        figure = rdf_figure({name: found}, shells={name: shell})
        written = _write(out, "rdf", figure, rdf_figure_data({name: found}, shells={name: shell}))
        written.append(_store(out, "rdf", {"rdf": found, "shell": shell}))
    if as_json:
        emit_json({**plain(shell), "frames": found.frames, "written": [str(p) for p in written]})
        return
    emit_facts(_shell_facts(shell) | {"frames": found.frames})
    if shell.reason:
        say(f"no coordination number: {shell.reason}")
    _say(written)


def show_msd(
    files: TrajectoryRequest,
    selection: str,
    *,
    molecules: bool,
    drift: bool,
    precision: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say how ions move; write figure, table and result."""
    from superionic.analysis.from_trajectory import diffusion_from

    found = diffusion_from(
        files.open(), selection, molecules=molecules, drift=drift, frames=files.frames,
        dt_ps=files.dt_ps, target_precision=precision,
    )  # fmt: skip
    written: list[Path] = []
    if out is not None:
        from superionic.analysis.figures.mean_squared_displacement import (
            msd_figure,
            msd_figure_data,
        )

        if (found.msd_ang2 > 0).any():
            figure = msd_figure({selection: found})
            written = _write(out, "msd", figure, msd_figure_data({selection: found}))
        written.append(_store(out, "msd", {"diffusivity": found}))
    if as_json:
        record: dict[str, Any] = plain(found)
        for name in ("lag_ps", "msd_ang2", "msd_error_ang2"):
            record.pop(name)
        emit_json({**record, "summary": found.summary, "written": [str(p) for p in written]})
        return
    say(found.summary)
    emit_facts(_msd_facts(found))
    _say(written)


def _shell_facts(shell: Shell) -> dict[str, Cell]:
    low, high = shell.neighbours_interval or (None, None)
    return {
        "first peak A": shell.peak_ang,
        "its height": shell.peak_g,
        "next peak A": shell.next_peak_ang,
        "first minimum A" if shell.rule != "given" else "cutoff given A": shell.cutoff_ang,
        "neighbours": shell.neighbours,
        "95 % from": low,
        "95 % to": high,
    }


def _msd_facts(found: Diffusivity) -> dict[str, Cell]:
    low, high = found.loglog_slope_interval or (None, None)
    return {
        "log-log slope": found.loglog_slope,
        "95 % from": low,
        "95 % to": high,
        "fit from ps": found.fit_window_ps[0],
        "fit to ps": found.fit_window_ps[1],
        "error from": found.error_rule,
        "ions": found.ions,
        "frames": found.frames,
        "length ps": found.length_ps,
        "needed ps": found.needed_ps,
        "that is a": found.needed_rule,
    }


def _write(folder: Path, stem: str, figure: Any, data: Any) -> list[Path]:
    """Write figure and table into a folder."""
    from superionic.analysis.figures.style import save_figure

    saved: SavedFigure = save_figure(figure, folder.expanduser() / stem, data)
    return [saved.png, saved.svg, saved.csv]


def _store(folder: Path, stem: str, results: dict[str, Any]) -> Path:
    """Write results to all digits."""
    path = folder.expanduser() / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(path, encode(results))
    return path


def _say(written: list[Path]) -> None:
    for path in written:
        say(f"wrote {path}")
