"""What Anthropic's endpoint refuses in who says what, and when."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from tests.fakes.wire.anthropic.reading import (
    CLAUDE_CODE,
    DOCS,
    MEASURED,
    THOUGHTS,
    Turn,
    blocks_of,
    model_of,
    placed_blocks,
    spoken,
    turns_of,
)
from tests.fakes.wire.rule import Complaint, Json, RuleBook

CONVERSATION = RuleBook("conversation of a Messages request")

_ANYWHERE = "the directive-only form (content: [] with output_config) is accepted at any position"


def _last_turn(body: Json) -> Turn | None:
    turns = turns_of(body)
    return turns[-1] if turns else None


@CONVERSATION.rule(MEASURED)
def speaker_is_unknown(body: Json) -> Iterator[Complaint]:
    """Roles that the API does not have, such as `developer` and `tool`."""
    for index, message in enumerate(spoken(body)):
        if "role" not in message:
            yield Complaint(f"messages.{index}.role: Field required")
        elif message["role"] not in ("user", "assistant", "system"):
            words = 'Allowed roles are "user" or "assistant"'
            yield Complaint(f'messages: Unexpected role "{message["role"]}". {words}')


@CONVERSATION.rule(f"{DOCS}/build-with-claude/mid-conversation-system-messages")
def system_message_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """System messages within the conversation, for a model that takes none."""
    if not model_of(body).system_messages and any(message.get("role") == "system" for message in spoken(body)):
        yield Complaint("role 'system' is not supported on this model")


@CONVERSATION.rule(MEASURED)
def system_message_is_misplaced(body: Json) -> Iterator[Complaint]:
    """System messages that are empty, at the beginning, or before a user's."""
    turns = turns_of(body)
    for turn, after in zip_longest(turns, turns[1:]):
        if turn.role != "system":
            continue
        if not turn.blocks:
            yield Complaint(f"messages.{turn.first}: system content must contain at least one block")
        elif any(not block.get("text", "").strip() for block in turn.blocks):
            yield Complaint(f"messages.{turn.first}: system text blocks must contain non-whitespace text")
        elif turn.first == 0:
            words = f"use the top-level 'system' parameter for the initial system prompt; {_ANYWHERE}"
            yield Complaint(f"messages.0: {words}")
        elif after is not None and after.role == "user":
            words = f"role 'system' must precede an 'assistant' message or end the array; {_ANYWHERE}"
            yield Complaint(f"messages.{turn.last}: {words}")


@CONVERSATION.rule("https://github.com/BoltAI/BoltAI/issues/165")
def system_text_is_blank(body: Json) -> Iterator[Complaint]:
    """Instructions in blocks of nothing but blanks."""
    for block in body.get("system") or ():
        if isinstance(block, dict) and not block.get("text", "").strip():
            yield Complaint("system: text content blocks must contain non-whitespace text")


@CONVERSATION.rule(f"{CLAUDE_CODE}/59812")
def text_is_empty(body: Json) -> Iterator[Complaint]:
    """Text blocks without a character."""
    for _, _, block in placed_blocks(body):
        if block.get("type") == "text" and not block.get("text"):
            yield Complaint("messages: text content blocks must be non-empty")


@CONVERSATION.rule(f"{CLAUDE_CODE}/23440")
def text_is_blank(body: Json) -> Iterator[Complaint]:
    """Texts of nothing but blanks."""
    for _, role, block in placed_blocks(body):
        if role != "system" and block.get("type") == "text" and block.get("text") and not block["text"].strip():
            yield Complaint("messages: text content blocks must contain non-whitespace text")


@CONVERSATION.rule(MEASURED)
def user_says_nothing(body: Json) -> Iterator[Complaint]:
    """A user's turn without content."""
    for turn in turns_of(body):
        if turn.role == "user" and not turn.blocks:
            yield Complaint(f"messages.{turn.first}: user messages must have non-empty content")


@CONVERSATION.rule(f"{DOCS}/api/messages")
def first_is_not_the_user(body: Json) -> Iterator[Complaint]:
    """An assistant that speaks first."""
    if spoken(body) and spoken(body)[0].get("role") == "assistant":
        yield Complaint('messages: first message must use the "user" role')


@CONVERSATION.rule(f"{DOCS}/api/errors#prefill-not-supported")
def last_is_the_assistant(body: Json) -> Iterator[Complaint]:
    """An assistant that has the last word, with nothing of a server's tool at its end."""
    last = _last_turn(body)
    if last is None or last.role != "assistant" or not last.blocks or model_of(body).prefill:
        return
    kind = str(last.blocks[-1].get("type"))
    if kind not in THOUGHTS and ("tool" not in kind or kind == "tool_use"):
        words = "This model does not support assistant message prefill."
        yield Complaint(f"{words} The conversation must end with a user message.")


@CONVERSATION.rule(f"{DOCS}/build-with-claude/prompt-engineering/prefill-claudes-response")
def prefill_ends_blank(body: Json) -> Iterator[Complaint]:
    """An answer that was begun with a blank at its end, for models that go on from there."""
    last = (spoken(body) or [{}])[-1]
    text = str((blocks_of(last) or [{}])[-1].get("text", ""))
    if model_of(body).prefill and last.get("role") == "assistant" and text != text.rstrip():
        yield Complaint("messages: final assistant content cannot end with trailing whitespace")


@CONVERSATION.rule(f"{DOCS}/build-with-claude/extended-thinking")
def thought_stands_last(body: Json) -> Iterator[Complaint]:
    """A conversation that ends in a thought."""
    last = _last_turn(body)
    if last is not None and last.role == "assistant" and last.blocks and last.blocks[-1].get("type") in THOUGHTS:
        yield Complaint(f"messages.{last.last}: The final block in an assistant message cannot be `thinking`.")
