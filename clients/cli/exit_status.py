"""Exit statuses of the command line, for scripts to rely on."""

from __future__ import annotations

from typing import Final

from ...contracts.wire.run import Status, was_cut

FAILED: Final = 1
USAGE: Final = 2
STUCK: Final = 6
"""Nobody is there to do the work, and it was not to be waited for."""
INTERRUPTED: Final = 130
"""Left by Ctrl-C, as shells expect it."""

_EXIT_STATUS: Final = {
    Status.COMPLETED: 0,
    Status.FAILED: FAILED,
    Status.REFUSED: 3,
    Status.EXHAUSTED: 4,
    Status.CANCELLED: 5,
}


def exit_status_of(status: Status, reason: str) -> int:
    """Return the exit status of a command that waited for a run.

    Args:
        status: How the run ended.
        reason: Why. An answer that was cut is no whole one, though it completes the run.
    """
    return _EXIT_STATUS[Status.EXHAUSTED if was_cut(status, reason) else status]
