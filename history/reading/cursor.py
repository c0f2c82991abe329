"""Where a stream of events stands.

How far its own run was told, and every nested run that is under way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Key = tuple[int, ...]
"""A nested run, by the events that asked for it: in the root's execution, in that run's execution, and so on."""

_ID = r"[^/;=]+/\d+/\d+"
_NESTED = r"\d+(?:\.\d+)*=(?:[^/;=]+/)?\d+/\d+"
_CURSOR = re.compile(rf"^{_ID}(?:;{_NESTED})*$")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Positions in a run and in the nested runs in it that are under way.

    One that is under way and has no position here was not told of at all. One that has ended by the position of its
    parent was told of to its end.
    """

    root: str
    nested: dict[Key, str]

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read an event's `position`; None where it is not one."""
        if not _CURSOR.match(text):
            return None
        root, *nested = text.split(";")
        pairs = (entry.split("=") for entry in nested)
        return cls(root, {tuple(map(int, key.split("."))): position for key, position in pairs})

    def __str__(self) -> str:
        nested = (f"{'.'.join(map(str, key))}={position}" for key, position in sorted(self.nested.items()))
        return ";".join((self.root, *nested))
