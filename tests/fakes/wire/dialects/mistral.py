"""What Mistral refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tests.fakes.wire.chat_rules import CHAT
from tests.fakes.wire.openai.chat_messages import calls_of, messages_of, placed_parts
from tests.fakes.wire.rule import Complaint, Json, RuleBook

MISTRAL = RuleBook("Mistral", CHAT)

_TOP = frozenset(
    {
        *("model", "messages", "stream", "tools", "tool_choice", "temperature", "top_p", "stop", "n", "max_tokens"),
        *("response_format", "presence_penalty", "frequency_penalty", "parallel_tool_calls", "reasoning_effort"),
        *("random_seed", "metadata", "prediction", "prompt_mode", "guardrails", "prompt_cache_key", "service_tier"),
        *("safe_prompt", "document_image_limit", "document_page_limit"),
    }
)
_FIELDS = {
    "assistant": {"role", "content", "tool_calls", "prefix"},
    "tool": {"role", "content", "tool_call_id", "name"},
}
_ID = re.compile(r"^[a-zA-Z0-9]{9}\Z")
_OPENAPI = "https://github.com/mistralai/platform-docs-public/blob/main/public/openapi.yaml"
_VALIDATOR = "https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py"


@MISTRAL.rule("https://github.com/editor-code-assistant/eca/issues/231", status=422)
def mistral_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields that the API does not have."""
    for key in sorted(body.keys() - _TOP):
        yield Complaint(f"extra_forbidden: body.{key}: Extra inputs are not permitted", key)


@MISTRAL.rule("https://github.com/charmbracelet/crush/issues/1590", status=422)
def mistral_message_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields of a message that the API does not have."""
    for index, message in enumerate(messages_of(body)):
        for key in sorted(message.keys() - _FIELDS.get(message.get("role", ""), {"role", "content"})):
            yield Complaint(f"extra_forbidden: body.messages.{index}.{key}: Extra inputs are not permitted", key)


@MISTRAL.rule("https://github.com/editor-code-assistant/eca/issues/233")
def mistral_call_id_is_not_nine(body: Json) -> Iterator[Complaint]:
    """Ids of calls that are not nine letters and digits."""
    ids = [call.get("id") for _, call in calls_of(body)]
    ids += [message.get("tool_call_id") for message in messages_of(body) if message.get("role") == "tool"]
    for one in ids:
        if not _ID.match(str(one)):
            words = f"Tool call id was {one} but must be a-z, A-Z, 0-9, with a length of 9."
            yield Complaint(words, None, "3280")


@MISTRAL.rule("https://github.com/avante-corp/avante.nvim/pull/2695")
def mistral_order_of_roles(body: Json) -> Iterator[Complaint]:
    """A user or a system message right after a tool's, and a system message after an assistant's."""
    roles = [str(message.get("role")) for message in messages_of(body)]
    for before, role in pairwise(roles):
        if (before == "tool" and role in ("user", "system")) or (role == "system" and before == "assistant"):
            yield Complaint(f"Unexpected role '{role}' after role '{before}'", None, "3230")


@MISTRAL.rule("https://github.com/huggingface/smolagents/issues/757")
def mistral_last_is_the_assistant(body: Json) -> Iterator[Complaint]:
    """An assistant at the end."""
    last = (messages_of(body) or [{"role": "user"}])[-1]
    if last.get("role") not in ("user", "tool") and not last.get("prefix"):
        words = "Expected last role User or Tool (or Assistant with prefix True) for serving but got"
        yield Complaint(f"{words} {last.get('role')}", None, "3230")


@MISTRAL.rule(_VALIDATOR)
def mistral_first_is_the_assistant(body: Json) -> Iterator[Complaint]:
    """An assistant or a tool at the beginning."""
    if messages_of(body) and messages_of(body)[0].get("role") in ("assistant", "tool"):
        yield Complaint("Conversation must start with a user message or system message", None, "3230")


@MISTRAL.rule(_OPENAPI, status=422)
def mistral_role_is_unknown(body: Json) -> Iterator[Complaint]:
    """The developer's role."""
    for index, message in enumerate(messages_of(body)):
        if message.get("role") == "developer":
            words = "Input tag 'developer' found using 'role' does not match any of the expected tags"
            yield Complaint(f"union_tag_invalid: body.messages.{index}: {words}", "role")


@MISTRAL.rule(_VALIDATOR)
def mistral_results_are_not_as_many(body: Json) -> Iterator[Complaint]:
    """More results than there were calls, or two of one call."""
    calls: list[object] = []
    seen: set[object] = set()
    for message in messages_of(body):
        if message.get("role") != "tool":
            calls, seen = [call.get("id") for call in message.get("tool_calls") or ()], set()
        elif calls and message.get("tool_call_id") in seen:
            yield Complaint("Not the same number of function calls and responses", None, "3230")
        else:
            seen.add(message.get("tool_call_id"))


@MISTRAL.rule(_VALIDATOR)
def mistral_message_is_empty(body: Json) -> Iterator[Complaint]:
    """An assistant that says and does nothing, and an empty system message."""
    for message in messages_of(body):
        if message.get("role") == "assistant" and not message.get("content") and not message.get("tool_calls"):
            yield Complaint("Assistant message must have either content or tool_calls, but not none.", None, "3240")
        if message.get("role") == "system" and not message.get("content"):
            yield Complaint("System prompt must have content")


@MISTRAL.rule(_OPENAPI, status=422)
def mistral_temperature_is_too_high(body: Json) -> Iterator[Complaint]:
    """A temperature over 1.5."""
    if (body.get("temperature") or 0) > 1.5:
        yield Complaint("less_than_equal: body.temperature: Input should be less than or equal to 1.5", "temperature")


@MISTRAL.rule(_VALIDATOR)
def mistral_effort_is_unknown(body: Json) -> Iterator[Complaint]:
    """Efforts but `none` and `high`."""
    effort = body.get("reasoning_effort")
    if effort not in (None, "none", "high"):
        yield Complaint(f"reasoning_effort={effort} is not supported for this model", "reasoning_effort")


@MISTRAL.rule(_OPENAPI, status=422)
def mistral_part_is_unknown(body: Json) -> Iterator[Complaint]:
    """Files in OpenAI's form."""
    for path, _, part in placed_parts(body):
        if part.get("type") == "file":
            words = "Input tag 'file' found using 'type' does not match any of the expected tags"
            yield Complaint(f"union_tag_invalid: body.{path}: {words}", "type")
