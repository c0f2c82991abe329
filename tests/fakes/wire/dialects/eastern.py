"""What Moonshot (Kimi) and Alibaba (Qwen) refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.fakes.wire.chat_rules import CHAT
from tests.fakes.wire.dialects.json_schemas import answer_nodes, schema_nodes
from tests.fakes.wire.openai.chat_messages import messages_of, tools_of
from tests.fakes.wire.rule import Complaint, Json, RuleBook

MOONSHOT = RuleBook("Moonshot", CHAT)
QWEN = RuleBook("Qwen", CHAT)

_ALGO = "<400> InternalError.Algo.InvalidParameter"


def _kimi_thinks(body: Json) -> bool:
    named = re.match(r"kimi-k(2\.[5-9]|2-thinking|[3-9])", str(body.get("model", "")))
    return named is not None and (body.get("thinking") or {}).get("type") != "disabled"


def _qwen_thinks(body: Json) -> bool:
    # Those whose weights are open think unless they are told not to.
    is_open = re.match(r"qwen3-\d", str(body.get("model", ""))) is not None
    return bool(body.get("enable_thinking", is_open))


@MOONSHOT.rule("https://github.com/NousResearch/hermes-agent/issues/12404")
def moonshot_temperature_is_fixed(body: Json) -> Iterator[Complaint]:
    """Any temperature but 1 of models that think."""
    if _kimi_thinks(body) and body.get("temperature") not in (None, 1):
        yield Complaint("invalid temperature: only 1 is allowed for this model")


@MOONSHOT.rule("https://github.com/UKGovernmentBEIS/inspect_ai/pull/5152")
def moonshot_choice_while_thinking(body: Json) -> Iterator[Complaint]:
    """A forced choice of tools while the model thinks; K3 takes one that names no tool."""
    choice, is_k3 = body.get("tool_choice"), "kimi-k3" in str(body.get("model"))
    if _kimi_thinks(body) and choice not in (None, "auto", "none", *(["required"] if is_k3 else ())):
        said = choice if isinstance(choice, str) else "specified"
        yield Complaint(f"tool_choice '{said}' is incompatible with thinking enabled")


@MOONSHOT.rule("https://github.com/mastra-ai/mastra/issues/12592")
def moonshot_reasoning_is_missing(body: Json) -> Iterator[Complaint]:
    """Calls of a model that thinks, without the thoughts that came with them."""
    for index, message in enumerate(messages_of(body)) if _kimi_thinks(body) else ():
        if message.get("tool_calls") and "reasoning_content" not in message:
            words = "thinking is enabled but reasoning_content is missing in assistant tool call message at index"
            yield Complaint(f"{words} {index}")


@MOONSHOT.rule("https://github.com/HKUDS/nanobot/issues/3939")
def moonshot_thinking_is_asked_twice(body: Json) -> Iterator[Complaint]:
    """An effort beside a switch of thinking."""
    if body.get("thinking") and body.get("reasoning_effort"):
        yield Complaint("cannot specify both 'thinking' and 'reasoning_effort'")


@MOONSHOT.rule("https://github.com/vercel/ai/pull/18921")
def moonshot_schema_is_refused(body: Json) -> Iterator[Complaint]:
    """A type beside alternatives, and the name of a draft."""
    start = "Invalid request: tools.function.parameters is not a valid moonshot flavored json schema, details"
    for tool in tools_of(body):
        for path, schema in schema_nodes(tool.get("parameters"), "root"):
            if "anyOf" in schema and "type" in schema:
                words = "when using anyOf, type should be defined in anyOf items instead of the parent schema"
                yield Complaint(f"{start}: <At path '{path}': {words}>")
    for path, schema in answer_nodes(body):
        if "$schema" in schema:
            yield Complaint(f"Invalid request: path '{path.replace('schema', 'root')}': unsupported keywords: $schema")


@MOONSHOT.rule("https://github.com/AIDotNet/OpenCowork/issues/10")
def moonshot_message_is_empty(body: Json) -> Iterator[Complaint]:
    """Messages that say nothing."""
    for index, message in enumerate(messages_of(body)):
        if (
            message.get("role") in ("user", "assistant")
            and not message.get("content")
            and not message.get("tool_calls")
        ):
            words = f"the message at position {index} with role '{message['role']}' must not be empty"
            yield Complaint(f"Invalid request: {words}")


@QWEN.rule("https://github.com/cloudwego/eino/issues/994")
def qwen_choice_while_thinking(body: Json) -> Iterator[Complaint]:
    """A forced choice of tools while the model thinks."""
    if _qwen_thinks(body) and body.get("tool_choice") not in (None, "auto", "none"):
        words = "The tool_choice parameter does not support being set to required or object in thinking mode"
        yield Complaint(f"{_ALGO}: {words}", None, "invalid_parameter_error")


@QWEN.rule("https://github.com/modelscope/evalscope/issues/998")
def qwen_thinking_is_streamed(body: Json) -> Iterator[Complaint]:
    """Thinking without a stream."""
    if _qwen_thinks(body) and not body.get("stream"):
        words = "parameter.enable_thinking must be set to false for non-streaming calls"
        yield Complaint(words, None, "invalid_parameter_error")


@QWEN.rule("https://github.com/mnfst/modelparams.dev/pull/232")
def qwen_temperature_is_too_high(body: Json) -> Iterator[Complaint]:
    """A temperature of 2 and above."""
    if (body.get("temperature") or 0) >= 2:
        yield Complaint(f"{_ALGO}: Temperature should be in [0.0, 2.0)", None, "invalid_parameter_error")


@QWEN.rule("https://github.com/musistudio/claude-code-router/issues/184")
def qwen_output_limit(body: Json) -> Iterator[Complaint]:
    """More room than the model can write."""
    if str(body.get("model", "")).startswith("qwen-max") and (body.get("max_tokens") or 0) > 8_192:
        yield Complaint(f"{_ALGO}: Range of max_tokens should be [1, 8192]", None, "invalid_parameter_error")
