"""One process per server and worker: shared, cut off, restarted, and ended with the worker."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from sostenuto import Effect, ImagePart
from sostenuto.contracts import names
from sostenuto.contracts.limits import MAX_TOOL_OUTPUT_BYTES
from sostenuto.contracts.mcp import McpServer
from sostenuto.contracts.message import ToolResultPart
from sostenuto.workers.mcp import mcp_sessions
from tests.integration.mcp.calls import Caller, invocation
from tests.integration.mcp.conftest import FAKE, SECRET, Journal, Open, fake_server
from tests.integration.stack.processes import alive, eventually, of_directory

Fake = Callable[..., McpServer]


@pytest.fixture
async def caller(fake: Fake, open_sessions: Open) -> Caller:
    return Caller(await open_sessions({"fake": fake()}))


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    """One server for the tests that leave it as it was."""
    async with mcp_sessions({"fake": fake_server(tmp_path_factory.mktemp("shared") / "journal")}) as sessions:
        yield Caller(sessions)


async def test_a_hundred_calls_spawn_one_process(caller: Caller, tmp_path: Path) -> None:
    """The first of them too, which come before there is one, and the catalogue."""
    catalogue = asyncio.create_task(caller.catalogue())
    answers = await asyncio.gather(*(caller.call("pid") for _ in range(50)))
    assert (await catalogue).tools
    answers += [await caller.call("pid") for _ in range(50)]
    assert len({answer.content for answer in answers}) == 1
    assert len(of_directory(tmp_path)) == 1


async def test_the_catalogue_says_what_a_repeat_does(fake: Fake, open_sessions: Open) -> None:
    server = fake(prefix="f_", effects={"echo": "idempotent"}, seconds=33)
    caller = Caller(await open_sessions({"fake": server}))
    found = await caller.catalogue()
    tools = {tool.tool: tool for tool in found.tools}
    assert {name: tools[name].effect.value for name in ("echo", "pid", "fail", "key", "crash_once")} == {
        "echo": "idempotent",
        "pid": "read",
        "fail": "idempotent",
        "key": "once",
        "crash_once": "once",
    }
    assert [tool.tool for tool in found.tools if tool.approval] == ["key"]
    assert all(tool.name == f"f_{tool.tool}" and tool.server == "fake" for tool in found.tools)
    assert tools["echo"].timeout == server.timeout
    assert tools["echo"].parameters["required"] == ["text"]
    assert tools["echo"].description == "Say it again."
    assert found == await caller.catalogue()
    await caller.call("learn", name="parrot")
    later = await caller.catalogue()
    assert {tool.tool for tool in later.tools} == {*tools, "parrot"}
    assert later.digest != found.digest


async def test_results_come_whole(shared: Caller) -> None:
    assert (await shared.call("echo", text="héllo\n\x00")).content == "héllo\n\x00"
    assert "degrees" in (await shared.call("weather", city="Rome")).content
    everything = await shared.call("everything")
    assert everything.content.splitlines() == [
        "words",
        "(a recording of type audio/wav, 6 bytes, which models cannot be shown)",
        "[readme](file:///readme.md) (text/markdown)",
        "file:///a.txt:",
        "text of a",
        "file:///b.pdf:",
    ]
    assert [(part.media_type, part.kind) for part in everything.attachments] == [
        ("image/png", "image"),
        ("application/pdf", "file"),
    ]
    cached = shared.cache.part(shared.environment().info.workflow_run_id or "", "call-1")
    assert isinstance(cached, ToolResultPart)
    assert cached.content == everything.content
    assert isinstance(cached.attachments[0], ImagePart)


async def test_progress_and_the_idempotency_key_go_through(shared: Caller) -> None:
    assert (await shared.call("steps", count=2)).content == "done"
    info = shared.environment().info
    first = await shared.call("key", effect=Effect.IDEMPOTENT)
    second = await shared.call("key", effect=Effect.IDEMPOTENT, attempt=2)
    assert first.content == second.content == f"{info.workflow_id}:reply-1:call-1"


async def test_what_the_server_refuses_is_for_the_model(shared: Caller) -> None:
    said = await shared.failure("fail", reason="rain")
    assert said.message == "Error executing tool fail: no luck: rain [redacted]"
    assert said.non_retryable
    assert "Unknown tool: nope" in (await shared.failure("nope")).message
    missing = await shared.failure("echo")
    assert "Field required" in missing.message
    assert missing.non_retryable


async def test_a_result_too_large_for_the_history_is_refused(shared: Caller) -> None:
    said = await shared.failure("large", size=MAX_TOOL_OUTPUT_BYTES)
    assert "ask for less" in said.message
    assert said.non_retryable


async def test_an_answer_that_is_too_large_is_not_taken_in(
    fake: Fake, open_sessions: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sostenuto.activities.adapters.mcp.process._LONGEST_LINE_BYTES", 100_000)
    caller = Caller(await open_sessions({"fake": fake()}))
    await caller.ready()
    said = await caller.failure("large", size=1_000_000)
    assert "it sent a message of more than 100,000 bytes" in said.message
    assert (await caller.call("echo", text="still here", attempt=2)).content == "still here"


async def test_a_hung_call_is_cut_off_and_others_go_on(fake: Fake, open_sessions: Open, journal: Journal) -> None:
    caller = Caller(await open_sessions({"fake": fake(seconds=5)}))
    before = await caller.ready()
    started = asyncio.get_running_loop().time()
    hanging = asyncio.create_task(caller.failure("hang", effect=Effect.ONCE))
    await eventually(lambda: bool(journal.lines("began")))
    assert (await caller.call("echo", text="meanwhile")).content == "meanwhile"
    said = await hanging
    assert ({"progress": 0.5, "message": "half way, and no further"},) in caller.heartbeats
    assert asyncio.get_running_loop().time() - started >= 5
    assert "did not answer within 5 s and was told to stop. Whether it took effect is unknown." in said.message
    assert said.non_retryable
    await eventually(lambda: bool(journal.lines("cancelled")))
    assert await caller.ready() == before


async def test_a_server_that_answers_not_even_a_ping_is_replaced(
    fake: Fake, open_sessions: Open, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Caller(await open_sessions({"fake": fake(seconds=5)}))
    frozen = await caller.ready()
    # Not before nor after: one that is slow to start would be taken for frozen.
    with monkeypatch.context() as impatient:
        impatient.setattr("sostenuto.activities.adapters.mcp.session._PING_SECONDS", 0.3)
        impatient.setattr("sostenuto.activities.adapters.mcp.process._PATIENCE_SECONDS", 0.3)
        first = asyncio.create_task(caller.failure("freeze"))
        await eventually(lambda: bool(journal.lines("began")))
        # More than the pipe holds, to a server that no longer reads.
        second = await caller.failure("echo", text="x" * 1_000_000)
        for said in (await first, second):
            assert "did not answer within 5 s" in said.message
        await eventually(lambda: not alive(frozen))
    assert await caller.ready() != frozen


async def test_a_server_that_died_is_started_again(caller: Caller, journal: Journal) -> None:
    """In a call, and between two."""
    said = await caller.failure("crash")
    died = journal.lines("began")[0]["pid"]
    assert "it ended during the call: exit status 3: out of luck, key [redacted]" in said.message
    assert not said.non_retryable
    second = int((await caller.call("pid", attempt=2)).content)
    assert second != died
    os.kill(second, signal.SIGKILL)
    await eventually(lambda: not alive(second))
    assert int((await caller.repeated("pid")).content) not in (died, second)
    # What brings the server down every time is the model's to know at last.
    assert (await caller.failure("crash", attempt=4)).non_retryable


async def test_a_once_call_that_was_interrupted_is_never_repeated(caller: Caller, journal: Journal) -> None:
    said = await caller.failure("crash_once", effect=Effect.ONCE)
    assert "Whether it took effect is unknown" in said.message
    assert said.non_retryable
    again = await caller.failure("crash_once", effect=Effect.ONCE, attempt=2)
    assert again.non_retryable
    assert len(journal.lines("began")) == 1


async def test_once_on_the_worker_overrules_the_run(fake: Fake, open_sessions: Open, journal: Journal) -> None:
    caller = Caller(await open_sessions({"fake": fake(effects={"crash": "once"})}))
    assert (await caller.failure("crash", effect=Effect.READ, attempt=2)).non_retryable
    assert journal.lines("began") == []


async def test_a_cancelled_call_is_cancelled_at_the_server(caller: Caller, journal: Journal) -> None:
    environment = caller.environment()
    call = asyncio.ensure_future(environment.run(caller.activities.call, invocation("hang", {})))
    await eventually(lambda: bool(journal.lines("began")))
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await eventually(lambda: bool(journal.lines("cancelled")))
    assert (await caller.call("echo", text="still here")).content == "still here"


async def test_the_call_that_opens_the_session_can_be_cancelled_alone(caller: Caller, tmp_path: Path) -> None:
    environment = caller.environment()
    first = asyncio.ensure_future(environment.run(caller.activities.call, invocation("pid", {})))
    await eventually(lambda: bool(of_directory(tmp_path)))
    second = asyncio.ensure_future(caller.call("pid"))
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await second).content
    assert len(of_directory(tmp_path)) == 1


@pytest.mark.parametrize(
    ("server", "message", "retryable"),
    [
        (McpServer(command="no-such-program"), "command 'no-such-program' cannot be started (No such file", False),
        (McpServer(command=sys.executable, cwd="/no/such/place"), "cwd '/no/such/place' is not a directory", False),
        (
            McpServer(
                command=sys.executable,
                args=["-c", "import os, sys; sys.exit('no key ' + os.environ['KEY'])"],
                env={"KEY": SECRET},
            ),
            "it ended while starting: exit status 1: no key [redacted]",
            True,
        ),
    ],
)
async def test_a_server_that_does_not_start_says_why(
    open_sessions: Open, server: McpServer, message: str, retryable: bool
) -> None:
    caller = Caller(await open_sessions({"fake": server}))
    with pytest.raises(Exception, match="MCP server 'fake'") as caught:
        await caller.catalogue()
    assert message in str(caught.value)
    assert getattr(caught.value, "non_retryable", None) is not retryable
    said = await caller.failure("echo", text="x")
    assert said.message.startswith("echo was not run: ")
    assert said.non_retryable is not retryable


async def test_a_server_that_does_not_start_is_given_up(open_sessions: Open) -> None:
    """A command that ends four times has a mistake: the run is not kept waiting for it."""
    caller = Caller(
        await open_sessions({"fake": McpServer(command=sys.executable, args=["-c", "raise SystemExit(3)"])})
    )
    for attempt, given_up in ((3, False), (4, True)):
        with pytest.raises(ApplicationError, match="it ended while starting: exit status 3") as caught:
            await caller.catalogue(attempt=attempt)
        assert caught.value.non_retryable is given_up


async def test_a_server_that_never_gets_ready(
    tmp_path: Path, open_sessions: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sostenuto.activities.adapters.mcp.process._PATIENCE_SECONDS", 0.2)
    sleeper = ["-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]
    server = McpServer(command=sys.executable, args=[*sleeper, str(tmp_path)], timeout=timedelta(seconds=0.5))
    async with mcp_sessions({"fake": server}) as sessions:
        said = await Caller(sessions).failure("echo", text="x")
        assert "was not ready within 0.5 s" in said.message
        assert not said.non_retryable
        assert len(of_directory(tmp_path)) == 1
    await eventually(lambda: of_directory(tmp_path) == [])


async def test_a_server_that_is_not_given_the_time_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for its end gives up while it is still asked nicely: it is killed all the same."""
    monkeypatch.setattr("sostenuto.activities.adapters.mcp.connection._CLOSING_SECONDS", 0.8)
    sleeper = ["-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]
    server = McpServer(command=sys.executable, args=[*sleeper, str(tmp_path)], timeout=timedelta(seconds=1))
    async with mcp_sessions({"fake": server}) as sessions:
        await Caller(sessions).failure("echo", text="x")
        assert len(of_directory(tmp_path)) == 1
    await eventually(lambda: of_directory(tmp_path) == [])


async def test_a_server_that_the_worker_lacks(shared: Caller) -> None:
    said = await shared.failure("echo", server="other")
    assert "no MCP server named 'other' (it has: fake): pass App(mcp={'other': McpServer(…)})" in said.message
    assert (said.type, said.non_retryable) == (names.NOT_SERVED, True)


async def test_closing_leaves_no_process(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a stubborn one: it stands still when its input closes and when it is asked to end."""
    monkeypatch.setattr("sostenuto.activities.adapters.mcp.process._PATIENCE_SECONDS", 0.3)
    async with mcp_sessions({"fake": fake(), "frozen": fake(seconds=5)}) as sessions:
        caller = Caller(sessions)
        await asyncio.gather(caller.ready(), caller.ready("frozen"))
        await caller.failure("freeze", server="frozen")
        assert len(of_directory(tmp_path)) == 2
    await eventually(lambda: of_directory(tmp_path) == [])


async def test_what_a_server_started_ends_with_it(fake: Fake, tmp_path: Path) -> None:
    """As `npx` does: the command starts the server and waits for it."""
    plain = fake()
    wrapper = f"import subprocess, sys; sys.exit(subprocess.call([{sys.executable!r}, *{list(plain.args)!r}]))"
    server = McpServer(command=sys.executable, args=["-c", wrapper])
    async with mcp_sessions({"fake": server}) as sessions:
        assert (await Caller(sessions).call("pid")).content
        assert len(of_directory(tmp_path)) == 2
    await eventually(lambda: of_directory(tmp_path) == [])


WORKER = """
import asyncio, sys
from sostenuto.activities.mcp_session import McpCall
from sostenuto.contracts.mcp import McpServer
from sostenuto.workers.mcp import mcp_sessions

async def main():
    async with mcp_sessions({"fake": McpServer(command=sys.executable, args=sys.argv[1:])}) as sessions:
        await sessions["fake"].call_tool(McpCall("freeze", {}, ""))

asyncio.run(main())
"""


async def test_a_killed_worker_leaves_no_process(tmp_path: Path, journal: Journal) -> None:
    """Not even one that never looks whether its input has closed."""
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, str(FAKE), "stdio", str(journal.file))
    await eventually(lambda: bool(journal.lines("began")))
    worker.kill()
    await worker.wait()
    await eventually(lambda: of_directory(tmp_path) == [])


async def test_noise_and_a_bare_environment_harm_nothing(
    fake: Fake, open_sessions: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers print what they should not; a message may be large; and no variable of the worker's reaches a server."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "not-for-servers")
    args: list[Any] = list(fake().args)
    run = f"import sys, runpy; sys.argv = {args!r}; runpy.run_path({args[0]!r}, run_name='__main__')"
    noisy = ["-c", f"print('starting up...', flush=True); {run}"]
    server = McpServer(command=sys.executable, args=noisy, env={"GIVEN": "yes"})
    caller = Caller(await open_sessions({"fake": server}))
    assert len((await caller.call("large", size=1_000_000)).content) == 1_000_000
    assert (await caller.call("environment", name="GIVEN")).content == "yes"
    assert (await caller.call("environment", name="ANTHROPIC_API_KEY")).content == "unset"
