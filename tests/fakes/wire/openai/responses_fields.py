"""What OpenAI's Responses endpoint refuses in the fields of a request."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.wire.openai.models import family_in
from tests.fakes.wire.openai.words import (
    MEASURED_RESPONSES,
    Bounds,
    metadata_faults,
    missing,
    out_of_bounds,
    too_long,
    unknown,
)
from tests.fakes.wire.rule import Complaint, Json, RuleBook

RESPONSE_FIELDS = RuleBook("fields of a Responses request")

_MOVED = {"messages": "input", "response_format": "text.format", "reasoning_effort": "reasoning.effort"}
_CHATS = ("n", "stop", "seed", "logprobs", "logit_bias", "max_tokens", "max_completion_tokens")
_REFERENCE = "https://platform.openai.com/docs/api-reference/responses/create"
_BOUNDS: Bounds = {
    "max_output_tokens": ("integer", 16, None),
    "max_tool_calls": ("integer", 1, None),
    "temperature": ("decimal", 0, 2),
    "top_p": ("decimal", 0, 1),
    "top_logprobs": ("integer", 0, 20),
}


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES)
def model_is_missing(body: Json) -> Iterator[Complaint]:
    """No model."""
    if "model" not in body:
        yield missing("model")


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES)
def input_is_missing(body: Json) -> Iterator[Complaint]:
    """No input, or an empty one."""
    if "input" not in body:
        yield missing("input")
    elif not body["input"] and not body.get("previous_response_id"):
        words = "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided."
        yield Complaint(words, None, "missing_required_parameter")


@RESPONSE_FIELDS.rule("https://github.com/madox2/vim-ai/issues/162")
def parameter_has_moved(body: Json) -> Iterator[Complaint]:
    """Parameters of Chat Completions that have another name here."""
    for old, new in _MOVED.items():
        if old in body:
            words = f"In the Responses API, this parameter has moved to '{new}'. Try again with the new parameter."
            see = f"See the API documentation for more information: {_REFERENCE}."
            yield Complaint(f"Unsupported parameter: '{old}'. {words} {see}", None, "unsupported_parameter")


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES)
def parameter_is_unknown(body: Json) -> Iterator[Complaint]:
    """Parameters that only Chat Completions has."""
    for key in _CHATS:
        if key in body:
            hint = " Did you mean 'store'?" if key == "stop" and "store" not in body else ""
            yield unknown(key, hint)


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES)
def number_is_out_of_bounds(body: Json) -> Iterator[Complaint]:
    """Room for less than 16 tokens, and other numbers too small or too large."""
    yield from out_of_bounds(body, _BOUNDS)


@RESPONSE_FIELDS.rule("https://github.com/openai/openai-openapi/blob/main/openapi.json")
def key_is_too_long(body: Json) -> Iterator[Complaint]:
    """Cache keys and identifiers beyond their length."""
    yield from too_long("prompt_cache_key", body.get("prompt_cache_key"), 64)
    yield from too_long("safety_identifier", body.get("safety_identifier"), 128)


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES)
def metadata_is_too_much(body: Json) -> Iterator[Complaint]:
    """Metadata beyond 16 pairs, names beyond 64 characters, or values beyond 512."""
    yield from metadata_faults(body.get("metadata") or {})


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES)
def instructions_are_no_text(body: Json) -> Iterator[Complaint]:
    """Instructions in any other form than a text."""
    if not isinstance(body.get("instructions", ""), str):
        words = "Invalid type for 'instructions': expected a string, but got an array instead."
        yield Complaint(words, "instructions", "invalid_type")


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES)
def cache_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """A prompt that is to be kept in memory alone, for models that keep it for a day."""
    if body.get("prompt_cache_retention") == "in_memory" and not family_in(body).short_cache:
        words = "This model is compatible only with 24h extended prompt caching"
        yield Complaint(words, "prompt_cache_retention", "invalid_parameter")


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES)
def two_things_go_on(body: Json) -> Iterator[Complaint]:
    """A conversation and an earlier response at once."""
    if body.get("conversation") and body.get("previous_response_id"):
        words = "Ensure you are only providing one of: 'pre..._id' or 'conversation'."
        yield Complaint(f"Mutually exclusive parameters: ''. {words}", None, "mutually_exclusive_parameters")


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES)
def earlier_response_is_not_kept(body: Json) -> Iterator[Complaint]:
    """An earlier response to go on from, where nothing was stored."""
    if given := body.get("previous_response_id"):
        words = f"Previous response with id '{given}' not found."
        yield Complaint(words, "previous_response_id", "previous_response_not_found")


@RESPONSE_FIELDS.rule(MEASURED_RESPONSES, status=404)
def conversation_is_not_kept(body: Json) -> Iterator[Complaint]:
    """A conversation to go on with, where nothing was stored."""
    given = body.get("conversation")
    if given:
        yield Complaint(f"Conversation with id '{given if isinstance(given, str) else given.get('id')}' not found.")
