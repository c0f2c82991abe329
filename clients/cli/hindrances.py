"""Tells why nothing happens, when nothing has happened for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from ...contracts.errors import SostenutoError
from .step_lines import hindrance_line

if TYPE_CHECKING:
    from ..hindrances import Hindrance

_SILENCE_SECONDS = 3.0
"""How long nothing happens before it is asked why."""
_TOLD_ATTEMPTS = (1, 3, 10, 20)
"""How many attempts have failed where it is said again."""


class Hindered(Protocol):
    """What may be held up, such as a run or an ingest."""

    def hindrances(self) -> Awaitable[Sequence[Hindrance]]:
        """Return what holds it up at this moment."""
        ...


@asynccontextmanager
async def telling_hindrances(waits: Hindered, say: Callable[[str], None]) -> AsyncIterator[Callable[[], None]]:
    """Say in the block what holds something up.

    Whenever nothing has happened for a while. Each thing is said once, and what fails again and again a few times.
    Yields what is to be called whenever something happens.

    Args:
        waits: What may be held up.
        say: Told each thing in a line.
    """
    happened = asyncio.Event()
    telling = asyncio.create_task(_tell(waits, happened, say))
    try:
        yield happened.set
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(waits: Hindered, happened: asyncio.Event, say: Callable[[str], None]) -> None:
    told: set[tuple[str, str, int]] = set()
    while True:
        happened.clear()
        # Not `wait_for`, which in Python 3.11 swallows a cancel that comes with what it waits for.
        with suppress(TimeoutError):
            async with asyncio.timeout(_SILENCE_SECONDS):
                await happened.wait()
            continue
        # Where the server is away or denies it, whatever is watched says so.
        with suppress(SostenutoError):
            for hindrance in await waits.hindrances():
                key = (hindrance.run_id, hindrance.step, sum(hindrance.attempt >= number for number in _TOLD_ATTEMPTS))
                if key not in told:
                    told.add(key)
                    say(hindrance_line(hindrance))
