"""A request for a model of every profile that is known, as the adapters write it, and what is refused of it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sostenuto.activities.adapters.providers.anthropic.request import messages_request
from sostenuto.activities.adapters.providers.asking.prepared import prepared
from sostenuto.activities.adapters.providers.compatible.request import chat_request
from sostenuto.activities.adapters.providers.openai.request import responses_request
from sostenuto.activities.adapters.providers.profiles import known
from sostenuto.activities.adapters.providers.profiles.known import Profiles
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.contracts.message import Message
from sostenuto.contracts.model import Model, OutputSchema
from sostenuto.contracts.tool import ToolDefinition
from tests.fakes.wire.dialect_rules import DIALECTS
from tests.fakes.wire.strict import refusals

_NAMES = {
    "anthropic": (
        "claude-3-5-haiku-latest claude-3-7-sonnet-latest claude-3-haiku-20240307 claude-fable-5 "
        "claude-fable-5-1 claude-haiku-4-5 claude-mythos-5 claude-opus-4-1 claude-opus-5-5 "
        "claude-sonnet-4-20250514 claude-sonnet-5 claude-sonnet-5-5"
    ),
    "azure": "gpt-4o",
    "chat": "any",
    "deepseek": "deepseek-chat deepseek-reasoner deepseek-v4",
    "fireworks": "gpt-oss-20b llama-v3p3-70b-instruct",
    "gemini": "gemini-2.5-flash gemini-2.5-pro gemini-3-flash",
    "groq": "llama-3.3-70b-versatile openai/gpt-oss-20b qwen/qwen3-32b",
    "litellm": "any deepseek-chat gpt-4o",
    "llama_cpp": "any",
    "lm_studio": "any",
    "mistral": "codestral-latest mistral-large-latest mistral-small-latest",
    "ollama": "gpt-oss:20b llama3.2 qwen3:8b",
    "openai": (
        "chatgpt-4o-latest ft:gpt-4o-mini:acme ft:gpt-5:acme gpt-3.5-turbo gpt-4 gpt-4-0613 gpt-4-turbo "
        "gpt-4.1 gpt-4.1-nano gpt-4o gpt-4o-2024-05-13 gpt-5 gpt-5-chat-latest gpt-5-pro gpt-5.2 gpt-5.2-chat-latest "
        "gpt-5.2-pro gpt-6 gpt-6-astra o3 o3-mini"
    ),
    "openrouter": "x/y",
    "together": "meta-llama/Llama-3.3-70B openai/gpt-oss-20b",
    "vllm": "any",
    "xai": "grok-3-mini grok-4 grok-4-fast-non-reasoning grok-4.3",
}
MODELS = tuple(f"{dialect}/{name}" for dialect, names in _NAMES.items() for name in names.split())
"""Models that have, all together, every profile there is."""


def _way_of_asking(model: str) -> tuple[Any, ...]:
    dialect, _, name = model.partition("/")
    profile = Profiles(dialect).of(name)
    return dialect, profile.output, profile.output_schema, profile.output_unenforced, profile.output_in_words


ASKED = tuple({_way_of_asking(model): model for model in MODELS}.values())
"""Models that have, all together, every way of asking for an answer of a given form."""

NOT_OVER_THE_WIRE = frozenset({"local"})


def unmatched() -> list[str]:
    """The entries of what is known that none of the models has."""
    entries = tomllib.loads(Path(known.__file__).with_name("known.toml").read_text())["known"]
    patterns = [entry["for"] for entry in entries]
    found = [pattern for pattern in patterns if not any(fnmatchcase(model, pattern) for model in MODELS)]
    return [pattern for pattern in found if pattern.partition("/")[0] not in NOT_OVER_THE_WIRE]


def refused(model: str, tools: tuple[ToolDefinition, ...] = (), output: OutputSchema | None = None) -> list[str]:
    """What the endpoint of a model refuses of a request with these tools and this form of an answer."""
    return [f"{place}: {words}" for place, words in _refused(model, tools, output)]


def _refused(model: str, tools: tuple[ToolDefinition, ...], output: OutputSchema | None) -> Iterator[tuple[str, str]]:
    messages = (Message.user("Hello?"),)
    request = ModelRequest(model=Model(model), instructions="Be brief.", messages=messages, tools=tools, output=output)
    protocol, book, body = wire_body(request)
    for one in refusals(protocol, book, body):
        yield f"{protocol}/{one.rule}", one.complaint.message


def wire_body(request: ModelRequest) -> tuple[str, str, dict[str, Any]]:
    """Protocol, book of rules and body of a request."""
    provider = request.model.provider
    wire = prepared(request, Profiles(provider))
    if provider == "anthropic":
        return "anthropic", "", messages_request(request, provider, wire)
    if provider == "openai":
        return "openai", "", responses_request(request, provider, wire)
    return "compatible", provider if provider in DIALECTS else "chat", chat_request(request, provider, wire)
