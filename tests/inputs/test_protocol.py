from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superionic.inputs.protocol import Protocol, build, load_protocol, protocol_names
from superionic.inputs.toml_text import dump_toml
from superionic.structures.errors import InvalidStructureError, ProtocolError


@dataclass(frozen=True)
class Relax:
    fmax: float = 0.05
    steps: int = 300
    cell: Literal["fixed", "full"] = "fixed"

    def __post_init__(self) -> None:
        if self.fmax <= 0:
            raise InvalidStructureError("fmax must be positive.")


@dataclass(frozen=True)
class Ends:
    relax: Relax = Relax(fmax=0.01, steps=400)
    fraction: float = 0.05


@dataclass(frozen=True)
class Everything:
    number: float
    count: int
    on: bool
    name: str
    pair: tuple[float, float]
    names: tuple[str, ...]
    valences: dict[str, float]
    seed: int | None = None
    cutoff: float | Literal["auto"] = "auto"
    points: tuple[tuple[float, float], ...] = ()
    amount: int | float = 1
    steps: list[int] = field(default_factory=list)
    ends: Ends = field(default_factory=Ends)


FULL: dict[str, object] = {
    "number": 2,
    "count": 3,
    "on": True,
    "name": "x",
    "pair": [1, 2.5],
    "names": ["a", "b"],
    "valences": {"Na": 1, "O": -2},
    "points": [[0, 1], [2, 3]],
    "steps": [1, 2],
}


def test_build_takes_every_kind_of_field() -> None:
    made = build(Everything, FULL)
    assert made.number == 2.0
    assert type(made.number) is float
    assert type(made.pair[0]) is float
    assert made.names == ("a", "b")
    assert made.valences == {"Na": 1.0, "O": -2.0}
    assert made.points == ((0.0, 1.0), (2.0, 3.0))
    assert made.seed is None
    assert made.ends == Ends()
    assert (made.amount, made.cutoff, made.steps) == (1, "auto", [1, 2])


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [("seed", 4, 4), ("cutoff", 3, 3.0), ("cutoff", "auto", "auto"), ("amount", 2.5, 2.5)],
)
def test_build_unions(key: str, value: object, expected: object) -> None:
    found = getattr(build(Everything, FULL | {key: value}), key)
    assert found == expected
    assert type(found) is type(expected)


def test_partial_table_keeps_the_defaults_of_its_place() -> None:
    """Not those of the class: the ends' relaxation is stricter than any other."""
    made = build(Ends, {"relax": {"cell": "full"}})
    assert made.relax == Relax(fmax=0.01, steps=400, cell="full")
    assert build(Relax, {"cell": "full"}) == Relax(fmax=0.05, steps=300, cell="full")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"numbr": 1}, ["unknown key 'numbr'", "Did you mean 'number'?"]),
        ({"zzz": 1}, ["unknown key 'zzz'", "Known: number, count"]),
        ({"number": "2"}, ["number must be a number", "'2'"]),
        ({"number": True}, ["number must be a number", "True"]),
        ({"number": float("inf")}, ["finite"]),
        ({"count": 3.0}, ["count must be a whole number", "3.0"]),
        ({"count": False}, ["count must be a whole number"]),
        ({"on": 1}, ["on must be true or false"]),
        ({"name": 1}, ["name must be text"]),
        ({"pair": [1]}, ["pair must be a list of 2", "got 1 values"]),
        ({"pair": [1, "a"]}, ["pair[1] must be a number"]),
        ({"pair": [1, 10**400]}, ["pair[1] is too large a number"]),
        ({"names": "ab"}, ["names must be a list, each entry text"]),
        ({"names": ["a", 1]}, ["names[1] must be text"]),
        ({"valences": {"Na": "one"}}, ["valences.Na must be a number"]),
        ({"valences": 1}, ["valences must be"]),
        ({"cutoff": "atuo"}, ["cutoff must be a number or one of 'auto'"]),
        ({"ends": 1}, ["ends must be a table for Ends"]),
        ({"ends": {"relax": {"cel": "full"}}}, ["ends relax: unknown key 'cel'", "'cell'"]),
        ({"ends": {"relax": {"cell": "ful"}}}, ["'fixed', 'full'", "Did you mean 'full'?"]),
        ({"ends": {"relax": {"fmax": -1.0}}}, ["ends relax: fmax must be positive"]),
    ],
)
def test_build_names_every_mistake(change: dict[str, object], words: list[str]) -> None:
    with pytest.raises(ProtocolError) as caught:
        build(Everything, FULL | change, where="file.toml [all]")
    for word in ["file.toml [all]", *words]:
        assert word in str(caught.value)


def test_build_names_a_missing_key() -> None:
    table = {k: v for k, v in FULL.items() if k != "pair"}
    with pytest.raises(ProtocolError, match=r"'pair' \(a list of 2: .*\) is missing"):
        build(Everything, table)


SCALARS: st.SearchStrategy[bool | int | float | str] = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), VALUES))
def test_dump_reads_back_the_same(table: dict[str, object]) -> None:
    text = dump_toml(table)
    back = tomllib.loads(text)
    assert back == table
    assert dump_toml(back) == text


