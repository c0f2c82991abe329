"""Tells why nothing happens, when nothing has happened for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Final, Protocol, TypeVar

from ..contracts.errors import SostenutoError
from ..contracts.text import one_line

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


class HeldUp(Protocol):
    """Something that holds a run up, as a sentence that says what to do."""

    @property
    def run_id(self) -> str:
        """Id of the run or nested run."""
        ...

    @property
    def step(self) -> str:
        """Which of its steps; empty where it is none in particular."""
        ...

    @property
    def attempt(self) -> int:
        """How often the step was tried so far."""
        ...

    @property
    def is_unserved(self) -> bool:
        """Whether it waits for a worker."""
        ...


HeldT = TypeVar("HeldT", bound=HeldUp)


@asynccontextmanager
async def noticing_hindrances(
    ask: Callable[[], Awaitable[Sequence[HeldT]]], tell: Callable[[HeldT], None]
) -> AsyncIterator[Callable[[], None]]:
    """Tell in the block what holds something up.

    Whenever nothing has happened for a while. Each thing is told once, and what fails again and again a few times.
    Yields what is to be called whenever something happens.

    Args:
        ask: Returns what holds it up at this moment.
        tell: Told each thing.
    """
    happened = asyncio.Event()
    telling = asyncio.create_task(_tell(ask, happened, tell))
    try:
        yield happened.set
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


def logging_hindrances(
    what: str, ask: Callable[[], Awaitable[Sequence[HeldUp]]]
) -> AbstractAsyncContextManager[Callable[[], None]]:
    """Log in the block what holds something up, as warnings.

    Args:
        what: What that is, as a noun: `run 'ticket-812'`.
        ask: Returns what holds it up at this moment.
    """
    return noticing_hindrances(ask, lambda held: _log_wait(what, str(held)))


async def wait_for_end(
    what: str,
    ask: Callable[[], Awaitable[Sequence[HeldUp]]],
    until_end: Callable[[Callable[[], None]], Awaitable[T]],
    most: float | None,
) -> T:
    """Wait for an end, and log meanwhile what holds it up.

    Args:
        what: Whose end, as a noun: `run 'ticket-812'`.
        ask: Returns what holds it up at this moment.
        until_end: Waits for it; is given what it calls whenever something happens.
        most: Most seconds to wait. None: for ever.

    Returns:
        What `until_end` does.

    Raises:
        TimeoutError: It has not ended by then; the message says what holds it up.
    """
    limit = asyncio.timeout(most)
    try:
        async with limit, logging_hindrances(what, ask) as happened:
            return await until_end(happened)
    except TimeoutError:
        if not limit.expired():
            raise
        raise TimeoutError(f"{what} has not ended within {most:g} s: {await _why(ask)}") from None


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


async def _why(ask: Callable[[], Awaitable[Sequence[HeldUp]]]) -> str:
    """Return what holds it up, or why that is not known."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            held_up = await ask()
    except TimeoutError:
        return "what holds it up cannot be asked: the Temporal server does not answer"
    except SostenutoError as error:
        return f"what holds it up cannot be asked: {one_line(str(error), _REASON_CHARS)}"
    return "; ".join(map(str, held_up)) or "nothing is known that holds it up"


async def _tell(
    ask: Callable[[], Awaitable[Sequence[HeldT]]], happened: asyncio.Event, tell: Callable[[HeldT], None]
) -> None:
    told: set[tuple[str, str, int]] = set()
    silence = _SILENCE_SECONDS
    while True:
        if await _silent(happened, silence) and not await _tell_news(ask, told, tell):
            silence = min(silence * 2, _LONGEST_SILENCE_SECONDS)
        else:
            silence = _SILENCE_SECONDS


async def _tell_news(
    ask: Callable[[], Awaitable[Sequence[HeldT]]], told: set[tuple[str, str, int]], tell: Callable[[HeldT], None]
) -> bool:
    """Tell what was not told before; return whether there was any."""
    before = len(told)
    try:
        for held in await ask():
            # What no worker takes is told of once: the attempts are those of as many workers.
            failed = 0 if held.is_unserved else held.attempt
            key = (held.run_id, held.step, sum(failed >= number for number in _TOLD_ATTEMPTS))
            if key not in told:
                told.add(key)
                tell(held)
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
