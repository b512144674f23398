from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import made_up
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from superionic.analysis.barriers import BarrierResult
from superionic.structures.errors import EvidenceError, RunFolderError
from superionic.structures.structure import Structure
from superionic.workflows.runfolder import TaskRef
from superionic.workflows.serialise import (
    SerialiseError,
    canonical_hash,
    decode,
    encode,
    read_json,
    to_text,
    write_json_atomic,
)


def through_text(value: object) -> Any:
    """Encode, write, read, decode: what a run folder does to a result."""
    return decode(json.loads(to_text(encode(value))))


def same(a: object, b: object) -> bool:
    """Equal in type, shape and every bit."""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype.kind == b.dtype.kind
            and (a.dtype.kind == "U" or a.dtype == b.dtype)
            and a.shape == b.shape
            and (a.tolist() == b.tolist() if a.dtype.kind == "U" else a.tobytes() == b.tobytes())
        )
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, float) and isinstance(b, float):
        return a.hex() == b.hex()
    return bool(a == b)


finite = st.floats(allow_nan=False, allow_infinity=False)
arrays = st.one_of(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, min_side=0), elements=finite),
    hnp.arrays(
        np.float32,
        hnp.array_shapes(),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    ),
    hnp.arrays(st.sampled_from([np.int64, np.int8, np.uint64, np.bool_]), hnp.array_shapes()),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    finite,
    st.text(),
    arrays,
    st.builds(TaskRef, key=st.text()),
    st.text("abc/.", min_size=1).map(Path),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(), inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(values)
def test_any_value_survives_bit_by_bit(value: object) -> None:
    assert same(value, through_text(value))


@settings(max_examples=100, deadline=None)
@given(values)
def test_hash_survives_the_round_trip(value: object) -> None:
    assert canonical_hash(value) == canonical_hash(through_text(value))


@pytest.mark.parametrize(
    "number", [0.1, 1 / 3, -0.0, 5e-324, 1.7976931348623157e308, math.pi, 1e22, 2**53 + 1, -(2**80)]
)
def test_awkward_numbers_survive(number: float) -> None:
    assert same(number, through_text(number))


def test_keys_that_look_like_markers_survive() -> None:
    value = {"$type": "os:system", "$": 1, "$$tuple": [2], "$tuple": (3,)}
    assert same(value, through_text(value))


def test_numpy_scalars_become_python_numbers() -> None:
    value = through_text((np.float64(0.1), np.int32(3), np.bool_(True), np.str_("Na")))
    assert same(value, (0.1, 3, True, "Na"))


def test_array_layout_does_not_matter_and_big_endian_is_native() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert canonical_hash(np.asfortranarray(array)) == canonical_hash(array)
    assert canonical_hash(array.astype(">f8")) == canonical_hash(array)
    assert through_text(array.astype(">f8")).dtype == np.float64


def test_decoded_arrays_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        through_text(np.zeros(3))[0] = 1.0


def structure() -> Structure:
    return Structure(
        numbers=np.array([11, 17]),
        positions=np.array([[0.0, 0.0, 0.0], [0.1, 0.2, 1 / 3]]),
        cell=np.eye(3) * 5.0,
        labels=("Na1", "Cl"),
    )


def test_structure_survives() -> None:
    back = through_text(structure())
    assert isinstance(back, Structure)
    assert same(back.positions, structure().positions)
    assert same(back.numbers, structure().numbers)
    assert back.labels == ("Na1", "Cl")
    assert back.pbc == (True, True, True)


def barrier() -> BarrierResult:
    made = made_up.barrier([0.0, 0.1, 0.2, 0.3, 0.2, 0.15, 0.1])
    return replace(made, positions=np.random.default_rng(0).normal(size=(7, 84, 3)))


def test_barrier_result_survives_with_all_its_images() -> None:
    result = barrier()
    back = through_text(result)
    assert isinstance(back, BarrierResult)
    assert same(back.positions, result.positions)
    assert same(back.energies_eV, result.energies_eV)
    assert back.depth_ang is None
    assert back.minima == (0, 6)


def test_the_checks_of_a_dataclass_run_again_when_it_is_read() -> None:
    data = encode(barrier())
    assert isinstance(data, dict)
    with pytest.raises(EvidenceError, match="above its criterion"):
        decode(data | {"fmax_eV_per_A": 1.0})


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused_with_their_place(bad: float) -> None:
    with pytest.raises(SerialiseError, match=r"value\['a'\]\[1\] is"):
        encode({"a": (1.0, bad)})
    with pytest.raises(SerialiseError, match=r"value\[0\]\[1, 0\] is"):
        encode([np.array([[0.0, 1.0], [bad, 2.0]])])


