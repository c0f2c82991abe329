"""An answer of a given form is asked for as the call of a tool, and comes back as any other, by every protocol."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from sostenuto.activities.adapters.providers.profiles.known import UNKNOWN, ProfileChange, Profiles
from sostenuto.activities.adapters.providers.refused_feature import refused_feature
from sostenuto.activities.adapters.providers.scripted import ScriptedCall
from sostenuto.activities.model_adapter import Completion, Delta, ModelAdapter, ModelRequest
from sostenuto.activities.refusals import completed
from sostenuto.contracts.message import (
    Message,
    OpaquePart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from sostenuto.contracts.model import ANY_TOOL, OutputSchema
from sostenuto.contracts.specs.output import output_schema
from sostenuto.contracts.tool import ToolDefinition
from sostenuto.contracts.wire.model_call import StopReason
from tests.conformance.every_profile import MODELS, refused
from tests.conformance.pydantic_types import TYPES
from tests.conformance.subject import ANSWER, LOOK_UP, OVER_THE_WIRE, request, shape, wire_adapter
from tests.conformance.test_every_profile import CALLS, play, player
from tests.fakes.wire.server import ProviderServer
from tests.fakes.wire.streams import WireStep

NAME = "final_answer"
OSLO = {"city": "Oslo", "people": 700_000}
ODD: dict[str, Any] = {
    "type": "object",
    "properties": {"$top": {"type": "integer"}, "filter[id]": {"type": "string"}},
    "required": ["$top"],
}
NEITHER: dict[str, Any] = {"named_choice": False, "required_choice": ""}


def _answer(arguments: dict[str, Any] | None = None, malformed: str = "", name: str = NAME) -> ScriptedCall:
    return ScriptedCall(name=name, arguments=OSLO if arguments is None else arguments, malformed=malformed)


def _look_up(what: str = "Oslo") -> ScriptedCall:
    return ScriptedCall(name="look_up", arguments={"what": what})


@asynccontextmanager
async def _by_tool(
    protocol: str, *script: WireStep, dialect: str = "chat", may_refuse: bool = False, **profile: Any
) -> AsyncIterator[tuple[ModelAdapter, ProviderServer]]:
    """An adapter whose models are asked for answers by a tool, and its server."""
    known = protocol if protocol != "compatible" else UNKNOWN if dialect == "chat" else dialect
    profiles = Profiles(known, [ProfileChange("*", {"output": "tool", **profile})])
    async with ProviderServer(script, dialect=dialect, refused=may_refuse) as server:
        adapter = wire_adapter(protocol, server.base_url(protocol), profiles=profiles)
        try:
            yield adapter, server
        finally:
            await adapter.close()


def _asked(
    protocol: str, *messages: Message, model: str = "test-model", choice: str = "", **settings: Any
) -> ModelRequest:
    asked = replace(request(protocol, *messages, **{"output": ANSWER, **settings}), tool_choice=choice)
    return replace(asked, model=asked.model.model_copy(update={"name": f"{protocol}/{model}"}))


async def _body(protocol: str, asked: ModelRequest, **profile: Any) -> dict[str, Any]:
    async with _by_tool(protocol, WireStep(tool_calls=[_answer()]), **profile) as (adapter, server):
        await adapter.complete(asked)
        return server.requests[0].body


async def _said(protocol: str, step: WireStep, **settings: Any) -> Completion:
    async with _by_tool(protocol, step) as (adapter, _):
        return await adapter.complete(_asked(protocol, **settings))


def _tools(body: dict[str, Any]) -> dict[str, Any]:
    """The schemas of the tools that were sent, by their names."""
    described = [tool.get("function", tool) for tool in body["tools"]]
    return {tool["name"]: tool.get("input_schema", tool.get("parameters")) for tool in described}


def _named(protocol: str, name: str = NAME) -> Any:
    return {
        "anthropic": {"type": "tool", "name": name},
        "openai": {"type": "function", "name": name},
        "compatible": {"type": "function", "function": {"name": name}},
    }[protocol]


def _any(protocol: str) -> Any:
    return {"type": "any"} if protocol == "anthropic" else "required"


def _last(body: dict[str, Any]) -> str:
    """What was said last."""
    return str((body.get("messages") or body["input"])[-1])


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_the_schema_goes_out_as_a_tool_that_has_to_be_called(protocol: str) -> None:
    body = await _body(protocol, _asked(protocol, tools=()))
    assert _tools(body) == {NAME: ANSWER.json_schema}
    assert body["tool_choice"] == _named(protocol)
    assert not body.keys() & {"response_format", "text", "output_config"}
    assert "JSON" not in str(body.get("system") or body.get("instructions") or body["messages"][0])


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_beside_the_agents_own_tools_one_of_all_has_to_be_called(protocol: str) -> None:
    body = await _body(protocol, _asked(protocol))
    assert list(_tools(body)) == ["look_up", NAME]
    assert body["tool_choice"] == _any(protocol)
    assert NAME not in _last(body)


SEARCH: dict[str, Any] = {
    "anthropic": {"type": "web_search_20250305", "name": "web_search"},
    "openai": {"type": "web_search"},
    "compatible": {"type": "function", "function": {"name": "search", "parameters": LOOK_UP.parameters}},
}


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_tools_that_the_provider_runs_are_left_the_time_to_run(protocol: str) -> None:
    body = await _body(protocol, _asked(protocol, tools=(), options={"tools": [SEARCH[protocol]]}))
    assert body["tool_choice"] == _any(protocol)
    assert len(body["tools"]) == 2


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
@pytest.mark.parametrize(
    ("profile", "tools", "demands"),
    [
        ({"named_choice": False}, (), "any"),
        ({"required_choice": ""}, (), "named"),
        ({"required_choice": ""}, (LOOK_UP,), "nothing"),
        (NEITHER, (), "nothing"),
        (NEITHER, (LOOK_UP,), "nothing"),
    ],
)
async def test_what_a_model_cannot_be_held_to_is_asked_for_in_words(
    protocol: str, profile: dict[str, Any], tools: tuple[ToolDefinition, ...], demands: str
) -> None:
    body = await _body(protocol, _asked(protocol, tools=tools), **profile)
    wanted = {"any": _any(protocol), "named": _named(protocol), "nothing": None}[demands]
    assert body.get("tool_choice") == wanted
    assert (f"give it by calling {NAME}" in _last(body)) is (demands == "nothing")


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_a_call_that_the_agent_demands_comes_first(protocol: str) -> None:
    body = await _body(protocol, _asked(protocol, choice="look_up"))
    assert (list(_tools(body)), body["tool_choice"]) == (["look_up", NAME], _named(protocol, "look_up"))
    # Where any will do, that of the answer would, too.
    async with _by_tool(protocol, WireStep(tool_calls=[_look_up()])) as (adapter, server):
        said = await adapter.complete(_asked(protocol, choice=ANY_TOOL))
        body = server.requests[0].body
    assert (list(_tools(body)), body["tool_choice"]) == (["look_up"], _any(protocol))
    assert said.message.tool_calls
    body = await _body(protocol, _asked(protocol, choice=ANY_TOOL), **NEITHER)
    assert (list(_tools(body)), body.get("tool_choice")) == (["look_up", NAME], None)
    assert "Call a tool before you answer." in _last(body)


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_a_name_that_the_agent_has_a_tool_of_stays_its_own(protocol: str) -> None:
    own = [ToolDefinition(name=name, description="Ours.", parameters=LOOK_UP.parameters) for name in (NAME, "b")]
    steps = WireStep(tool_calls=[_answer({"what": "?"})]), WireStep(tool_calls=[_answer(name="final_answer_2")])
    async with _by_tool(protocol, *steps) as (adapter, server):
        asked = _asked(protocol, tools=tuple(own))
        first = (await adapter.complete(asked)).message
        second = await adapter.complete(replace(asked, messages=(Message.user("Go"), first, Message.user("So?"))))
        assert list(_tools(server.requests[0].body)) == [NAME, "b", "final_answer_2"]
    assert [(call.name, call.arguments) for call in first.tool_calls] == [(NAME, {"what": "?"})]
    assert (json.loads(second.message.text), second.stop) == (OSLO, StopReason.END)


TEXT = ("text", json.dumps(OSLO))
CALLED = ("tool_call", "look_up", {"what": "Oslo"}, "")
ANSWERS: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]], StopReason]] = {
    "alone": ({"tool_calls": [_answer()]}, [TEXT], StopReason.END),
    "beside text": ({"text": "I have it.", "tool_calls": [_answer()]}, [TEXT], StopReason.END),
    "after thoughts": (
        {"reasoning": "Hm.", "text": "So.", "tool_calls": [_answer()]},
        [("reasoning", "Hm."), TEXT],
        StopReason.END,
    ),
    "several times": ({"tool_calls": [_answer(), _answer({"city": "Bergen"})]}, [TEXT], StopReason.END),
    "not ASCII": ({"tool_calls": [_answer({"city": "Ålesund"})]}, [("text", '{"city": "Ålesund"}')], StopReason.END),
    "nothing": ({"tool_calls": [_answer({})]}, [("text", "{}")], StopReason.END),
    "malformed": ({"tool_calls": [_answer({}, '{"city": Oslo}')]}, [("text", '{"city": Oslo}')], StopReason.END),
    "no object": ({"tool_calls": [_answer({}, '["Oslo"]')]}, [("text", '["Oslo"]')], StopReason.END),
    "cut": (
        {"tool_calls": [_answer({}, '{"city": "Os')], "stop": StopReason.LENGTH},
        [("text", '{"city": "Os')],
        StopReason.LENGTH,
    ),
    "in text": ({"text": '{"city": "Oslo"}'}, [("text", '{"city": "Oslo"}')], StopReason.END),
    "in words": ({"text": "Oslo."}, [("text", "Oslo.")], StopReason.END),
    "beside a call": (
        {"reasoning": "Hm.", "text": "I look.", "tool_calls": [_look_up(), _answer()]},
        [("reasoning", "Hm."), ("text", "I look."), CALLED],
        StopReason.TOOL_CALLS,
    ),
    "before a call": ({"tool_calls": [_answer(), _look_up(), _answer()]}, [CALLED], StopReason.TOOL_CALLS),
    "a call alone": ({"tool_calls": [_look_up()]}, [CALLED], StopReason.TOOL_CALLS),
    "cut beside a call": (
        {"tool_calls": [_look_up(), _answer({}, '{"ci')], "stop": StopReason.LENGTH},
        [CALLED],
        StopReason.LENGTH,
    ),
    "unknown call": (
        {"tool_calls": [_answer(name="final_answer_9")]},
        [("tool_call", "final_answer_9", OSLO, "")],
        StopReason.TOOL_CALLS,
    ),
}


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
@pytest.mark.parametrize("case", ANSWERS)
async def test_an_answer_comes_back_as_text(protocol: str, case: str) -> None:
    step, parts, stop = ANSWERS[case]
    said = await _said(protocol, WireStep(**step))
    assert [shape(part) for part in said.message.parts] == parts
    assert said.stop is stop
    alone = await _said(protocol, WireStep(**step), tools=())
    assert [shape(part) for part in alone.message.parts] == parts


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_the_pieces_of_it_are_told_as_those_of_a_call(protocol: str) -> None:
    told: list[Delta] = []
    async with _by_tool(protocol, WireStep(tool_calls=[_answer()])) as (adapter, _):
        await adapter.complete(_asked(protocol), told.append)
    assert ({piece.kind for piece in told}, "".join(piece.text for piece in told)) == ({"tool_call"}, TEXT[1])


class _Car(BaseModel):
    wheels: int


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
@pytest.mark.parametrize(
    ("wanted", "written", "meant"),
    [
        (OutputSchema(name="query", json_schema=ODD), {"top": 3, "filter_id": "a"}, {"$top": 3, "filter[id]": "a"}),
        (output_schema(Literal["good", "bad"], "test"), {"value": "good"}, {"value": "good"}),
        (output_schema(list[int], "test"), {"value": [1, 2]}, {"value": [1, 2]}),
        (output_schema(_Car | None, "test"), {"value": {"wheels": 4}}, {"value": {"wheels": 4}}),
        (OutputSchema(name="any", json_schema={"$ref": "#/$defs/c", "$defs": {"c": ODD}}), {"top": 3}, {"$top": 3}),
    ],
)
async def test_it_comes_back_in_the_form_that_was_asked_for(
    protocol: str, wanted: OutputSchema, written: dict[str, Any], meant: Any
) -> None:
    for tools in ((), (LOOK_UP,)):
        said = await _said(protocol, WireStep(tool_calls=[_answer(written)]), output=wanted, tools=tools)
        assert json.loads(said.message.text) == meant
        assert said.stop is StopReason.END
    said = await _said(protocol, WireStep(text=json.dumps(written)), output=wanted)
    assert json.loads(said.message.text) == meant


async def test_it_comes_back_from_the_narrow_schemas_of_gemini() -> None:
    output = OutputSchema(name="free", json_schema={"type": "object", "additionalProperties": {"type": "integer"}})
    step = WireStep(tool_calls=[_answer({"value": '{"a": 1}'})])
    async with _by_tool("compatible", step, dialect="gemini", output_with_tools="tool") as (adapter, server):
        said = await adapter.complete(_asked("compatible", model="gemini-2.5-flash", output=output))
        assert list(_tools(server.requests[0].body)[NAME]["properties"]) == ["value"]
    assert said.message.text == '{"a": 1}'


def _call(index: int, call: ScriptedCall, signature: str = "") -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    signed = {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}
    return {"tool_calls": [{"index": index, "id": f"c{index}", "type": "function", "function": function, **signed}]}


@pytest.mark.parametrize(
    ("blocks", "kept"),
    [
        ((_call(0, _answer(), "answer"), _call(1, _look_up())), []),
        ((_call(0, _look_up(), "own"), _call(1, _answer(), "answer")), ["own"]),
        ((_call(0, _answer(), "answer"),), []),
    ],
)
async def test_the_signature_of_a_call_goes_with_it(blocks: tuple[dict[str, Any], ...], kept: list[str]) -> None:
    steps = WireStep(blocks=blocks, wire_stop="stop"), WireStep(tool_calls=[_answer()])
    async with _by_tool("compatible", *steps, dialect="gemini", output_with_tools="tool") as (adapter, server):
        asked = _asked("compatible", model="gemini-3-flash")
        first = (await adapter.complete(asked)).message
        opaque = [part for part in first.parts if isinstance(part, OpaquePart)]
        assert [part.data["extra_content"]["google"]["thought_signature"] for part in opaque] == kept
        results = [_result(call) for call in first.tool_calls] or [Message.user("Sure?")]
        await adapter.complete(replace(asked, messages=(Message.user("Go"), first, *results)))
        assert len(server.requests) == 2


def _result(call: ToolCallPart) -> Message:
    return Message(role=Role.TOOL, parts=(ToolResultPart(call_id=call.id, name=call.name, content="700000"),))


THOUGHT: dict[str, Any] = {"type": "thinking", "thinking": "Hm.", "signature": "sig=="}


@pytest.mark.parametrize(
    ("model", "profile", "thinking", "choice"),
    [
        ("claude-opus-4-1", {}, "enabled", None),
        ("claude-3-7-sonnet-latest", {}, "enabled", None),
        ("claude-opus-4-6", {"output": "tool"}, "adaptive", {"type": "any"}),
        ("claude-sonnet-5", {"output": "tool"}, "adaptive", {"type": "any"}),
        ("claude-opus-5-5", {"output": "tool"}, "adaptive", None),
    ],
)
async def test_thinking_that_was_asked_for_is_not_given_up(
    model: str, profile: dict[str, Any], thinking: str, choice: Any
) -> None:
    steps = (
        WireStep(blocks=(THOUGHT,), tool_calls=[_look_up(), _answer()]),
        WireStep(blocks=(THOUGHT,), text="I have it.", tool_calls=[_answer()]),
        WireStep(blocks=(THOUGHT,), tool_calls=[_answer()]),
    )
    async with _by_tool("anthropic", *steps, **profile) as (adapter, server):
        asked = _asked("anthropic", model=model, reasoning="high")
        said = [Message.user("Go")]
        for _ in steps:
            answer = (await adapter.complete(replace(asked, messages=tuple(said)))).message
            calls = [_result(call) for call in answer.tool_calls]
            said += [answer, *(calls or [Message.user("Sure?")])]
        bodies = [received.body for received in server.requests]
    assert [body["thinking"]["type"] for body in bodies] == [thinking] * 3
    assert [body.get("tool_choice") for body in bodies] == [choice] * 3
    assert all((f"calling {NAME}" in _last(body)) is (choice is None) for body in bodies)
    # A call that became text goes back with its thoughts, as any answer.
    assert bodies[2]["messages"][3]["content"] == [THOUGHT, {"type": "text", "text": TEXT[1]}]
    assert [shape(part) for part in said[3].parts] == [("reasoning", "Hm."), TEXT]


async def test_without_thinking_the_call_is_demanded_of_the_same_models() -> None:
    for settings in ({}, {"reasoning": "off"}):
        body = await _body("anthropic", _asked("anthropic", model="claude-opus-4-1", tools=(), **settings))
        assert body["tool_choice"] == _named("anthropic")
        assert (body.get("thinking") or {"type": "disabled"})["type"] == "disabled"


async def test_thoughts_that_led_to_nothing_but_the_call_that_is_left_out_go_with_it() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"what": "Oslo"}}
    answer = {"type": "tool_use", "id": "toolu_2", "name": NAME, "input": OSLO}
    step = WireStep(blocks=(THOUGHT, call, THOUGHT, answer), wire_stop="tool_use")
    said = await _said("anthropic", step)
    assert [shape(part) for part in said.message.parts] == [("reasoning", "Hm."), CALLED]


@pytest.mark.parametrize("protocol", ["anthropic", "openai"])
async def test_what_is_said_of_the_text_beside_an_answer_goes_with_the_text(protocol: str) -> None:
    """It would be laid over whatever stands before it, when it goes back."""
    item = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "phase": "commentary"}
    blocks: dict[str, dict[str, Any]] = {
        "anthropic": {"type": "text", "text": "So.", "citations": [{"type": "x", "cited_text": "y"}]},
        "openai": item | {"content": [{"type": "output_text", "text": "So.", "annotations": []}]},
    }
    query = OutputSchema(name="query", json_schema=ODD)
    for said in (
        await _said(protocol, WireStep(blocks=(blocks[protocol],), tool_calls=[_answer({"top": 3})]), output=query),
        await _said(protocol, WireStep(blocks=(blocks[protocol] | _reworded(protocol),)), output=query),
    ):
        assert said.message.parts == (TextPart(text='{"$top": 3}'),)


def _reworded(protocol: str) -> dict[str, Any]:
    """What makes a text of the answer itself."""
    text = '{"top": 3}'
    return {"text": text} if protocol == "anthropic" else {"content": [{"type": "output_text", "text": text}]}


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_a_conversation_goes_on_after_an_answer(protocol: str) -> None:
    steps = [WireStep(reasoning="Hm.", tool_calls=[_answer()]), WireStep(tool_calls=[_answer({"city": "Bergen"})])]
    async with _by_tool(protocol, *steps) as (adapter, server):
        first = (await adapter.complete(_asked(protocol))).message
        more = _asked(protocol, Message.user("Hello?"), first, Message.user("And the second?"))
        assert (await adapter.complete(more)).message.text == '{"city": "Bergen"}'
        past = server.requests[1].body
    assert json.dumps(TEXT[1]) in json.dumps(past)
    assert "tool_use" not in json.dumps(past)


async def test_calls_one_after_the_other() -> None:
    for protocol in OVER_THE_WIRE:
        body = await _body(protocol, replace(_asked(protocol, tools=()), parallel_tool_calls=False))
        if protocol == "anthropic":
            assert body["tool_choice"] == {**_named(protocol), "disable_parallel_tool_use": True}
        else:
            assert (body["tool_choice"], body["parallel_tool_calls"]) == (_named(protocol), False)


async def _learned(protocol: str, asked: ModelRequest, **profile: Any) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    step = WireStep(tool_calls=[_answer()])
    async with _by_tool(protocol, step, may_refuse=True, **profile) as (adapter, server):
        _, missing = await completed(adapter, asked)
        return missing, [received.body for received in server.requests]


@pytest.mark.parametrize(
    ("protocol", "dialect", "model", "settings", "profile"),
    [
        ("compatible", "deepseek", "deepseek-reasoner", {}, {"required_choice": "required", "named_choice": True}),
        ("compatible", "moonshot", "kimi-k2-thinking", {}, {}),
        ("anthropic", "chat", "claude-opus-5-5", {}, {"required_choice": "any", "named_choice": True}),
        ("anthropic", "chat", "claude-opus-4-1", {"thinking": {"type": "enabled", "budget_tokens": 2_000}}, {}),
    ],
)
async def test_a_demand_that_is_refused_is_made_in_words(
    protocol: str, dialect: str, model: str, settings: dict[str, Any], profile: dict[str, Any]
) -> None:
    asked = _asked(protocol, model=model, options=settings)
    missing, (first, second) = await _learned(protocol, asked, dialect=dialect, **profile)
    assert missing == ("tool_choice",)
    assert first["tool_choice"] == _any(protocol)
    assert "tool_choice" not in second
    assert list(_tools(second)) == ["look_up", NAME]
    assert f"calling {NAME}" in _last(second)


async def test_a_model_without_tools_is_asked_in_words() -> None:
    missing, (_, second) = await _learned(
        "compatible", _asked("compatible", model="gemma2", tools=()), dialect="ollama"
    )
    assert missing == ("tool",)
    assert "tools" not in second
    assert "JSON Schema" in str(second["messages"][0])


@pytest.mark.parametrize(
    "said",
    [
        "registry.ollama.ai/library/gemma2:latest does not support tools",
        "No endpoints found that support tool use. To learn more about provider routing, visit: https://x",
        "`tool calling` is not supported with this model",
        "The specified schema produces a constraint that has too many states for serving.",
        "JSON Schema not supported: could not understand the instance `{'required': ['criteria']}`.",
        "Invalid schema for function 'final_answer': [] is not of type 'object'",
    ],
)
@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_what_is_refused_of_the_tool_is_told_from_the_words(protocol: str, said: str) -> None:
    body = await _body(protocol, _asked(protocol))
    assert refused_feature(said, "", body, {}) == "tool"
    without = {**body, "tools": body["tools"][:1]}
    assert refused_feature(said, "", without, {}) == ""


def test_no_way_leads_down_to_a_tool() -> None:
    def lowered(mode: str, *features: str) -> tuple[str, str | None]:
        profile = Profiles(UNKNOWN, [ProfileChange("*", {"output": mode, "output_with_tools": mode})]).of("any")
        found = profile.without(frozenset(features))
        return found.output, found.output_with_tools

    assert lowered("strict", "strict") == ("schema", "schema")
    assert lowered("strict", "strict", "schema") == ("json", "json")
    assert lowered("strict", "strict", "schema", "json") == ("words", "words")
    assert lowered("tool", "tool") == ("words", "words")
    assert lowered("tool", "tool_choice", "strict", "json") == ("tool", "tool")
    assert lowered("words", "words", "tool") == ("words", "words")


def _by_tool_with_tools(model: str) -> bool:
    dialect, _, name = model.partition("/")
    return Profiles(dialect).of(name).output_mode(with_tools=True) == "tool"


KNOWN = [model for model in MODELS if _by_tool_with_tools(model)]


def test_it_is_the_known_way_for_some() -> None:
    assert {model.partition("/")[0] for model in KNOWN} == {"anthropic", "openai", "gemini", "fireworks"}


@pytest.mark.parametrize("model", KNOWN)
async def test_whole_conversations_end_in_an_answer_by_the_tool(model: str) -> None:
    steps = [WireStep(tool_calls=[*CALLS, _answer()], reasoning="Hm."), WireStep(tool_calls=CALLS)]
    async with player(model, [*steps, WireStep(reasoning="Hm.", text="So.", tool_calls=[_answer()])]) as one:
        last = await play([one], 2)
        assert len(one.server.requests) == 3
    assert json.loads(last.text) == OSLO


@pytest.mark.parametrize("model", KNOWN)
def test_answers_of_every_type_can_be_asked_for(model: str) -> None:
    for wanted, _ in TYPES.values():
        output = output_schema(wanted, "test")
        assert refused(model, (LOOK_UP,), output) == []
