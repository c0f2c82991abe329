"""The events of a chat, beside those of the runnables at work in it."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from ...message import Message
from ..event_base import EventBase
from ..run import Status
from ..totals import Charged


class ChatStarted(EventBase):
    """A chat began."""

    type: Literal["chat.started"] = "chat.started"
    run_id: str
    """Id of the chat."""
    runnable: str
    """Name of what answers."""
    runnable_kind: str = ""
    """What kind of runnable that is, such as `agent`."""
    forked_from: str = ""
    """Id of the chat whose first turns are its own."""


class TurnQueued(EventBase):
    """A message came while a chat answered another one, and waits."""

    type: Literal["turn.queued"] = "turn.queued"
    message_id: str
    """Id of the message."""
    message: Message
    """What is asked."""


class TurnStarted(EventBase):
    """A chat began to answer a message."""

    type: Literal["turn.started"] = "turn.started"
    message_id: str
    """Id of the message."""
    message: Message
    """What is asked."""


class TurnFinished(EventBase, Charged):
    """A chat has answered a message, or given it up."""

    type: Literal["turn.finished"] = "turn.finished"
    message_id: str
    """Id of the message."""
    status: Status
    """How it ended."""
    output: JsonValue = None
    """What was answered, as text or JSON; of a turn that did not complete, its last words."""
    reason: str = ""
    """Why it ended so; empty where the status tells enough."""
    turns: int = 0
    """Model calls that were answered in it, with all that is nested in it."""
