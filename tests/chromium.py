"""A headless Chromium, driven by its DevTools protocol over a pipe: no port, no network, no package."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PROGRAM = shutil.which("chromium")
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-extensions", "--remote-debugging-pipe"),
)
_SECONDS = 60.0


class Tab:
    """One page, and what went wrong on it."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._session = ""
        self._last = 0
        self._left = b""
        self.problems: list[str] = []
        """Errors of its scripts, and everything on its console: also what its policy forbade."""
        self.requested: list[str] = []
        """Addresses of everything that it loaded."""
        self._loaded = 0

    def attach(self) -> None:
        targets = self._ask("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")

    def open(self, address: str) -> None:
        """Load a page, and wait until it is there."""
        before = self._loaded
        self._ask("Page.navigate", url="about:blank")
        self._wait_for_load(before)
        before = self._loaded
        self.problems.clear()
        self.requested.clear()
        self._ask("Page.navigate", url=address)
        self._wait_for_load(before)

    def until_loaded(self) -> None:
        """Wait until the page has loaded itself anew."""
        self._wait_for_load(self._loaded)
        self.settle()

    def value(self, expression: str) -> Any:
        """What an expression comes to, by the page's own script engine."""
        found = self._ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def settle(self) -> None:
        """Wait until everything that was to be drawn is."""
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")

    def press(self, *keys: str) -> None:
        for key in keys:
            fields = {"key": key, "text": key} if len(key) == 1 else {"key": key}
            self._ask("Input.dispatchKeyEvent", type="keyDown", **fields)
            self._ask("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.settle()

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the mouse at one place and let it go at another."""
        for kind, (x, y) in (("mousePressed", begin), ("mouseMoved", end), ("mouseReleased", end)):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
        self.settle()

    def size(self, wide: int, high: int, *, dark: bool = False) -> None:
        """Give the window a size and a scheme of colours."""
        self._ask("Emulation.setDeviceMetricsOverride", width=wide, height=high, deviceScaleFactor=1, mobile=wide < 600)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._ask("Emulation.setEmulatedMedia", features=scheme)
        self.settle()

    def picture(self, file: Path) -> None:
        """Write what is to be seen as a PNG."""
        file.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._last += 1
        asked = {"id": self._last, "method": method, "params": params}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._commands, json.dumps(asked).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == asked["id"]:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    def _wait_for_load(self, before: int) -> None:
        while self._loaded == before:
            self._next()

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + _SECONDS
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._answers], [], [], max(end - time.monotonic(), 0))
            read = os.read(self._answers, 1 << 20) if ready else b""
            assert read, "Chromium says nothing more"
            self._left += read
        first, _, self._left = self._left.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded += 1
            case "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Page.javascriptDialogOpening":
                self.problems.append(json.dumps(params))
            case "Log.entryAdded":
                self.problems.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"][:200])


@contextmanager
def chromium() -> Iterator[Tab]:
    """A Chromium with one tab, which is gone after the block."""
    assert PROGRAM
    with TemporaryDirectory(prefix="sostenuto-chromium-", ignore_cleanup_errors=True) as directory:
        theirs, commands = os.pipe()
        answers, others = os.pipe()
        # It takes commands on descriptor 3 and answers on 4, which may be others' here.
        high = [fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (theirs, others)]
        started = f'exec "$0" "$@" 3<&{high[0]} 4>&{high[1]}'
        process = subprocess.Popen(
            ["bash", "-c", started, PROGRAM, *_FLAGS, f"--user-data-dir={directory}", "about:blank"],
            pass_fds=high,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for one in (theirs, others, *high):
            os.close(one)
        try:
            tab = Tab(commands, answers)
            tab.attach()
            yield tab
        finally:
            # It ends with the pipe, and all its processes with it.
            os.close(commands)
            process.wait(_SECONDS)
            os.close(answers)
