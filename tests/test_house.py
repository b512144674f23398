"""The house keeps standing: what is installed, what is locked, what is built, what make does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import superionic

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("analysis", "inputs", "structures", "workflows")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()

PIN = re.compile(r"(?P<name>[a-z0-9.-]+)==(?P<version>[0-9][A-Za-z0-9.]*)( ; (?P<marker>.+))? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not on the PATH")


def locked() -> dict[str, str]:
    """Versions by name, of every pin in the lock."""
    pins = (PIN.fullmatch(line) for line in LOCK.splitlines())
    return {pin["name"]: pin["version"] for pin in pins if pin}


def torch_pin() -> str:
    found = re.search(r"^TORCH := torch==(\S+)$", MAKEFILE, re.MULTILINE)
    assert found is not None
    return found[1]


# --- the lock -------------------------------------------------------------------------------------


def test_lock_holds_names_versions_and_hashes_only() -> None:
    """No address, no folder, no option: the user's pip decides where files come from."""
    lines = [line for line in LOCK.splitlines() if line and not line.startswith("#")]
    strange = [line for line in lines if not PIN.fullmatch(line) and not HASH.fullmatch(line)]
    assert strange == []
    for before, line in pairwise(lines):
        if PIN.fullmatch(before):
            assert HASH.fullmatch(line), f"{before} has no hash"
    comments = [line for line in LOCK.splitlines() if line.startswith("#")]
    assert not any("://" in line or "@" in line for line in comments)


def test_lock_leaves_torch_to_the_user() -> None:
    """Its build (CPU, CUDA, ROCm) is chosen by the first step of `make install`."""
    builds = ("cuda-", "nvidia-cu", "nvidia-nc", "nvidia-nv", "triton", "torchvision")
    assert "torch" not in locked()
    assert [name for name in locked() if name.startswith(builds)] == []


@pytest.mark.parametrize(
    "line", PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
)
def test_declared_dependency_is_locked(line: str) -> None:
    requirement = Requirement(line)
    pins = {**locked(), "torch": torch_pin()}
    name = canonicalize_name(requirement.name)
    assert name in pins, "run `make lock`"
    assert requirement.specifier.contains(pins[name]), "run `make lock`"


def test_lock_is_complete() -> None:
    """Installing without resolution gives every package all that it asks for."""
    pins = {**locked(), "torch": torch_pin()}
    missing = []
    for name in locked():
        try:
            asked = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # a marker excluded it here
            continue
        for requirement in map(Requirement, asked):
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
                continue
            version = pins.get(canonicalize_name(requirement.name))
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                missing.append(f"{name} asks for {requirement}; locked: {version}")
    assert missing == []


# --- what is built --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the sdist of this tree, and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return folder


def room_files() -> set[str]:
    """Every file of the rooms, as git would list them."""
    return {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file()
        and not any(
            part == "__pycache__" or part.startswith(".") for part in path.relative_to(ROOT).parts
        )
    }


