"""One bad tool of a server never fails the agent: it is left out or repaired, which is told, and the good one works."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sostenuto import Status, ToolsFaulty
from sostenuto.contracts import names
from sostenuto.contracts.mcp import McpServer
from sostenuto.workers.worker import replayer
from tests.integration.agent.stage import Outcome, calls
from tests.integration.mcp.calls import Caller
from tests.integration.mcp.conftest import Open, Play, RawServer
from tests.integration.stack.processes import eventually

OBJECT = {"type": "object", "properties": {}}
GOOD = {"name": "good", "description": "Works.", "inputSchema": OBJECT, "annotations": {"readOnlyHint": True}}
SAYS = {"content": [{"type": "text", "text": "it works"}]}


def beside_good(*bad: Any) -> dict[str, Any]:
    """A page with a good tool behind these."""
    return {"tools": [*bad, GOOD]}


def bad(schema: Any) -> dict[str, Any]:
    return {"name": "bad", "inputSchema": schema}


def pages(**by_cursor: Any) -> dict[str, Any]:
    return {"pages": {name.removeprefix("at_"): page for name, page in by_cursor.items()}}


def offered(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """The tools that the model was given, by name, each with its schema."""
    (head,) = [call.head for call in outcome.history.model_calls if call.head]
    return {tool.name: tool.parameters for tool in head.tools}


async def told(outcome: Outcome) -> list[str]:
    """What a watcher is told of the tools."""
    events = [event async for event in outcome.run.events() if isinstance(event, ToolsFaulty)]
    return [fault.told for event in events for fault in event.faults]


REPAIRED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no schema": ({"name": "bad"}, OBJECT, "it has no inputSchema: taken to have no arguments"),
    "null": (bad(None), OBJECT, "it has no inputSchema: taken to have no arguments"),
    "empty": (bad({}), OBJECT, "its inputSchema is empty: taken to have no arguments"),
    "no type": (bad({"properties": {}}), OBJECT, "its inputSchema has no type: taken for 'object'"),
    "no items": (
        bad({"type": "object", "properties": {"a": {"anyOf": [{"type": "array"}]}}}),
        {"type": "object", "properties": {"a": {"anyOf": [{"type": "array", "items": {}}]}}},
        "items of 'a.anyOf.0' is missing: taken for anything",
    ),
    "not a number": (
        bad({**OBJECT, "default": math.nan}),
        OBJECT,
        "default of its inputSchema is not a number of JSON: left out",
    ),
    "half a character": (
        bad({"type": "object", "properties": {"a": {"description": "\ud83d"}}, "required": [1]}),
        {"type": "object", "properties": {"a": {"description": "\ufffd"}}},
        "required of its inputSchema has what is not one of its properties: left out",
    ),
}


@pytest.mark.parametrize("case", REPAIRED)
async def test_a_tool_is_repaired(play: Play, raw_server: RawServer, case: str) -> None:
    entry, schema, why = REPAIRED[case]
    server = raw_server(tools_list=beside_good(entry), tools_call=SAYS)
    done = await play(server, [calls(("good", {}), ("bad", {})), {"text": "Done."}], "mcp:fake")
    assert done.result.status is Status.COMPLETED
    assert done.tool_results == [("it works", False)] * 2
    assert offered(done) == {"bad": schema, "good": OBJECT}
    assert await told(done) == [f"tool 'bad' repaired: {why}"]


DEEP: dict[str, Any] = {"type": "object"}
for _ in range(300):
    DEEP = {"type": "object", "properties": {"a": DEEP}}

LEFT_OUT: dict[str, tuple[Any, str]] = {
    "null": (None, "left out of its list: entry 1, which is null, not a tool"),
    "no name": ({"inputSchema": OBJECT}, "left out of its list: entry 1, whose name is null, not a text"),
    "control": ({**GOOD, "name": "a\x1b"}, "tool 'a\\x1b' left out: its name has characters that are not text"),
    "half a character": ({**GOOD, "name": "a\ud83d"}, "tool 'a\ufffd' left out: its name has characters that are not"),
    "twice": (GOOD, "tool 'good' left out: there is another tool of this name before it, which is kept"),
    "list": (bad([]), "tool 'bad' left out: its inputSchema is a list, not an object"),
    "string": (bad({"type": "string"}), "tool 'bad' left out: its inputSchema is of type 'string'"),
    "nowhere": (bad({**OBJECT, "allOf": [{"$ref": "#/a"}]}), "tool 'bad' left out: its inputSchema refers to '#/a'"),
    "deep": (bad(DEEP), "tool 'bad' left out: its inputSchema is nested deeper than 100 levels"),
    "large": (bad({**OBJECT, "title": "x" * 200_000}), "tool 'bad' left out: its inputSchema has 200,"),
}


@pytest.mark.parametrize("case", LEFT_OUT)
async def test_a_tool_is_left_out(play: Play, raw_server: RawServer, case: str) -> None:
    entry, why = LEFT_OUT[case]
    server = raw_server(tools_list=beside_good(entry), tools_call=SAYS)
    done = await play(server, [calls(("good", {})), {"text": "Done."}], "mcp:fake")
    assert done.result.status is Status.COMPLETED
    assert done.tool_results == [("it works", False)]
    assert offered(done) == {"good": OBJECT}
    (said,) = await told(done)
    assert said.startswith(why)
    replayed = await replayer().replay_workflow(done.history.history)
    assert replayed.replay_failure is None


BROKEN_OFF: dict[str, tuple[dict[str, Any], str]] = {
    "repeated": (pages(at_=beside_good() | {"nextCursor": "1"}, at_1={"tools": [], "nextCursor": "1"}), "left out of"),
    "same page": ({**beside_good(), "nextCursor": "1"}, "its list: page 2 has the tools of those before"),
    "empty": ({**beside_good(), "nextCursor": ""}, "its list: page 2 has the tools of those before: taken for its end"),
    "endless": ({"endless": beside_good()}, "its list: page 2 has the tools of those before"),
    "endless and empty": ({"endless": {"tools": []}}, "left out of its list: what comes after page 100: its list does"),
    "refused": (
        pages(at_=beside_good() | {"nextCursor": "1"}, at_1={"error": {"code": -32000, "message": "locked"}}),
        "left out of its list: what comes after page 1: MCP server 'fake'",
    ),
    "dead": (
        pages(at_=beside_good() | {"nextCursor": "1"}, at_1=None),
        "left out of its list: what comes after page 1",
    ),
}


@pytest.mark.parametrize("case", BROKEN_OFF)
async def test_a_list_breaks_off(play: Play, raw_server: RawServer, case: str) -> None:
    listed, why = BROKEN_OFF[case]
    has_good = case != "endless and empty"
    step = calls(("good", {})) if has_good else {"text": "no tool"}
    done = await play(raw_server(tools_list=listed, tools_call=SAYS), [step, {"text": "Done."}], "mcp:fake")
    assert done.result.status is Status.COMPLETED
    assert done.tool_results == [("it works", False)] * has_good
    (said,) = await told(done)
    assert said.startswith(why)


async def test_a_page_that_is_never_answered(raw_server: RawServer, open_sessions: Open) -> None:
    """What came before it is used, once the time is up."""
    server = raw_server(tools_list=pages(at_=beside_good() | {"nextCursor": "1"}))
    caller = Caller(await open_sessions({"fake": replace(server, timeout=timedelta(seconds=2))}))
    found = await caller.patient_catalogue()
    assert [tool.tool for tool in found.tools] == ["good"]
    (fault,) = found.faults
    assert "what comes after page 1: MCP server 'fake'" in fault.problem
    assert "did not answer within 2 s" in fault.problem


async def test_a_lost_page_is_asked_for_again_before_it_is_given_up(raw_server: RawServer, open_sessions: Open) -> None:
    server = raw_server(tools_list=pages(at_=beside_good() | {"nextCursor": "1"}, at_1=None))
    caller = Caller(await open_sessions({"fake": server}))
    assert not (await caller.failed_catalogue()).non_retryable
    found = await caller.catalogue(attempt=4)
    assert [tool.tool for tool in found.tools] == ["good"]
    assert found.faults[0].left_out


@pytest.mark.parametrize("entry", [{"name": "bad"}, bad([]), None], ids=["no schema", "list", "null"])
async def test_an_agent_that_names_another_tool(play: Play, raw_server: RawServer, entry: Any) -> None:
    server = raw_server(tools_list=beside_good(entry), tools_call=SAYS)
    done = await play(server, [calls(("good", {})), {"text": "Done."}], "mcp:fake/good")
    assert (done.result.output, done.tool_results) == ("Done.", [("it works", False)])
    assert list(offered(done)) == ["good"]


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (
            beside_good(bad([])),
            "tools: 'mcp:fake/bad': the MCP server 'fake' has a tool of this name, which was left out: "
            "its inputSchema is a list, not an object",
        ),
        (
            {**beside_good(), "nextCursor": 7},
            "tools: 'mcp:fake/bad': the MCP server 'fake' has no such tool; it has: good; "
            "left out of its list: what comes after a page whose nextCursor is a number",
        ),
    ],
    ids=["left out", "not reached"],
)
async def test_an_agent_that_names_the_bad_one(
    play: Play, raw_server: RawServer, listed: dict[str, Any], reason: str
) -> None:
    done = await play(raw_server(tools_list=listed), [{"text": "never"}], "mcp:fake/good", "mcp:fake/bad")
    assert done.failed
    assert done.result.reason == reason
    assert done.history.scheduled == [names.MCP_CATALOGUE_ACTIVITY]


async def test_a_fault_is_logged_once(
    raw_server: RawServer, open_sessions: Open, caplog: pytest.LogCaptureFixture
) -> None:
    server = raw_server(tools_list=beside_good({"name": "bad"}, None))
    caller = Caller(await open_sessions({"fake": server}))
    with caplog.at_level(logging.WARNING, logger="sostenuto.mcp"):
        assert await caller.catalogue() == await caller.catalogue()
    assert [record.message for record in caplog.records] == [
        "MCP server 'fake': left out of its list: entry 2, which is null, not a tool",
        "MCP server 'fake': tool 'bad' repaired: it has no inputSchema: taken to have no arguments",
    ]


async def test_what_a_server_says_of_a_page_tells_no_secret(raw_server: RawServer, open_sessions: Open) -> None:
    refused = {"error": {"code": 1, "message": "key sesame-open"}}
    plain = raw_server(tools_list=pages(at_=beside_good() | {"nextCursor": "1"}, at_1=refused))
    server = McpServer(command=plain.command, args=plain.args, env={"KEY": "sesame-open"})
    (fault,) = (await Caller(await open_sessions({"fake": server})).catalogue()).faults
    assert fault.problem.endswith(": key [redacted]")


@asynccontextmanager
async def over_http(raw_server: RawServer, tmp_path: Path, *options: str, **says: Any) -> AsyncIterator[McpServer]:
    """The server at an address."""
    described = raw_server(**says)
    process = await asyncio.create_subprocess_exec(sys.executable, *described.args, "http", *options)
    journal = tmp_path / "journal"

    def port() -> str:
        lines = journal.read_text().splitlines() if journal.exists() else []
        return next((line.partition(" ")[2] for line in lines if line.startswith("port ")), "")

    try:
        await eventually(lambda: bool(port()))
        yield McpServer(url=f"http://127.0.0.1:{port()}/mcp", timeout=described.timeout)
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("options", [(), ("sse",)], ids=["one answer", "events"])
async def test_over_http_it_is_the_same(
    raw_server: RawServer, open_sessions: Open, tmp_path: Path, options: tuple[str, ...]
) -> None:
    half = {"content": [{"type": "text", "text": "half \ud83d"}]}
    listed = beside_good({"name": "bad"}, None, bad(DEEP), {**GOOD, "name": "a\ud83d"})
    async with over_http(raw_server, tmp_path, *options, tools_list=listed, tools_call=half) as server:
        caller = Caller(await open_sessions({"fake": server}))
        found = await caller.catalogue()
        assert [tool.tool for tool in found.tools] == ["bad", "good"]
        assert len(found.faults) == 4
        assert (await caller.call("good")).content == "half \ufffd"
