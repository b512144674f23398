"""`superionic analyse rdf`, `analyse msd` and `analyse van-hove`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.structures.errors import TrajectoryError
from superionic.workflows.commands.console import Cell, emit_facts, say
from superionic.workflows.commands.keeping import Keeping, tell

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.coordination import Shell
    from superionic.analysis.diffusivity import Diffusivity
    from superionic.analysis.figures.style import SavedFigure
    from superionic.analysis.rdf import RDF
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


@dataclass(frozen=True)
class MotionRequest:
    """Whose motion."""

    selection: str
    molecules: bool
    drift: bool


def show_rdf(files: TrajectoryRequest, pairs: PairRequest, keeping: Keeping) -> None:
    """Say where neighbours stand, and how many; write figure, table and result."""
    from superionic.analysis.coordination import first_shell
    from superionic.analysis.from_trajectory import rdf_from

    found = rdf_from(
        files.open(), pairs.centres, pairs.others, r_max_ang=pairs.r_max_ang,
        bin_ang=pairs.bin_ang, own_molecule=pairs.own_molecule, frames=files.frames,
        blocks=pairs.blocks,
    )  # fmt: skip
    shell = first_shell(found, cutoff_ang=pairs.cutoff_ang)
    results = {"rdf": found, "shell": shell}
    written = keeping.keep("rdf", results, lambda stem: _draw_rdf(found, shell, stem))
    if keeping.as_json:
        keeping.emit(shell, written, frames=found.frames)
        return
    emit_facts(_shell_facts(shell) | {"frames": found.frames})
    if shell.reason:
        say(f"no coordination number: {shell.reason}")
    tell(written)


def show_msd(
    files: TrajectoryRequest, motion: MotionRequest, keeping: Keeping, *, precision: float
) -> None:
    """Say how ions move; write figure, table and result."""
    from superionic.analysis.from_trajectory import diffusion_from

    found = diffusion_from(
        files.open(), motion.selection, molecules=motion.molecules, drift=motion.drift,
        frames=files.frames, dt_ps=files.dt_ps, target_precision=precision,
    )  # fmt: skip
    moving = bool((found.msd_ang2 > 0).any())
    written = keeping.keep("msd", {"diffusivity": found}, found.plot if moving else None)
    if keeping.as_json:
        arrays = ("lag_ps", "msd_ang2", "msd_error_ang2")
        keeping.emit(found, written, without=arrays, summary=found.summary)
        return
    say(found.summary)
    emit_facts(_msd_facts(found))
    tell(written)


def show_van_hove(
    files: TrajectoryRequest,
    motion: MotionRequest,
    keeping: Keeping,
    *,
    lags_ps: tuple[float, ...],
    to: str | None,
    r_max_ang: float | None,
    bin_ang: float,
) -> None:
    """Say how far ions get in a time, or where others are by then; write figure and result."""
    from superionic.analysis.from_trajectory import van_hove_from

    trajectory = files.open()
    dt_ps = (files.dt_ps or trajectory.dt_ps) * files.step
    found = van_hove_from(
        trajectory, motion.selection, others=to, lags=_frames_of(lags_ps, dt_ps),
        molecules=motion.molecules, drift=motion.drift, r_max_ang=r_max_ang, bin_ang=bin_ang,
        frames=files.frames, dt_ps=files.dt_ps,
    )  # fmt: skip
    written = keeping.keep("van-hove", {"van_hove": found}, found.plot)
    if keeping.as_json:
        keeping.emit(found, written, without=("edges_ang", "density"))
        return
    facts: dict[str, Cell] = dict(found.rows)
    emit_facts(facts)
    tell(written)


def _frames_of(lags_ps: tuple[float, ...], dt_ps: float) -> list[int]:
    """Return lags in frames.

    Raises
    ------
    TrajectoryError
        A lag is no whole number of frames.
    """
    lags = [round(lag / dt_ps) for lag in lags_ps]
    for lag, frames in zip(lags_ps, lags, strict=True):
        if abs(frames * dt_ps - lag) > 1e-3 * dt_ps:
            raise TrajectoryError(
                f"A lag of {lag:g} ps is no whole number of frames, which are {dt_ps:g} ps apart."
            )
    return lags


def _draw_rdf(found: RDF, shell: Shell, stem: str) -> SavedFigure:
    """Draw g(r) with the shell that was asked for."""
    from superionic.analysis.figures.radial_distribution import rdf_figure, rdf_figure_data
    from superionic.analysis.figures.style import save_figure

    drawn = {f"{found.centre_name} - {found.other_name}": found}
    shells = dict.fromkeys(drawn, shell)
    return save_figure(
        rdf_figure(drawn, shells=shells), stem, rdf_figure_data(drawn, shells=shells)
    )


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
