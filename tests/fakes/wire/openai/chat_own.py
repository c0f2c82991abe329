"""What OpenAI's own Chat Completions endpoint refuses beyond what all servers of the protocol may."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.wire.openai.chat_messages import calls_of, messages_of, placed_parts
from tests.fakes.wire.openai.models import family_in, reasons_on_o
from tests.fakes.wire.openai.words import (
    MEASURED_CHAT,
    Bounds,
    metadata_faults,
    out_of_bounds,
    too_long,
    too_many,
    unknown,
    unsupported,
)
from tests.fakes.wire.rule import Complaint, Json, RuleBook, listed

OPENAI_OWN = RuleBook("OpenAI's own")

_OTHERS = ("reasoning", "thinking", "input", "text", "top_k", "repetition_penalty", "random_seed", "include")
_OTHERS_OF_A_MESSAGE = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "extra_content")
_BOUNDS: Bounds = {
    "max_completion_tokens": ("integer", 1, None),
    "n": ("integer", 1, 128),
    "temperature": ("decimal", 0, 2),
    "top_p": ("decimal", 0, 1),
    "top_logprobs": ("integer", 0, 20),
}


def _reasons(body: Json) -> bool:
    """Return whether the model thinks, so that much is fixed."""
    family = family_in(body)
    return not family.sampling and (body.get("reasoning_effort") or family.effort) != "none"


@OPENAI_OWN.rule(MEASURED_CHAT)
def chat_parameter_is_unknown(body: Json) -> Iterator[Complaint]:
    """Parameters of other endpoints and providers."""
    for key in _OTHERS:
        if key in body:
            yield unknown(key)
    for index, message in enumerate(messages_of(body)):
        for key in _OTHERS_OF_A_MESSAGE:
            if key in message:
                yield unknown(f"messages[{index}].{key}")


@OPENAI_OWN.rule("https://github.com/pydantic/pydantic-ai/tree/main/tests/models/cassettes")
def role_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """Instructions for models that have no role for them."""
    for index, message in enumerate(messages_of(body)):
        if message.get("role") in ("system", "developer") and not family_in(body).instructions:
            path = f"messages[{index}].role"
            words = f"'{path}' does not support '{message['role']}' with this model."
            yield Complaint(f"Unsupported value: {words}", path, "unsupported_value")


@OPENAI_OWN.rule("https://github.com/vercel/ai/issues/8132")
def chat_call_id_is_too_long(body: Json) -> Iterator[Complaint]:
    """Ids of calls beyond 40 characters."""
    for path, call in calls_of(body):
        yield from too_long(f"{path}.id", call.get("id"), 40)


@OPENAI_OWN.rule("https://github.com/Upsonic/Upsonic/issues/176")
def tools_are_too_many(body: Json) -> Iterator[Complaint]:
    """More than 128 tools."""
    yield from too_many("tools", len(body.get("tools") or ()), 128)


@OPENAI_OWN.rule("https://github.com/openai/openai-openapi/blob/main/openapi.json")
def chat_number_is_out_of_bounds(body: Json) -> Iterator[Complaint]:
    """Numbers too small or too large."""
    yield from out_of_bounds(body, _BOUNDS)


@OPENAI_OWN.rule(MEASURED_CHAT)
def chat_metadata_is_too_much(body: Json) -> Iterator[Complaint]:
    """Metadata beyond 16 pairs, names beyond 64 characters, or values beyond 512."""
    yield from metadata_faults(body.get("metadata") or {})


@OPENAI_OWN.rule("https://github.com/ITSpecialist111/ai_automation_suggester/issues/38")
def max_tokens_of_reasoning_models(body: Json) -> Iterator[Complaint]:
    """The old name of the output limit for models that reason."""
    if body.get("max_tokens") is not None and not family_in(body).stop:
        words = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        yield Complaint(f"Unsupported parameter: {words}", "max_tokens", "unsupported_parameter")


@OPENAI_OWN.rule("https://github.com/langchain-ai/langgraph/issues/5943")
def two_output_limits(body: Json) -> Iterator[Complaint]:
    """The old and the new name of the output limit at once."""
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        words = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        yield Complaint(words, "max_tokens", "invalid_parameter_combination")


@OPENAI_OWN.rule("https://github.com/ChatGPTNextWeb/NextChat/issues/3195")
def output_limit_is_too_large(body: Json) -> Iterator[Complaint]:
    """More room than the model can write."""
    tokens = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    most = family_in(body).max_output_tokens
    if tokens > most:
        words = f"This model supports at most {most} completion tokens, whereas you provided {tokens}."
        yield Complaint(f"max_tokens is too large: {tokens}. {words}", "max_tokens")


@OPENAI_OWN.rule(MEASURED_CHAT)
def chat_sampling_while_reasoning(body: Json) -> Iterator[Complaint]:
    """Temperature, top_p, penalties and probabilities of tokens for models that reason."""
    if not _reasons(body):
        return
    for key in ("temperature", "top_p"):
        if body.get(key) is not None and reasons_on_o(body):
            yield unsupported(key)
        elif body.get(key) not in (None, 1):
            words = f"'{key}' does not support {body[key]} with this model. Only the default (1) value is supported."
            yield Complaint(f"Unsupported value: {words}", key, "unsupported_value")
    for key in ("presence_penalty", "frequency_penalty", "logprobs"):
        if body.get(key):
            yield unsupported(key)


@OPENAI_OWN.rule(MEASURED_CHAT)
def parameter_is_gone(body: Json) -> Iterator[Complaint]:
    """Stop sequences, biases and predictions for models that reason."""
    for key in ("stop", "logit_bias", "prediction"):
        if body.get(key) is not None and not family_in(body).stop:
            yield unsupported(key)


@OPENAI_OWN.rule(MEASURED_CHAT)
def chat_effort_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """An effort that the model does not have on this endpoint, or any where it does not reason."""
    family, effort = family_in(body), body.get("reasoning_effort")
    # The highest there is on the other endpoint alone.
    efforts = [one for one in family.efforts if one != "max" or family.stop]
    if effort is None:
        return
    if not efforts:
        yield unsupported("reasoning_effort")
    elif effort not in efforts:
        words = f"'reasoning_effort' does not support '{effort}' with this model."
        takes = f"Supported values are: {listed(efforts)}."
        yield Complaint(f"Unsupported value: {words} {takes}", "reasoning_effort", "unsupported_value")


@OPENAI_OWN.rule("https://github.com/bug-ops/zeph/issues/5789")
def tools_of_reasoning_models(body: Json) -> Iterator[Complaint]:
    """Functions beside reasoning, which newer models take on the other endpoint alone."""
    family, model = family_in(body), str(body.get("model", ""))
    if body.get("tools") and not family.tools_in_chat and (body.get("reasoning_effort") or family.effort) != "none":
        words = f"Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions."
        advice = "To use function tools, use /v1/responses or set reasoning_effort to 'none'."
        if family.effort == "none":
            advice = "Please use /v1/responses instead."
        yield Complaint(f"{words} {advice}", "reasoning_effort")


@OPENAI_OWN.rule("https://github.com/evalstate/fast-agent/issues/279")
def parallel_calls_of_o_models(body: Json) -> Iterator[Complaint]:
    """Whether calls may be parallel, for the o models."""
    if body.get("parallel_tool_calls") is not None and reasons_on_o(body):
        yield unsupported("parallel_tool_calls")


@OPENAI_OWN.rule("https://github.com/langchain-ai/langchain/issues/31490")
def response_format_of_old_models(body: Json) -> Iterator[Complaint]:
    """A schema of the answer for a model that enforces none."""
    if (body.get("response_format") or {}).get("type") == "json_schema" and not family_in(body).strict:
        words = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."
        yield Complaint(words, "response_format")


@OPENAI_OWN.rule("https://github.com/roboflow/awesome-openai-vision-api-experiments/issues/11")
def picture_for_a_blind_model(body: Json) -> Iterator[Complaint]:
    """Pictures for a model that takes none."""
    for path, _, part in placed_parts(body):
        if part.get("type") == "image_url" and not family_in(body).images:
            words = "Invalid content type. image_url is only supported by certain models."
            yield Complaint(words, f"{path.replace('[', '.[')}.type")


@OPENAI_OWN.rule("https://github.com/openai/openai-openapi/blob/main/openapi.json")
def too_many_stops(body: Json) -> Iterator[Complaint]:
    """More than four stop sequences, or none in a list."""
    stop = body.get("stop")
    if isinstance(stop, list) and not 1 <= len(stop) <= 4:
        words = "array too long. Expected an array with maximum length 4, but got an array with length"
        yield Complaint(f"Invalid 'stop': {words} {len(stop)} instead.", "stop", "array_above_max_length")


@OPENAI_OWN.rule(MEASURED_CHAT)
def chat_cache_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """A prompt that is to be kept in memory alone, for models that keep it for a day."""
    if body.get("prompt_cache_retention") == "in_memory" and not family_in(body).short_cache:
        words = "This model is compatible only with 24h extended prompt caching"
        yield Complaint(words, "prompt_cache_retention")
