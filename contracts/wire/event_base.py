"""What all events have."""

from __future__ import annotations

from datetime import datetime

from ..contract import Contract


class EventBase(Contract):
    """Something that happened in a run or a chat."""

    id: str
    """`execution/history event/index`: a stream resumes after it, see `Run.events`."""
    at: datetime
    """When, by the Temporal server's clock, in UTC."""
    path: str
    """Place in the runnable tree."""
    cursor: str = ""
    """Where the stream stands while nested runs are under way: `Run.events(after=)` takes it in place of the id. Empty
    where the id is enough."""

    @property
    def position(self) -> str:
        """What `Run.events(after=)` takes to go on after this event."""
        return self.cursor or self.id
