"""Servers over HTTP, of the protocol with sessions and of the one without: restarted, refusing, hanging, redacted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from sostenuto import Effect
from sostenuto.activities.adapters import bounded_http
from sostenuto.contracts.mcp import McpServer
from tests.integration.mcp.calls import Caller, invocation
from tests.integration.mcp.conftest import SECRET, HttpServer, Journal, Open
from tests.integration.stack.processes import eventually
from tests.patience import PATIENCE_SECONDS


async def caller_of(url: str, open_sessions: Open, *, seconds: float = PATIENCE_SECONDS) -> Caller:
    server = McpServer(url=url, headers={"Authorization": f"Bearer {SECRET}"}, timeout=timedelta(seconds=seconds))
    return Caller(await open_sessions({"fake": server}))


async def test_calls_share_a_session_that_outlives_the_server(
    http_server: HttpServer, open_sessions: Open, journal: Journal
) -> None:
    caller = await caller_of(http_server.url, open_sessions)
    assert {tool.tool for tool in (await caller.catalogue()).tools} > {"echo", "pid"}
    assert (await caller.call("header", name="authorization")).content == f"Bearer {SECRET}"
    answers = await asyncio.gather(*(caller.call("pid") for _ in range(20)))
    assert len({answer.content for answer in answers}) == 1
    await interrupt(caller, http_server, journal)
    down = await caller.failure("pid")
    assert "pid was not run: MCP server 'fake' (http://127.0.0.1" in down.message
    assert "no connection" in down.message
    assert not down.non_retryable
    assert (await caller.failure("key", effect=Effect.ONCE)).non_retryable
    await http_server.start()
    # The restarted server knows no session: whoever calls, and be it a `once` tool, gets a new one.
    both = await asyncio.gather(caller.call("pid"), caller.call("key", effect=Effect.ONCE))
    assert both[0].content != answers[0].content


async def interrupt(caller: Caller, server: HttpServer, journal: Journal) -> None:
    """Stop the server in the middle of two calls, of which one may be repeated."""
    repeatable = asyncio.create_task(caller.failure("hang"))
    once = asyncio.create_task(caller.failure("hang", effect=Effect.ONCE))
    await eventually(lambda: len(journal.lines("began")) == 2)
    await server.stop()
    assert not (await repeatable).non_retryable
    assert "Whether it took effect is unknown" in (await once).message
    assert (await once).non_retryable


async def test_a_hung_call_is_cut_off_and_a_cancelled_one_is_told(
    http_server: HttpServer, open_sessions: Open, journal: Journal
) -> None:
    caller = await caller_of(http_server.url, open_sessions, seconds=5)
    await caller.ready()
    hanging = asyncio.create_task(caller.failure("hang"))
    await eventually(lambda: bool(journal.lines("began")))
    assert (await caller.call("echo", text="meanwhile")).content == "meanwhile"
    assert "did not answer within 5 s" in (await hanging).message
    await eventually(lambda: len(journal.lines("cancelled")) == 1)
    environment = caller.environment()
    call = asyncio.ensure_future(environment.run(caller.activities.call, invocation("hang", {})))
    await eventually(lambda: len(journal.lines("began")) == 2)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await eventually(lambda: len(journal.lines("cancelled")) == 2)
    assert (await caller.call("echo", text="still here")).content == "still here"


class Answer:
    """A server that gives every request one answer."""

    def __init__(self, status: str) -> None:
        self.status = status

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = f"who are you, {SECRET}?"
        writer.write(
            f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()


@pytest.mark.parametrize(
    ("status", "message", "retryable"),
    [
        ("401 Unauthorized", "it refuses us: HTTP status 401 Unauthorized: check url= and headers=", False),
        ("404 Not Found", "it refuses us: HTTP status 404 Not Found: check url= and headers=", False),
        ("503 Service Unavailable", "HTTP status 503 Service Unavailable", True),
        ("500 Internal Server Error", "HTTP status 500 Internal Server Error", True),
    ],
)
async def test_a_refusal_says_where_and_why(open_sessions: Open, status: str, message: str, retryable: bool) -> None:
    server = await asyncio.start_server(Answer(status), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        caller = await caller_of(f"http://me:{SECRET}@127.0.0.1:{port}/mcp?key={SECRET}", open_sessions)
        with pytest.raises(ApplicationError) as caught:
            await caller.catalogue()
    assert caught.value.message == f"MCP server 'fake' (http://127.0.0.1:{port}/mcp): {message}"
    assert caught.value.non_retryable is not retryable


async def test_an_answer_that_is_too_large_is_not_taken_in(
    http_server: HttpServer, open_sessions: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await caller_of(http_server.url, open_sessions)
    await caller.ready()
    monkeypatch.setattr(bounded_http, "MAX_RESPONSE_BYTES", 100_000)
    said = await caller.failure("large", size=1_000_000, effect=Effect.READ)
    assert "the response has more than 100,000 bytes" in said.message
    assert said.non_retryable
    told = await caller.call("large", size=1_000_000, effect=Effect.ONCE)
    assert told.content.startswith("large has run: do not call it again for the same.")
    assert "the response has more than 100,000 bytes" in told.content
    assert (await caller.call("echo", text="still here")).content == "still here"
