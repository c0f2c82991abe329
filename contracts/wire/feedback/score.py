"""What somebody says of a run, and what a workflow is told to store and send it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ...contract import Contract

WAITING: Final = "waiting"
"""What a destination came to that has not taken a score yet."""
SENT: Final = "sent"
"""What one came to that has taken it."""


class Score(Contract):
    """What somebody says of a run, or of a turn of a chat."""

    name: str
    """What is judged, such as `helpful`. 1 to 100 characters."""
    value: bool | float | str
    """A finite number, yes or no, or a label of 1 to 200 characters."""
    comment: str = ""
    """Why, at most 4,000 characters."""
    by: str = ""
    """Whose opinion it is, at most 200 characters."""
    turn: str = ""
    """Id of the message whose turn is judged; empty of a run."""
    at: datetime
    """When it was given, by the clock of whoever gave it."""
    sent: dict[str, str] = {}
    """By destination: `sent`, `waiting`, or why it was not taken. Empty until a worker has seen it, and where no
    destination of that worker takes scores."""


class ScoreInput(Contract):
    """Input of the workflow that stores a score."""

    score: Score
    run_id: str
    """Id of the run, nested or not, or of the chat."""
    first_execution: str
    """Temporal's run id of its first execution."""
    caller: str = ""
    """The span in which it was started, as a `traceparent`; empty where there was none."""


class ScoreCall(Contract):
    """Asks for a score to be sent somewhere."""

    to: str
    """Name of the destination."""
    given: ScoreInput

    @property
    def title(self) -> str:
        """The score in a few words."""
        return f"{self.given.score.name} {self.given.score.value}"
