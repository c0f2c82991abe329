"""What Anthropic's endpoint refuses in the fields of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.fakes.wire.anthropic.reading import DOCS, MEASURED, model_of
from tests.fakes.wire.rule import Complaint, Json, RuleBook

MESSAGE_FIELDS = RuleBook("fields of a Messages request")

_MOST_BYTES = 32 * 1024 * 1024


@MESSAGE_FIELDS.rule(f"{DOCS}/api/errors#request-size-limits", status=413)
def request_is_too_large(body: Json) -> Iterator[Complaint]:
    """More than 32 MB."""
    if len(json.dumps(body)) > _MOST_BYTES:
        yield Complaint("Request exceeds the maximum size")


@MESSAGE_FIELDS.rule(MEASURED)
def field_is_missing(body: Json) -> Iterator[Complaint]:
    """No model, no limit or no messages."""
    for key in ("model", "max_tokens", "messages"):
        if key not in body:
            yield Complaint(f"{key}: Field required")
    if body.get("messages") == []:
        yield Complaint("messages: at least one message is required")


@MESSAGE_FIELDS.rule(MEASURED)
def max_tokens_is_negative(body: Json) -> Iterator[Complaint]:
    """Room for less than no token."""
    if body.get("max_tokens", 0) < 0:
        yield Complaint("max_tokens: must be greater than or equal to 0")


@MESSAGE_FIELDS.rule(f"{DOCS}/about-claude/models/overview")
def max_tokens_is_too_large(body: Json) -> Iterator[Complaint]:
    """More room than the model can write."""
    given, most = body.get("max_tokens", 0), model_of(body).max_tokens
    if given > most:
        words = f"which is the maximum allowed number of output tokens for {body['model']}"
        yield Complaint(f"max_tokens: {given} > {most}, {words}")


@MESSAGE_FIELDS.rule(f"{DOCS}/api/migration-2026-10-21")
def sampling_is_gone(body: Json) -> Iterator[Complaint]:
    """Temperature, top_p and top_k, in the API's present version."""
    for key in ("temperature", "top_p", "top_k"):
        if key in body:
            yield Complaint(f"{key}: Extra inputs are not permitted")


@MESSAGE_FIELDS.rule(f"{DOCS}/api/messages")
def stop_sequence_is_blank(body: Json) -> Iterator[Complaint]:
    """Stop sequences of nothing but blanks."""
    if any(not one.strip() for one in body.get("stop_sequences") or ()):
        yield Complaint("stop_sequences: each stop sequence must contain non-whitespace")