@dataclass(frozen=True)
class Foreign:
    x: int = 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Foreign(), "only dataclasses defined at the top level of a superionic module"),
        (object(), "which cannot be stored"),
        ({1: 2}, "only text keys"),
        ({1, 2}, "which cannot be stored"),
        (1 + 2j, "which cannot be stored"),
        (np.array([1j]), "array of complex128"),
        (np.array([object()]), "array of object"),
        (np.array([1], dtype=np.longdouble), "array of"),
        (b"bytes", "which cannot be stored"),
    ],
)
def test_other_types_are_refused(value: object, message: str) -> None:
    with pytest.raises(SerialiseError, match=message):
        encode(value)


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "builtins:eval",
        "superionicx.evil:Thing",
        "superionic.structures.errors:SuperionicError",
        "superionic.structures.structure:np.ndarray",
        "superionic.analysis.barriers:Structure",
        "superionic.no_such_module:Thing",
        "superionic.structures.structure:NoSuchClass",
        "superionic.structures.structure:",
    ],
)
def test_reading_constructs_nothing_but_our_dataclasses(name: str) -> None:
    with pytest.raises(SerialiseError, match=r"Refusing|does not exist"):
        decode({"$type": name, "numbers": []})


def test_fields_of_another_version_are_an_error() -> None:
    name = "superionic.workflows.runfolder:TaskRef"
    with pytest.raises(SerialiseError, match=r"lacks \['key'\] and has the unknown \['kei'\]"):
        decode({"$type": name, "kei": "x"})


def test_broken_arrays_are_an_error() -> None:
    with pytest.raises(SerialiseError, match="Expected an array"):
        decode({"$array": "float64", "shape": [3], "values": [1.0]})


def test_hash_is_that_of_the_canonical_text() -> None:
    text = '{"a":{"$tuple":[1,0.1]},"b":{"$array":"int64","shape":[2],"values":[1,2]}}'
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert canonical_hash({"b": np.array([1, 2]), "a": (1, 0.1)}) == expected


def test_hash_never_changes() -> None:
    # Names of run folders are made from this. If it changes, everybody's finished results are
    # computed again: only with a very good reason.
    value = {"structure": structure(), "settings": (0.05, 200, "fire", None, True), "é": Path("a")}
    expected = "a1e69611c97bf1f7694e7b49948e5df810f6135cb3b078c1b35b0a28b2dd2d0c"
    assert canonical_hash(value) == expected


def test_hash_is_the_same_in_other_processes() -> None:
    code = (
        "from superionic.workflows.serialise import canonical_hash;"
        "print(canonical_hash({'x': 0.1, 'b': {'y': (1, 2), 'a': ['q']}}))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1")
    }
    assert outputs == {canonical_hash({"b": {"a": ["q"], "y": (1, 2)}, "x": 0.1})}


@pytest.mark.parametrize(
    ("a", "b"),
    [(1, 1.0), (1, True), ([1], (1,)), ("1", 1), (None, "null"), (0.0, -0.0), (Path("a"), "a")],
)
def test_values_of_different_type_have_different_hashes(a: object, b: object) -> None:
    assert canonical_hash(a) != canonical_hash(b)


def test_written_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json_atomic(path, {"a": [1, 2]})
    write_json_atomic(path, {"a": {"b": None}})
    assert read_json(path) == {"a": {"b": None}}
    assert list(tmp_path.iterdir()) == [path]


def test_full_disk_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    write_json_atomic(path, "old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunFolderError, match=r"No space left on device.*Free some space"):
        write_json_atomic(path, "new")
    assert read_json(path) == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_missing_and_truncated_files_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="Cannot read"):
        read_json(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"a": [1, 2')
    with pytest.raises(RunFolderError, match="remove the folder"):
        read_json(tmp_path / "half.json")


def test_text_keeps_arrays_on_few_lines() -> None:
    text = to_text(encode({"x": np.zeros((50, 3)), "tasks": [{"a": 1}, {"b": []}], "e": {}}))
    assert len(text.splitlines()) < 20
    assert json.loads(text) == encode(
        {"x": np.zeros((50, 3)), "tasks": [{"a": 1}, {"b": []}], "e": {}}
    )
