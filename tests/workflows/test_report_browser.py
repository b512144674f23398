"""The report in a real browser: it asks for nothing, complains of nothing, turns, sorts and tells.

Needs Chromium on the PATH (Debian: `apt-get install chromium`), or SUPERIONIC_CHROMIUM.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import chromium
import numpy as np
import pytest

from superionic.structures.structure import Structure
from superionic.workflows.report.content import (
    Badge,
    Fact,
    ReportContent,
    ReportFigure,
    ReportTable,
    ReportViewer,
    Section,
    Traced,
    ViewerModel,
)
from superionic.workflows.report.part import render_part
from superionic.workflows.report.render import PageHead, render_report, write_page
from superionic.workflows.report.sources import TaskIndex

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.find_browser() is None, reason="no Chromium on this machine"),
]

MADE_EV = 0.123456789012345
PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="300" viewBox="0 0 900 300">'
    b'<rect x="10" y="10" width="880" height="280"/></svg>'
)
SIZES = {"desktop": (1280, 900, False), "phone": (390, 844, True)}


def path() -> ViewerModel:
    rng = np.random.default_rng(1)
    host = Structure(
        numbers=np.array([11] + [8] * 11),
        positions=rng.random((12, 3)) * 9,
        cell=np.array([[9.0, 0, 0], [-4.5, 7.8, 0], [0, 0, 11.0]]),
    )
    frames = np.repeat(host.positions[None], 5, axis=0)
    frames[:, 0] += np.linspace(0, 3, 5)[:, None] * np.array([0.6, 0.8, 0.0])
    return ViewerModel("hop", "bulk", host, frames, ion=0, energies_eV=np.array([0, 1, 3, 1, 0.2]))


def content(name: str) -> ReportContent:
    table = ReportTable(
        "Hops.",
        ("Hop", "Barrier (eV)", "Twice (eV)", "Verdict", "Remark"),
        (
            ("h2", MADE_EV, Traced(2 * MADE_EV, (MADE_EV,)), Badge("agrees", "good"), "long " * 30),
            ("h10", 0.05, None, Badge("disagrees", "bad"), ""),
            ("h1", None, None, Badge("not decided", "warn"), "no value"),
        ),
    )
    return ReportContent(
        title=f"Paper {name}",
        subtitle="doi:10.1007/s40820-025-02032-4",
        facts=(Fact("Barrier", "0.123 eV", "one hop", "good", of=(MADE_EV,)),),
        sections=(
            Section("Numbers", (table, ReportFigure(PICTURE, "A square.", "A square"))),
            Section("Paths", (ReportViewer("Paths", (path(),)),)),
            Section("What this does not show", ("Much.",), caution=True),
        ),
    )


def run_folder(folder: Path) -> TaskIndex:
    """Two tasks, the second made from the first."""
    first, second = "relax-0123456789abcdef", "barrier-0123456789abcdef"
    parents_of: dict[str, list[str]] = {first: [], second: [first]}
    for key, parents in parents_of.items():
        (folder / key).mkdir(parents=True)
        inputs = {"module": "m", "qualname": "task", "version": 1, "inputs": {"theory": "emt"}}
        (folder / key / "inputs.json").write_text(json.dumps(inputs))
        manifest = {"state": "done", "host": "here", "wall_s": 1.5, "cpu_s": 1.25,
                    "started": "2026-01-02T03:04:05.678+00:00", "python": "3.11",
                    "versions": {"ase": "3.29"}, "parents": parents}  # fmt: skip
        (folder / key / "manifest.json").write_text(json.dumps(manifest))
    result = {"key": second, "result": {"barrier_eV": MADE_EV}}
    (folder / second / "result.json").write_text(json.dumps(result))
    return TaskIndex(folder, [first, second])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    index = run_folder(folder / "runs")
    parts = [render_part(content(name), name=name, index=index) for name in ("one", "two")]
    head = PageHead("All papers", "Subtitle", "Summary.", "superionic")
    return write_page(head, parts, folder / "report.html")


@pytest.mark.parametrize("size", SIZES)
def test_the_report_in_a_browser(page: Path, tmp_path: Path, size: str) -> None:
    width, height, phone = SIZES[size]
    with chromium.opened(page, tmp_path, width=width, height=height, phone=phone) as browser:
        assert browser.js("document.documentElement.scrollWidth") <= width, "nothing sticks out"
        check_sorting(browser)
        check_provenance(browser)
        check_turning(browser)
        check_every_table(browser)
        check_every_view(browser, finger=phone)
        assert browser.requests == []
        assert browser.complaints == []


def first_column(browser: chromium.Chromium) -> list[str]:
    rows = "document.querySelectorAll('#one table tbody tr')"
    found: list[str] = browser.js(f"Array.from({rows}, (r) => r.cells[0].textContent)")
    return found


def check_sorting(browser: chromium.Chromium) -> None:
    assert first_column(browser) == ["h2", "h10", "h1"]
    browser.click("#one th:nth-child(1) button")
    assert first_column(browser) == ["h1", "h2", "h10"], "numbers in names count"
    browser.click("#one th:nth-child(2) button")
    assert first_column(browser) == ["h10", "h2", "h1"], "by value, none last"
    browser.click("#one th:nth-child(2) button")
    assert first_column(browser) == ["h2", "h10", "h1"], "downwards, none last all the same"
    state = "document.querySelector('#one th:nth-child(2)').getAttribute('aria-sort')"
    assert browser.js(state) == "descending"


def check_provenance(browser: chromium.Chromium) -> None:
    """A number is clicked, then the task that its task was made from."""
    assert browser.js("document.querySelectorAll('#one button.source').length") == 3
    for selector in ("#one .fact button.source", "#one td button.source"):
        browser.click(selector)
        browser.wait("document.querySelector('dialog').open")
        told = browser.js("document.querySelector('dialog').innerText")
        for words in ("barrier-0123456789abcdef", "here", "ase 3.29", "theory = emt", "1.5 s"):
            assert words in told
        browser.click("dialog dd button.source")
        browser.wait(
            "document.querySelector('dialog summary').textContent === 'relax-0123456789abcdef'"
        )
        browser.click("dialog .close")
        browser.wait("!document.querySelector('dialog').open")


def check_turning(browser: chromium.Chromium) -> None:
    """The second paper's view is drawn, stands still, turns when dragged, and plays."""
    canvas = "#two .stage canvas"
    browser.middle_of("#two .stage")
    browser.wait(f"document.querySelector('{canvas}') !== null")
    browser.wait("document.querySelector('#two .message') === null")
    still = browser.picture("#two .stage")
    assert browser.picture("#two .stage") == still
    browser.drag(canvas, by=(80.0, 30.0))
    assert browser.picture("#two .stage") != still
    slider = "document.querySelector('#two input[type=range]')"
    browser.js(f"{slider}.value = 2; {slider}.dispatchEvent(new Event('input'))")
    assert "image 3 of 5 · 3.000 eV" in browser.js(
        "document.querySelector('#two .status').innerText"
    )
    assert browser.js("document.querySelectorAll('#two circle').length") == 5


