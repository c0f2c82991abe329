"""What servers of Chat Completions say in their own ways means the same here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sostenuto.activities.model_adapter import Completion
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.errors import ContentFiltered, UnreadableAnswer
from sostenuto.contracts.message import Message, OpaquePart, Role, ToolCallPart, ToolResultPart
from sostenuto.contracts.model import OutputSchema
from sostenuto.contracts.wire.model_call import StopReason
from tests.conformance.subject import on_the_wire, request, shape
from tests.conformance.wire_rules.bodies import FOUND, SEARCH
from tests.fakes.wire.server import Fault
from tests.fakes.wire.streams import WireStep


async def _answer(*deltas: dict[str, Any], dialect: str = "", **step: Any) -> Completion:
    async with on_the_wire("compatible", WireStep(blocks=deltas, **step), dialect=dialect) as (adapter, _):
        return await adapter.complete(request(dialect or "compatible"))


def _call(name: str = "", arguments: Any = None, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"function": {"name": name, "arguments": arguments}, "type": "function", **more}]}


async def test_content_in_parts_of_which_some_are_thoughts() -> None:
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]
    answer = await _answer({"content": thinking}, {"content": [{"type": "text", "text": "So."}]}, {"content": " Yes."})
    assert [shape(part) for part in answer.message.parts] == [("reasoning", "Hm."), ("text", "So. Yes.")]


@pytest.mark.parametrize("tag", ["think", "thinking", "thought"])
async def test_thoughts_that_stand_in_the_text(tag: str) -> None:
    answer = await _answer({"content": f"\n<{tag}>\nHm.\n</{tag}>\n\nSo."})
    assert [shape(part) for part in answer.message.parts] == [("reasoning", "Hm."), ("text", "So.")]


async def test_a_text_that_only_speaks_of_tags_stays() -> None:
    answer = await _answer({"content": "Write <think>…</think> first."})
    assert answer.message.text == "Write <think>…</think> first."


async def test_whole_calls_of_one_number_and_no_id_are_several() -> None:
    calls = [_call("look_up", f'{{"what": "{city}"}}', index=0, id="") for city in ("Oslo", "Bergen")]
    answer = await _answer(*calls, wire_stop="stop")
    assert [call.arguments for call in answer.message.tool_calls] == [{"what": "Oslo"}, {"what": "Bergen"}]
    assert answer.stop is StopReason.TOOL_CALLS


async def test_pieces_of_one_call_without_an_id_are_one() -> None:
    pieces = [_call("look_up", '{"wh'), _call("look_up", 'at": "Oslo"}')]
    answer = await _answer(*pieces, wire_stop="tool_calls")
    assert [call.arguments for call in answer.message.tool_calls] == [{"what": "Oslo"}]


async def test_arguments_may_be_an_object() -> None:
    answer = await _answer(_call("look_up", {"what": "Oslo"}, index=0, id="a"), wire_stop="tool_calls")
    assert answer.message.tool_calls[0].arguments == {"what": "Oslo"}


async def test_what_came_with_a_call_goes_back_with_it() -> None:
    signed = {"google": {"thought_signature": "sig"}}
    step = WireStep(
        blocks=(_call("look_up", '{"what": "Oslo"}', index=0, id="", extra_content=signed),), wire_stop="stop"
    )
    async with on_the_wire("compatible", step, WireStep(text="So."), dialect="gemini") as (adapter, server):
        asked = request("gemini")
        first = (await adapter.complete(asked)).message
        assert isinstance(first.parts[-1], OpaquePart)
        from_us = Message(role=first.role, parts=tuple(_named(part) for part in first.parts))
        await adapter.complete(request("gemini", Message.user("Go"), from_us, _told("call_1_0")))
        sent = server.requests[1].body["messages"]
    assert sent[2]["tool_calls"][0]["extra_content"] == signed


def _named(part: Any) -> Any:
    return part.model_copy(update={"id": "call_1_0"}) if isinstance(part, ToolCallPart) else part


def _told(call_id: str) -> Message:
    return Message(role=Role.TOOL, parts=(ToolResultPart(call_id=call_id, name="look_up", content="700000"),))


async def test_chunks_without_choices_are_passed_over() -> None:
    event = {"id": "", "object": "", "created": 0, "model": "", "choices": None, "prompt_filter_results": []}
    answer = await _answer(text="So.", events=(event,))
    assert answer.message.text == "So."


@pytest.mark.parametrize("reason", ["eos", "eos_token", "end_turn", "stop"])
async def test_an_end_by_any_name(reason: str) -> None:
    answer = await _answer(text="So.", wire_stop=reason)
    assert (answer.stop, answer.note) == (StopReason.END, "")


@pytest.mark.parametrize("reason", ["length", "max_tokens", "model_length"])
async def test_a_limit_by_any_name(reason: str) -> None:
    assert (await _answer(text="So", wire_stop=reason)).stop is StopReason.LENGTH


@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", "anything"])
async def test_an_unknown_end_keeps_the_answer_and_says_so(reason: str) -> None:
    answer = await _answer(text="So.", wire_stop=reason)
    assert (answer.message.text, answer.stop) == ("So.", StopReason.END)
    assert reason in answer.note


async def test_a_call_that_was_cut_before_its_arguments_is_not_one_without_any() -> None:
    for protocol in ("anthropic", "openai", "compatible"):
        cut = {"anthropic": "max_tokens", "openai": "max_output_tokens", "compatible": "length"}[protocol]
        blocks = {
            "anthropic": {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}},
            "openai": {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "look_up", "arguments": ""}
            | {"status": "incomplete"},
            "compatible": _call("look_up", "", index=0, id="a"),
        }
        async with on_the_wire(protocol, WireStep(blocks=(blocks[protocol],), wire_stop=cut)) as (adapter, _):
            answer = await adapter.complete(request(protocol))
        (call,) = answer.message.tool_calls
        assert call.malformed, protocol


async def test_a_later_account_without_counts_does_not_erase_an_earlier_one() -> None:
    delta = {"type": "message_delta", "delta": {}, "usage": {"input_tokens": None, "cache_read_input_tokens": None}}
    step = WireStep(text="So.", usage=Usage(input_tokens=1_800, cached_tokens=800, output_tokens=5), events=(delta,))
    async with on_the_wire("anthropic", step) as (adapter, _):
        usage = (await adapter.complete(request("anthropic"))).usage
    assert (usage.input_tokens, usage.cached_tokens) == (1_800, 800)


class _EveryTime(list[WireStep]):
    """A script whose next step is said whatever the turn."""

    def __init__(self, steps: Iterator[WireStep]) -> None:
        super().__init__()
        self._steps = steps

    def __len__(self) -> int:
        return 1_000

    def __getitem__(self, _: Any) -> Any:
        return next(self._steps)


USED = Usage(input_tokens=100, output_tokens=5)


async def test_an_answer_that_pauses_goes_on_and_is_one() -> None:
    options: dict[str, Any] = {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}
    paused = WireStep(blocks=(SEARCH,), wire_stop="pause_turn", usage=USED)
    rest = WireStep(blocks=(FOUND,), text="So it is.", usage=USED)
    async with on_the_wire("anthropic", paused, rest) as (adapter, server):
        answer = await adapter.complete(request("anthropic", options=options))
        first, second = (received.body["messages"] for received in server.requests)
    assert second == [*first, {"role": "assistant", "content": [SEARCH]}]
    assert [shape(part) for part in answer.message.parts] == [("opaque",), ("opaque",), ("text", "So it is.")]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (200, 10)
    assert (answer.stop, answer.note, answer.paused) == (StopReason.END, "", False)


async def test_an_answer_that_pauses_for_ever_is_kept_as_far_as_it_went() -> None:
    steps = [WireStep(blocks=(SEARCH | {"id": f"srvtoolu_{n}"},), wire_stop="pause_turn") for n in range(20)]
    async with on_the_wire("anthropic", *steps, lenient=True) as (adapter, server):
        server.script = steps
        answer = await adapter.complete(request("anthropic"))
        assert len(server.requests) == 11
    assert len(answer.message.parts) == 11
    assert "wanted to go on" in answer.note


async def test_an_answer_that_pauses_twice_says_nothing_twice() -> None:
    second = SEARCH | {"id": "srvtoolu_2"}
    script = [
        WireStep(blocks=(SEARCH,), wire_stop="pause_turn"),
        WireStep(blocks=(FOUND, second), wire_stop="pause_turn"),
        WireStep(blocks=(FOUND | {"tool_use_id": "srvtoolu_2"},), text="So it is."),
    ]
    options: dict[str, Any] = {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}
    async with on_the_wire("anthropic", *script, lenient=True) as (adapter, server):
        # Every answer so far stands in one message: the double, which counts those, would say its second step again.
        answers = iter(script)
        server.script = _EveryTime(answers)
        answer = await adapter.complete(request("anthropic", options=options))
        sent = [received.body["messages"] for received in server.requests]
    assert [len(messages) for messages in sent] == [1, 2, 2]
    assert sent[2][1]["content"] == [SEARCH, FOUND, second]
    assert len(answer.message.parts) == 5


async def test_usage_in_every_chunk_is_no_end() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 1}
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    piece = head | {"choices": [{"index": 0, "delta": {"content": "Half"}, "finish_reason": None}], "usage": usage}
    async with on_the_wire("compatible", WireStep(events=(piece,)), faults=(Fault(kind="end"),)) as (adapter, _):
        with pytest.raises(UnreadableAnswer, match="the stream ended before finish_reason"):
            await adapter.complete(request("compatible"))


@pytest.mark.parametrize(
    ("protocol", "reason"), [("compatible", "model_length"), ("anthropic", "model_context_window_exceeded")]
)
async def test_a_call_that_any_limit_cut_is_not_one_without_arguments(protocol: str, reason: str) -> None:
    block = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}}
    blocks = {"anthropic": block, "compatible": _call("look_up", "", index=0, id="a")}
    async with on_the_wire(protocol, WireStep(blocks=(blocks[protocol],), wire_stop=reason)) as (adapter, _):
        (call,) = (await adapter.complete(request(protocol))).message.tool_calls
    assert call.malformed


async def test_a_filter_by_any_name_is_one() -> None:
    with pytest.raises(ContentFiltered):
        await _answer(text="So", wire_stop="content_filter: PROHIBITED_CONTENT")


async def test_an_answer_with_names_that_the_model_cannot_say_has_its_own_again() -> None:
    schema = {"type": "object", "properties": {"@id": {"type": "string"}}, "required": ["@id"]}
    output = OutputSchema(name="Answer", json_schema=schema)
    async with on_the_wire("openai", WireStep(text='{"id": "x"}')) as (adapter, server):
        answer = await adapter.complete(request("openai", output=output))
        sent = server.requests[0].body["text"]["format"]["schema"]
    assert list(sent["properties"]) == ["id"]
    assert json.loads(answer.message.text) == {"@id": "x"}


@pytest.mark.parametrize(
    ("total", "details", "expected"),
    [
        (15, {"reasoning_tokens": 3}, (5, 3)),  # counted among the answer's, as by OpenAI
        (25, {"reasoning_tokens": 10}, (15, 10)),  # beside it, as by xAI
        (25, None, (15, 10)),  # in the total alone, as by Gemini
        (None, {"reasoning_tokens": 3}, (5, 3)),
        (12, None, (5, 0)),
    ],
)
async def test_thoughts_are_counted_wherever_they_are_told(
    total: int | None, details: dict[str, int] | None, expected: tuple[int, int]
) -> None:
    told = {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": details, "total_tokens": total}
    usage = (await _answer({"content": "So."}, wire_usage=(told,))).usage
    assert (usage.output_tokens, usage.reasoning_tokens) == expected
    assert usage.input_tokens == 10


async def test_an_account_that_stands_in_a_choice() -> None:
    choice = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 5, "completion_tokens": 1}}
    event = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    answer = await _answer({"content": "So."}, events=(event,), wire_usage=(None,))
    assert answer.usage == Usage(input_tokens=5, output_tokens=1)
    assert answer.usage_known


async def test_pieces_of_a_block_of_thoughts_go_back_as_one() -> None:
    def piece(index: int | None, **more: Any) -> dict[str, Any]:
        block = {"type": "reasoning.text", "text": "", **({} if index is None else {"index": index}), **more}
        return {"reasoning_details": [block]}

    deltas = (
        *(piece(0, text="Hm"), piece(0, text="m.", signature=None), piece(0, signature="s"), piece(1, text="So?")),
        *({"reasoning_details": [{"type": "reasoning.encrypted", "index": 1, "data": "x"}]}, piece(None), piece(None)),
    )
    steps = (WireStep(blocks=deltas, text="So."), WireStep())
    async with on_the_wire("compatible", *steps) as (adapter, server):
        first = (await adapter.complete(request("compatible"))).message
        await adapter.complete(request("compatible", Message.user("Go"), first, Message.user("Sure?")))
    sent = next(one for one in server.requests[1].body["messages"] if one["role"] == "assistant")
    assert sent["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "Hmm.", "signature": "s"},
        {"type": "reasoning.text", "index": 1, "text": "So?"},
        {"type": "reasoning.encrypted", "index": 1, "data": "x"},
        *({"type": "reasoning.text", "text": ""},) * 2,
    ]
