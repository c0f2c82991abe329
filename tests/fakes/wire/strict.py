"""Judges every request that comes to the double, and remembers what was refused that nobody meant to be."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.fakes.wire.dialect_rules import DIALECTS, envelope
from tests.fakes.wire.messages_rules import MESSAGES
from tests.fakes.wire.responses_rules import RESPONSES
from tests.fakes.wire.rule import Complaint, Json, Refusal, RuleBook
from tests.fakes.wire.typed import misshapen, warm_up
from tests.fakes.wire.unmeant import UNMEANT

__all__ = ["Refusal", "note", "refusal_body", "refusals", "warm_up"]

_COUNT = "SOSTENUTO_TEST_WIRE_REQUESTS"
"""Environment variable that names a file: it gets a line for each request, the same for the same."""

# What dialects have beyond OpenAI's own types.
_BEYOND = (
    *("reasoning_content", "reasoning", "reasoning_details", "extra_content", "thinking", "random_seed", "extra_body"),
    *("enable_thinking", "search_parameters", "top_k", "chat_template_kwargs", "reasoning_format"),
    *("include_reasoning", "prefix"),
)


def book(protocol: str, dialect: str) -> RuleBook:
    """Return the rules of an endpoint.

    Args:
        protocol: `anthropic`, `openai` (Responses) or `compatible` (Chat Completions).
        dialect: Whose, where it is Chat Completions.
    """
    return {"anthropic": MESSAGES, "openai": RESPONSES}.get(protocol) or DIALECTS[dialect]


def refusals(protocol: str, dialect: str, body: Json) -> Iterator[Refusal]:
    """Find why an endpoint refuses a request: by its rules, and by its own SDK's types."""
    problems = misshapen(protocol, _SHAPES.get(protocol, dict)(body))
    try:
        yield from book(protocol, dialect).refusals(body)
    except (AttributeError, KeyError, TypeError):
        # Rules read what fits the types. The rest is refused as what it is.
        if not problems:
            raise
    for problem in problems:
        yield Refusal("shape", 400, Complaint(f"Invalid request: {problem}"))


def refusal_body(refusal: Refusal, protocol: str, dialect: str) -> dict[str, Any] | list[Any]:
    """Return a refusal as the endpoint writes it."""
    said = refusal.complaint
    if protocol == "anthropic":
        kind = {404: "not_found_error", 413: "request_too_large"}.get(refusal.status, "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": said.message}, "request_id": "req_1"}
    body: dict[str, Any] | list[Any] = envelope(dialect, said.message, said.param, said.code, refusal.status)
    return body


def note(protocol: str, dialect: str, body: Json, unmeant: Sequence[Refusal]) -> None:
    """Remember a request, and what was refused of it that nobody meant to be."""
    UNMEANT.extend(f"{protocol}/{dialect}: {one.rule}: {one.complaint.message}" for one in unmeant)
    if path := os.environ.get(_COUNT):
        digest = sha256(json.dumps([protocol, dialect, body], sort_keys=True).encode()).hexdigest()
        with Path(path).open("a") as file:
            file.write(f"{digest}\n")


def _standard(body: Json) -> Json:
    """Return a body without what dialects have beyond the standard."""
    kept = {key: value for key, value in body.items() if key not in _BEYOND and value != "default"}
    messages = body.get("messages")
    return kept | ({"messages": [_without(message) for message in messages]} if isinstance(messages, list) else {})


def _with_ids(body: Json) -> Json:
    """Return a body whose past answers have ids, which the SDK's types want and the endpoint does not.

    See https://github.com/openai/openai-java/issues/585.
    """
    items = body.get("input")
    if not isinstance(items, list):
        return body
    filled = {"id": "msg_1", "status": "completed"}
    return body | {
        "input": [
            filled | item if isinstance(item, dict) and item.get("type") == "message" and _is_answer(item) else item
            for item in items
        ]
    }


def _is_answer(item: Json) -> bool:
    return item.get("role") == "assistant" and isinstance(item.get("content"), list)


_SHAPES: dict[str, Callable[[Json], Json]] = {"compatible": _standard, "openai": _with_ids}


def _without(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    kept = {key: value for key, value in message.items() if key not in _BEYOND}
    if kept.get("tool_calls"):
        kept["tool_calls"] = [{k: v for k, v in call.items() if k not in _BEYOND} for call in kept["tool_calls"]]
    if isinstance(kept.get("content"), list):
        kept["content"] = [part for part in kept["content"] if part.get("type") != "thinking"] or ""
    return kept
