from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import made_up
import numpy as np
import pytest

from superionic.analysis.barriers import BarrierResult, HopVerdict
from superionic.analysis.figures.style import SavedFigure
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure
from superionic.workflows.report.blocks import figure_block, path_model, path_viewer
from superionic.workflows.report.content import (
    Badge,
    CodeBlock,
    Download,
    Fact,
    ReportContent,
    ReportFigure,
    ReportTable,
    ReportViewer,
    Section,
    ViewerModel,
    bare,
)
from superionic.workflows.report.payload import viewer_payload
from superionic.workflows.report.render import render_report, write_report
from superionic.workflows.report.tables import (
    Comparison,
    comparison_table,
    hop_table,
    task_table,
    version_table,
)
from superionic.workflows.report.templating import fixed, prose

EVIL = '<script>alert("1")</script>'
VOID = {"meta", "link", "img", "input", "br", "hr"}


@dataclass
class Page(HTMLParser):
    """A parsed page: attributes of every element, and the text inside each."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    open_tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open_tags.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open_tags:
            self.texts[self.open_tags[-1]][-1] += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.elements if t == tag]


def parse(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.open_tags == []
    return page


def png(width: int = 600, height: int = 300) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        )

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    rows = zlib.compress(b"".join(b"\x00" + b"\xff" * width for _ in range(height)))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def structure(atoms: int = 6, seed: int = 0) -> Structure:
    rng = np.random.default_rng(seed)
    return Structure(
        numbers=np.array([11] + [8] * (atoms - 1)),
        positions=rng.random((atoms, 3)) * 12 - 2,
        cell=np.array([[9.0, 0, 0], [-4.5, 7.8, 0], [0, 0, 21.0]]),
    )


def model(name: str = "path", *, atoms: int = 6, images: int = 5, seed: int = 0) -> ViewerModel:
    host = structure(atoms, seed)
    frames = np.repeat(host.positions[None], images, axis=0)
    frames[:, 0] += np.linspace(0, 3, images)[:, None] * np.array([0.6, 0.8, 0.0])
    energies = 0.3 * np.sin(np.pi * np.linspace(0, 1, images)) ** 2
    return ViewerModel(name, "bulk", host, frames, ion=0, energies_eV=energies)


def hop(verdict: HopVerdict = "converged", *, key: str = "h0", reason: str = "") -> BarrierResult:
    return made_up.barrier(
        [0.0, 0.1, 0.3, 0.1, 0.02],
        key=key,
        environment="surface",
        depth_ang=1.25,
        direction="lateral",
        verdict=verdict,
        reason=reason,
        structure=structure(),
        ion=0,
        displacement=(1.8, 2.4, 0.0),
    )


def content(*, with_viewer: bool = True) -> ReportContent:
    blocks = (
        f"See doi:10.1007/s40820-025-02032-4 and `fmax`, not {EVIL}.",
        ReportFigure(png(), "A figure.", 'alt "quoted"', (Download("a.csv", b"x\n1\n"),)),
        comparison_table(
            [
                Comparison("Route A", "eV", 0.3, 0.25, "quick", Badge("supported", "good")),
                Comparison("Route B", "eV", None, None, "quick", Badge("no value", "warn")),
            ],
            caption="Computed and published",
        ),
        hop_table([hop(key=EVIL), hop("other-basin", key="h1", reason="It fell.")], caption="Hops"),
        CodeBlock("Protocol", f'title = "{EVIL}"\n'),
    )
    viewer = (ReportViewer("Paths", (model(EVIL), model("two", seed=1))),) if with_viewer else ()
    return ReportContent(
        title=f"Title {EVIL}",
        subtitle="Subtitle",
        facts=(Fact("Barrier", "0.300 eV", "one hop", "good"),),
        sections=(
            Section("First", (*blocks, *viewer)),
            Section("What this does not show", ("Much.",), caution=True),
        ),
        footer="superionic",
    )


def payloads(page: Page) -> list[dict[str, list[dict[str, object]]]]:
    scripts = zip(page.attributes("script"), page.texts["script"], strict=True)
    return [json.loads(t) for a, t in scripts if a.get("type") == "application/json"]


def test_page_is_well_formed_and_holds_everything() -> None:
    page = parse(render_report(content()))
    assert page.texts["h1"] == [f"Title {EVIL}"]
    assert page.texts["h2"] == ["First", "What this does not show"]
    assert len(page.attributes("table")) == 2
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = {a["href"] for a in page.attributes("a")}
    assert {"#report-0", "#report-1", "#main"} <= links
    assert "caution" in [a.get("class") for a in page.attributes("section")]


def test_nothing_is_fetched() -> None:
    page = parse(render_report(content()))
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            target = attributes.get(name)
            if target is None or target.startswith(("#", "data:")):
                continue
            assert tag == "a", (tag, attributes)
            assert target.startswith("https://doi.org/10."), target
    style = "".join(page.texts["style"])
    assert "url(" not in style
    assert "@import" not in style


def test_policy_allows_the_shipped_scripts_and_no_other() -> None:
    html = render_report(content())
    page = parse(html)
    (policy,) = [
        a["content"] or "" for a in page.attributes("meta") if a.get("http-equiv") is not None
    ]
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "unsafe-eval" not in policy
    directive = next(d for d in policy.split("; ") if d.startswith("script-src"))
    allowed = set(re.findall(r"sha256-([^']+)", directive))
    assert "unsafe-inline" not in directive
    scripts = zip(page.attributes("script"), page.texts["script"], strict=True)
    run = [t for a, t in scripts if a.get("type") != "application/json"]
    hashes = {base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in run}
    assert hashes == allowed
    assert len(run) == 3


def test_figures_and_their_numbers_are_embedded(tmp_path: Path) -> None:
    page = parse(render_report(content()))
    (image,) = page.attributes("img")
    source = image["src"] or ""
    assert base64.b64decode(source.removeprefix("data:image/png;base64,")) == png()
    assert image["alt"] == 'alt "quoted"'
    (download,) = [a for a in page.attributes("a") if "download" in a]
    assert base64.b64decode((download["href"] or "").split(",")[1]) == b"x\n1\n"

    (tmp_path / "f.png").write_bytes(png())
    (tmp_path / "f.csv").write_text("x\n2\n")
    saved = SavedFigure(tmp_path / "f.png", tmp_path / "f.svg", tmp_path / "f.csv")
    block = figure_block(saved, caption="c", alt="a")
    html = render_report(ReportContent("t", "", (), (Section("s", (block,)),)))
    assert base64.b64encode(b"x\n2\n").decode() in html


def test_svg_is_taken_and_others_refused() -> None:
    svg = b'<?xml version="1.0"?><svg viewBox="0 0 72 36" xmlns="x"></svg>'
    html = render_report(
        ReportContent("t", "", (), (Section("s", (ReportFigure(svg, "c", "a"),)),))
    )
    (image,) = parse(html).attributes("img")
    assert (image["src"] or "").startswith("data:image/svg+xml;base64,")
    assert (image["width"], image["height"]) == ("125", "62")
    jpeg = ReportFigure(b"\xff\xd8\xff\xe0", "c", "a")
    with pytest.raises(EvidenceError, match="PNG, or an SVG"):
        render_report(ReportContent("t", "", (), (Section("s", (jpeg,)),)))


def test_names_cannot_become_markup() -> None:
    html = render_report(content())
    assert EVIL not in html
    names = [m["name"] for p in payloads(parse(html)) for m in p["models"]]
    assert names == [EVIL, "two"]


def test_payload_decodes_to_the_positions_given() -> None:
    given = [model(seed=k, atoms=9) for k in range(3)]
    data = json.loads(viewer_payload(given))
    for one, read in zip(given, data["models"], strict=True):
        frames = np.array(read["frames"]).reshape(one.frames.shape) * data["unit_ang"]
        np.testing.assert_allclose(frames, one.frames, atol=0.5 * data["unit_ang"] + 1e-12)
        assert one.energies_eV is not None
        assert read["energies"] == one.energies_eV.tolist()
        assert read["numbers"] == one.structure.numbers.tolist()
        assert read["ion"] == 0


def test_what_is_drawn_lies_in_the_cell_and_the_ion_stays_with_its_path() -> None:
    one = model(atoms=12)
    (read,) = json.loads(viewer_payload([one]))["models"]
    assert sorted(s[0] for s in read["sprites"]) == list(range(12))
    for atom, *shift in read["sprites"]:
        place = one.frames[:, atom].mean(axis=0) if atom == 0 else one.frames[0, atom]
        inside = np.linalg.solve(one.structure.cell.T, place + np.array(shift) @ one.structure.cell)
        assert ((inside > -2e-3) & (inside < 1)).all()


def test_polyhedra_in_the_payload_are_whole() -> None:
    arms = 1.63 / np.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]])
    cell = np.diag([8.0, 9.0, 10.0])
    positions = np.vstack([np.zeros(3), arms]) % np.diag(cell)
    host = Structure(np.array([14, 8, 8, 8, 8]), positions, cell)
    data = json.loads(viewer_payload([ViewerModel("SiO4", "", host, positions[None])]))
    (read,) = data["models"]
    (shape,) = read["polyhedra"]
    corners = [read["sprites"][k] for k in shape["v"]]
    places = np.array([positions[c[0]] + np.array(c[1:]) @ cell for c in corners])
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1.63, atol=1e-9)
    assert len(shape["f"]) == 12
    assert read["bonds"] == []
    assert data["elements"]["14"]["symbol"] == "Si"


def test_twenty_paths_of_a_hundred_atoms_stay_small(tmp_path: Path) -> None:
    models = tuple(model(f"p{k}", atoms=100, images=7, seed=k) for k in range(20))
    page = ReportContent("t", "", (), (Section("s", (ReportViewer("v", models),)),))
    assert write_report(page, tmp_path / "report.html").stat().st_size < 1_500_000


def test_viewer_script_comes_only_with_a_viewer() -> None:
    html = render_report(content(with_viewer=False))
    assert "3Dmol" not in html
    assert len(html) < 100_000
    assert "University of Pittsburgh" in render_report(content())


def test_tables_never_mix_computed_and_published() -> None:
    table = comparison_table(
        [
            Comparison("a", "eV", 0.3, 0.25, "quick", Badge("x")),
            Comparison("b", "eV", None, 0.25, "quick", Badge("x"), "band not converged"),
            Comparison("c", "eV", 0.3, None, "quick", Badge("x")),
            Comparison("d", "eV", 0.3, "below A", "quick", Badge("x")),
        ],
        caption="c",
    )
    shown = [tuple(map(bare, row)) for row in table.rows]
    columns = dict(zip(table.header, zip(*shown, strict=True), strict=True))
    assert columns["Computed"] == (0.3, "no value", 0.3, 0.3)
    assert columns["Published"] == (0.25, 0.25, "not printed", "below A")
    assert columns["Difference"] == (pytest.approx(0.05), None, None, None)


def test_hop_table_says_why_a_hop_has_no_value() -> None:
    rejected = hop("other-basin", key="h1", reason="It fell into another basin.")
    table = hop_table([hop(), rejected], caption="c")
    one, two = (dict(zip(table.header, row, strict=True)) for row in table.rows)
    assert (one["Forward (eV)"], one["Remark"]) == (0.3, "")
    assert (two["Forward (eV)"], two["Remark"]) == (None, "It fell into another basin.")
    assert two["Verdict"] == Badge("other-basin", "bad")


def test_task_and_version_tables() -> None:
    manifest: dict[str, object] = {
        "key": "neb-1",
        "state": "done",
        "wall_s": 1.25,
        "cpu_s": 1.0,
        "started": "2026-01-02T03:04:05.678+00:00",
        "python": "3.11.2",
        "versions": {"ase": "3.29.0"},
    }
    other = manifest | {"versions": {"ase": "3.30.0"}}
    tasks = task_table([manifest], caption="c")
    assert tasks.rows == (("neb-1", Badge("done", "good"), 1.25, 1.0, "2026-01-02 03:04:05"),)
    versions = version_table([manifest, other], caption="c")
    assert versions.rows == (("ase", "3.29.0, 3.30.0"), ("python", "3.11.2"))
    with pytest.raises(EvidenceError, match="needs 'state'"):
        task_table([{"key": "neb-1"}], caption="c")


def test_paths_of_hops() -> None:
    good = path_model(hop())
    assert good is not None
    assert good.note == "Barrier 0.300 eV forward, 0.280 eV back, synthetic."
    bad = path_model(hop("unconverged", reason="Too few steps."))
    assert bad is not None
    assert bad.energies_eV is None
    assert bad.note == "No barrier (unconverged): Too few steps."
    assert path_viewer([], caption="c") is None
    viewer = path_viewer([hop(), hop(key="h1")], caption="c")
    assert viewer is not None
    assert [m.group for m in viewer.models] == ["surface", "surface"]


def test_numbers_sort_at_full_precision_and_show_rounded() -> None:
    table = ReportTable("c", ("x", "y"), ((0.12345678, True), (-0.0001, None)))
    html = render_report(ReportContent("t", "", (), (Section("s", (table,)),)))
    assert 'data-sort="0.12345678">0.123<' in html
    assert ">0.000<" in html
    assert fixed(-1.5, 1) == "\N{MINUS SIGN}1.5"


def test_prose() -> None:
    assert str(prose("a <b> `c<d`")) == "a &lt;b&gt; <code>c&lt;d</code>"
    linked = str(prose("(doi:10.1007/s40820-025-02032-4), end."))
    assert (
        linked == '(<a href="https://doi.org/10.1007/s40820-025-02032-4">'
        "doi:10.1007/s40820-025-02032-4</a>), end."
    )


def test_same_content_same_bytes_and_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_report(content(), tmp_path / "deep" / "report.html")
    before = path.read_bytes()
    assert write_report(content(), path).read_bytes() == before

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_report(content(with_viewer=False), path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReportTable("c", ("a",), ((1, 2),)), "2 entries for 1"),
        (lambda: ReportTable("c", ("a",), ((float("nan"),),)), "NaN"),
        (lambda: ReportViewer("c", ()), "nothing to show"),
        (lambda: ViewerModel("p", "", structure(), np.zeros((3, 5, 3))), "expected frames"),
        (lambda: ViewerModel("p", "", structure(), np.full((1, 6, 3), np.nan)), "NaN"),
        (lambda: ViewerModel("p", "", structure(), np.zeros((1, 6, 3)), ion=6), "ion below 6"),
    ],
)
def test_refuses(make: Callable[[], object], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        make()
