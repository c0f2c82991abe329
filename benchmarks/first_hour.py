"""The first hour of somebody who has nothing of it yet, command by command.

    python -m benchmarks.first_hour [DIRECTORY]

In an empty folder and an empty home: installs a wheel of this checkout, begins a project, tests it, runs it, breaks
and mends it, looks at what it did, and takes pictures of the Temporal UI once its workers are gone. Prints what each
command took and said. It reaches the package index alone, for what the installation needs. Pictures take a Chromium.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

CHECKOUT: Final = Path(__file__).parent.parent
_SHOWN_LINES: Final = 14
_UP: Final = "Ctrl-C stops everything"
_CHROMIUM: Final = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)


class Hour:
    """Somebody at a terminal.

    Args:
        directory: An empty folder.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.project = directory / "shop"
        self.home.mkdir(parents=True)
        self._programs = directory / "venv" / "bin"

    @property
    def _environment(self) -> Mapping[str, str]:
        index = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))}
        path = f"{self._programs}:{os.environ['PATH']}"
        return {"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", "COLUMNS": "120", **index}

    async def types(self, command: str, within: Path | None = None) -> str:
        """Run a command, and print what it took and said; return what it said."""
        began = time.monotonic()
        process = await asyncio.create_subprocess_shell(
            command,
            cwd=within or self.project,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        self._print(command, time.monotonic() - began, f"exit status {process.returncode}", out.decode())
        return out.decode()

    @asynccontextmanager
    async def leaving_up(self, command: str) -> AsyncIterator[str]:
        """Keep a stack up while the block lasts; yield what it said when it was up."""
        began, said = time.monotonic(), ""
        process = await asyncio.create_subprocess_shell(
            f"exec {command}",
            cwd=self.project,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        if process.stdout is None:
            raise RuntimeError("it has no output")
        while _UP not in said:
            line = await asyncio.wait_for(process.stdout.readline(), 300)
            if not line:
                break
            said += line.decode()
        self._print(command, time.monotonic() - began, "up", said)
        try:
            yield said
        finally:
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            rest, _ = await process.communicate()
            self._print("^C", time.monotonic() - began, f"exit status {process.returncode}", rest.decode())

    def writes(self, file: str, old: str, new: str) -> None:
        """Change a file."""
        path = self.project / file
        text = path.read_text()
        if old not in text:
            raise RuntimeError(f"{file} has no {old!r}")
        path.write_text(text.replace(old, new, 1))
        sys.stdout.write(f"\n# in {file}: {old!r} -> {new!r}\n")

    async def sees(self, url: str, picture: str) -> None:
        """Take a picture of a page."""
        if _CHROMIUM is None:
            sys.stdout.write(f"\n# {picture}: no picture, for there is no chromium here\n")
            return
        options = "--headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1500,1300 --timeout=9000"
        file = self.directory / picture
        await self.types(f"{_CHROMIUM} {options} --virtual-time-budget=9000 --screenshot={file} '{url}' 2>/dev/null")

    def _print(self, command: str, seconds: float, ended: str, said: str) -> None:
        shown = said.replace(str(self.directory), "…").replace(str(CHECKOUT), "CHECKOUT").rstrip().splitlines()
        if len(shown) > _SHOWN_LINES:
            shown = [*shown[:3], f"[{len(shown) - _SHOWN_LINES} lines]", *shown[3 - _SHOWN_LINES :]]
        words = command.replace(str(self.directory), "…").replace(str(CHECKOUT), "CHECKOUT")
        sys.stdout.write("\n".join([f"\n$ {words}", *shown, f"  ({seconds:.1f} s, {ended})"]) + "\n")
        sys.stdout.flush()


async def live_through(hour: Hour) -> None:
    """Do it all."""
    here = hour.directory
    await hour.types(f"{sys.executable} -m pip wheel -q --no-deps -w {here}/wheels {CHECKOUT}", here)
    await hour.types(f"{sys.executable} -m venv venv", here)
    await hour.types(f"pip install -q {here}/wheels/*.whl && sostenuto --help", here)
    await hour.types("sostenuto dev", here)
    await hour.types(f'pip install -q "$(echo {here}/wheels/*.whl)[local]" pytest', here)
    await hour.types("sostenuto new shop", here)
    await hour.types("python -m pytest -q")
    await hour.types("sostenuto run agents.py:app support 'Where is order 7?'")
    await hour.types("sostenuto pull")
    async with hour.leaving_up("sostenuto dev agents.py:app --port 0 --ui-port 0"):
        await hour.types("sostenuto run --no-worker agents.py:app support 'Where is order 7?' --id first")
        await hour.types("sostenuto run agents.py:app suport 'Where is order 7?'")
        hour.writes("agents.py", "return ORDERS[order_id]", "return ORDRES[order_id]")
        await hour.types("sostenuto run agents.py:app support 'Where is order 7?' --id broken")
        hour.writes("agents.py", "return ORDRES[order_id]", "return ORDERS[order_id]")
        hour.writes("agents.py", "instructions=", "system_prompt=")
        await hour.types("sostenuto run agents.py:app support 'Where is order 7?'")
        hour.writes("agents.py", "system_prompt=", "instructions=")
        await hour.types("sostenuto run agents.py:app support 'Where is order 8?' --id mended")
        await hour.types("sostenuto run agents.py:app support 'Where is order 8?' --id mended --json | head -5")
        await hour.types(
            "timeout -s INT 3 sostenuto run agents.py:app support 'Tell me all about order 8.' --id stopped"
        )
        await hour.types("sostenuto ls")
        await hour.types("sostenuto trace mended")
    async with hour.leaving_up("sostenuto dev --no-model --port 0 --ui-port 0") as said:
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        address = found[0] if found else ""
        await hour.sees(f"{address}/namespaces/default/workflows", "list.png")
        await hour.sees(f"{address}/namespaces/default/workflows/mended", "run.png")
        await hour.sees(f"{address}/namespaces/default/workflows/stopped", "stopped.png")


def main() -> None:
    """Live through it in a folder that is named, or in one of its own."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(mkdtemp(prefix="first-hour-"))
    sys.stdout.write(f"# in {directory}\n")
    began = time.monotonic()
    asyncio.run(live_through(Hour(directory.resolve())))
    sys.stdout.write(f"\n# {time.monotonic() - began:.0f} s in all; what it left is in {directory}\n")


if __name__ == "__main__":
    main()
