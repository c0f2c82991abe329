"""Tells why nothing happens, when nothing has happened for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from ..contracts.errors import SostenutoError
from ..contracts.text import one_line

if TYPE_CHECKING:
    from .hindrances import Hindrance

_LOG: Final = logging.getLogger("sostenuto.clients")
T = TypeVar("T")
_SILENCE_SECONDS: Final = 3.0
"""How long nothing happens before it is asked why."""
_LONGEST_SILENCE_SECONDS: Final = 30.0
"""The same while all that is told is known: a run may be at work for hours, and many may wait for theirs."""
_ANSWER_SECONDS: Final = 2.0
"""How long a server may take to say why something has not ended in time."""
_REASON_CHARS: Final = 300
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
    return noticing_hindrances(waits, lambda hindrance: _log_wait(what, str(hindrance)))


async def wait_for_end(
    what: str, waits: Hindered, until_end: Callable[[Callable[[], None]], Awaitable[T]], most: float | None
) -> T:
    """Wait for an end, and log meanwhile what holds it up.

    Args:
        what: Whose end, as a noun: `run 'ticket-812'`.
        waits: The same.
        until_end: Waits for it; is given what it calls whenever something happens.
        most: Most seconds to wait. None: for ever.

    Returns:
        What `until_end` does.

    Raises:
        TimeoutError: It has not ended by then; the message says what holds it up.
    """
    limit = asyncio.timeout(most)
    try:
        async with limit, logging_hindrances(what, waits) as happened:
            return await until_end(happened)
    except TimeoutError:
        if not limit.expired():
            raise
        raise TimeoutError(f"{what} has not ended within {most:g} s: {await _why(waits)}") from None


@contextmanager
def log_wait_later(what: str) -> Iterator[Callable[[str], None]]:
    """Give in the block what logs why something is waited for, after a while.

    Each reason takes the place of the one before, and an empty one of them all: what passed by then is not told.

    Args:
        what: What is waited for, as a noun.
    """
    later: asyncio.TimerHandle | None = None

    def tell(why: str) -> None:
        nonlocal later
        if later:
            later.cancel()
        told = one_line(why, _REASON_CHARS)
        later = asyncio.get_running_loop().call_later(_SILENCE_SECONDS, _log_wait, what, told) if told else None

    try:
        yield tell
    finally:
        tell("")


def _log_wait(what: str, why: str) -> None:
    _LOG.warning("waiting for %s: %s", what, why)


async def _why(waits: Hindered) -> str:
    """Return what holds it up, or why that is not known."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            held_up = await waits.hindrances()
    except TimeoutError:
        return "what holds it up cannot be asked: the Temporal server does not answer"
    except SostenutoError as error:
        return f"what holds it up cannot be asked: {one_line(str(error), _REASON_CHARS)}"
    return "; ".join(map(str, held_up)) or "nothing is known that holds it up"


async def _tell(waits: Hindered, happened: asyncio.Event, tell: Callable[[Hindrance], None]) -> None:
    told: set[tuple[str, str, int]] = set()
    silence = _SILENCE_SECONDS
    while True:
        if await _silent(happened, silence) and not await _tell_news(waits, told, tell):
            silence = min(silence * 2, _LONGEST_SILENCE_SECONDS)
        else:
            silence = _SILENCE_SECONDS


async def _tell_news(waits: Hindered, told: set[tuple[str, str, int]], tell: Callable[[Hindrance], None]) -> bool:
    """Tell what was not told before; return whether there was any."""
    before = len(told)
    try:
        for hindrance in await waits.hindrances():
            # What no worker takes is told of once: the attempts are those of as many workers.
            failed = 0 if hindrance.is_unserved else hindrance.attempt
            key = (hindrance.run_id, hindrance.step, sum(failed >= number for number in _TOLD_ATTEMPTS))
            if key not in told:
                told.add(key)
                tell(hindrance)
    except SostenutoError:
        # Where the server is away or denies it, whatever is watched says so.
        return False
    except Exception:  # noqa: BLE001 - what was asked beside it goes on
        _LOG.warning("what holds things up could not be told, and is asked again", exc_info=True)
        return False
    return len(told) > before


async def _silent(happened: asyncio.Event, seconds: float) -> bool:
    """Return whether nothing happened for so long."""
    happened.clear()
    # Not `wait_for`, which in Python 3.11 swallows a cancel that comes with what it waits for.
    try:
        async with asyncio.timeout(seconds):
            await happened.wait()
    except TimeoutError:
        return True
    return False
