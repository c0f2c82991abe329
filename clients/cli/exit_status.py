"""Exit statuses of the command line, for scripts to rely on."""

from __future__ import annotations

from typing import Final

from ...contracts.wire.run import Status

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
"""Left by Ctrl-C, as shells expect it."""

EXIT_STATUS: Final = {
    Status.COMPLETED: 0,
    Status.FAILED: FAILED,
    Status.REFUSED: 3,
    Status.EXHAUSTED: 4,
    Status.CANCELLED: 5,
}
"""What a command that waits for a run returns."""
