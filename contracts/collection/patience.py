"""How long work on collections goes on while what it needs cannot be had.

Activities go by it, which alone know what went wrong, and so do the policies by which the server repeats them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Patience:
    """How often something is tried that may pass, and how long an attempt may take."""

    attempts: int
    """After so many whoever asked is told."""
    attempt: timedelta
    """Longest time of one attempt, from its start to its end."""
    first_pause: timedelta = timedelta(milliseconds=200)
    """After the first attempt; each later pause is twice the one before."""
    longest_pause: timedelta = timedelta(seconds=30)
    first_busy_pause: timedelta = timedelta(seconds=2)
    """The same where a provider is busy, and does not say for how long."""
    longest_busy_pause: timedelta = timedelta(minutes=1)

    def busy_pause(self, attempt: int) -> timedelta:
        """Return how long a provider is left alone that is busy.

        Args:
            attempt: Which one has ended so, from 1.
        """
        # A larger power would be no number of seconds.
        return min(self.first_busy_pause * 2.0 ** min(attempt - 1, 30), self.longest_busy_pause)


SEARCH: Final = Patience(attempts=4, attempt=timedelta(minutes=1))
"""Of a search: somebody waits for it, so it is given up after 1.4 seconds of pauses, or 14 where a provider is busy."""

MEMORY_RECALL: Final = Patience(attempts=4, attempt=timedelta(seconds=20))
"""Of a search of memories, without which a turn goes on as a rule: a store that hangs is not tried again."""

MEMORY_WORK: Final = Patience(attempts=120, attempt=timedelta(seconds=20), longest_pause=timedelta(seconds=1))
"""Of what a run has done to memories by the workflow of their scope, which itself gives up as a search does: an attempt
that waits for it lets go of its place after a while, for what that workflow does may need it."""

INGEST: Final = Patience(attempts=16, attempt=timedelta(minutes=30))
"""Of every step of an ingest, for which nobody waits at a screen: it goes on through four minutes in which the store
cannot be reached, as when it is started anew, and through eleven of a busy provider."""
