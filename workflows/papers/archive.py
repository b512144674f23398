"""Archives of finished reproductions: what a long run found, small enough to keep with the code.

A zip file with the protocol, the results as JSON (profiles, distributions, displacements, last
frames; no trajectories), the manifest of every task, and the tables beside the figures. From it the
report is drawn again anywhere, without any of the codes that made it.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import RunFolderError
from superionic.workflows.papers.reproduction import write_paper_report
from superionic.workflows.runfolder import MANIFEST
from superionic.workflows.serialise import (
    SerialiseError,
    decode,
    encode,
    write_bytes_atomic,
    write_json_atomic,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from superionic.workflows.papers.reproduction import Paper
    from superionic.workflows.papers.summary import ReproductionSummary

FORMAT = 1
HEAD, PROTOCOL, RESULTS = "archive.json", "protocol.toml", "results.json"
PRIVATE = ("host", "process")
"""What a manifest says of a machine that is nobody's business."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Archive:
    """What an archive holds.

    Attributes
    ----------
    paper, fidelity : str
        Which reproduction.
    version : str
        Of superionic that made it.
    made : str
        When its last task ended.
    protocol : object
        The typed protocol.
    protocol_text : str
        The resolved protocol.
    results : object
        What was found.
    manifests : dict
        Of each task by its key, in the order in which they were submitted.
    """

    paper: str
    fidelity: str
    version: str
    made: str
    protocol: Any
    protocol_text: str
    results: Any
    manifests: Mapping[str, Any]

    @property
    def remark(self) -> str:
        """What a report that is drawn from it has to say."""
        return (
            f"Redrawn from an archive: computed at fidelity {self.fidelity} by superionic "
            f"{self.version}, finished {self.made[:10]}; nothing was computed now."
        )


def write_archive(
    file: Path,
    out: Path,
    paper: str,
    *,
    fidelity: str,
    protocol: object,
    protocol_text: str,
    results: object,
    task_keys: Sequence[str],
) -> None:
    """Put a finished reproduction into an archive; the same one gives the same bytes.

    Parameters
    ----------
    file
        The archive, a zip file.
    out
        Results folder, with manifests in ``runs`` and tables in the paper's folder.
    paper, fidelity
        Which reproduction.
    protocol, protocol_text
        What was run, and its resolved text.
    results
        What it found.
    task_keys
        Tasks that the results rest on.
    """
    from superionic import __version__

    manifests = {
        key: {
            name: value
            for name, value in json.loads((out / "runs" / key / MANIFEST).read_text()).items()
            if name not in PRIVATE
        }
        for key in task_keys
    }
    head = {
        "format": FORMAT, "paper": paper, "fidelity": fidelity, "version": __version__,
        "made": max((str(m.get("ended", "")) for m in manifests.values()), default=""),
        "tasks": list(manifests), "protocol": encode(protocol),
    }  # fmt: skip
    members = {
        HEAD: json.dumps(head, indent=1),
        PROTOCOL: protocol_text,
        RESULTS: json.dumps(encode(results), separators=(",", ":")),
        **{f"runs/{key}/{MANIFEST}": json.dumps(m, indent=1) for key, m in manifests.items()},
        **{f"{paper}/{p.name}": p.read_text() for p in sorted((out / paper).glob("*.csv"))},
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, text.encode())
    write_bytes_atomic(file, stream.getvalue())


def read_archive(file: Path) -> Archive:
    """Read an archive.

    Raises
    ------
    RunFolderError
        It is missing, broken, or of a version whose results have other fields.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            head = json.loads(archive.read(HEAD))
            if head.get("format") != FORMAT:
                raise RunFolderError(
                    f"{file} is an archive of another format ({head.get('format')!r}); this "
                    f"version reads {FORMAT}."
                )
            return Archive(
                paper=head["paper"],
                fidelity=head["fidelity"],
                version=head["version"],
                made=head["made"],
                protocol=decode(head["protocol"]),
                protocol_text=archive.read(PROTOCOL).decode(),
                results=decode(json.loads(archive.read(RESULTS))),
                manifests={
                    key: json.loads(archive.read(f"runs/{key}/{MANIFEST}")) for key in head["tasks"]
                },
            )
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        if isinstance(error, RunFolderError):
            raise
        why = f"{error}" if isinstance(error, SerialiseError) else f"It is broken: {error!r}."
        raise RunFolderError(f"Cannot read the archive {file}. {why}") from error


def packaged_archive(paper: str, fidelity: str) -> Path:
    """Return the archive of a paper that comes with this package.

    Raises
    ------
    RunFolderError
        There is none; names those there are.
    """
    from pathlib import Path

    folder = Path(str(resources.files("superionic.workflows.papers"))) / "archives"
    file = folder / f"{paper}-{fidelity}.zip"
    if not file.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.zip"))) or "none"
        raise RunFolderError(
            f"No archive of {paper} at fidelity {fidelity} comes with this version; there is "
            f"{known}. Name a file with --archive, or leave out --from-archive to compute."
        )
    return file


def redraw_archive(paper: Paper[Any, Any], file: Path, out: Path) -> ReproductionSummary:
    """Write the report of a paper from an archive; computes nothing.

    Parameters
    ----------
    paper
        Which one.
    file
        The archive.
    out
        Results folder.

    Raises
    ------
    RunFolderError
        The archive cannot be read, or is that of another paper.
    """
    held = read_archive(file)
    if held.paper != paper.name:
        raise RunFolderError(f"{file} is an archive of {held.paper}, not of {paper.name}.")
    for key, manifest in held.manifests.items():
        folder = out / "runs" / key
        folder.mkdir(parents=True, exist_ok=True)
        write_json_atomic(folder / MANIFEST, manifest)
    return write_paper_report(
        paper, out, held.protocol, held.protocol_text, held.results, tuple(held.manifests),
        remark=held.remark,
    )  # fmt: skip
