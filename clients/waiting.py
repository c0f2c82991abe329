"""Tells why nothing happens, when nothing has happened for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

from ..contracts.errors import SostenutoError

if TYPE_CHECKING:
    from .hindrances import Hindrance

_LOG: Final = logging.getLogger("sostenuto.clients")
_SILENCE_SECONDS: Final = 3.0
"""How long nothing happens before it is asked why."""
_TOLD_ATTEMPTS: Final = (1, 3, 10, 20)
"""How many attempts have failed where it is said again."""


class Hindered(Protocol):
    """What may be held up, such as a run or an ingest."""

    def hindrances(self) -> Awaitable[Sequence[Hindrance]]:
        """Return what holds it up at this moment."""
        ...


@asynccontextmanager
async def noticing_hindrances(waits: Hindered, tell: Callable[[Hindrance], None]) -> AsyncIterator[Callable[[], None]]:
    """Tell in the block what holds something up.

    Whenever nothing has happened for a while. Each thing is told once, and what fails again and again a few times.
    Yields what is to be called whenever something happens.

    Args:
        waits: What may be held up.
        tell: Told each thing.
    """
    happened = asyncio.Event()
    telling = asyncio.create_task(_tell(waits, happened, tell))
    try:
        yield happened.set
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


def logging_hindrances(what: str, waits: Hindered) -> AbstractAsyncContextManager[Callable[[], None]]:
    """Log in the block what holds something up, as warnings.

    Args:
        what: What that is, as a noun: `run 'ticket-812'`.
        waits: The same.
    """
    return noticing_hindrances(waits, lambda hindrance: log_wait(what, str(hindrance)))


async def wait_for_end(
    what: str, waits: Hindered, until_end: Callable[[Callable[[], None]], Awaitable[None]], most: float | None
) -> None:
    """Wait for an end, and log meanwhile what holds it up.

    Args:
        what: Whose end, as a noun: `run 'ticket-812'`.
        waits: The same.
        until_end: Waits for it; is given what it calls whenever something happens.
        most: Most seconds to wait. None: for ever.

    Raises:
        TimeoutError: It has not ended by then; the message says what holds it up.
    """
    limit = asyncio.timeout(most)
    try:
        async with limit, logging_hindrances(what, waits) as happened:
            await until_end(happened)
    except TimeoutError:
        if not limit.expired():
            raise
        held_up: Sequence[Hindrance] = ()
        with suppress(SostenutoError):
            held_up = await waits.hindrances()
        why = "; ".join(map(str, held_up)) or "nothing holds it up"
        raise TimeoutError(f"{what} has not ended within {most:g} s: {why}") from None


def log_wait(what: str, why: str) -> None:
    """Log why something is waited for."""
    _LOG.warning("waiting for %s: %s", what, why)


async def _tell(waits: Hindered, happened: asyncio.Event, tell: Callable[[Hindrance], None]) -> None:
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
                # What no worker takes is told of once: the attempts are those of as many workers.
                failed = 0 if hindrance.is_unserved else hindrance.attempt
                key = (hindrance.run_id, hindrance.step, sum(failed >= number for number in _TOLD_ATTEMPTS))
                if key not in told:
                    told.add(key)
                    tell(hindrance)
