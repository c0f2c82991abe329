"""What Groq refuses."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.wire.chat_rules import CHAT
from tests.fakes.wire.dialects.json_schemas import FORMS, form_of
from tests.fakes.wire.openai.chat_messages import messages_of
from tests.fakes.wire.rule import Complaint, Json, RuleBook

GROQ = RuleBook("Groq", CHAT)

_TOP = frozenset(
    {
        *("model", "messages", "stream", "tools", "tool_choice", "temperature", "top_p", "stop", "n", "max_tokens"),
        *("response_format", "presence_penalty", "frequency_penalty", "parallel_tool_calls", "reasoning_effort"),
        *("max_completion_tokens", "stream_options", "seed", "user", "service_tier", "reasoning_format"),
        *("include_reasoning", "metadata"),
    }
)
_MESSAGE = {"role", "content", "tool_calls", "tool_call_id", "reasoning"}
_ENFORCE = ("gpt-oss", "llama-4", "kimi-k2")
_MOST_TOKENS = {"gpt-oss": 65_536, "llama-4": 8_192, "qwen3": 40_960, "llama-3.3": 32_768}


@GROQ.rule("https://github.com/fanenr/chatbot/issues/21")
def groq_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields that the API does not have."""
    for key in sorted(body.keys() - _TOP):
        yield Complaint(f"property '{key}' is unsupported")


@GROQ.rule("https://github.com/NousResearch/hermes-agent/issues/11089")
def groq_message_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields of a message that the API does not have."""
    for index, message in enumerate(messages_of(body)):
        for key in sorted(message.keys() - _MESSAGE):
            start = f"'messages.{index}' : for 'role:{message.get('role')}' the following must be satisfied"
            yield Complaint(f"{start}[('messages.{index}' : property '{key}' is unsupported)]")


@GROQ.rule("https://github.com/agno-agi/agno/issues/1065")
def groq_json_beside_tools(body: Json) -> Iterator[Complaint]:
    """An answer in JSON beside tools."""
    if form_of(body) in FORMS and body.get("tools"):
        yield Complaint(f"response_format` {form_of(body)} cannot be combined with tool/function calling")


@GROQ.rule("https://console.groq.com/docs/structured-outputs", quoted=False)
def groq_schema_in_a_stream(body: Json) -> Iterator[Complaint]:
    """A schema of the answer in a stream."""
    if form_of(body) == "json_schema" and body.get("stream"):
        yield Complaint("response_format` json_schema cannot be combined with streaming")


@GROQ.rule("https://github.com/plune-ai/cairn/pull/36")
def groq_schema_of_other_models(body: Json) -> Iterator[Complaint]:
    """A schema of the answer for a model that enforces none."""
    if form_of(body) == "json_schema" and not any(name in str(body.get("model")) for name in _ENFORCE):
        words = "This model does not support response format `json_schema`. See supported models at"
        yield Complaint(f"{words} https://console.groq.com/docs/structured-outputs#supported-models")


@GROQ.rule("https://github.com/HunorLaczko/ha-groq-cloud-api/issues/25")
def groq_tools_are_too_many(body: Json) -> Iterator[Complaint]:
    """More than 128 tools."""
    if len(body.get("tools") or ()) > 128:
        yield Complaint("'tools' : maximum number of items is 128")


@GROQ.rule("https://github.com/anomalyco/opencode/issues/1000")
def groq_output_limit(body: Json) -> Iterator[Complaint]:
    """More room than the model can write."""
    model = str(body.get("model", ""))
    most = next((limit for name, limit in _MOST_TOKENS.items() if name in model), None)
    for key in ("max_tokens", "max_completion_tokens"):
        if most is not None and (body.get(key) or 0) > most:
            words = f"must be less than or equal to `{most}`, the maximum value for `{key}` is less than the"
            yield Complaint(f"`{key}` {words} `context_window` for this model")


@GROQ.rule("https://github.com/iamsrikanthnani/pluely/pull/219")
def groq_effort_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """An effort that the model does not have."""
    effort, model = body.get("reasoning_effort"), str(body.get("model", ""))
    takes = ("none", "default") if "qwen3" in model else ("low", "medium", "high") if "gpt-oss" in model else ()
    if effort is not None and effort not in takes:
        said = f"`reasoning_effort` must be one of {' or '.join(f'`{one}`' for one in takes)}"
        yield Complaint(said if takes else "reasoning_effort is not supported with this model")


@GROQ.rule("https://console.groq.com/docs/openai#currently-unsupported-openai-features", quoted=False)
def groq_answers_once(body: Json) -> Iterator[Complaint]:
    """More than one answer."""
    if (body.get("n") or 1) != 1:
        yield Complaint("'n' : number must be at most 1")
