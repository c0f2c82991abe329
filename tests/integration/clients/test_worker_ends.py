"""A worker can be stopped at any moment, also before it serves anything."""

from __future__ import annotations

import signal

import pytest

from tests.integration.clients.shell import Shell, ended, until

WAITS = """
import asyncio
import sys
from contextlib import asynccontextmanager
from sostenuto import Agent, App

@asynccontextmanager
async def lifespan(app):
    print("lifespan begins", file=sys.stderr, flush=True)
    await asyncio.Event().wait()
    yield

app = App(Agent(name="support", model="scripted/m"), lifespan=lifespan)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_while_its_lifespan_never_begins(shell: Shell, number: signal.Signals) -> None:
    (shell.directory / "waits.py").write_text(WAITS)
    worker = await shell.start("worker", "waits:app")
    await until(worker, "lifespan begins")
    worker.send_signal(number)
    end = await ended(worker)
    assert (end.status, end.out) == (0, "")
    assert "stopped before it served anything" in end.err


@pytest.mark.parametrize(
    ("number", "status", "options"),
    [(signal.SIGTERM, -signal.SIGTERM, ()), (signal.SIGINT, 130, ()), (signal.SIGINT, 130, ("--reload",))],
)
async def test_while_its_app_is_imported(
    shell: Shell, number: signal.Signals, status: int, options: tuple[str, ...]
) -> None:
    (shell.directory / "slow.py").write_text('import time\nprint("imports", flush=True)\ntime.sleep(1000)\n')
    worker = await shell.start("worker", "slow:app", *options)
    await until(worker, "imports", on_stdout=True)
    worker.send_signal(number)
    end = await ended(worker)
    assert (end.status, end.out, end.err) == (status, "", "")
