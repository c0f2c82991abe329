"""What each tool reads besides the common conventions. Does no I/O.

Sources: the OpenInference specification (Phoenix), and what Langfuse and LangSmith document of their OTLP endpoints.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from ..span import Attribute, StepSpan

SpanForm = Callable[[StepSpan], Mapping[str, Attribute]]
"""Returns the attributes that a span has besides its own."""

_OPENINFERENCE: Final = {
    "model": "LLM",
    "tool": "TOOL",
    "retrieval": "RETRIEVER",
    "route": "CHAIN",
    "notice": "CHAIN",
}
_LANGFUSE: Final = {
    "model": "generation",
    "tool": "tool",
    "retrieval": "retriever",
    "route": "span",
    "notice": "event",
}
_LANGSMITH: Final = {"model": "llm", "tool": "tool", "retrieval": "retriever"}


def plain_form(span: StepSpan) -> Mapping[str, Attribute]:  # noqa: ARG001
    """Return nothing: the conventions alone."""
    return {}


def openinference_form(span: StepSpan) -> Mapping[str, Attribute]:
    """Return what Phoenix reads."""
    said = span.attributes
    agent = "AGENT" if span.operation == "invoke_agent" else "CHAIN"
    form: dict[str, Attribute] = {"openinference.span.kind": _OPENINFERENCE.get(span.kind, agent)}
    if span.kind == "model":
        for ours, theirs in (
            ("gen_ai.response.model", "llm.model_name"),
            ("gen_ai.provider.name", "llm.provider"),
            ("gen_ai.usage.input_tokens", "llm.token_count.prompt"),
            ("gen_ai.usage.output_tokens", "llm.token_count.completion"),
            ("gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"),
            ("gen_ai.usage.reasoning.output_tokens", "llm.token_count.completion_details.reasoning"),
            ("sostenuto.cost_usd", "llm.cost.total"),
        ):
            if ours in said:
                form[theirs] = said[ours]
    elif span.kind == "tool":
        form["tool.name"] = said["gen_ai.tool.name"]
        if "gen_ai.tool.call.arguments" in said:
            form |= {"tool.parameters": said["gen_ai.tool.call.arguments"], "input.mime_type": "application/json"}
    for index, (passage, score) in enumerate(span.documents):
        document = f"retrieval.documents.{index}.document"
        form |= {f"{document}.id": passage, f"{document}.score": score}
    return form


def langfuse_form(span: StepSpan) -> Mapping[str, Attribute]:
    """Return what Langfuse reads."""
    said = span.attributes
    agent = "agent" if span.operation == "invoke_agent" else "chain"
    form: dict[str, Attribute] = {"langfuse.observation.type": _LANGFUSE.get(span.kind, agent)}
    if span.failed:
        form |= {"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": span.failure}
    if "sostenuto.cost_usd" in said and span.kind == "model":
        form["langfuse.observation.cost_details"] = json.dumps({"total": said["sostenuto.cost_usd"]})
    for ours, theirs in (("input.value", "input"), ("output.value", "output")):
        messages = said.get(f"gen_ai.{theirs}.messages", said.get(ours))
        if messages is not None:
            form[f"langfuse.observation.{theirs}"] = messages
    if span.parent is None:
        form["langfuse.trace.name"] = span.name
        form |= {
            f"langfuse.trace.{theirs}": said[f"{theirs}.value"]
            for theirs in ("input", "output")
            if f"{theirs}.value" in said
        }
    return form


def langsmith_form(span: StepSpan) -> Mapping[str, Attribute]:
    """Return what LangSmith reads."""
    said = span.attributes
    form: dict[str, Attribute] = {"langsmith.span.kind": _LANGSMITH.get(span.kind, "chain")}
    for ours, theirs in (
        ("session.id", "session_id"),
        ("user.id", "user_id"),
        ("sostenuto.run.id", "run_id"),
        ("sostenuto.path", "path"),
        ("sostenuto.prompt_hash", "prompt_hash"),
        ("sostenuto.cost_usd", "cost_usd"),
    ):
        if ours in said:
            form[f"langsmith.metadata.{theirs}"] = said[ours]
    if span.kind == "model" and "input.value" in said:
        form |= {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": said["input.value"]}
        form |= {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": said.get("output.value", "")}
    return form
