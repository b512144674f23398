"""Files of one stage of a run: what was committed, and nothing else, survives.

Frames and rows reach the trajectory and the log at the end of a chunk only. A small record, written
last and atomically, says how long both files then are and which state goes with them. Whatever
happened, a run continues from that record: longer files are cut back to it.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import RunFolderError, TrajectoryError
from superionic.workflows.md_xtc import xtc_frames
from superionic.workflows.serialise import read_json, write_bytes_atomic, write_json_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COMMIT = "commit.json"
TRAJECTORY = "trajectory.xtc"
LOG = "log.csv"
PART = "part.xtc"

COLUMNS = (
    "step", "time_ps", "potential_kJ_per_mol", "kinetic_kJ_per_mol", "temperature_K",
    "volume_ang3", "density_g_per_cm3",
)  # fmt: skip

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Commit:
    """How far a stage is, for good.

    Attributes
    ----------
    step : int
        Steps made.
    target : int
        Steps asked for when this was written.
    frames, rows : int
        Frames in the trajectory and rows in the log.
    trajectory_bytes, log_bytes : int
        Lengths of both files.
    state : str
        File with the state after ``step`` steps.
    checkpoint : str
        The same as OpenMM's binary checkpoint, for those who go on with it themselves.
    wall_s : float
        Time spent in seconds, over all starts.
    platform : str
        Platform of OpenMM that made the last chunk.
    starts : int
        Times that the stage was begun or continued.
    box_scale : float
        By how much the edges of the box were scaled at the start of the stage.
    """

    step: int = 0
    target: int = 0
    frames: int = 0
    rows: int = 0
    trajectory_bytes: int = 0
    log_bytes: int = 0
    state: str = ""
    checkpoint: str = ""
    wall_s: float = 0.0
    platform: str = ""
    starts: int = 0
    box_scale: float = 1.0


class StageFolder:
    """The files of one stage."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def trajectory(self) -> Path:
        """Frames of all committed chunks."""
        return self.path / TRAJECTORY

    @property
    def log(self) -> Path:
        """Rows of all committed chunks."""
        return self.path / LOG

    @property
    def part(self) -> Path:
        """Frames of the chunk that is being computed."""
        return self.path / PART

    def committed(self) -> Commit | None:
        """Return the last commit; None before the first."""
        file = self.path / COMMIT
        if not file.is_file():
            return None
        data = read_json(file)
        names = {f.name for f in fields(Commit)}
        if not isinstance(data, dict) or set(data) != names:
            raise RunFolderError(
                f"{file} was edited or is of another version of superionic: it should hold "
                f"{', '.join(sorted(names))}. Start anew in another folder."
            )
        values: dict[str, Any] = dict(data)
        return Commit(**values)

    def recover(self) -> Commit | None:
        """Cut the files back to the last commit, remove what is not of it, and return it.

        Raises
        ------
        RunFolderError
            A file is shorter than the commit says, or the state is gone: frames were lost by
            something else than this program.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        commit = self.committed()
        self.part.unlink(missing_ok=True)
        held = {commit.state, commit.checkpoint} if commit else set()
        for file in [*self.path.glob("state-*.xml"), *self.path.glob("checkpoint-*.chk")]:
            if file.name not in held:
                file.unlink()
        for file in self.path.glob(".*.tmp"):
            file.unlink()
        sizes = (commit.trajectory_bytes, commit.log_bytes) if commit else (0, 0)
        for file, size in zip((self.trajectory, self.log), sizes, strict=True):
            self._cut_back(file, size)
        if commit and not (self.path / commit.state).is_file():
            raise RunFolderError(
                f"{self.path / commit.state} is gone, from which this run would go on. Bring it "
                "back, or start anew in another folder."
            )
        return commit

    def commit(
        self,
        record: Commit,
        *,
        rows: Sequence[Sequence[float]],
        steps: Sequence[int],
        state_xml: str,
        checkpoint: bytes,
        before: Commit,
    ) -> None:
        """Append the chunk's frames and rows, write the state, then the record, in this order.

        Parameters
        ----------
        record
            The commit without lengths of files and names of states.
        rows
            Rows for the log, in the order of ``COLUMNS``.
        steps
            Steps whose frames must be in the part file.
        state_xml, checkpoint
            The state after the chunk.
        before
            The last commit.

        Raises
        ------
        RunFolderError
            Something could not be written: the files are as they were after the last commit.
        """
        try:
            trajectory = self._append_frames(steps, before)
            text = "".join(",".join(_number(x) for x in row) + "\n" for row in rows)
            head = ",".join(COLUMNS) + "\n" if rows and not before.log_bytes else ""
            log = self._append(self.log, (head + text).encode(), before.log_bytes)
            state, binary = f"state-{record.step}.xml", f"checkpoint-{record.step}.chk"
            write_bytes_atomic(self.path / state, state_xml.encode())
            write_bytes_atomic(self.path / binary, checkpoint)
            done = {
                **asdict(record),
                "frames": before.frames + len(steps),
                "rows": before.rows + len(rows),
                "trajectory_bytes": trajectory,
                "log_bytes": log,
                "state": state,
                "checkpoint": binary,
            }
            write_json_atomic(self.path / COMMIT, done)
        except (OSError, TrajectoryError) as error:
            self._undo(before)
            raise _not_written(self.path, error) from error
        self.part.unlink(missing_ok=True)
        for old in {before.state, before.checkpoint} - {state, binary, ""}:
            (self.path / old).unlink(missing_ok=True)

    def _append_frames(self, steps: Sequence[int], before: Commit) -> int:
        """Append the part file after looking that it holds all its frames; return the length."""
        if not steps:
            return before.trajectory_bytes
        found = [frame.step for frame in xtc_frames(self.part)] if self.part.exists() else []
        if found != [step % 2**31 for step in steps]:
            raise TrajectoryError(
                f"{self.part} holds {len(found)} frames where {len(steps)} were written"
            )
        return self._append(self.trajectory, self.part.read_bytes(), before.trajectory_bytes)

    def _append(self, file: Path, content: bytes, size: int) -> int:
        """Append to a file of a known length, wait for the disk, and return the new length."""
        with file.open("ab") as stream:
            if stream.tell() != size:
                raise RunFolderError(
                    f"{file} has {stream.tell()} bytes where {size} were committed: another "
                    "program writes into it."
                )
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        return size + len(content)

    def _cut_back(self, file: Path, size: int) -> None:
        """Cut a file to its committed length."""
        found = file.stat().st_size if file.exists() else 0
        if found < size:
            raise RunFolderError(
                f"{file} has {found} bytes where {size} were committed: frames or rows were lost, "
                "by a damaged disk or by hand. Bring the file back, or start anew in another "
                "folder; what is there can still be read."
            )
        if found > size:
            os.truncate(file, size)

    def _undo(self, before: Commit) -> None:
        """Bring files back to the last commit as far as the disk lets us."""
        with contextlib.suppress(OSError):
            self.part.unlink(missing_ok=True)
        for file, size in (
            (self.trajectory, before.trajectory_bytes),
            (self.log, before.log_bytes),
        ):
            with contextlib.suppress(OSError):
                if file.exists() and file.stat().st_size > size:
                    os.truncate(file, size)


def _not_written(path: Path, error: Exception) -> RunFolderError:
    """Return the error of a chunk that could not be written."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno):
        cause = cause.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    why = "the disk or your share of it is full" if number in _FULL else str(error).rstrip(".")
    if number is None and isinstance(error, TrajectoryError):
        why = f"{why}, as on a full disk"
    return RunFolderError(
        f"A chunk of the run could not be written into {path}: {why}. All chunks before it are "
        "kept whole: make space and run the same command again."
    )


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.10g}"
