"""A headless Chromium under a test's control, spoken to over two pipes; no other package needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_S = 60.0
_LAUNCH = """
import fcntl, os, sys  # the browser reads commands from 3 and answers on 4
far = [fcntl.fcntl(int(word), fcntl.F_DUPFD, 50) for word in sys.argv[1:3]]
os.dup2(far[0], 3)
os.dup2(far[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_browser() -> str | None:
    """The browser that SUPERIONIC_CHROMIUM names, else the first on the PATH."""
    named = os.environ.get("SUPERIONIC_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One page of a browser: what it asked for, what it complained of, and a mouse."""

    def __init__(self, folder: Path) -> None:
        self._asked: dict[str, str] = {}
        self.complaints: list[str] = []
        self._loaded = 0
        self._number = 0
        self._buffer = b""
        self._session: str | None = None
        self._start(folder)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def _start(self, folder: Path) -> None:
        browser = find_browser()
        assert browser is not None
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        command = [
            browser, "--headless", "--no-sandbox", "--remote-debugging-pipe", "--use-gl=angle",
            "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-quic", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder / 'profile'}",
        ]  # fmt: skip

        log: IO[bytes] = (folder / "chromium.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, str(to_read), str(to_write), *command],
            stdout=log, stderr=log, pass_fds=(to_read, to_write),
        )  # fmt: skip
        log.close()
        os.close(to_read)
        os.close(to_write)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer; take note of what happens meanwhile."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        """Read one message."""
        while b"\0" not in self._buffer:
            piece = os.read(self._from, 1 << 20)
            assert piece, "the browser has gone"
            self._buffer += piece
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        """Remember requests, errors, and that a page has loaded."""
        method, told = message.get("method", ""), message.get("params", {})
        if method == "Network.requestWillBeSent":
            url = str(told["request"]["url"])
            if not url.startswith(("data:", "file:", "about:", "blob:")):
                self._asked[told["requestId"]] = url
        elif method == "Network.loadingFailed" and told.get("blockedReason") == "csp":
            self._asked.pop(told["requestId"], None)
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "assert"):
            self.complaints.append(str(told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(str(told["entry"]["text"]))
        elif method == "Page.loadEventFired":
            self._loaded += 1

    @property
    def requests(self) -> list[str]:
        """What was asked of the network; what the page's own policy stopped never was."""
        return list(self._asked.values())

    def open(self, page: Path, *, width: int, height: int, phone: bool = False) -> None:
        """Show a file in a window of a size in CSS pixels."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=phone,
        )  # fmt: skip
        self.ask("Emulation.setTouchEmulationEnabled", enabled=phone)
        before = self._loaded
        self.ask("Page.navigate", url=page.as_uri())
        while self._loaded == before:
            self._next()

    def js(self, expression: str) -> Any:
        """Value of an expression on the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.js(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.05)

    def middle_of(self, selector: str) -> tuple[float, float]:
        """Bring the first element that fits to view; its middle in CSS pixels."""
        self.js(
            f"document.querySelector({json.dumps(selector)})"
            ".scrollIntoView({block: 'center', behavior: 'instant'})"
        )
        x, y = self.js(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        return float(x), float(y)

    def mouse(self, kind: str, x: float, y: float, *, buttons: int = 0) -> None:
        self.ask(
            "Input.dispatchMouseEvent", type=kind, x=x, y=y, buttons=buttons, clickCount=1,
            button="left" if kind != "mouseMoved" or buttons else "none",
        )  # fmt: skip

    def click(self, selector: str) -> None:
        x, y = self.middle_of(selector)
        self.mouse("mousePressed", x, y, buttons=1)
        self.mouse("mouseReleased", x, y)

    def drag(self, selector: str, *, by: tuple[float, float], finger: bool = False) -> None:
        """Press in the middle of an element, move, and let go; with the mouse, or a finger."""
        x, y = self.middle_of(selector)
        if finger:
            self.touch("touchStart", (x, y))
        else:
            self.mouse("mousePressed", x, y, buttons=1)
        for step in (0.25, 0.5, 0.75, 1.0):
            to = x + step * by[0], y + step * by[1]
            if finger:
                self.touch("touchMove", to)
            else:
                self.mouse("mouseMoved", *to, buttons=1)
        if finger:
            self.touch("touchEnd")
        else:
            self.mouse("mouseReleased", x + by[0], y + by[1])

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """Put fingers down, move them, or lift them all."""
        places = [{"x": x, "y": y} for x, y in points]
        self.ask("Input.dispatchTouchEvent", type=kind, touchPoints=places)

    def picture(self, selector: str | None = None) -> bytes:
        """PNG of the window, or of an element in it."""
        options: dict[str, Any] = {}
        if selector is not None:
            self.middle_of(selector)
            box = self.js(
                f"(() => {{ const b = document.querySelector({json.dumps(selector)})"
                ".getBoundingClientRect(); return {x: b.x + scrollX, y: b.y + scrollY,"
                " width: b.width, height: b.height}; })()"
            )
            options["clip"] = {**box, "scale": 1}
        return base64.b64decode(self.ask("Page.captureScreenshot", **options)["data"])


@contextmanager
def opened(
    page: Path, folder: Path, *, width: int, height: int, phone: bool = False
) -> Iterator[Chromium]:
    """A browser that shows a file."""
    with Chromium(folder) as browser:
        browser.open(page, width=width, height=height, phone=phone)
        yield browser
