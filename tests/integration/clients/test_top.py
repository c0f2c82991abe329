"""`sostenuto top` as people use it: on a terminal, which it leaves as it was; and in pipes."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client
from sostenuto.connection.connect import connect
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from tests.dev_server import dev_server
from tests.integration.clients.busy import BUSY, EVIL, HANGING, LIMITED, PAYER, QUICK, Faulty, serving
from tests.integration.clients.shell import Shell
from tests.integration.clients.typed import CTRL_C, Typed, typed
from tests.integration.clients.waiting import eventually

SCREEN_ON, SCREEN_OFF = "\x1b[?1049h", "\x1b[?7h\x1b[?25h\x1b[?1049l"
COLOUR = "\x1b[1;31m"
ESCAPE, DOWN = "\x1b", "\x1b[B"
WIDE = (120, 30)


@pytest.fixture
async def client(temporal: TemporalClient, task_queue: str) -> AsyncIterator[Client]:
    async with serving(temporal, task_queue) as client:
        yield client


def _words(tenant: str) -> tuple[str, ...]:
    return ("top", "--tenant", tenant, "--every", "0.5")


async def _frame(person: Typed, text: str) -> list[str]:
    """The last whole screen, once it has a text."""
    return await eventually(_last(person), lambda frame: any(text in line for line in frame))


def _was_left(person: Typed) -> bool:
    return person.raw.count(SCREEN_ON) == person.raw.count(SCREEN_OFF) and person.raw.rstrip().endswith(SCREEN_OFF)


async def test_keys(client: Client, shell: Shell, task_queue: str) -> None:
    buggy = await client.start(Faulty, "7", id=f"{task_queue}-buggy", tenant=task_queue)
    busy = await client.start(BUSY, "How is 7?", id=f"{task_queue}-busy", tenant=task_queue)
    async with typed(shell, *_words(task_queue), size=WIDE) as person:
        mode = person.mode
        await person.until("STALLED")
        await person.until("KeyError: '7'")
        frame = await _frame(person, "$0.0020")
        assert len(frame) <= WIDE[1]
        assert max(map(len, frame)) <= WIDE[0]
        rows = [line for line in frame if task_queue in line]
        assert [row.split()[0] for row in rows if "-bu" in row and "queue" not in row] == ["STALLED", "runs"]
        person.write(DOWN)
        person.write("\r")
        await person.until("WAITS FOR")
        await person.until("model scripted/busy · turn 3")
        await person.until("STEPS")
        await person.until(f"▶ {busy.id}  busy: How is 7?")
        await person.until('→ look(at="7")')
        person.write(ESCAPE)
        await person.until("STATE")
        person.write("c")
        frame = await _frame(person, "1-2 of 2 by cost")
        rows = [line for line in frame if line.startswith(("STALLED", "runs"))]
        assert [busy.id in row for row in rows] == [True, False]
        assert buggy.id in rows[1]
        person.write("?")
        await person.until("order by time")
        person.write("?")
        await person.until("STATE")
        person.write("q")
        assert await person.ended() == 0
        assert _was_left(person)
        assert person.mode == mode


async def test_it_follows_the_size_of_the_terminal(client: Client, shell: Shell, task_queue: str) -> None:
    await client.start(LIMITED, "Hi.", id=f"{task_queue}-limited", tenant=task_queue)
    async with typed(shell, *_words(task_queue), size=WIDE) as person:
        await person.until("RETRIED 1x")
        await person.until("c cost   ? help")
        for size in ((80, 24), (40, 12), (100, 40)):
            person.resize(*size)
            # The line at the foot is the last one of the new size.
            frame = await eventually(_last(person), partial(_has_lines, size[1]))
            assert max(map(len, frame)) <= size[0]
            assert any(line.startswith("RETRIED 1x") for line in frame)
        person.write("q")
        assert await person.ended() == 0


def _has_lines(lines: int, frame: list[str]) -> bool:
    return len(frame) == lines and frame[-1].endswith("quit")


def _last(person: Typed) -> Callable[[], Awaitable[list[str]]]:
    async def last() -> list[str]:
        # The one after it shows that it is whole.
        shown = person.frames
        return shown[-2] if len(shown) > 1 else []

    return last


@pytest.mark.parametrize(("how", "status"), [("keys", 0), ("SIGTERM", 143), ("SIGHUP", 129)])
async def test_whatever_ends_it_leaves_the_terminal_as_it_was(shell: Shell, how: str, status: int) -> None:
    async with typed(shell, *_words("nobody"), size=WIDE) as person:
        mode = person.mode
        await person.until("nothing is under way")
        if how == "keys":
            person.write(CTRL_C)
        else:
            person.process.send_signal(signal.Signals[how])
        assert await person.ended() == status
        assert _was_left(person)
        assert person.mode == mode


async def test_a_shell_can_stop_it_for_a_while(shell: Shell) -> None:
    async with typed(shell, *_words("nobody"), size=WIDE) as person:
        mode = person.mode
        await person.until("nothing is under way")
        person.write("\x1a")
        await person.until_sent(SCREEN_OFF)
        await eventually(_state_of(person.process.pid), lambda state: state == "T")
        assert person.mode == mode
        person.process.send_signal(signal.SIGCONT)
        await person.until("nothing is under way")
        assert person.raw.count(SCREEN_ON) == 2
        person.write("q")
        assert await person.ended() == 0
        assert person.mode == mode


def _state_of(pid: int) -> Callable[[], Awaitable[str]]:
    async def state() -> str:
        told = await asyncio.to_thread(Path(f"/proc/{pid}/stat").read_text)
        return told.rpartition(")")[2].split()[0]

    return state


async def test_names_and_reasons_are_shown_and_not_obeyed(client: Client, shell: Shell, task_queue: str) -> None:
    tenant = f"{EVIL}{task_queue}"
    await client.start(PAYER, f"Hi {EVIL}.", tenant=tenant)
    async with typed(shell, *_words(tenant), size=WIDE) as person:
        await person.until("payments refused �]0;owned��goods")
        person.write("\r")
        await person.until("▶ payer-")
        await person.until("Hi �]0;owned��goods.")
        person.write("q")
        assert await person.ended() == 0
        assert not {"\x1b]", "\x07", "\u202e"} & {*person.raw, *(person.raw[n : n + 2] for n in range(len(person.raw)))}


async def test_without_colours(client: Client, shell: Shell, task_queue: str) -> None:
    await client.start(Faulty, "7", tenant=task_queue)
    async with typed(shell, *_words(task_queue), size=WIDE) as person:
        await person.until_sent(COLOUR)
        person.write("q")
        assert await person.ended() == 0
    shell.set("NO_COLOR", "1")
    async with typed(shell, *_words(task_queue), size=WIDE) as person:
        await person.until("STALLED")
        person.write("q")
        assert await person.ended() == 0
        assert COLOUR not in person.raw
        assert "31m" not in person.raw


async def test_a_pipe_gets_one_frame(client: Client, shell: Shell, task_queue: str) -> None:
    nobody = f"nobody-{task_queue}"
    run = await client.start(HANGING, "Hi.", tenant=task_queue, task_queue=nobody)
    await (await client.start(QUICK, "Hi.", tenant=task_queue)).result()
    await eventually(lambda: client.overview(tenant=task_queue), lambda seen: seen.troubled == 1)
    for words in (("top", "--tenant", task_queue), ("top", "--tenant", task_queue, "--once")):
        ended = await shell.run(*words)
        assert (ended.status, ended.err) == (0, "")
        assert "\x1b" not in ended.out
        lines = ended.out.splitlines()
        assert lines[0].startswith("sostenuto top  default at ")
        assert lines[1] == "1 IN TROUBLE: 1 no worker   1 running   nothing spent"
        assert lines[2].startswith("last 15 min: 1 completed   0.1/min")
        assert lines[3].startswith(f"queue {nobody[:39]}")
        assert lines[6].startswith(f"NO WORKER     {run.id}")
        assert lines[7].startswith(f"  ╰ no worker serves '{nobody}'")
    told = json.loads((await shell.run("top", "--tenant", task_queue, "--once", "--json")).out)
    assert (told["troubled"], told["running"], told["unseen"]) == (1, 1, 0)
    assert [row["id"] for row in told["runs"]] == [run.id]
    assert told["runs"][0]["troubles"][0]["kind"] == "unserved"


async def test_a_server_that_is_away_for_a_while(shell: Shell, tmp_path: Path) -> None:
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, tmp_path / "state", port=0, ui_port=None)
        shell.set("TEMPORAL_ADDRESS", server.address)
        async with typed(shell, "top", "--every", "0.5", size=WIDE) as person:
            run = await Client(await connect(server.address), task_queue="nobody").start(HANGING, "Hi.")
            await person.until(f"NO WORKER     {run.id}")
            person.write("\r")
            await person.until(f"▶ {run.id}")
            server.process.signal(signal.SIGKILL)
            await server.wait()
            await person.until("AWAY, as it was")
            person.write(ESCAPE)
            await person.until("AWAY, as it was")
            await person.until("the Temporal server does not answer")
            # What was seen before stays.
            await person.until(f"NO WORKER     {run.id}")
            await TemporalServer.start(group, tmp_path / "state", port=server.port, ui_port=None)
            frame = await eventually(_last(person), lambda frame: not any("AWAY" in line for line in frame))
            assert any(run.id in line for line in frame)
            person.write("q")
            assert await person.ended() == 0
            assert _was_left(person)
            assert "trying again in" not in person.shown


async def test_a_server_that_cannot_tell_is_no_screen(shell: Shell) -> None:
    async with await dev_server(knows_attributes=False) as environment:
        shell.set("TEMPORAL_ADDRESS", environment.client.service_client.config.target_host)
        async with typed(shell, "top", size=WIDE) as person:
            await person.until("register them by `sostenuto search-attributes`")
            assert await person.ended() == 1
            assert person.raw.count(SCREEN_ON) == person.raw.count(SCREEN_OFF) == 1


async def test_without_a_server_it_says_so(shell: Shell) -> None:
    shell.set("TEMPORAL_ADDRESS", "127.0.0.1:1")
    async with typed(shell, "top", size=WIDE) as person:
        await person.until("no Temporal server answers at 127.0.0.1:1")
        assert await person.ended() == 1
        assert SCREEN_ON not in person.raw
