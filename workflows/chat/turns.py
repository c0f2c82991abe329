"""Where the turns of a chat stand in what was said, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence

from ...contracts.message import Message
from ...contracts.wire.chats.chat import TurnMark
from ...contracts.wire.run import Result


def mark_of(message_id: str, result: Result, messages: Sequence[Message], begins: int) -> TurnMark:
    """Return the mark of a turn that has just ended.

    Args:
        message_id: Id of its message.
        result: What it came to.
        messages: All messages so far.
        begins: Where its own begin.
    """
    is_last_text = isinstance(result.output, str) and result.output == Message.last_words(messages[begins:])
    kept = result.model_copy(update={"output": None}) if is_last_text else result
    return TurnMark(id=message_id, begins=begins, ends=len(messages), result=kept, is_last_text=is_last_text)


def said_in(messages: Sequence[Message], turn: TurnMark) -> Sequence[Message]:
    """Return the messages of one turn."""
    return messages[turn.begins : turn.ends]


def result_of(messages: Sequence[Message], turn: TurnMark) -> Result:
    """Return what one turn came to."""
    if not turn.is_last_text:
        return turn.result
    return turn.result.model_copy(update={"output": Message.last_words(said_in(messages, turn))})
