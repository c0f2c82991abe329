"""Where a stream of events stands: how far its own run was told, and every nested run that is under way."""

from __future__ import annotations

import re
from dataclasses import dataclass

Key = tuple[int, ...]
"""A nested run, by the events that asked for it: in the root's execution, in that run's execution, and so on."""

_ID = r"[^/;=]+/\d+/\d+"
_NESTED = r"\d+(?:\.\d+)*=(?:[^/;=]+/)?\d+/\d+"
_CURSOR = re.compile(rf"^{_ID}(?:;{_NESTED})*$")


@dataclass(frozen=True, slots=True)
class Position:
    """An event of one workflow: it and everything before it was told."""

    execution: str
    """Temporal's run id. Empty for the first execution of a nested run."""
    event: int
    index: int

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read an event's id, or one without its execution."""
        *execution, event, index = text.split("/")
        return cls(execution[0] if execution else "", int(event), int(index))

    def within(self, execution: str) -> Position:
        """The same, of a run that began with that execution."""
        return self if self.execution else Position(execution, self.event, self.index)

    def covers(self, event_id: str) -> bool:
        """Whether an event of the same workflow was told: of this execution up to here, of earlier ones all."""
        other = Position.parse(event_id)
        return other.execution != self.execution or (other.event, other.index) <= (self.event, self.index)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Positions of a run and of the nested runs in it that are under way.

    One that is under way and has no position here was not told of at all. One that has ended by the position of its
    parent was told of to its end.
    """

    root: str
    nested: dict[Key, str]

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read an event's `position`; None where it is none."""
        if not _CURSOR.match(text):
            return None
        root, *nested = text.split(";")
        pairs = (entry.split("=") for entry in nested)
        return cls(root, {tuple(map(int, key.split("."))): position for key, position in pairs})

    def __str__(self) -> str:
        nested = (f"{'.'.join(map(str, key))}={position}" for key, position in sorted(self.nested.items()))
        return ";".join((self.root, *nested))
