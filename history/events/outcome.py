"""What an activity of a history is for, and what its end means.

Interfaces only: each kind of step has its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from temporalio.api.common.v1 import Payloads
from temporalio.exceptions import ApplicationError

from ...contracts.message import Message, Part
from ...contracts.prompt_hash import part_digest
from ...contracts.wire.event import Event
from ...contracts.wire.places import ActivityId, Place
from ...workflows.tally import Tally
from .chats.turns import ChatTurns
from .control.top_ups import WaitingBudgets
from .control.waiting import WaitingCalls
from .history_event import RecordedEvent
from .transcript import RebuiltTranscript


@dataclass(slots=True)
class Accumulated:
    """What a history has come to so far."""

    transcripts: dict[str, RebuiltTranscript] = field(default_factory=dict)
    """By path."""
    found: dict[str, str] = field(default_factory=dict)
    """What searches that no model asked for found, as a model reads it, by the ids of their activities."""
    told: dict[str, Part] = field(default_factory=dict)
    """Parts of what a chat was told, by their digests: prompts may refer to them."""
    chat: ChatTurns = field(default_factory=ChatTurns)
    """The turns of a chat."""
    approvals: WaitingCalls = field(default_factory=WaitingCalls)
    """The calls that wait for a person."""
    budgets: WaitingBudgets = field(default_factory=WaitingBudgets)
    """The budgets that wait for a top-up."""
    sealed: dict[str, str] = field(default_factory=dict)
    """Originals of what guardrails redacted, as ciphertext, by placeholder."""
    tally: Tally = field(default_factory=Tally)
    """What it used, with the nested runs that have ended."""
    unserved: Counter[str] = field(default_factory=Counter)
    """How often no worker could begin a step of an ingest, by the id of its activity."""
    warned: set[str] = field(default_factory=set)
    """Limits of budgets that were told to be nearly spent."""
    finished: bool = False
    """Whether a last answer was asked for, as a budget was not enough for more."""
    code_first: bool = False
    """Whether the workflow is a code-first one, which may call tools without a model."""

    def tell(self, messages: Iterable[Message]) -> None:
        """Take in what a chat was told."""
        parts = (part for message in messages for part in message.parts)
        self.told |= {part_digest(part.model_dump_json().encode()): part for part in parts}


class Outcome(Protocol):
    """What the end of an activity means."""

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield the events of its result."""
        ...

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:
        """Yield the events of its failure, timeout or cancellation."""
        ...


@dataclass(frozen=True, slots=True)
class Scheduled:
    """An activity that begins, before anything is known of what it means."""

    kind: str
    """Its activity type."""
    id: ActivityId
    input: Payloads | None = None
    """None where the history does not have it, as of one that ran within a workflow task."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an activity that begins means."""

    path: str
    """Place of what it works for."""
    outcome: Outcome | None
    """What its end will mean; None of one that says nothing to us."""
    events: tuple[Event, ...] = ()
    """The events of its beginning."""


UNREAD = Reading(Place(""), None)
"""What an activity means that says nothing to us."""

Reader = Callable[[RecordedEvent, Scheduled, Accumulated], Reading]
"""Reads the activities of one type."""


@dataclass(slots=True)
class Activity:
    """An activity that was scheduled."""

    id: ActivityId
    path: str
    at: datetime
    outcome: Outcome
    attempt: int = 1
    waited: float = 0.0
    """Seconds from its scheduling to the start of its last attempt."""

    def took(self, end: RecordedEvent) -> dict[str, Any]:
        """Return attempt, seconds and waited seconds of its end, as events have them."""
        return {"attempt": self.attempt, "seconds": end.since(self.at), "waited_seconds": self.waited}


def failure_reason(error: BaseException) -> str:
    """Return why something failed, in a line."""
    return f"{error.type}: {error.message}" if isinstance(error, ApplicationError) else str(error)
