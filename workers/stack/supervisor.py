"""Keeps a process up. Must not know which process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, Self, TypeVar

from ...contracts.errors import SetupError

OnStatus = Callable[[str], None]
"""Receives lines for a person to read."""

LONGEST_PAUSE_SECONDS: Final = 30.0
_CRASHES_COUNT_SECONDS: Final = 60.0


class Process(Protocol):
    """What can be kept up."""

    @property
    def pid(self) -> int | None:
        """Id of the process."""
        ...

    async def wait(self) -> int:
        """Wait for the exit status and return it."""
        ...

    async def stop(self) -> None:
        """End the process and return once it is gone."""
        ...


P = TypeVar("P", bound=Process)


class Supervisor(Generic[P]):
    """Starts a process, and starts it again whenever it ends, until the context does.

    The first end within a minute is answered at once, each further one after a pause that doubles up to half a minute.

    Args:
        name: What status lines call the process.
        start: Starts the process and returns once it is ready. A `SetupError` of the first start is raised to the
            caller; of a later one it is reported and tried again.
        on_status: Told of each end and of each start after the first.
    """

    def __init__(self, name: str, start: Callable[[], Awaitable[P]], on_status: OnStatus) -> None:
        self._name = name
        self._start = start
        self._on_status = on_status
        self._current: P | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._current = await self._start()
        self._task = asyncio.create_task(self._keep_up(self._current))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._current:
            await self._current.stop()

    @property
    def current(self) -> P:
        """The process that runs now, or ran last."""
        if self._current is None:
            raise RuntimeError(f"{self._name} was not started: enter the context of its Supervisor first")
        return self._current

    async def _keep_up(self, process: P) -> None:
        ends: deque[float] = deque()
        while True:
            pid, status = process.pid, await process.wait()
            ends.append(time.monotonic())
            while ends[0] < ends[-1] - _CRASHES_COUNT_SECONDS:
                ends.popleft()
            pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (len(ends) - 2)) if len(ends) > 1 else 0.0
            after = f" in {pause:.0f} s" if pause else ""
            self._on_status(f"{self._name} (pid {pid}) ended with status {status}: starting it again{after}")
            await asyncio.sleep(pause)
            try:
                process = self._current = await self._start()
                self._on_status(f"{self._name} is up again (pid {process.pid})")
            except SetupError as error:
                self._on_status(str(error))
