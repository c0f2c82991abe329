"""Servers that keep to no schema: what they did counts, and the first cause is told, not what came after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from sostenuto import Effect
from tests.integration.mcp.calls import Caller
from tests.integration.mcp.conftest import Open, RawServer

OBJECT = {"type": "object", "properties": {}}
INVOICE = {"name": "create_invoice", "inputSchema": OBJECT, "outputSchema": {**OBJECT, "required": ["number"]}}

Raw = Callable[..., Awaitable[Caller]]


@pytest.fixture
def raw(raw_server: RawServer, open_sessions: Open) -> Raw:
    """Opens a session with a server that says these things."""

    async def opened(**says: Any) -> Caller:
        return Caller(await open_sessions({"fake": raw_server(**says)}))

    return opened


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": words}], **more}


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (text("invoice 7 made"), "invoice 7 made"),
        (text("invoice 7 made", structuredContent={"other": 1}), 'invoice 7 made\n{"other": 1}'),
        ({"content": [], "structuredContent": {"number": 7}}, '{"number": 7}'),
    ],
    ids=["text only", "another form", "no text"],
)
async def test_what_the_server_said_is_the_result_whatever_its_schema_says(
    raw: Raw, tmp_path: Path, result: dict[str, Any], told: str
) -> None:
    caller = await raw(tools_list={"tools": [INVOICE]}, tools_call=result)
    output = await caller.call("create_invoice", effect=Effect.ONCE)
    assert output.content == told
    asked = (tmp_path / "journal").read_text().splitlines()
    assert asked.count("tools/call") == 1
    assert asked[-1] == "tools/call"


@pytest.mark.parametrize("result", [{"content": "text"}, {"content": [{"type": "hologram"}]}, {"nonsense": 1}])
async def test_a_result_that_is_none_says_that_the_tool_has_run(raw: Raw, result: dict[str, Any]) -> None:
    caller = await raw(tools_list={"tools": [INVOICE]}, tools_call=result)
    try:
        output = await caller.call("create_invoice", effect=Effect.ONCE)
    except ApplicationError as error:  # pragma: no cover - told as the fault that it is
        pytest.fail(f"it was told as a failure: {error}")
    assert "nonsense" in result or "create_invoice has run: do not call it again" in output.content


@pytest.mark.parametrize(
    ("says", "cause", "retryable"),
    [
        ({"tools_list": {"tools": None}}, r"its list of tools is not what the protocol says \(tools: ", False),
        ({"tools_list": {"error": {"code": -32000, "message": "database is locked"}}}, "database is locked", True),
    ],
    ids=["no list", "locked"],
)
async def test_the_cause_of_a_failed_start_is_told(raw: Raw, says: dict[str, Any], cause: str, retryable: bool) -> None:
    caller = await raw(**says)
    with pytest.raises(ApplicationError, match=cause) as caught:
        await caller.catalogue()
    assert "exit status" not in caught.value.message
    assert caught.value.non_retryable is not retryable