def test_dump_refuses_what_settings_are_not() -> None:
    with pytest.raises(ProtocolError, match=r"when\.day .* expected text"):
        dump_toml({"when": {"day": tomllib.loads("d = 2020-01-01")["d"]}})
    with pytest.raises(ProtocolError, match="finite"):
        dump_toml({"x": float("nan")})


BASE = """\
paper = "demo"
fidelity = "standard"

[relax]
fmax = 0.01
steps = 500

[routes.A]
sites = ["Na1", "Na2"]
"""
CHILD = """\
# faster
extends = "base.toml"
fidelity = "quick"

[relax]
fmax = 0.05

[routes.A]
sites = ["Na1"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "child.toml").write_text(CHILD)
    return tmp_path


def test_child_changes_only_what_it_says(folder: Path) -> None:
    child = load_protocol(folder / "child.toml")
    assert (child.name, child.paper, child.fidelity) == ("child", "demo", "quick")
    assert child.extends == ("base",)
    assert child.text == CHILD
    assert child.section("relax", Relax) == Relax(fmax=0.05, steps=500)
    assert child.table("routes.A")["sites"] == ("Na1",)
    assert load_protocol(folder / "base.toml").section("relax", Relax).fmax == 0.01


def test_resolved_text_stands_alone_and_never_changes(folder: Path) -> None:
    child = load_protocol(str(folder / "child.toml"))
    (folder / "alone.toml").write_text(child.resolved_text())
    alone = load_protocol(folder / "alone.toml")
    assert alone.settings == child.settings
    assert alone.extends == ()
    assert alone.resolved_text() == child.resolved_text()
    assert "extends" not in child.resolved_text()


def test_protocol_is_read_only(folder: Path) -> None:
    protocol = load_protocol(folder / "child.toml")
    relax = protocol.settings["relax"]
    with pytest.raises(TypeError):
        relax["fmax"] = 1.0
    with pytest.raises(FrozenInstanceError):
        protocol.name = "other"  # type: ignore[misc]
    assert isinstance(protocol.settings["routes"]["A"]["sites"], tuple)


def test_protocol_survives_a_run_folder(folder: Path) -> None:
    from superionic.workflows.serialise import decode, encode

    protocol = load_protocol(folder / "child.toml")
    assert protocol.settings  # a cached value must not get in the way
    back = decode(encode(protocol))
    assert isinstance(back, Protocol)
    assert back == protocol


@dataclass(frozen=True)
class Route:
    sites: tuple[str, ...]


@dataclass(frozen=True)
class Demo:
    relax: Relax
    routes: dict[str, Route]
    fidelity: str = ""


def test_whole_protocol_as_one_value(folder: Path) -> None:
    made = load_protocol(folder / "child.toml").all_settings(Demo)
    assert made == Demo(Relax(fmax=0.05, steps=500), {"A": Route(("Na1",))}, "quick")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("theory = 'emt'", "extra: unknown key 'theory'"),
        ("[relx]\nfmax = 1.0", "unknown key 'relx'. Did you mean 'relax'"),
        ("[routes.B]\nsite = 1", "extra routes.B: unknown key 'site'. Did you mean 'sites'"),
    ],
)
def test_settings_that_nobody_reads_are_found(folder: Path, line: str, words: str) -> None:
    (folder / "extra.toml").write_text(f"extends = 'child.toml'\n{line}\n")
    with pytest.raises(ProtocolError, match=words):
        load_protocol(folder / "extra.toml").all_settings(Demo)


@pytest.mark.parametrize(
    ("name", "words"), [("relx", "Did you mean 'relax'"), ("routes.B", "Known: A|no table")]
)
def test_missing_table(folder: Path, name: str, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        load_protocol(folder / "base.toml").table(name)


def test_wrong_key_names_file_table_and_key(folder: Path) -> None:
    (folder / "wrong.toml").write_text("[relax]\nfmaks = 1.0\n")
    with pytest.raises(ProtocolError, match=r"wrong \[relax\]: unknown key 'fmaks'.*'fmax'"):
        load_protocol(folder / "wrong.toml").section("relax", Relax)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("paper = 1", "'paper' must be text"),
        ("[relax\nfmax = 1", "not valid TOML"),
        ("extends = 'nothing-like-it'", "no protocol 'nothing-like-it'"),
        ("extends = 'absent.toml'", "Cannot read the protocol .*absent.toml"),
        ("extends = 'self.toml'", "extends itself: self -> self"),
        ("extends = 'ring.toml'", "extends itself: self -> ring -> self"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "ring.toml").write_text("extends = 'self.toml'")
    (tmp_path / "self.toml").write_text(text)
    with pytest.raises(ProtocolError, match=words):
        load_protocol(tmp_path / "self.toml")


def test_unknown_names() -> None:
    with pytest.raises(ProtocolError, match="There is no protocol 'nzsp-qick'"):
        load_protocol("nzsp-qick")
    with pytest.raises(ProtocolError, match=r"ends in \.toml"):
        load_protocol(Path("some.yaml"))


@pytest.mark.parametrize("name", protocol_names())
def test_packaged_protocols_load(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    assert isinstance(protocol.settings, Mapping)
    assert tomllib.loads(protocol.resolved_text())
