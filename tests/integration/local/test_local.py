import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.adapters.local_model.adapter import LocalAdapter
from sostenuto.activities.model_adapter import Delta, ModelRequest
from sostenuto.contracts.errors import ContextOverflow, InvalidRequest, ProviderUnavailable, Timeout
from sostenuto.contracts.message import ImagePart, Message, Role, TextPart, ToolCallPart, ToolResultPart
from sostenuto.contracts.model import Model
from sostenuto.contracts.specs.output import output_schema
from sostenuto.contracts.wire.model_call import StopReason
from sostenuto.workers.stack.llama_server import LlamaServer
from sostenuto.workers.stack.weights import Weights
from tests.integration.local.cases import DOCS, PAGES

pytestmark = pytest.mark.local_model

QUESTION = "How does Sostenuto keep the history small?"
PAGE = f"""# How the history stays small

{"Temporal keeps every event of a workflow, which is how a run survives a crash. " * 20}

## Once only

Sostenuto keeps the history small because every message enters it only once. The worker's cache has the rest.

## Something else

{"The weather does not matter here at all. " * 200}
"""


class City(BaseModel):
    city: str
    country: str


@pytest.fixture(scope="module")
async def adapter(llama: LlamaServer, embedder: MiniLmEmbedder) -> AsyncIterator[LocalAdapter]:
    local = LocalAdapter(base_url=llama.address, embedder=embedder)
    yield local
    await local.close()


def ask(*messages: Message | str, **fields: Any) -> ModelRequest:
    given = tuple(Message.user(m) if isinstance(m, str) else m for m in messages)
    return ModelRequest(**{"model": Model("local/smollm2-135m"), "instructions": "", "messages": given, **fields})


def tool_turn(name: str, arguments: dict[str, Any], content: str) -> tuple[Message, Message]:
    call = ToolCallPart(id=f"call_{name}", name=name, arguments=arguments)
    result = ToolResultPart(call_id=call.id, name=name, content=content)
    return Message(role=Role.ASSISTANT, parts=(call,)), Message(role=Role.TOOL, parts=(result,))


async def test_finds_then_reads_then_answers_from_the_page(adapter: LocalAdapter) -> None:
    tools = tuple(tool.spec.definition for tool in DOCS)
    messages: tuple[Message, ...] = (Message.user(QUESTION),)
    found = await adapter.complete(ask(*messages, tools=tools))
    assert [call.name for call in found.message.tool_calls] == ["find_pages"]
    assert found.stop is StopReason.TOOL_CALLS
    messages += tool_turn("find_pages", found.message.tool_calls[0].arguments, PAGES)
    read = await adapter.complete(ask(*messages, tools=tools))
    assert [(c.name, c.arguments) for c in read.message.tool_calls] == [("read_page", {"path": "docs/history.md"})]
    messages += tool_turn("read_page", {"path": "docs/history.md"}, PAGE)
    answer = await adapter.complete(ask(*messages, tools=tools))
    assert answer.stop is StopReason.END
    assert "every message enters it only once" in answer.message.text
    assert answer.message.text in " ".join(PAGE.split())


async def test_a_long_result_costs_no_long_prompt(adapter: LocalAdapter) -> None:
    answer = await adapter.complete(ask(QUESTION, *tool_turn("read_page", {"path": "docs/history.md"}, PAGE * 3)))
    assert 0 < answer.usage.input_tokens < 700


async def test_the_same_prompt_gets_the_same_answer(adapter: LocalAdapter) -> None:
    first = await adapter.complete(ask("What is the capital of France?"))
    second = await adapter.complete(ask("What is the capital of France?"))
    assert first.message == second.message
    assert "Paris" in first.message.text
    assert first.usage.output_tokens == second.usage.output_tokens > 0
    assert first.model == "smollm2-135m"


async def test_deltas_add_up_to_the_answer(adapter: LocalAdapter) -> None:
    deltas: list[Delta] = []
    answer = await adapter.complete(ask("What is the capital of France?"), deltas.append)
    assert len(deltas) > 1
    assert "".join(delta.text for delta in deltas) == answer.message.text


async def test_output_has_the_form_asked_for(adapter: LocalAdapter) -> None:
    answer = await adapter.complete(ask("Paris is the capital of France.", output=output_schema(City, "test")))
    assert City.model_validate_json(answer.message.text).city == "Paris"


async def test_output_rests_on_the_tool_results(adapter: LocalAdapter) -> None:
    turn = tool_turn("find_city", {"query": "capital"}, '{"city": "Lima", "country": "Peru"}')
    answer = await adapter.complete(ask("Which city is it?", *turn, output=output_schema(City, "test")))
    said = json.loads(answer.message.text.lower())
    # The grammar holds the form alone: this model likes capitals, and now and then adds the country to the city.
    assert (said["city"].partition(",")[0], said["country"]) == ("lima", "peru")


async def test_a_failed_tool_is_told_and_nothing_made_up(adapter: LocalAdapter) -> None:
    call, _ = tool_turn("order_status", {"order_id": "7"}, "")
    result = ToolResultPart(call_id="call_order_status", name="order_status", content="no such order", is_error=True)
    answer = await adapter.complete(ask("Where is order 7?", call, Message(role=Role.TOOL, parts=(result,))))
    assert answer.message.text == "I found no answer. The tools said: order_status: no such order"


async def test_the_limit_on_the_answer_is_told(adapter: LocalAdapter) -> None:
    model = Model("local/smollm2-135m", max_output_tokens=3)
    assert (await adapter.complete(ask("Tell me a story.", model=model))).stop is StopReason.LENGTH


async def test_a_prompt_that_is_too_long_overflows(adapter: LocalAdapter) -> None:
    with pytest.raises(ContextOverflow, match="8192"):
        await adapter.complete(ask("a b c " * 9_000))


async def test_a_picture_is_refused_by_name(adapter: LocalAdapter) -> None:
    picture = ImagePart(media_type="image/png", data="aGk=")
    with pytest.raises(InvalidRequest, match="reads text, not a part of kind 'image'"):
        await adapter.complete(ask(Message(role=Role.USER, parts=(TextPart(text="What is this?"), picture))))


async def test_reasoning_is_refused_by_name(adapter: LocalAdapter) -> None:
    with pytest.raises(InvalidRequest, match="does not reason: take reasoning='high' out"):
        await adapter.complete(ask("Why?", model=Model("local/smollm2-135m", reasoning="high")))


async def test_the_whole_call_is_bounded(adapter: LocalAdapter) -> None:
    with pytest.raises(Timeout):
        await adapter.complete(ask("Why?", model=Model("local/smollm2-135m", timeout=timedelta(milliseconds=1))))


async def test_a_server_that_is_gone_is_unavailable(weights: Weights, embedder: MiniLmEmbedder) -> None:
    async with LlamaServer(weights.model) as server:
        gone = LocalAdapter(base_url=server.address, embedder=embedder)
    with pytest.raises(ProviderUnavailable):
        await gone.complete(ask("Why?"))
    await gone.close()


async def test_missing_weights_are_no_reason_to_retry(llama: LlamaServer, weights: Weights) -> None:
    adapter = LocalAdapter(
        base_url=llama.address, embedder=MiniLmEmbedder(weights.model.parent / "none", weights.tokenizer)
    )
    with pytest.raises(InvalidRequest, match=r"none is missing: run `sostenuto pull`"):
        await adapter.complete(ask("Hello", tools=(DOCS[0].spec.definition,)))
    await adapter.close()
