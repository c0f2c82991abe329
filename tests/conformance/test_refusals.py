"""A model of which nothing is known is asked again without what it turns out not to have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sostenuto.activities.adapters.providers.compatible.adapter import CompatibleAdapter
from sostenuto.activities.adapters.providers.profiles.known import UNKNOWN, Profiles
from sostenuto.activities.adapters.providers.refused_feature import noted, refused_feature
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.activities.refusals import completed
from sostenuto.contracts.errors import InvalidRequest, ProviderUnavailable
from tests.conformance.subject import ANSWER, KEY, on_the_wire, request
from tests.fakes.wire.dialect_rules import DIALECTS
from tests.fakes.wire.server import ProviderServer
from tests.fakes.wire.streams import WireStep

MODELS = {
    "chat": "any",
    "openai": "gpt-5.5",
    "gemini": "gemini-2.5-flash",
    "mistral": "mistral-large-latest",
    "deepseek": "deepseek-chat",
    "groq": "llama-3.3-70b-versatile",
    "xai": "grok-4-fast-non-reasoning",
    "together": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "fireworks": "accounts/fireworks/models/kimi-k2p6",
    "openrouter": "meta-llama/llama-3.3-70b-instruct",
    "ollama": "llama3.2",
    "vllm": "qwen3",
    "llama_cpp": "any",
    "lm_studio": "any",
    "litellm": "gpt-4o",
    "azure": "gpt-4o",
}


async def _asked(dialect: str, asked: ModelRequest) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """What was found missing, and the bodies that were sent."""
    script = [WireStep(text='{"city": "Oslo"}')]
    async with ProviderServer(script, dialect=dialect, refused=True) as server:
        adapter = CompatibleAdapter(
            provider="unheard-of", base_url=server.base_url("compatible"), api_key=KEY, profiles=Profiles(UNKNOWN)
        )
        completion, missing = await completed(adapter, asked)
        await adapter.close()
        assert completion.message.text == '{"city": "Oslo"}'
        return missing, [received.body for received in server.requests]


def test_every_dialect_has_a_model() -> None:
    assert set(MODELS) >= set(DIALECTS) - {"cerebras", "moonshot", "qwen"}


@pytest.mark.parametrize("dialect", list(MODELS))
async def test_an_unknown_server_of_each_dialect_answers_in_the_form_that_is_wanted(dialect: str) -> None:
    asked = request("compatible", output=ANSWER, temperature=0.5, reasoning="low")
    model = asked.model.model_copy(update={"name": f"unheard-of/{MODELS[dialect]}"})
    missing, bodies = await _asked(dialect, replace(asked, model=model))
    assert len(bodies) == len(missing) + 1
    assert len(set(missing)) == len(missing)
    # What was left out is never the tools or the schema itself: in some form both are still there.
    assert bodies[-1]["tools"]
    assert '"city"' in str(bodies[-1]).replace("'", '"')


async def test_what_a_model_turned_out_not_to_have_is_not_tried_again() -> None:
    asked = replace(request("compatible", output=ANSWER), without=frozenset({"schema"}))
    model = asked.model.model_copy(update={"name": "unheard-of/deepseek-chat"})
    missing, bodies = await _asked("deepseek", replace(asked, model=model))
    assert missing == ()
    assert bodies[0]["response_format"] == {"type": "json_object"}


async def test_what_people_ask_for_in_the_words_of_the_provider_is_never_left_out() -> None:
    options = {"reasoning_effort": "low"}
    async with on_the_wire("compatible", WireStep(text="So."), dialect="openai", refused=True) as (adapter, server):
        asked = request("compatible", options=options)
        asked = replace(asked, model=asked.model.model_copy(update={"name": "openai/gpt-4o"}))
        with pytest.raises(InvalidRequest, match="'reasoning_effort' is not supported"):
            await completed(adapter, asked)
        assert len(server.requests) == 1


async def test_a_request_that_is_wrong_in_itself_is_not_sent_again() -> None:
    async with on_the_wire("compatible", WireStep(text="So."), refused=True) as (adapter, server):
        with pytest.raises(InvalidRequest):
            await completed(adapter, request("compatible", options={"stream_options": 3}))
        assert len(server.requests) == 1


BODY = {"model": "kimi-k2-thinking", "messages": [], "seed": 7, "max_tokens": 5, "reasoning_effort": "low"}


@pytest.mark.parametrize(
    ("said", "field", "feature"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
            "",
            "max_tokens",
        ),
        ("The `reasoning_content` in the thinking mode must be passed back to the API.", "", "no_echo"),
        (
            "thinking is enabled but reasoning_content is missing in assistant tool call message at index 3",
            "",
            "no_echo",
        ),
        ("Unknown parameter: 'messages[2].reasoning_content'.", "", "echo"),
        ("The encrypted content gAAA could not be verified.", "", "echo"),
        ("'seed' is not supported with model kimi-k2-thinking", "seed", "seed"),
        ("No endpoints found that support the provided 'seed' value.", "", "seed"),
        ("The prompt was flagged.", "", ""),
        ("Invalid schema: unknown", "", ""),
    ],
)
def test_what_was_refused_is_told_from_the_words(said: str, field: str, feature: str) -> None:
    assert refused_feature(said, field, BODY, {}) == feature


def test_no_key_stands_in_what_the_http_client_says() -> None:
    raw = ValueError(f"Illegal header value b'Bearer {KEY}'")
    error = noted(ProviderUnavailable(f"the connection failed: {raw}"), raw, {}, request("openai"), KEY)
    assert KEY not in str(error)
    assert "[redacted]" in str(error)


@pytest.mark.parametrize(
    ("features", "fields"),
    [
        ({"max_tokens"}, {"max_tokens": "max_completion_tokens"}),
        ({"call_ids"}, {"call_ids": "nine"}),
        ({"echo"}, {"echo": (), "thoughts": False}),
        ({"no_echo"}, {"echo": ("reasoning_content",), "echo_required": True}),
        ({"schema", "json"}, {"output": "words"}),
        ({"tool_choice"}, {"required_choice": "", "named_choice": False}),
    ],
)
def test_a_profile_does_without_what_was_refused(features: set[str], fields: dict[str, Any]) -> None:
    profile = Profiles(UNKNOWN).of("any").without(frozenset(features))
    assert {name: getattr(profile, name) for name in fields} == fields
