"""Where the turns of a chat stand in what was said, and what they came to."""

from __future__ import annotations

from typing import Final

from ...contracts.message import Message
from ...contracts.wire.chats.chat import TurnMark
from ...contracts.wire.run import Result
from .said import Said

_LEFT: Final = "what it answered has left the memory of the chat: read it in the chat's history"


def mark_of(message_id: str, result: Result, said: Said, begins: int) -> TurnMark:
    """Return the mark of a turn that has just ended.

    Args:
        message_id: Id of its message.
        result: What it came to.
        said: What was said so far.
        begins: Where its own begins.
    """
    ends = said.count
    is_last_text = isinstance(result.output, str) and result.output == Message.last_words(said.between(begins, ends))
    kept = result.model_copy(update={"output": None}) if is_last_text else result
    return TurnMark(id=message_id, begins=begins, ends=ends, result=kept, is_last_text=is_last_text)


def result_of(said: Said, turn: TurnMark) -> Result:
    """Return what one turn came to."""
    if not turn.is_last_text:
        return turn.result
    output = Message.last_words(said.between(turn.begins, turn.ends))
    return turn.result.model_copy(update={"output": output, **({} if output else {"reason": _LEFT})})
