"""An example of each contract, in which no field has its default."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import to_jsonable_python

import sostenuto.contracts
from sostenuto import Agent, Effect, FilePart, ImagePart, Message, Model, Role, Status, TextPart, Usage
from sostenuto.contracts import event, run
from sostenuto.contracts.contract import Contract, Spec
from sostenuto.contracts.message import OpaquePart, PartRef, ReasoningPart, ToolCallPart, ToolResultPart
from sostenuto.contracts.model import (
    Head,
    ModelCall,
    ModelReply,
    OutputSchema,
    StopReason,
    TranscriptPage,
    TranscriptQuery,
)
from sostenuto.contracts.tool import ToolDefinition, ToolInvocation, ToolOutput, ToolSpec

USAGE = Usage(input_tokens=100, cached_tokens=40, cache_write_tokens=30, output_tokens=20, reasoning_tokens=10)
IMAGE = ImagePart(media_type="image/png", data="iVBORw0=")
FILE = FilePart(media_type="application/pdf", url="https://example.com/a.pdf", name="a.pdf")
CALL = ToolCallPart(id="call_1_0", name="look", arguments={"at": ["ä", 1, None]}, malformed="{")
RESULT = ToolResultPart(call_id="call_1_0", name="look", content="a cat", attachments=(IMAGE, FILE), is_error=True)
REASONING = ReasoningPart(provider="anthropic", text="hm", data={"signature": "c2ln"})
OPAQUE = OpaquePart(provider="openai", data={"encrypted": "eA=="})
REF = PartRef(message=3, part=1, call_id="call_1_0", digest="0123456789abcdef")
USER = Message(role=Role.USER, parts=(TextPart(text="Hello 🎹"), IMAGE, FILE, REF))
ASSISTANT = Message(role=Role.ASSISTANT, parts=(REASONING, OPAQUE, TextPart(text="Well."), CALL))
ANSWER = Message(role=Role.TOOL, parts=(RESULT,))
SCHEMA = OutputSchema(name="City", json_schema={"type": "object", "properties": {"name": {"type": "string"}}})
DEFINITION = ToolDefinition(name="look", description="Look.", parameters={"type": "object"})
TOOL = ToolSpec(
    name="look",
    description="Look.",
    parameters={"type": "object"},
    effect=Effect.READ,
    fast=True,
    timeout=timedelta(seconds=3),
    retries=2,
)
MODEL = Model(
    "anthropic/claude",
    fallbacks=[Model("openai/gpt", temperature=0.5)],
    temperature=0.0,
    max_output_tokens=100,
    reasoning="high",
    timeout=timedelta(seconds=30),
    options={"metadata": {"user_id": "u"}},
)
AGENT = Agent(
    name="support",
    instructions="Be kind.",
    model=MODEL,
    tools=[TOOL],
    output=SCHEMA,
    max_turns=5,
    max_repairs=1,
    max_repeats=4,
)
HEAD = Head(agent="support", instructions="Be kind.", model=MODEL, tools=(DEFINITION,), output=SCHEMA)
TOTALS = run.Totals(usage=USAGE, cost_usd=0.25, unpriced_calls=1)
WHEN = {"id": "0c/12/0", "at": datetime(2026, 11, 22, 20, 0, tzinfo=UTC), "path": "support"}

EXAMPLES: tuple[Contract, ...] = (
    *(USAGE, IMAGE, FILE, CALL, RESULT, REASONING, OPAQUE, REF, TextPart(text="Hello"), ASSISTANT),
    *(SCHEMA, DEFINITION, TOOL, MODEL, AGENT, HEAD, TOTALS),
    ToolInvocation(call_id="call_1_0", reply="9b7e0c1d2f3a4b5c", arguments={"at": "cat"}),
    ToolOutput(content="a cat", attachments=(IMAGE, FILE)),
    ModelCall(
        transcript="support", turn=2, model="openai/gpt", choice=1, base=3, after="r1", tail=(USER, ANSWER), head=HEAD
    ),
    ModelReply(
        id="r1",
        message=ASSISTANT,
        model="openai/gpt-5",
        usage=USAGE,
        cost_usd=0.125,
        stop=StopReason.TOOL_CALLS,
        prompt_hash="ab" * 32,
        output_errors=("people: too many",),
        request_id="req_1",
    ),
    TranscriptQuery(transcript="support", start=1, stop=3, max_bytes=1000),
    TranscriptPage(head=HEAD, messages=(USER, ASSISTANT)),
    run.Carried(messages=(USER, ASSISTANT, ANSWER), after="r1", turns=1, totals=TOTALS, choice=1, repairs=1, repeats=2),
    run.RunInput(
        runnable=AGENT,
        message=USER,
        carried=run.Carried(messages=(USER,), after="", turns=0, totals=TOTALS),
        offload=True,
    ),
    run.Result(
        status=Status.EXHAUSTED,
        output={"name": "Oslo"},
        reason="enough",
        turns=3,
        usage=USAGE,
        cost_usd=0.25,
        unpriced_calls=1,
        untold=(RESULT,),
        messages=(USER, ASSISTANT),
    ),
    event.RunStarted(**WHEN, run_id="run-1", runnable="support", message=USER),
    event.ModelRequested(**WHEN, turn=1, model="openai/gpt"),
    event.ModelResponded(
        **WHEN,
        turn=1,
        model="openai/gpt-5",
        message=ASSISTANT,
        usage=USAGE,
        cost_usd=0.125,
        attempt=2,
        seconds=1.5,
        prompt_hash="ab" * 32,
    ),
    event.ToolRequested(**WHEN, turn=1, call_id="call_1_0", name="look", arguments={"at": "cat"}),
    event.ToolResponded(
        **WHEN, turn=1, call_id="call_1_0", name="look", content="a cat", is_error=True, attempt=2, seconds=0.5
    ),
    event.FallbackUsed(**WHEN, turn=1, failed="anthropic/claude", model="openai/gpt", reason="QuotaExceeded"),
    event.RunFinished(
        **WHEN, status=Status.FAILED, output="so far", reason="broke", turns=3, usage=USAGE, cost_usd=0.25
    ),
)

BY_NAME = {type(example).__name__: example for example in EXAMPLES}


def contracts() -> set[type[Contract]]:
    """Every contract that there is, by reflection."""
    for module in pkgutil.iter_modules(sostenuto.contracts.__path__):
        importlib.import_module(f"sostenuto.contracts.{module.name}")
    return {
        found
        for found in _subclasses(Contract)
        if found.__module__.startswith("sostenuto.contracts.") and found is not Spec and found.__name__[0] != "_"
    }


def _subclasses(parent: type[Contract]) -> Iterator[type[Contract]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


def defaults(kind: type[Contract]) -> dict[str, Any]:
    """The default of each field that has one, as JSON."""
    fields = {name: field.get_default() for name, field in kind.model_fields.items() if not field.is_required()}
    return {name: to_jsonable_python(value) for name, value in fields.items()}
