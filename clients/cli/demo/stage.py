"""What both acts of the demo play on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .kill import Kept, Kill, kill_worker

if TYPE_CHECKING:
    from rich.console import Console

    from ...client import Client


@dataclass(frozen=True, slots=True)
class Stage:
    """A stack that is up, and the screen."""

    client: Client
    workers: Sequence[Kept]
    console: Console
    tell: Callable[[str], None]
    """Shows a line with the time before it."""

    def kill(self, pid: int) -> Kill | None:
        """End the worker that has this process by SIGKILL; the first one where none has.

        Returns None, and tells it, where that one is not running.
        """
        killed = kill_worker(self.workers, pid)
        if killed is None:
            self.tell("no worker was killed: the one at work has just ended by itself")
        return killed
