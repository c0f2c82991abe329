"""A step in the words of the GenAI conventions of OpenTelemetry.

Does no I/O.

Source: semantic-conventions-genai 1.42 (`gen_ai.*`), besides `input.value`, `output.value`, `session.id` and `user.id`,
which Phoenix, Langfuse and LangSmith read. What none of these has a name for begins with `sostenuto.`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from pydantic import JsonValue

from ...contracts.control.usage import Usage
from ...contracts.errors import MODEL_ERRORS
from ...contracts.message import Message, Role
from ...contracts.wire.event import Event, ModelResponded
from ...contracts.wire.guardrails.guardrail_event import GuardrailDecided
from ...contracts.wire.ingest.ingest_event import DocumentIngested
from ...contracts.wire.memory.memory_event import MemoryCompacted
from ...contracts.wire.model_call import StopReason
from ...contracts.wire.places import ActivityId
from ...contracts.wire.totals import Charged, Staged, Totals
from ...history.events.transcript import SentPrompt
from ...history.trace.step import TraceStep
from .disclosure import Disclosure
from .span import Attribute

_AGENTS: Final = ("agent", "prompt")
_PROVIDERS: Final = {"mistral": "mistral_ai", "gemini": "gcp.gemini", "xai": "x_ai", "azure": "azure.ai.openai"}
"""Providers that the conventions call otherwise than we do."""
_FINISH: Final = {
    StopReason.END: "stop",
    StopReason.TOOL_CALLS: "tool_call",
    StopReason.LENGTH: "length",
    StopReason.REFUSAL: "content_filter",
    StopReason.INTERRUPTED: "interrupted",
}

Attributes = Iterator[tuple[str, Attribute]]


@dataclass(frozen=True, slots=True)
class AboutRun:
    """What all spans of a run have."""

    run_id: str
    session: str
    """Id of the chat or of the outermost run."""
    runnable: str
    """Name of what runs."""
    runnable_kind: str
    """What kind of runnable that is; empty of a code-first workflow."""
    is_chat: bool = False
    """Whether it is a chat, each of whose turns is a trace."""
    tenant: str = ""


def operation_of(step: TraceStep, about: AboutRun) -> str:
    """Return `gen_ai.operation.name` of a step; empty where the conventions have none."""
    match step.kind:
        case "model":
            return "chat"
        case "tool":
            return "execute_tool"
        case "retrieval" | "embeddings":
            return step.kind
        case "run" | "turn":
            return "invoke_agent" if about.runnable_kind in _AGENTS else "invoke_workflow"
        case _:
            return ""


def span_name(step: TraceStep, about: AboutRun) -> str:
    """Return the name of the span of a step."""
    match step.kind:
        case "run" | "turn":
            return f"{operation_of(step, about)} {about.runnable}"
        case "route" | "notice" | "rerank":
            return f"{step.kind} {step.name}"
        case "document":
            # Its name may be that of a person.
            return step.kind
        case _:
            return f"{operation_of(step, about)} {step.requested or step.name}"


def asked_of(name: str) -> dict[str, str]:
    """Return what says which model is asked.

    Args:
        name: Our name for it, `provider/model`.
    """
    provider, _, model = name.partition("/")
    return {"gen_ai.provider.name": _PROVIDERS.get(provider, provider), "gen_ai.request.model": model}


def attributes_of(
    step: TraceStep,
    about: AboutRun,
    disclosure: Disclosure,
    event: Event,
    prompt: SentPrompt | None,
) -> Attributes:
    """Yield the attributes of a step.

    Args:
        step: The step.
        about: Its run.
        disclosure: Says what of what was said may leave.
        event: What ended it.
        prompt: Of a model call what was sent, where that may leave.
    """
    yield from _of_any(step, about)
    match step.kind:
        case "run" | "turn":
            yield from _of_run(step, about)
        case "model":
            yield from _of_model(step)
        case "tool":
            yield from (("gen_ai.tool.name", step.name), ("gen_ai.tool.type", "function"))
            yield "gen_ai.tool.call.id", ActivityId.parse(step.id).step
        case "retrieval":
            yield "gen_ai.data_source.id", step.name
            yield from _charges(beside_stages(event))
        case "document":
            yield from _of_document(event)
        case "embeddings":
            yield from asked_of(step.requested).items()
            yield "gen_ai.response.model", step.requested.partition("/")[2]
            yield from _usage(step.usage, step.cost_usd)
            yield from _unpriced(step.unpriced_calls)
        case "rerank":
            yield from _of_rerank(step)
        case _:
            yield from _of_moment(step, event)
    if disclosure.is_on:
        answer = event.message if isinstance(event, ModelResponded) else None
        yield from _said(step, disclosure, prompt, answer)


def _of_any(step: TraceStep, about: AboutRun) -> Attributes:
    yield "sostenuto.run.id", about.run_id
    yield "sostenuto.path", step.path
    yield "sostenuto.status", step.status
    yield "session.id", about.session
    yield "gen_ai.conversation.id", about.session
    if about.tenant:
        yield "user.id", about.tenant
        yield "sostenuto.tenant", about.tenant
    if step.attempt > 1:
        yield "sostenuto.attempt", step.attempt
    if step.waited_seconds:
        yield "sostenuto.waited_seconds", step.waited_seconds
    if step.person_seconds:
        yield "sostenuto.person_seconds", step.person_seconds
    if step.undoes:
        yield "sostenuto.undoes", step.undoes
    if operation := operation_of(step, about):
        yield "gen_ai.operation.name", operation
    if step.status == "failed":
        yield "error.type", _error_type(step)


def _of_run(step: TraceStep, about: AboutRun) -> Attributes:
    yield "gen_ai.agent.name", about.runnable
    # The conventions have dropped this name for the other; who reads them may not have.
    if operation_of(step, about) == "invoke_workflow":
        yield "gen_ai.workflow.name", about.runnable
    # As `gen_ai.usage` they would count twice: the model calls have them.
    yield "sostenuto.total.input_tokens", step.usage.input_tokens
    yield "sostenuto.total.output_tokens", step.usage.output_tokens
    yield "sostenuto.total.cost_usd", step.cost_usd or 0.0
    yield "sostenuto.total.model_calls", step.turns


def _of_model(step: TraceStep) -> Attributes:
    yield from asked_of(step.requested).items()
    yield "sostenuto.turn", step.turn
    if step.summary:
        yield "sostenuto.summary", True
    if step.status != "completed":
        return
    yield "gen_ai.response.model", step.name.partition("/")[2] or step.name
    if step.stop:
        yield "gen_ai.response.finish_reasons", (_FINISH[step.stop],)
    yield "sostenuto.prompt_hash", step.prompt_hash
    yield from _usage(step.usage, step.cost_usd)


def _of_moment(step: TraceStep, event: Event) -> Attributes:
    if step.kind == "route":
        yield "sostenuto.route", step.name
    if isinstance(event, GuardrailDecided):
        yield "sostenuto.guardrail.name", event.guardrail
        yield "sostenuto.guardrail.stage", event.stage
        yield "sostenuto.guardrail.verdict", event.verdict.value
    if not isinstance(event, MemoryCompacted):
        return
    yield "sostenuto.memory.strategy", event.strategy
    yield "sostenuto.memory.tokens_before", event.before
    yield "sostenuto.memory.tokens_after", event.after
    yield "sostenuto.memory.messages", event.messages
    yield "sostenuto.memory.tool_results", len(event.cleared)


def _of_document(event: Event) -> Attributes:
    if isinstance(event, DocumentIngested):
        yield from (("sostenuto.passages", event.passages), ("sostenuto.characters", event.characters))
    yield from _charges(beside_stages(event))


def _of_rerank(step: TraceStep) -> Attributes:
    kind, is_of_others, model = step.requested.partition(":")
    yield from asked_of(model if is_of_others else f"sostenuto/{kind}").items()
    yield "gen_ai.response.model", model.partition("/")[2] or kind
    if step.usage.total_tokens or step.cost_usd:
        yield from _usage(step.usage, step.cost_usd)
    yield from _unpriced(step.unpriced_calls)


def beside_stages(event: Event) -> Totals:
    """Return what a step cost beside its stages, so that sums have it once."""
    if isinstance(event, Staged):
        return event.beside_stages
    return event.totals if isinstance(event, Charged) else Totals()


def _charges(totals: Totals) -> Attributes:
    if totals.usage.total_tokens or totals.cost_usd:
        yield from _usage(totals.usage, totals.cost_usd)
    yield from _unpriced(totals.unpriced_calls)


def _unpriced(calls: int) -> Attributes:
    if calls:
        yield "sostenuto.unpriced_calls", calls


def _usage(usage: Usage, cost_usd: float | None) -> Attributes:
    yield "gen_ai.usage.input_tokens", usage.input_tokens
    yield "gen_ai.usage.output_tokens", usage.output_tokens
    for name, tokens in (
        ("cache_read.input_tokens", usage.cached_tokens),
        ("cache_creation.input_tokens", usage.cache_write_tokens),
        ("reasoning.output_tokens", usage.reasoning_tokens),
    ):
        if tokens:
            yield f"gen_ai.usage.{name}", tokens
    if cost_usd is not None:
        yield "sostenuto.cost_usd", cost_usd


def _error_type(step: TraceStep) -> str:
    """Return what kind of failure it was.

    Of a model our name for it, which tells nothing of what was said.
    """
    named = step.reason.partition(":")[0]
    return named if named in MODEL_ERRORS else f"{step.kind}_failed"


def _said(step: TraceStep, disclosure: Disclosure, prompt: SentPrompt | None, answer: Message | None) -> Attributes:
    asked: JsonValue = step.asked
    match step.kind:
        case "model" if prompt:
            if prompt.head.instructions:
                yield "gen_ai.system_instructions", disclosure.instructions(prompt.head.instructions)
            yield "gen_ai.input.messages", disclosure.messages(prompt.messages)
            asked = _last_said(prompt.messages)
            if answer:
                finish = _FINISH[step.stop or StopReason.END]
                yield "gen_ai.output.messages", disclosure.messages((answer,), finish)
        case "tool":
            yield "gen_ai.tool.call.arguments", disclosure.value(step.asked)
            yield "gen_ai.tool.call.result", disclosure.value(step.answered)
        case "retrieval":
            yield "gen_ai.retrieval.query.text", disclosure.value(step.asked)
        case _:
            pass
    if step.reason:
        yield "sostenuto.reason", disclosure.safe(step.reason)
    answered = step.answered
    if not answered and answer:
        answered = [{"name": call.name, "arguments": call.arguments} for call in answer.tool_calls]
    # A zero or `false` was said; nothing was not.
    for name, value in (("input.value", asked), ("output.value", answered)):
        if value is not None and value != "":
            yield name, disclosure.value(value)


def _last_said(messages: Sequence[Message]) -> str:
    """Return the text of the last message.

    Of what tools came to, that of all that the model has not answered yet.
    """
    told = [*takewhile(lambda message: message.role is Role.TOOL, reversed(messages))] or messages[-1:]
    parts = [part for message in reversed(told) for part in message.parts]
    results = [part.content for part in parts if part.kind == "tool_result"]
    return "\n".join(results) or "".join(message.text for message in told)