def test_wheel_holds_every_file_of_the_rooms_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    packed = {name for name in names if ".dist-info/" not in name}
    expected = {f"superionic/{name}" for name in room_files()}
    assert packed == expected | {"superionic/__init__.py", "superionic/py.typed"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_sdist_holds_what_the_wheel_and_the_tests_need(built: Path) -> None:
    archive = next(built.glob("*.tar.gz"))
    with tarfile.open(archive) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    needed = {"pyproject.toml", "LICENSE", "Makefile", "requirements.lock", "tests/test_house.py"}
    assert room_files() | needed <= names
    assert not any(
        name.startswith((".venv", "results", "scratch", "src/superionic/a")) for name in names
    )


def test_version_is_written_once() -> None:
    assert metadata.version("superionic") == superionic.__version__
    assert PROJECT["project"]["dynamic"] == ["version"]


# --- make -----------------------------------------------------------------------------------------

FAKE_PYTHON = """#!/bin/sh
# Stands in for Python and pip: writes down what it is asked, makes the venv, fails where told.
echo "$*" >> "{log}"
case "$*" in
  *"-m venv"*) mkdir -p "{venv}/bin" && cp "$0" "{venv}/bin/python" ;;
  *"{failing}"*) exit 1 ;;
esac
"""


def make(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run make in the checkout, free of the settings of a make that may have called us."""
    inherited = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}
    environment = {key: value for key, value in os.environ.items() if key not in inherited}
    if path is not None:
        environment["PATH"] = path
    make_itself = shutil.which("make") or "make"
    return subprocess.run(
        [make_itself, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(folder: Path, *, failing: str = "never") -> tuple[Path, Path, Path]:
    """Return a stand-in for Python, the venv that it makes, and its log."""
    script, venv, log = folder / "python", folder / "venv", folder / "log"
    script.write_text(FAKE_PYTHON.format(log=log, venv=venv, failing=failing))
    script.chmod(0o755)
    return script, venv, log


@needs_make
def test_install_is_torch_then_lock_then_package_and_then_instant(tmp_path: Path) -> None:
    python, venv, log = fake_python(tmp_path)
    done = make("install", f"VENV={venv}", f"PYTHON={python}")
    assert done.returncode == 0, done.stderr
    pips = [line.partition(" install ")[2] for line in log.read_text().splitlines()]
    assert [line for line in pips if line] == [
        f"torch=={torch_pin()}",
        "--no-deps --require-hashes -r requirements.lock",
        "--no-deps --no-build-isolation -e .",
    ]
    calls = log.read_text()
    again = make("install", f"VENV={venv}", f"PYTHON={python}")
    assert again.returncode == 0
    assert log.read_text() == calls


@needs_make
@pytest.mark.parametrize("failing", ["torch==", "requirements.lock", "-e ."])
def test_interrupted_install_leaves_no_stamp_and_starts_over(tmp_path: Path, failing: str) -> None:
    python, venv, log = fake_python(tmp_path, failing=failing)
    assert make("install", f"VENV={venv}", f"PYTHON={python}").returncode != 0
    assert not (venv / ".installed").exists()
    fake_python(tmp_path)
    log.unlink()
    assert make("install", f"VENV={venv}", f"PYTHON={python}").returncode == 0
    assert "-m venv --clear" in log.read_text()
    assert (venv / ".installed").exists()


@needs_make
def test_unsuitable_python_is_a_readable_error(tmp_path: Path) -> None:
    done = make("install", f"VENV={tmp_path / 'venv'}", "PYTHON=/bin/false")
    assert done.returncode != 0
    assert "not a Python 3.11 or newer" in done.stderr
    assert not (tmp_path / "venv").exists()


@needs_make
def test_no_python_at_all_says_what_to_do(tmp_path: Path) -> None:
    for name in ("sh", "rm", "touch"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    done = make("install", f"VENV={tmp_path / 'venv'}", path=str(tmp_path))
    assert done.returncode != 0
    assert "PYTHON=/path/to/python3.12" in done.stderr
    assert not (tmp_path / "venv").exists()


@needs_make
def test_reproduce_hands_on_what_was_asked(tmp_path: Path) -> None:
    python, venv, _ = fake_python(tmp_path)
    assert make("install", f"VENV={venv}", f"PYTHON={python}").returncode == 0
    asked = ("PAPERS=nzsp other", "FIDELITY=standard", "OUT=elsewhere")
    done = make("--dry-run", "reproduce", f"VENV={venv}", *asked)
    assert 'superionic reproduce nzsp other --fidelity standard --out "elsewhere"' in done.stdout
    plain = make("--dry-run", "reproduce", f"VENV={venv}").stdout
    assert 'superionic reproduce nzsp latp mof peo --fidelity quick --out "results"' in plain


@needs_make
@pytest.mark.parametrize("target", ["install", "reproduce", "test", "test-slow", "lint"])
def test_each_target_installs_on_first_use(tmp_path: Path, target: str) -> None:
    planned = make("--dry-run", target, f"VENV={tmp_path / 'venv'}").stdout
    assert "--require-hashes -r requirements.lock" in planned


def test_continuous_integration_calls_the_same_targets() -> None:
    script = ROOT / ".ci/run"
    text = script.read_text()
    assert os.access(script, os.X_OK)
    assert "make lint" in text
    assert "make test" in text


def test_licence_is_mit() -> None:
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert PROJECT["project"]["license"] == "MIT"
