"""What a model writes by a schema that was fitted to it reaches us in the form of the original, by every protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sostenuto.activities.adapters.providers.scripted import ScriptedCall
from sostenuto.contracts.message import Message
from sostenuto.contracts.model import OutputSchema
from sostenuto.contracts.tool import ToolDefinition
from tests.conformance.subject import OVER_THE_WIRE, on_the_wire, request
from tests.fakes.wire.streams import WireStep

ODATA: dict[str, Any] = {
    "type": "object",
    "properties": {"$top": {"type": "integer"}, "filter[id]": {"type": "string"}},
    "required": ["$top"],
}
OWN = {"$top": 3, "filter[id]": "a"}
SENT = {"top": 3, "filter_id": "a"}
QUERY = ToolDefinition(name="query", description="Asks.", parameters=ODATA)


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_a_call_comes_back_and_goes_out_again(protocol: str) -> None:
    steps = (WireStep(tool_calls=(ScriptedCall(name="query", arguments=SENT),)), WireStep(text="So."))
    async with on_the_wire(protocol, *steps) as (adapter, server):
        called = (await adapter.complete(request(protocol, tools=(QUERY,)))).message
        assert called.tool_calls[0].arguments == OWN
        await adapter.complete(request(protocol, Message.user("Ask."), called, Message.user("Well?"), tools=(QUERY,)))
        past = json.dumps(server.requests[1].body)
        assert "filter_id" in past
        assert "filter[id]" not in past.replace("the property 'filter[id]'", "")


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_an_answer_comes_back(protocol: str) -> None:
    output = OutputSchema(name="query", json_schema=ODATA)
    async with on_the_wire(protocol, WireStep(text=json.dumps(SENT))) as (adapter, _):
        completion = await adapter.complete(request(protocol, tools=(), output=output))
        assert json.loads(completion.message.text) == OWN
