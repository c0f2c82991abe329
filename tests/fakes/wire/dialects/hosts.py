"""What providers that run open models refuse: Together, Fireworks, Cerebras, and OpenRouter in front of many."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.fakes.wire.chat_rules import CHAT
from tests.fakes.wire.dialects.json_schemas import FORMS, answer_nodes, form_of
from tests.fakes.wire.openai.chat_messages import messages_of, tools_of
from tests.fakes.wire.rule import Complaint, Json, RuleBook

TOGETHER = RuleBook("Together", CHAT)
FIREWORKS = RuleBook("Fireworks", CHAT)
CEREBRAS = RuleBook("Cerebras", CHAT)
OPENROUTER = RuleBook("OpenRouter", CHAT)

_SHARED = frozenset(
    {
        *("model", "messages", "stream", "tools", "tool_choice", "temperature", "top_p", "stop", "response_format"),
        *("max_tokens", "max_completion_tokens", "parallel_tool_calls", "reasoning_effort", "stream_options", "seed"),
        *("user", "service_tier", "prompt_cache_key", "logprobs"),
    }
)
_FIREWORKS_TOP = _SHARED | {
    *("n", "presence_penalty", "frequency_penalty", "thinking", "reasoning_history", "top_k", "min_p", "metadata"),
    *("context_length_exceeded_behavior",),
}
_CEREBRAS_TOP = _SHARED | {
    *("top_logprobs", "reasoning_format", "clear_thinking", "disable_reasoning", "prediction", "logit_bias"),
}
_CEREBRAS_MESSAGE = {"role", "content", "tool_calls", "tool_call_id", "name", "reasoning"}
_PI = "https://github.com/earendil-works/pi/blob/main/packages/ai/src/api/openai-completions.ts"


@TOGETHER.rule(_PI, quoted=False)
def together_role_is_unknown(body: Json) -> Iterator[Complaint]:
    """The developer's role, which the templates of models do not know."""
    if any(message.get("role") == "developer" for message in messages_of(body)):
        yield Complaint("Input validation error: unknown role developer", "messages")


@TOGETHER.rule("https://github.com/BerriAI/litellm/pull/38263", quoted=False)
def together_effort_of_others(body: Json) -> Iterator[Complaint]:
    """An effort for models that do not reason."""
    reasons = ("gpt-oss", "DeepSeek-V4", "DeepSeek-R1", "Kimi", "Qwen3")
    if body.get("reasoning_effort") is not None and not any(name in str(body.get("model")) for name in reasons):
        yield Complaint("Input validation error: reasoning_effort is not supported by this model", "reasoning_effort")


@FIREWORKS.rule("https://github.com/web-infra-dev/midscene/issues/1322")
def fireworks_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields that the API does not have."""
    for key in sorted(body.keys() - _FIREWORKS_TOP):
        yield Complaint(f"Extra inputs are not permitted, field: '{key}', value: {body[key]!r}.")
    for index, message in enumerate(messages_of(body)):
        for key in ("reasoning", "reasoning_details", "extra_content"):
            if key in message:
                yield Complaint(f"Extra inputs are not permitted, field: 'messages[{index}].{key}'")


@FIREWORKS.rule("https://docs.fireworks.ai/structured-responses/structured-response-formatting", quoted=False)
def fireworks_schema_beside_tools(body: Json) -> Iterator[Complaint]:
    """An answer in JSON beside tools."""
    if body.get("tools") and form_of(body) in FORMS:
        yield Complaint("You cannot specify response format and function call at the same time")


@FIREWORKS.rule("https://docs.fireworks.ai/structured-responses/structured-response-formatting", quoted=False)
def fireworks_keyword_is_unsupported(body: Json) -> Iterator[Complaint]:
    """Keywords that its grammars do not know."""
    for path, schema in answer_nodes(body):
        for key in ("oneOf", "minLength", "maxLength", "minItems", "maxItems", "pattern"):
            if key in schema:
                yield Complaint(f"{path}: {key} is not supported in a schema")


@FIREWORKS.rule("https://github.com/nullclaw/nullclaw/pull/231")
def fireworks_long_answers_are_streamed(body: Json) -> Iterator[Complaint]:
    """Room for more than 4096 tokens without a stream."""
    if (body.get("max_tokens") or 0) > 4096 and not body.get("stream"):
        yield Complaint("Requests with max_tokens > 4096 must have stream=true")


@CEREBRAS.rule("https://github.com/Gitlawb/openclaude/issues/740", status=422)
def cerebras_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields that the API does not have."""
    for key in sorted(body.keys() - _CEREBRAS_TOP):
        yield Complaint(f"body.{key}: property 'body.{key}' is unsupported", "validation_error", "wrong_api_format")


@CEREBRAS.rule("https://github.com/Kilo-Org/kilocode/issues/10375")
def cerebras_message_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields of a message that the API does not have."""
    for index, message in enumerate(messages_of(body)):
        for key in sorted(message.keys() - _CEREBRAS_MESSAGE):
            path = f"messages.{index}.{message.get('role')}.{key}"
            yield Complaint(f"{path}: property '{path}' is unsupported", "validation_error", "wrong_api_format")


@CEREBRAS.rule("https://github.com/musistudio/claude-code-router/issues/708")
def cerebras_keyword_is_unsupported(body: Json) -> Iterator[Complaint]:
    """Keywords that a strict schema of the answer may not have."""
    strict = ((body.get("response_format") or {}).get("json_schema") or {}).get("strict")
    for _, schema in answer_nodes(body) if strict else ():
        found = [
            key for key in ("minItems", "maxItems", "pattern", "format", "minLength", "maxLength") if key in schema
        ]
        if found:
            told = ", ".join(f"'{key}'" for key in found)
            yield Complaint(f"Unsupported JSON schema fields: {{{told}}}", "response_format", "wrong_api_format")


@CEREBRAS.rule("https://github.com/mpfaffenberger/code_puppy/pull/368")
def cerebras_strict_is_mixed(body: Json) -> Iterator[Complaint]:
    """Some tools that are strict, and some that are not."""
    if len({bool(tool.get("strict")) for tool in tools_of(body)}) > 1:
        words = "Tools with mixed values for 'strict' are not allowed."
        yield Complaint(
            f"{words} Please set all tools to 'strict: true' or 'strict: false'", "tools", "wrong_api_format"
        )


@OPENROUTER.rule("https://openrouter.ai/docs/guides/best-practices/reasoning-tokens", quoted=False)
def openrouter_two_efforts(body: Json) -> Iterator[Complaint]:
    """Two ways of asking for an effort at once."""
    reasoning = body.get("reasoning") or {}
    if ("effort" in reasoning and "max_tokens" in reasoning) or (reasoning and body.get("reasoning_effort")):
        yield Complaint('Only one of "reasoning.effort" and "reasoning.max_tokens" may be specified')


@OPENROUTER.rule("https://github.com/elie222/rakazo/issues/114")
def openrouter_must_reason(body: Json) -> Iterator[Complaint]:
    """No thinking, of models that always think."""
    reasoning = body.get("reasoning") or {}
    off = reasoning.get("enabled") is False or "none" in (reasoning.get("effort"), body.get("reasoning_effort"))
    if off and re.match(r"google/gemini-(2\.5-pro|[3-9])", str(body.get("model", ""))):
        yield Complaint("Reasoning is mandatory for this endpoint and cannot be disabled.")
