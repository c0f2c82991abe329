"""What is asked of a call beside its prompt, in the words of each protocol."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.contracts.errors import InvalidRequest
from sostenuto.contracts.model import ANY_TOOL
from tests.conformance.subject import LOOK_UP, OVER_THE_WIRE, on_the_wire, request
from tests.fakes.wire.streams import WireStep


async def _body(protocol: str, model: str = "", dialect: str = "", **changes: Any) -> dict[str, Any]:
    settings = {key: changes.pop(key) for key in list(changes) if key not in ModelRequest.__dataclass_fields__}
    asked = replace(request(dialect or protocol, **settings), **changes)
    if model:
        asked = replace(asked, model=asked.model.model_copy(update={"name": f"{asked.model.provider}/{model}"}))
    async with on_the_wire(protocol, WireStep(text="So."), dialect=dialect) as (adapter, server):
        await adapter.complete(asked)
        return server.requests[0].body


ANY = {"anthropic": {"type": "any"}, "openai": "required", "compatible": "required"}
NAMED: dict[str, Any] = {
    "anthropic": {"type": "tool", "name": "look_up"},
    "openai": {"type": "function", "name": "look_up"},
    "compatible": {"type": "function", "function": {"name": "look_up"}},
}


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_a_call_is_demanded(protocol: str) -> None:
    assert (await _body(protocol, tool_choice=ANY_TOOL))["tool_choice"] == ANY[protocol]
    assert (await _body(protocol, tool_choice="look_up"))["tool_choice"] == NAMED[protocol]
    assert "tool_choice" not in await _body(protocol)
    assert "tool_choice" not in await _body(protocol, tool_choice=ANY_TOOL, tools=())


@pytest.mark.parametrize(
    ("protocol", "dialect", "model"),
    [
        ("anthropic", "", "claude-opus-5-5"),
        ("compatible", "deepseek", "deepseek-v4-flash"),
        ("compatible", "ollama", "llama3.2"),
    ],
)
async def test_what_a_model_cannot_be_held_to_is_asked_for_in_words(protocol: str, dialect: str, model: str) -> None:
    body = await _body(protocol, model, dialect, tool_choice="look_up")
    assert "tool_choice" not in body
    assert "Call look_up before you answer." in str(body["messages"][-1])


async def test_thinking_by_a_budget_gives_way_to_a_demand() -> None:
    body = await _body("anthropic", "claude-haiku-4-5", tool_choice=ANY_TOOL, reasoning="high")
    assert body["tool_choice"] == {"type": "any"}
    assert "thinking" not in body


async def test_calls_one_after_the_other() -> None:
    one: dict[str, Any] = {"parallel_tool_calls": False}
    assert (await _body("anthropic", **one))["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert (await _body("openai", **one))["parallel_tool_calls"] is False
    assert (await _body("compatible", **one))["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in await _body("compatible", "o3-mini", "openai", **one)
    for protocol in OVER_THE_WIRE:
        assert "parallel" not in str(await _body(protocol, tools=(), **one))


async def test_seed_stop_and_tier() -> None:
    body = await _body("compatible", seed=7, stop=["END"], service_tier="flex")
    assert (body["seed"], body["stop"], body["service_tier"]) == (7, ["END"], "flex")
    assert (await _body("compatible", "mistral-large-latest", "mistral", seed=7))["random_seed"] == 7
    assert (await _body("openai", service_tier="flex"))["service_tier"] == "flex"
    body = await _body("anthropic", stop=["END"], service_tier="auto")
    assert (body["stop_sequences"], body["service_tier"]) == (["END"], "auto")


@pytest.mark.parametrize(
    ("protocol", "dialect", "model", "settings", "words"),
    [
        ("anthropic", "", "claude-opus-5", {"seed": 7}, "seed=7 is not taken by the model: leave it out"),
        ("anthropic", "", "claude-opus-5", {"stop": ["END", " "]}, "each text has to be more than blanks"),
        ("openai", "", "gpt-4.1", {"stop": ["END"]}, r"stop=\('END',\) is not taken by the model"),
        ("compatible", "openai", "gpt-5-mini", {"stop": ["END"]}, "stop=.* is not taken by the model"),
        ("compatible", "fireworks", "any", {"seed": 7}, "seed=7 is not taken by the model"),
        ("compatible", "groq", "llama3", {"reasoning": "low"}, "takes no reasoning='low': leave it out"),
        ("anthropic", "", "claude-opus-5-5", {"reasoning": "off"}, "it takes 'low', 'medium', 'high', or nothing"),
    ],
)
async def test_what_a_model_is_known_not_to_take_is_an_error_that_names_it(
    protocol: str, dialect: str, model: str, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        await _body(protocol, model, dialect, **settings)


@pytest.mark.parametrize(
    ("model", "thinking", "effort"),
    [
        ("claude-opus-5", {"type": "adaptive"}, "high"),
        ("claude-opus-4-6", {"type": "adaptive"}, "high"),
        ("claude-haiku-4-5", {"type": "enabled", "budget_tokens": 24_576}, None),
    ],
)
async def test_thinking_as_each_family_of_claude_wants_it(model: str, thinking: dict[str, Any], effort: Any) -> None:
    body = await _body("anthropic", model, reasoning="high")
    assert body["thinking"] == thinking
    assert (body.get("output_config") or {}).get("effort") == effort


SEARCH: dict[str, dict[str, Any]] = {
    "anthropic": {"type": "web_search_20250305", "name": "web_search"},
    "openai": {"type": "web_search"},
    "compatible": {
        "type": "function",
        "function": {"name": "other", "parameters": {"type": "object", "properties": {}}},
    },
}


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_tools_of_the_options_come_beside_the_agents_own(protocol: str) -> None:
    body = await _body(protocol, options={"tools": [SEARCH[protocol]]})
    assert len(body["tools"]) == 2
    assert body["tools"][1] == SEARCH[protocol]


@pytest.mark.parametrize(
    ("protocol", "key"), [("anthropic", "system"), ("openai", "input"), ("compatible", "messages")]
)
async def test_options_never_take_the_place_of_the_prompt(protocol: str, key: str) -> None:
    with pytest.raises(InvalidRequest, match=f"options may not set '{key}': the agent says that itself"):
        await _body(protocol, options={key: []})


@pytest.mark.parametrize(
    ("protocol", "dialect", "model", "fields", "sent", "more"),
    [
        ("anthropic", "", "claude-opus-5", {"room": 1}, 32_000, True),
        ("anthropic", "", "claude-opus-5", {"room": 4}, 128_000, False),
        ("anthropic", "", "claude-haiku-4-5", {"room": 4}, 64_000, False),
        ("anthropic", "", "claude-3-5-haiku", {"room": 1}, 8_192, False),
        ("anthropic", "", "claude-opus-5", {"room": 4, "max_output_tokens": 500}, 500, False),
        ("compatible", "fireworks", "llama-v3p1-8b", {"room": 1}, None, True),
        ("compatible", "fireworks", "llama-v3p1-8b", {"room": 4}, 8_192, True),
        ("compatible", "fireworks", "llama-v3p1-8b", {"room": 16}, 32_768, False),
        ("compatible", "deepseek", "deepseek-chat", {"room": 4}, 8_192, False),
        ("compatible", "deepseek", "deepseek-v4-flash", {"room": 4}, None, False),
        ("compatible", "", "some-model", {"room": 4}, None, False),
        ("openai", "", "gpt-5.4", {"room": 4}, None, False),
    ],
)
async def test_an_answer_has_more_room_where_there_is_more(
    protocol: str, dialect: str, model: str, fields: dict[str, Any], sent: int | None, more: bool
) -> None:
    settings = dict(fields)
    room = settings.pop("room")
    asked = replace(request(dialect or protocol, **settings), room=room)
    asked = replace(asked, model=asked.model.model_copy(update={"name": f"{asked.model.provider}/{model}"}))
    async with on_the_wire(protocol, WireStep(text="So", stop="length"), dialect=dialect) as (adapter, server):
        answer = await adapter.complete(asked)
        body = server.requests[0].body
    limits = {value for key, value in body.items() if key.startswith("max_")}
    assert (limits or {None}) == {sent}
    assert answer.more_room is more


@pytest.mark.parametrize("length", [1_000, 1_024, 1_025, 20_000])
async def test_azure_takes_no_long_description(length: int) -> None:
    long = LOOK_UP.model_copy(update={"description": "d" * length})
    (sent,) = (await _body("compatible", "gpt-5.4", "azure", tools=(long,)))["tools"]
    description = sent["function"]["description"]
    assert len(description) <= 1_024
    assert (description == long.description) is (length <= 1_024)
