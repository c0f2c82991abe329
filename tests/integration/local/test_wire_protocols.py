"""Two adapters against a real server: llama.cpp's own speaks both Chat Completions and Anthropic's Messages.

Not the content is asserted but that both sides understand one another: the loopback provider is ours, this one is not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sostenuto.activities.adapters.providers.anthropic.adapter import AnthropicAdapter
from sostenuto.activities.adapters.providers.compatible.adapter import CompatibleAdapter
from sostenuto.activities.model_adapter import Delta, ModelAdapter, ModelRequest
from sostenuto.contracts.errors import ContextOverflow
from sostenuto.contracts.message import Message, Role, ToolCallPart, ToolResultPart
from sostenuto.contracts.model import Model, OutputSchema
from sostenuto.contracts.tool import ToolDefinition
from sostenuto.contracts.wire.model_call import StopReason
from sostenuto.workers.stack.llama_server import LlamaServer

pytestmark = pytest.mark.local_model

MODEL = Model("real/smollm2", max_output_tokens=30, options={"temperature": 0})
ASK = (Message.user("What is the capital of France?"),)
LOOK_UP = ToolDefinition(name="look_up", description="Looks up.", parameters={"type": "object", "properties": {}})


@pytest.fixture(params=["anthropic", "compatible"])
async def adapter(request: pytest.FixtureRequest, llama: LlamaServer) -> AsyncIterator[ModelAdapter]:
    adapter: ModelAdapter
    if request.param == "anthropic":
        adapter = AnthropicAdapter(api_key="none", base_url=llama.address)
    else:
        adapter = CompatibleAdapter(provider="compatible", base_url=f"{llama.address}/v1")
    yield adapter
    await adapter.close()


async def test_an_answer_is_streamed_and_counted(adapter: ModelAdapter) -> None:
    deltas: list[Delta] = []
    asked = ModelRequest(model=MODEL, instructions="Answer the question.", messages=ASK)
    completion = await adapter.complete(asked, deltas.append)
    assert "Paris" in completion.message.text
    assert "".join(delta.text for delta in deltas) == completion.message.text
    assert completion.stop is StopReason.END
    assert completion.usage.input_tokens >= 15
    assert completion.usage.output_tokens >= 5
    assert completion.request_id


async def test_an_answer_that_is_cut_off_says_so(adapter: ModelAdapter) -> None:
    short = MODEL.model_copy(update={"max_output_tokens": 3})
    completion = await adapter.complete(ModelRequest(model=short, instructions="Answer the question.", messages=ASK))
    assert completion.stop is StopReason.LENGTH


async def test_tools_their_calls_and_their_results_are_taken(adapter: ModelAdapter) -> None:
    calls = (ToolCallPart(id="call_1_0", name="look_up"), ToolCallPart(id="call_1_1", name="look_up", malformed="{"))
    results = (
        ToolResultPart(call_id="call_1_0", name="look_up", content="Paris"),
        ToolResultPart(call_id="call_1_1", name="look_up", content="no JSON", is_error=True),
    )
    transcript = (
        *ASK,
        Message(role=Role.ASSISTANT, parts=calls),
        Message(role=Role.TOOL, parts=results),
    )
    asked = ModelRequest(model=MODEL, instructions="Answer.", messages=transcript, tools=(LOOK_UP,))
    assert (await adapter.complete(asked)).message.text


async def test_a_prompt_that_is_too_long_is_an_overflow(adapter: ModelAdapter) -> None:
    with pytest.raises(ContextOverflow, match="exceeds the available context"):
        await adapter.complete(ModelRequest(model=MODEL, instructions="", messages=(Message.user("word " * 20_000),)))


@pytest.mark.parametrize(
    "property_",
    [
        {"type": "string", "minLength": 3_000},
        {"type": "array", "items": {"type": "string"}, "minItems": 2_500},
        {"type": "string", "pattern": "^[a-z]{3000}$"},
        {"type": "integer", "maximum": 10**20},
    ],
)
async def test_what_no_grammar_can_repeat_or_count_is_not_asked_of_one(
    llama: LlamaServer, property_: dict[str, Any]
) -> None:
    schema = {"type": "object", "properties": {"x": property_}, "required": ["x"]}
    adapter = CompatibleAdapter(provider="llama_cpp", base_url=f"{llama.address}/v1")
    asked = ModelRequest(
        model=Model("llama_cpp/smollm2", max_output_tokens=5),
        instructions="Answer.",
        messages=ASK,
        output=OutputSchema(name="Answer", json_schema=schema),
    )
    try:
        assert (await adapter.complete(asked)).usage.output_tokens
    finally:
        await adapter.close()
