"""Ends the children of a process that could not end them itself, as after SIGKILL.

Run by its path, as a program of its own: it must import nothing of ours and outlive whatever breaks us. Its standard
input is a pipe that closes when its parent ends, however that happens; until then each line tells of a process group:
`+id` or `-id`.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 3.0


def groups_left(lines: Iterable[str]) -> set[int]:
    """Return the groups that were added and not taken back when the lines end."""
    groups: set[int] = set()
    for line in lines:
        (groups.add if line.startswith("+") else groups.discard)(int(line[1:]))
    return groups


def end(groups: set[int]) -> None:
    """Ask the groups to end, then make them."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, sent)
        if groups and sent is signal.SIGTERM:
            time.sleep(GRACE_SECONDS)


if __name__ == "__main__":
    end(groups_left(sys.stdin))