def check_every_table(browser: chromium.Chromium) -> None:
    """Every column of every table sorts upwards, then downwards, and no row is lost."""
    wrong = browser.js("""
      Array.from(document.querySelectorAll('table')).flatMap((table, t) =>
        Array.from(table.querySelectorAll('th')).flatMap((th, c) =>
          ['ascending', 'descending'].filter((way) => {
            const before = table.tBodies[0].rows.length;
            th.querySelector('button').click();
            const after = table.tBodies[0].rows.length;
            return before !== after || th.getAttribute('aria-sort') !== way;
          }).map((way) => `table ${t}, column ${c}, ${way}`)))
    """)
    assert browser.js("document.querySelectorAll('th button').length") > 0
    assert wrong == []


def check_every_view(browser: chromium.Chromium, *, finger: bool) -> None:
    """Every view is drawn, stands still, and turns under the mouse, or a finger."""
    stages = "document.querySelectorAll('.stage')"
    count = browser.js(f"{stages}.forEach((s, k) => {{ s.dataset.k = k; }}), {stages}.length")
    assert count > 0
    for k in range(count):
        stage = f".stage[data-k='{k}']"
        browser.middle_of(stage)
        browser.wait(f'document.querySelector("{stage} canvas") !== null')
        browser.wait(f'document.querySelector("{stage} .message") === null')
        still = browser.picture(stage)
        assert browser.picture(stage) == still
        browser.drag(f"{stage} canvas", by=(-60.0, 40.0), finger=finger)
        assert browser.picture(stage) != still, f"view {k} does not turn"


@pytest.mark.skipif("SUPERIONIC_REPORT" not in os.environ, reason="SUPERIONIC_REPORT names none")
@pytest.mark.parametrize("size", SIZES)
def test_a_report_of_ones_own(tmp_path: Path, size: str) -> None:
    """The one that SUPERIONIC_REPORT names, such as that of all papers."""
    width, height, phone = SIZES[size]
    page = Path(os.environ["SUPERIONIC_REPORT"]).absolute()
    with chromium.opened(page, tmp_path, width=width, height=height, phone=phone) as browser:
        assert browser.js("document.documentElement.scrollWidth") <= width, "nothing sticks out"
        check_every_table(browser)
        check_every_view(browser, finger=phone)
        assert (browser.requests, browser.complaints) == ([], [])


def test_it_opens_by_itself_too(tmp_path: Path) -> None:
    """A report of one command, without tasks behind its numbers."""
    page = tmp_path / "report.html"
    page.write_text(render_report(content("alone")))
    with chromium.opened(page, tmp_path, width=1280, height=900) as browser:
        browser.middle_of(".stage")
        browser.wait("document.querySelector('.stage canvas') !== null")
        assert browser.js("document.querySelectorAll('button.source').length") == 0
        assert (browser.requests, browser.complaints) == ([], [])


def test_a_request_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<html><body><img src="http://example.invalid/a.png"></body></html>')
    with chromium.opened(page, tmp_path, width=400, height=400) as browser:
        assert browser.requests == ["http://example.invalid/a.png"]
        assert browser.complaints


def test_the_policy_stops_what_slips_in(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    slipped = (
        '<img src="http://example.invalid/a.png"><script>document.title = "in"</script></body>'
    )
    page.write_text(render_report(content("alone")).replace("</body>", slipped))
    with chromium.opened(page, tmp_path, width=400, height=400) as browser:
        assert browser.requests == []
        assert browser.js("document.title") == "Paper alone"
