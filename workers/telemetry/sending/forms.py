"""A span as each tool reads it. Does no I/O.

Sources: the OpenInference specification and Phoenix's own reading of the GenAI conventions; what Langfuse documents of
its OTLP endpoint, and how its server reads a span; what LangSmith documents of its own, and what its SDKs send to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic_core import from_json

from ..span import Attribute, StepSpan

Shown = Mapping[str, Attribute]
SpanForm = Callable[[StepSpan], Shown]
"""Returns the attributes of a span."""

_OPENINFERENCE: Final = {
    "model": "LLM",
    "tool": "TOOL",
    "retrieval": "RETRIEVER",
    "embeddings": "EMBEDDING",
    "rerank": "RERANKER",
    "route": "CHAIN",
    "notice": "CHAIN",
}
_MODEL_NAMES: Final = {"embeddings": "embedding.model_name", "rerank": "reranker.model_name"}
_ASKING: Final = ("model", "embeddings", "rerank")
"""Kinds of steps that ask a model, with tokens and a cost."""
_LANGFUSE: Final = {
    "model": "generation",
    "tool": "tool",
    "retrieval": "retriever",
    "embeddings": "embedding",
    "rerank": "span",
    "route": "span",
    "notice": "event",
}
_LANGSMITH: Final = {"model": "llm", "tool": "tool", "retrieval": "retriever", "embeddings": "embedding"}
_UNFINISHED: Final = ("refused", "exhausted", "cancelled")
_USAGE: Final = "gen_ai.usage."
_OWN: Final = "sostenuto."
_MESSAGES: Final = ("gen_ai.input.messages", "gen_ai.output.messages")
_NUMBERED: Final = ("gen_ai.prompt", "gen_ai.completion")
_VALUES: Final = ("input.value", "output.value")


def plain_form(span: StepSpan) -> Shown:
    """Return what a span has by the conventions alone."""
    return span.attributes


def openinference_form(span: StepSpan) -> Shown:
    """Return what Phoenix reads.

    Messages, tool calls and providers it reads from the GenAI conventions.
    """
    said = span.attributes
    agent = "AGENT" if span.operation == "invoke_agent" else "CHAIN"
    form: dict[str, Attribute] = {**said, "openinference.span.kind": _OPENINFERENCE.get(span.kind, agent)}
    for ours, theirs in (
        ("gen_ai.response.model", _MODEL_NAMES.get(span.kind, "llm.model_name")),
        (f"{_USAGE}input_tokens", "llm.token_count.prompt"),
        (f"{_USAGE}output_tokens", "llm.token_count.completion"),
        (f"{_USAGE}cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"),
        (f"{_USAGE}cache_creation.input_tokens", "llm.token_count.prompt_details.cache_write"),
        (f"{_USAGE}reasoning.output_tokens", "llm.token_count.completion_details.reasoning"),
        ("sostenuto.cost_usd", "llm.cost.total"),
        ("gen_ai.agent.name", "agent.name"),
        ("gen_ai.tool.name", "tool.name"),
        ("gen_ai.tool.call.arguments", "tool.parameters"),
    ):
        if ours in said:
            form[theirs] = said[ours]
    for name in _VALUES:
        if name in said:
            is_json = _json(said[name]) is not None
            form[name.replace("value", "mime_type")] = "application/json" if is_json else "text/plain"
    for index, found in enumerate(span.documents):
        document = f"retrieval.documents.{index}.document"
        form |= {f"{document}.id": found.id, f"{document}.score": found.score}
        if found.source:
            form[f"{document}.metadata"] = json.dumps({"source": found.source}, ensure_ascii=False)
    return form


def langfuse_form(span: StepSpan) -> Shown:
    """Return what Langfuse reads."""
    said = span.attributes
    agent = "agent" if span.operation == "invoke_agent" else "chain"
    form: dict[str, Attribute] = {**said, "langfuse.observation.type": _LANGFUSE.get(span.kind, agent)}
    form |= _langfuse_level(span)
    form |= _langfuse_usage(said)
    form |= _langfuse_said(said)
    # The span of who called may go elsewhere, so that here the outermost run is all there is of the trace.
    if span.parent is None or (span.kind == "run" and said["session.id"] == said["sostenuto.run.id"]):
        form["langfuse.trace.name"] = said.get("gen_ai.agent.name", span.name)
        form |= {f"langfuse.trace.{name.removesuffix('.value')}": said[name] for name in _VALUES if name in said}
    # What stands in no field of its own is not kept unless it is metadata.
    form |= _own(said, "langfuse.observation.metadata")
    return form


def _langfuse_said(said: Shown) -> Shown:
    """Return what was asked and answered.

    Messages as the APIs of OpenAI have them: only in these it finds tool calls, and it reads instructions only where it
    is told nothing else of the input.
    """
    form: dict[str, Attribute] = {}
    for messages, value in zip(_messages(said), _VALUES, strict=True):
        told = json.dumps(messages, ensure_ascii=False) if messages else said.get(value)
        if told is not None:
            form[f"langfuse.observation.{value.removesuffix('.value')}"] = told
    return form


def _langfuse_level(span: StepSpan) -> Shown:
    status = str(span.attributes["sostenuto.status"])
    if not span.failed and status not in _UNFINISHED:
        return {}
    level = {"langfuse.observation.level": "ERROR" if span.failed else "WARNING"}
    return level | {
        "langfuse.observation.status_message": span.failure or str(span.attributes.get("error.type", status))
    }


def _langfuse_usage(said: Shown) -> Shown:
    """Return tokens and cost, each token counted once, as its price tables have them."""
    form = {}
    if f"{_USAGE}input_tokens" in said:
        cached, written, reasoning, put_in, put_out = _counts(said)
        details = {
            "input": max(put_in - cached - written, 0),
            "output": max(put_out - reasoning, 0),
            "input_cached_tokens": cached,
            "input_cache_creation": written,
            "output_reasoning_tokens": reasoning,
            "total": put_in + put_out,
        }
        form["langfuse.observation.usage_details"] = json.dumps({key: one for key, one in details.items() if one})
    if "sostenuto.cost_usd" in said:
        form["langfuse.observation.cost_details"] = json.dumps({"total": said["sostenuto.cost_usd"]})
    return form


def langsmith_form(span: StepSpan) -> Shown:
    """Return what LangSmith reads.

    Messages as the APIs of OpenAI have them, which its own SDKs send. By number it documents a role and a text alone.
    """
    said = span.attributes
    form: dict[str, Attribute] = {**said, "langsmith.span.kind": _LANGSMITH.get(span.kind, "chain")}
    for ours, theirs in (("session.id", "session_id"), ("user.id", "user_id")):
        if ours in said:
            form[f"langsmith.metadata.{theirs}"] = said[ours]
    form |= _own(said, "langsmith.metadata")
    form |= _langsmith_usage(said)
    if span.kind not in _ASKING:
        return form
    form["gen_ai.system"] = said["gen_ai.provider.name"]
    if _MESSAGES[0] not in said:
        return form
    # As inputs and outputs they would stand in the place of the messages.
    return {**{name: value for name, value in form.items() if name not in _VALUES}, **_langsmith_messages(said)}


def _langsmith_messages(said: Shown) -> Shown:
    form: dict[str, Attribute] = {}
    for name, numbered, messages in zip(_MESSAGES, _NUMBERED, _messages(said), strict=True):
        if messages:
            form[name] = json.dumps(messages, ensure_ascii=False)
        for index, message in enumerate(messages):
            form[f"{numbered}.{index}.role"] = message["role"]
            form[f"{numbered}.{index}.content"] = message["content"]
    return form


def _langsmith_usage(said: Shown) -> Shown:
    if f"{_USAGE}input_tokens" not in said:
        return {}
    cached, written, reasoning, put_in, put_out = _counts(said)
    usage: dict[str, Any] = {"input_tokens": put_in, "output_tokens": put_out, "total_tokens": put_in + put_out}
    if cached or written:
        usage["input_token_details"] = {"cache_read": cached, "cache_creation": written}
    if reasoning:
        usage["output_token_details"] = {"reasoning": reasoning}
    if "sostenuto.cost_usd" in said:
        usage["total_cost"] = said["sostenuto.cost_usd"]
    return {
        "langsmith.usage_metadata": json.dumps(usage),
        f"{_USAGE}total_tokens": put_in + put_out,
        **({f"{_USAGE}details.reasoning_tokens": reasoning} if reasoning else {}),
    }


def _messages(said: Shown) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what a model was told and answered, as OpenAI's APIs have it."""
    instructions = _instructions(said)
    told = [{"role": "system", "content": instructions}] if instructions else []
    told += map(_openai, _json(said.get(_MESSAGES[0])) or ())
    return told, [*map(_openai, _json(said.get(_MESSAGES[1])) or ())]


