"""Spans of steps as workers make them, without a run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.head import Head
from sostenuto.contracts.message import Message, Role, TextPart, ToolCallPart, ToolResultPart
from sostenuto.contracts.model import Model
from sostenuto.contracts.wire.event import (
    FallbackUsed,
    ModelResponded,
    RetrievalResponded,
    RunFinished,
    ToolResponded,
)
from sostenuto.contracts.wire.model_call import StopReason
from sostenuto.contracts.wire.run import Status
from sostenuto.history.events.transcript import SentPrompt
from sostenuto.history.trace.growing import EndedStep
from sostenuto.history.trace.step import TraceStep
from sostenuto.workers.telemetry.attributes import AboutRun
from sostenuto.workers.telemetry.disclosure import Disclosure
from sostenuto.workers.telemetry.identity import RunIdentity
from sostenuto.workers.telemetry.span import StepSpan
from sostenuto.workers.telemetry.spans import SpanMaker

AT = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)
USAGE = Usage(input_tokens=100, cached_tokens=40, cache_write_tokens=10, output_tokens=20, reasoning_tokens=5)
ABOUT = AboutRun(run_id="run-1", session="run-1", runnable="clerk", runnable_kind="agent", tenant="acme")
IDENTITY = RunIdentity("default", "run-1", "first")


def made(
    disclosure: Disclosure,
    kind: str,
    event: type[Any] = RunFinished,
    *,
    prompt: SentPrompt | None = None,
    answer: Message | None = None,
    about: AboutRun = ABOUT,
    **fields: Any,
) -> StepSpan:
    """The span of a step that took a second.

    Args:
        disclosure: Says what it may tell.
        kind: What kind of step it is.
        event: What ended it.
        prompt: Of a model call what was sent.
        answer: What was answered.
        about: Its run.
        **fields: More of the step, and of the event where that has a field of the name.
    """
    said = {"name": "clerk", "path": "clerk", "started_at": AT, "seconds": 1.0, "status": "completed", **fields}
    step = TraceStep(**{"id": f"clerk:{kind}", "kind": kind, **said})
    ending = {"id": "1", "at": AT, "path": "clerk", "message": answer, **fields}
    ended = event.model_construct(**ending)
    within = () if kind == "run" else ("run-1",)
    span = SpanMaker(IDENTITY, about, disclosure).span(EndedStep(step, within, ended), prompt)
    assert span
    return span


def sent(*messages: Message, instructions: str = "") -> SentPrompt:
    """What a model call sent."""
    model = Model("openai/gpt-x")
    return SentPrompt(Head(agent="clerk", instructions=instructions, model=model), messages, model)


def result(call_id: str, content: str) -> Message:
    """The result of a tool call."""
    return Message(role=Role.TOOL, parts=(ToolResultPart(call_id=call_id, name="look", content=content),))


def saying(text: str, *calls: ToolCallPart) -> Message:
    """What a model says and asks for."""
    said = (TextPart(text=text),) if text else ()
    return Message(role=Role.ASSISTANT, parts=(*said, *calls))


def model_span(disclosure: Disclosure, prompt: SentPrompt | None, answer: Message, **fields: Any) -> StepSpan:
    """The span of a model call that came to an answer."""
    stop = StopReason.TOOL_CALLS if answer.tool_calls else StopReason.END
    told: dict[str, Any] = {
        "name": "openai/gpt-x-1",
        "requested": "openai/gpt-x",
        "answered": answer.text,
        "usage": USAGE,
    }
    more = {"turn": 1, "cost_usd": 0.25, "prompt_hash": "f00d", "stop": stop}
    said = {**told, **more, **fields}
    return made(disclosure, "model", ModelResponded, prompt=prompt, answer=answer, **said)


def failed_model_span(disclosure: Disclosure, reason: str) -> StepSpan:
    """The span of a model call that another model took over from."""
    said: dict[str, Any] = {
        "name": "openai/gpt-x",
        "requested": "openai/gpt-x",
        "status": "failed",
        "reason": reason,
        "turn": 1,
    }
    return made(disclosure, "model", FallbackUsed, prompt=sent(Message.user("Hello")), **said)


def tool_span(disclosure: Disclosure, **fields: Any) -> StepSpan:
    """The span of a tool call."""
    return made(disclosure, "tool", ToolResponded, **{"id": "clerk:call_1_0", "name": "look", **fields})


def retrieval_span(disclosure: Disclosure, **fields: Any) -> StepSpan:
    """The span of a search."""
    return made(disclosure, "retrieval", RetrievalResponded, **{"name": "handbook", **fields})


def run_span(disclosure: Disclosure, status: Status = Status.COMPLETED, **fields: Any) -> StepSpan:
    """The span of a run."""
    return made(disclosure, "run", id="run-1", run_id="run-1", status=status.value, **fields)
