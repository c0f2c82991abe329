"""What the conformance cases run on: every adapter, each against the loopback server in its own protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sostenuto.activities.adapters.providers.anthropic.adapter import AnthropicAdapter
from sostenuto.activities.adapters.providers.compatible.adapter import CompatibleAdapter
from sostenuto.activities.adapters.providers.openai.adapter import OpenAIAdapter
from sostenuto.activities.adapters.providers.profiles.known import Profiles
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter, ScriptedStep
from sostenuto.activities.model_adapter import ModelAdapter, ModelRequest
from sostenuto.contracts.message import Message, Part, ReasoningPart, TextPart, ToolCallPart
from sostenuto.contracts.model import Model, OutputSchema
from sostenuto.contracts.tool import ToolDefinition
from tests.fakes.wire.server import Fault, ProviderServer
from tests.fakes.wire.streams import WireStep

OVER_THE_WIRE = ("anthropic", "openai", "compatible")
SUBJECTS = (*OVER_THE_WIRE, "scripted")

KEY = "sk-planted-secret"

LOOK_UP = ToolDefinition(
    name="look_up",
    description="Looks something up.",
    parameters={"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]},
)


def wire_adapter(
    protocol: str, base_url: str, *, key: str | None = KEY, dialect: str = "", profiles: Profiles | None = None
) -> ModelAdapter:
    """The adapter of a protocol, in front of a server."""
    if protocol == "anthropic":
        return AnthropicAdapter(api_key=key, base_url=base_url, profiles=profiles)
    if protocol == "openai":
        return OpenAIAdapter(api_key=key, base_url=base_url, profiles=profiles)
    return CompatibleAdapter(
        provider=dialect or "compatible",
        base_url=base_url,
        api_key=key,
        api_key_env="COMPATIBLE_API_KEY",
        profiles=profiles,
    )


@asynccontextmanager
async def on_the_wire(
    protocol: str, *script: WireStep, faults: tuple[Fault | None, ...] = (), dialect: str = "", **options: Any
) -> AsyncIterator[tuple[ModelAdapter, ProviderServer]]:
    """An adapter and the server that it talks to.

    Args:
        protocol: What they speak.
        *script: What the server says.
        faults: What goes wrong.
        dialect: Whose dialect, of Chat Completions. Empty: one of which nothing is known.
        **options: Of the server.
    """
    async with ProviderServer(script, faults, dialect=dialect or "chat", **options) as server:
        adapter = wire_adapter(protocol, server.base_url(protocol), dialect=dialect)
        try:
            yield adapter, server
        finally:
            await adapter.close()


@asynccontextmanager
async def answering(subject: str, step: WireStep) -> AsyncIterator[ModelAdapter]:
    """The subject, set to answer with a step."""
    if subject == "scripted":
        said = {name: getattr(step, name) for name in ScriptedStep.model_fields}
        yield ScriptedAdapter([ScriptedStep(**said | {"text": step.text + step.refusal})])
    else:
        async with on_the_wire(subject, step) as (adapter, _):
            yield adapter


def request(subject: str, *messages: Message, **settings: Any) -> ModelRequest:
    """A prompt with a tool, for the subject."""
    model = {name: settings.pop(name) for name in list(settings) if name not in ("tools", "output", "instructions")}
    model.setdefault("timeout", timedelta(seconds=20))
    return ModelRequest(
        model=Model(f"{subject}/test-model", **model),
        instructions=settings.get("instructions", "Be brief."),
        messages=messages or (Message.user("Hello?"),),
        tools=settings.get("tools", (LOOK_UP,)),
        output=settings.get("output"),
    )


def shape(part: Part) -> tuple[Any, ...]:
    """What every provider must make of a part, without what each puts there of its own."""
    match part:
        case TextPart():
            return ("text", part.text)
        case ToolCallPart():
            return ("tool_call", part.name, part.arguments, part.malformed)
        case ReasoningPart():
            return ("reasoning", part.text)
        case _:
            return (part.kind,)


ANSWER = OutputSchema(
    name="Answer",
    json_schema={
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "people": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": None},
        },
        "required": ["city"],
    },
)