def _openai(message: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message["role"], "content": "\n".join(_texts(message["parts"]))}
    if reasoning := "\n".join(part["content"] for part in message["parts"] if part["type"] == "reasoning"):
        said["reasoning_content"] = reasoning
    calls = [part for part in message["parts"] if part["type"] == "tool_call"]
    if calls:
        said["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["arguments"], ensure_ascii=False)},
            }
            for call in calls
        ]
    for part in message["parts"]:
        if part["type"] == "tool_call_response":
            said["tool_call_id"] = part["id"]
    return said


def _texts(parts: list[dict[str, Any]]) -> Iterator[str]:
    for part in parts:
        match part["type"]:
            case "text":
                yield part["content"]
            case "tool_call_response":
                yield part["response"]
            case "uri":
                yield part["uri"]
            case _:
                pass


def _own(said: Shown, prefix: str) -> Shown:
    """Return what no convention has a name for, as metadata of a tool."""
    return {
        f"{prefix}.{name.removeprefix(_OWN).replace('.', '_')}": value
        for name, value in said.items()
        if name.startswith(_OWN)
    }


def _instructions(said: Shown) -> str:
    parts = _json(said.get("gen_ai.system_instructions")) or ()
    return "\n".join(part["content"] for part in parts)


def _counts(said: Shown) -> tuple[int, ...]:
    names = ("cache_read.input_tokens", "cache_creation.input_tokens", "reasoning.output_tokens")
    return tuple(int(str(said.get(_USAGE + name, 0))) for name in (*names, "input_tokens", "output_tokens"))


def _json(text: Attribute | None) -> Any:
    """Return the object or list that a text is as JSON; None where it is none."""
    if not isinstance(text, str) or not text.startswith(("{", "[")):
        return None
    try:
        return from_json(text)
    except ValueError:
        return None
