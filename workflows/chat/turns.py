"""Where the turns of a chat stand in what was said."""

from __future__ import annotations

from collections.abc import Sequence

from ...contracts.message import Message
from ...contracts.wire.chats.chat import TurnMark


def said_in(messages: Sequence[Message], turns: Sequence[TurnMark], index: int) -> Sequence[Message]:
    """Return the messages of one turn."""
    end = turns[index + 1].begins if index + 1 < len(turns) else len(messages)
    return messages[turns[index].begins : end]
