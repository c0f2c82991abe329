"""The command line in a process of its own, with an app whose model is scripted."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

APP = '''
from sostenuto import Agent, App, tool

@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"{at} is fine"

support = Agent(name="support", model="scripted/m", tools=[look])
app = App(support)
'''
LOOK = {"text": "one moment", "tool_calls": [{"name": "look", "arguments": {"at": "7"}}]}


@dataclass(frozen=True)
class Ended:
    """What a command came to."""

    status: int
    out: str
    err: str


class Shell:
    """Runs `sostenuto` in a directory with an app."""

    def __init__(self, directory: Path, address: str, queue: str) -> None:
        self.directory = directory
        self.queue = queue
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "SOSTENUTO_"))
        }
        self.env |= {"TEMPORAL_ADDRESS": address, "SOSTENUTO_TASK_QUEUE": queue, "SOSTENUTO_SCRIPT": "script.json"}
        (directory / "shop.py").write_text(APP)
        self.script(LOOK, {"text": "all fine"})

    def script(self, *steps: dict[str, Any], **by_model: list[dict[str, Any]]) -> None:
        """Let models answer these: one and the same for all, or each its own."""
        (self.directory / "script.json").write_text(json.dumps(by_model or steps))

    def set(self, name: str, value: str | None) -> None:
        """Give an environment variable another value, or None to unset it."""
        self.env.pop(name, None)
        self.env |= {name: value} if value is not None else {}

    async def start(self, *words: str, stdin: int = asyncio.subprocess.DEVNULL) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sostenuto", *words),
            cwd=self.directory,
            env=self.env,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *words: str) -> Ended:
        return await ended(await self.start(*words))


async def ended(process: asyncio.subprocess.Process, written: bytes = b"") -> Ended:
    """What a command comes to that is written this, and no more."""
    out, err = await process.communicate(written if process.stdin else None)
    assert process.returncode is not None
    assert b"Traceback" not in err
    return Ended(process.returncode, out.decode(), err.decode())


async def until(process: asyncio.subprocess.Process, text: str, *, on_stdout: bool = False) -> None:
    """Read what the process says up to a line with the text."""
    stream = process.stdout if on_stdout else process.stderr
    assert stream is not None
    async for line in stream:
        if text in line.decode():
            return
    raise AssertionError(f"it ended without saying {text!r}")
