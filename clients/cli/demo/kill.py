"""Kills a worker of the demo, and reads from the history what that cost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent


class HasPid(Protocol):
    """A process of the stack."""

    @property
    def pid(self) -> int | None:
        """Its id."""
        ...


class Kept(Protocol):
    """A worker that is kept up."""

    @property
    def current(self) -> HasPid:
        """The process that it is now."""
        ...


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker's death."""

    worker: int
    """Which of the stack's, from 1."""
    pid: int
    at: datetime

    def __str__(self) -> str:
        return f"✂ SIGKILL to worker {self.worker} (pid {self.pid})"

    def seconds_to_next_step(self, history: Iterable[HistoryEvent]) -> float | None:
        """Return how long it took until an activity began; None where none did any more.

        By the server's clock and ours, which are those of one machine.
        """
        began = [
            event.event_time.ToDatetime(UTC)
            for event in history
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
        ]
        return min(((at - self.at).total_seconds() for at in began if at > self.at), default=None)


def kill_worker(workers: Sequence[Kept], pid: int) -> Kill | None:
    """End the worker that has a process by SIGKILL; the first one where none has it.

    Returns None where it is not running at this moment: nothing is killed then.
    """
    pids = [worker.current.pid for worker in workers]
    index = pids.index(pid) if pid in pids else 0
    found = pids[index]
    # 0 would be our own process group.
    if not found:
        return None
    try:
        os.kill(found, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return Kill(index + 1, found, datetime.now(UTC))


def pid_of(identity: str) -> int:
    """Return the process that an identity in a history names; 0 where it names none."""
    pid = identity.partition("@")[0]
    return int(pid) if pid.isdigit() else 0
