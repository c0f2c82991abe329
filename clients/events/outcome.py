"""What an activity of a history is for, and what its end means. Interfaces only: each kind of step has its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from temporalio.api.common.v1 import Payloads
from temporalio.exceptions import ApplicationError

from ...contracts.wire.event import Event
from ...contracts.wire.run import Totals
from .history_event import Recorded
from .transcript import Transcript


@dataclass(slots=True)
class Accumulated:
    """What a history has come to so far."""

    transcripts: dict[str, Transcript] = field(default_factory=dict)
    """By path."""
    turns: int = 0
    """Model calls that were answered, those of nested runs that have ended included."""
    totals: Totals = field(default_factory=Totals)
    """What they used."""


class Outcome(Protocol):
    """What the end of an activity means."""

    def completed(self, recorded: Recorded, activity: Activity, result: Payloads) -> Iterator[Event]:
        """The events of its result."""
        ...

    def failed(self, recorded: Recorded, activity: Activity, error: BaseException) -> Iterator[Event]:
        """The events of its failure, timeout or cancellation."""
        ...


@dataclass(slots=True)
class Activity:
    """An activity that was scheduled."""

    path: str
    at: datetime
    outcome: Outcome
    attempt: int = 1


def reason(error: BaseException) -> str:
    """Why it failed, in a line."""
    return f"{error.type}: {error.message}" if isinstance(error, ApplicationError) else str(error)
