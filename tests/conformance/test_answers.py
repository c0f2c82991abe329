"""Every adapter makes the same of the same answer, be it streamed to someone or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sostenuto.activities.adapters.providers.scripted import ScriptedCall
from sostenuto.activities.model_adapter import Delta
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.message import Role, ToolCallPart
from sostenuto.contracts.wire.model_call import StopReason
from tests.conformance.subject import ANSWER, SUBJECTS, answering, on_the_wire, request, shape
from tests.fakes.wire import server, streams
from tests.fakes.wire.streams import WireStep

UNICODE = "Ångström — 東京 🎹\n\t\"'\\"
FIND = ScriptedCall(name="look_up", arguments={"what": "Oslo"})
AGAIN = ScriptedCall(name="look_up", arguments={"what": "Bergen", "deep": {"list": [1, None, True]}})


@dataclass(frozen=True)
class Case:
    name: str
    step: WireStep
    parts: list[tuple[Any, ...]]
    stop: StopReason


CASES = [
    Case("text", WireStep(text="Good day."), [("text", "Good day.")], StopReason.END),
    Case("empty", WireStep(), [], StopReason.END),
    Case(
        "unicode",
        WireStep(text="Ångström — 東京 🎹\n\t\"'\\"),
        [("text", "Ångström — 東京 🎹\n\t\"'\\")],
        StopReason.END,
    ),
    Case(
        "one tool call",
        WireStep(tool_calls=(FIND,)),
        [("tool_call", "look_up", {"what": "Oslo"}, "")],
        StopReason.TOOL_CALLS,
    ),
    Case(
        "text and parallel tool calls",
        WireStep(text="Let me see.", tool_calls=(FIND, AGAIN)),
        [
            ("text", "Let me see."),
            ("tool_call", "look_up", {"what": "Oslo"}, ""),
            ("tool_call", "look_up", AGAIN.arguments, ""),
        ],
        StopReason.TOOL_CALLS,
    ),
    Case(
        "tool call without arguments",
        WireStep(tool_calls=(ScriptedCall(name="now"),)),
        [("tool_call", "now", {}, "")],
        StopReason.TOOL_CALLS,
    ),
    Case(
        "malformed arguments",
        WireStep(tool_calls=(ScriptedCall(name="look_up", malformed='{"what": "Os'),)),
        [("tool_call", "look_up", {}, '{"what": "Os')],
        StopReason.TOOL_CALLS,
    ),
    Case(
        "arguments that are not an object",
        WireStep(tool_calls=(ScriptedCall(name="look_up", malformed='["Oslo"]'),)),
        [("tool_call", "look_up", {}, '["Oslo"]')],
        StopReason.TOOL_CALLS,
    ),
    Case("length", WireStep(text="Once upon", stop=StopReason.LENGTH), [("text", "Once upon")], StopReason.LENGTH),
    Case(
        "refusal",
        WireStep(refusal="I will not.", stop=StopReason.REFUSAL),
        [("text", "I will not.")],
        StopReason.REFUSAL,
    ),
    Case(
        "reasoning",
        WireStep(reasoning="It is in Norway.", text="Norway."),
        [("reasoning", "It is in Norway."), ("text", "Norway.")],
        StopReason.END,
    ),
    Case(
        "structured output",
        WireStep(output={"city": "Oslo", "people": None}),
        [("text", '{"city": "Oslo", "people": null}')],
        StopReason.END,
    ),
]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_answer_means_the_same_from_every_provider(subject: str, case: Case) -> None:
    asked = request(subject, output=ANSWER if case.step.output else None)
    async with answering(subject, case.step) as adapter:
        completion = await adapter.complete(asked)
        assert completion.message.role is Role.ASSISTANT
        assert [shape(part) for part in completion.message.parts] == case.parts
        assert completion.stop is case.stop
        assert completion.model == "test-model"
        assert completion.request_id


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_streaming_ends_in_the_same_completion(subject: str, case: Case) -> None:
    deltas: list[Delta] = []
    async with answering(subject, case.step) as adapter:
        plain = await adapter.complete(request(subject))
        streamed = await adapter.complete(request(subject), deltas.append)
    assert streamed == plain
    told = {kind: "".join(d.text for d in deltas if d.kind == kind) for kind in ("text", "reasoning", "tool_call")}
    assert told["text"] == plain.message.text
    assert told["reasoning"] == case.step.reasoning
    assert bool(told["tool_call"]) == bool(plain.message.tool_calls)


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_pieces_of_arguments_are_told_with_their_call(subject: str) -> None:
    calls = (FIND, AGAIN, ScriptedCall(name="note", arguments={"text": "so"}))
    deltas: list[Delta] = []
    async with answering(subject, WireStep(text="Let me see.", tool_calls=calls)) as adapter:
        await adapter.complete(request(subject), deltas.append)
    told = [delta for delta in deltas if delta.kind == "tool_call"]
    assert {delta.index: delta.tool for delta in told} == {0: "look_up", 1: "look_up", 2: "note"}
    written = ["".join(delta.text for delta in told if delta.index == index) for index in range(3)]
    assert [json.loads(text) for text in written] == [call.arguments for call in calls]


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_usage_counts_the_cached_input_and_the_reasoning_as_part_of_the_whole(subject: str) -> None:
    usage = Usage(input_tokens=1000, cached_tokens=600, cache_write_tokens=50, output_tokens=200, reasoning_tokens=150)
    async with answering(subject, WireStep(text="So.", usage=usage)) as adapter:
        assert (await adapter.complete(request(subject))).usage == usage


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_parallel_calls_have_ids_that_differ(subject: str) -> None:
    async with answering(subject, WireStep(tool_calls=(FIND, AGAIN))) as adapter:
        parts = (await adapter.complete(request(subject))).message.parts
    first, second = (part for part in parts if isinstance(part, ToolCallPart))
    assert first.id
    assert first.id != second.id


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_an_adapter_can_be_used_again_after_it_was_closed(subject: str) -> None:
    async with answering(subject, WireStep(text="Here.")) as adapter:
        await adapter.close()
        assert (await adapter.complete(request(subject))).message.text == "Here."
        await adapter.close()
        assert (await adapter.complete(request(subject))).message.text == "Here."


async def test_calls_that_are_numbered_alike_are_told_apart_by_their_ids() -> None:
    """Some compatible servers give every parallel call the index 0."""

    def delta(call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
        function = {"arguments": arguments} | ({"name": name} if name else {})
        return {"tool_calls": [{"index": 0, "function": function} | ({"id": call_id} if call_id else {})]}

    deltas = (
        delta("a", "look_up", '{"what": '),
        delta(None, None, '"Oslo"}'),
        delta("b", "look_up", '{"what": "Ber'),
        delta("b", None, 'gen"}'),
    )
    async with answering("compatible", WireStep(blocks=deltas)) as adapter:
        completion = await adapter.complete(request("compatible"))
    assert completion.stop is StopReason.TOOL_CALLS
    assert completion.message.tool_calls == (
        ToolCallPart(id="a", name="look_up", arguments={"what": "Oslo"}),
        ToolCallPart(id="b", name="look_up", arguments={"what": "Bergen"}),
    )


async def test_an_answer_may_come_without_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """As from llama.cpp's server, where the first token is half a character."""

    def without_beginning(step: WireStep, model: str) -> Iterator[dict[str, Any]]:
        return (event for event in streams.anthropic_events(step, model) if event["type"] != "message_start")

    monkeypatch.setattr(server, "anthropic_events", without_beginning)
    async with on_the_wire("anthropic", WireStep(text="🙂 Hi.")) as (adapter, _):
        answer = await adapter.complete(request("anthropic"))
    assert (answer.message.text, answer.model, answer.stop) == ("🙂 Hi.", "", StopReason.END)
