"""A worker begins anew when a file of its project changes, and outlives an edit that is broken."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from sostenuto.clients.cli.reload import reloading, tell_reloads
from tests.integration.clients.shell import Shell, ended, until

LIVES = """
import asyncio, os, sys
from contextlib import asynccontextmanager
from sostenuto import Agent, App

async def seen(name):
    while not os.path.exists(name):
        await asyncio.sleep(0.02)

async def lost():
    await seen("lost")
    raise OSError("the pool died")

@asynccontextmanager
async def lifespan(app):
    async with asyncio.TaskGroup() as group:
        losing = group.create_task(lost())
        yield
        print("closing", file=sys.stderr, flush=True)
        await seen("closed")
        losing.cancel()

app = App(Agent(name="support", model="scripted/m"), lifespan=lifespan)
"""


async def test_a_broken_edit_is_told_and_the_next_one_waited_for(tmp_path: Path) -> None:
    words = tmp_path / "words.py"
    words.write_text("raise ValueError(1)\n")
    (tmp_path / "shop.py").write_text("import words\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sostenuto", "worker", "shop.py:app", "--reload"),
        cwd=tmp_path,
        env={**os.environ, "_SOSTENUTO_RELOADED": "1"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    waits = "reload: it does not start, and waits for the next change: shop.py cannot be imported: ValueError:"
    assert (await process.stderr.readline()).decode() == f"{waits} 1 ({words}, line 1)\n"
    words.write_text("\nraise ValueError(22)\n")
    assert (await process.stderr.readline()).decode() == "reload: words.py changed\n"
    assert (await process.stderr.readline()).decode() == f"{waits} 22 ({words}, line 2)\n"
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_new_code_serves_after_an_edit_and_is_stopped_while_it_drains_for_the_next(shell: Shell) -> None:
    app = shell.directory / "shop.py"
    worker = await shell.start("worker", "shop.py:app", "--reload")
    await until(worker, "serving support on task queue")
    app.write_text(LIVES.replace("support", "helper"))
    await until(worker, "reload: shop.py changed; calls in flight may end first")
    await until(worker, "serving helper on task queue")
    app.write_text(LIVES)
    await until(worker, "closing")
    worker.send_signal(signal.SIGTERM)
    (shell.directory / "closed").touch()
    end = await ended(worker)
    assert (end.status, end.err) == (0, "")


async def test_one_that_has_served_is_not_taken_for_one_that_does_not_start(shell: Shell) -> None:
    (shell.directory / "shop.py").write_text(LIVES)
    shell.set("_SOSTENUTO_RELOADED", "1")
    worker = await shell.start("worker", "shop.py:app", "--reload")
    await until(worker, "serving support on task queue")
    (shell.directory / "lost").touch()
    end = await ended(worker)
    assert end.status == 1
    assert "App: lifespan: it ended while the worker served: OSError: the pool died" in end.err


async def test_an_end_without_a_change_ends_it() -> None:
    async def serve(ended: asyncio.Event, _: asyncio.Event) -> int:
        await ended.wait()
        return 7

    stop = asyncio.Event()
    stop.set()
    assert await reloading(serve, "shop:app", stop) == 7


async def test_what_it_says_of_changes_is_told_once_also_after_its_log_was_begun_again(tmp_path: Path) -> None:
    log, told = tmp_path / "worker-1.log", asyncio.Queue[str]()
    async with asyncio.TaskGroup() as group:
        showing = group.create_task(tell_reloads(log, told.put_nowait))
        log.write_text("a line\nreload: one changed\nreload: tw")
        assert await told.get() == "reload: one changed"
        with log.open("a") as file:
            file.write("o changed\nanother line of some length\n")
        assert await told.get() == "reload: two changed"
        log.write_text("reload: three changed\n")
        assert await told.get() == "reload: three changed"
        showing.cancel()
    assert told.empty()
