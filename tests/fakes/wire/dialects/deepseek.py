"""What DeepSeek refuses."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.wire.chat_rules import CHAT
from tests.fakes.wire.dialects.json_schemas import form_of
from tests.fakes.wire.openai.chat_messages import messages_of
from tests.fakes.wire.rule import Complaint, Json, RuleBook

DEEPSEEK = RuleBook("DeepSeek", CHAT)

_ROLES = ("system", "user", "assistant", "tool", "latest_reminder")
_NO_JSON = "Failed to deserialize the JSON body into the target type"


def _thinks(body: Json) -> bool:
    named = any(name in str(body.get("model", "")) for name in ("reasoner", "v4"))
    return named and (body.get("thinking") or {}).get("type") != "disabled"


@DEEPSEEK.rule("https://github.com/earendil-works/pi/issues/3636")
def deepseek_reasoning_is_missing(body: Json) -> Iterator[Complaint]:
    """Calls of a model that thinks, without the thoughts that came with them."""
    for message in messages_of(body) if _thinks(body) else ():
        if message.get("role") == "assistant" and message.get("tool_calls") and "reasoning_content" not in message:
            yield Complaint("The `reasoning_content` in the thinking mode must be passed back to the API.")


@DEEPSEEK.rule("https://github.com/tailcallhq/forgecode/issues/2008")
def deepseek_content_is_no_text(body: Json) -> Iterator[Complaint]:
    """Content in parts."""
    for index, message in enumerate(messages_of(body)):
        if isinstance(message.get("content"), list):
            words = f"messages[{index}]: invalid type: sequence, expected a string at line 1 column 45446"
            yield Complaint(f"{_NO_JSON}: {words}")


@DEEPSEEK.rule("https://github.com/theopenco/llmgateway/pull/3462")
def deepseek_role_is_unknown(body: Json) -> Iterator[Complaint]:
    """The developer's role."""
    for index, message in enumerate(messages_of(body)):
        if message.get("role") not in _ROLES:
            words = f"messages[{index}].role: unknown variant `{message.get('role')}`, expected one of"
            takes = ", ".join(f"`{role}`" for role in _ROLES)
            yield Complaint(f"{_NO_JSON}: {words} {takes} at line 1 column 51036")


@DEEPSEEK.rule("https://github.com/llm-exe/llm-exe/issues/662")
def deepseek_enforces_no_schema(body: Json) -> Iterator[Complaint]:
    """A schema of the answer."""
    if form_of(body) == "json_schema":
        yield Complaint("This response_format type is unavailable now", None, "invalid_request_error")


@DEEPSEEK.rule("https://github.com/deepseek-ai/DeepSeek-V3/issues/1376")
def deepseek_choice_while_thinking(body: Json) -> Iterator[Complaint]:
    """A forced choice of tools while the model thinks."""
    if _thinks(body) and body.get("tool_choice") not in (None, "auto", "none"):
        yield Complaint("Thinking mode does not support this tool_choice")


@DEEPSEEK.rule("https://github.com/Gitlawb/openclaude/issues/35")
def deepseek_output_limit(body: Json) -> Iterator[Complaint]:
    """More room than the model can write."""
    model = str(body.get("model", ""))
    most = 393_216 if "v4" in model else 65_536 if "reasoner" in model else 8_192
    if (body.get("max_tokens") or 0) > most:
        yield Complaint(f"Invalid max_tokens value, the valid range of max_tokens is [1, {most}]")
