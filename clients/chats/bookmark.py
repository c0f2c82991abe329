"""Where a client stopped reading a chat.

So that it need not read it all again for the next message.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.converter import DataConverter

from ...history.events.projection import Projection
from ...history.reading.follow import Mark


@dataclass(slots=True)
class Bookmark:
    """One place in a chat's history, and what was read before it.

    Whoever reads on from it has it alone.
    """

    projection: Projection
    mark: Mark
    frames: str = "0"
    """Id of the last frame of the live channel that was read."""

    def begin_again(self, execution: str) -> None:
        """Go to the beginning of another execution."""
        self.projection, self.mark = Projection(self.projection.converter), Mark(execution)

    @classmethod
    def at_the_beginning(cls, converter: DataConverter, execution: str) -> Bookmark:
        """Return that of somebody who has read nothing of an execution yet."""
        return cls(Projection(converter), Mark(execution))
