"""What an app's tools share on a worker.

It is made once when the worker begins, and closed when that ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Final

from ....contracts.errors import SetupError
from ..failure import leaves, told
from ..own_code import own_place
from ..user_code import UserCode

_LOG: Final = logging.getLogger(__name__)

Lifespan = Callable[[], AbstractAsyncContextManager[Any]]

_CLOSING_SECONDS: Final = 30.0
"""How long it may take to close."""
_PATIENCE_SECONDS: Final = 10.0


class Resources:
    """What the tools of one worker share.

    It is made, used by async tools, and closed on one loop, and in one task.

    Args:
        lifespan: Makes and closes it. None: there is none.
        user: Runs it.
        patience_seconds: After how long it is told that it has not begun, or not ended.
    """

    def __init__(
        self, lifespan: Lifespan | None, user: UserCode, *, patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self.value: Any = None
        """What the lifespan yielded."""
        self._lifespan = lifespan
        self._user = user
        self._patience = patience_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: asyncio.Event | None = None
        self._living: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold it open while the block lasts.

        Raises:
            SetupError: It cannot be made; says why.
        """
        if self._lifespan is None:
            yield
            return
        lifespan, opened, here = self._lifespan, asyncio.Event(), asyncio.get_running_loop()

        def is_open() -> None:
            here.call_soon_threadsafe(opened.set)

        living = asyncio.create_task(
            self._user.on_loop("the app's lifespan", lambda: self._live(lifespan, is_open)), name="lifespan"
        )
        opening = asyncio.create_task(opened.wait())
        try:
            with self._telling("begun: the worker serves when it yields"):
                await asyncio.wait([living, opening], return_when=asyncio.FIRST_COMPLETED)
            if living.done():
                raise SetupError(f"App: lifespan: {_why(living)}")
            self._living = living
            yield
        finally:
            opening.cancel()
            await self._close(living, was_open=opened.is_set())

    async def lost(self) -> None:
        """Wait until it ends by itself, while it is held open; for ever where it does not.

        Raises:
            SetupError: It has ended; says why.
        """
        if self._living is None:
            await asyncio.Event().wait()
            return
        # Whoever waits here may stop to, and it goes on.
        await asyncio.wait([self._living])
        why = f"it ended while the worker served: {_why(self._living)}"
        _LOG.error("App: lifespan: %s: the worker stops, as what its tools share is gone", why)
        raise SetupError(f"App: lifespan: {why}")

    async def _live(self, lifespan: Lifespan, is_open: Callable[[], None]) -> None:
        # The loop's own: what is made on it is closed on it, and in one task.
        self._loop, self._leaving = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with lifespan() as value:
                self.value = value
                is_open()
                await self._leaving.wait()
        except (asyncio.CancelledError, Exception):
            raise
        except BaseException as error:
            # Such as of `sys.exit`: it would end the loop of all async functions.
            raise RuntimeError(f"it raised {told(error)}") from error

    async def _close(self, living: asyncio.Task[None], *, was_open: bool) -> None:
        self._living, was_lost = None, was_open and living.done()
        # One that has not begun does not look whether it is to end.
        if was_open and self._loop and self._leaving and not living.done():
            self._loop.call_soon_threadsafe(self._leaving.set)
            with self._telling(f"ended: the worker waits {_CLOSING_SECONDS:g} s for it"):
                await asyncio.wait([living], timeout=_CLOSING_SECONDS)
        if not living.done():
            if was_open:
                _LOG.warning("the app's lifespan did not end within %g s, and is left to itself", _CLOSING_SECONDS)
            living.cancel()
        await asyncio.wait([living])
        if was_open and not was_lost and not living.cancelled() and living.exception():
            _LOG.warning("the app's lifespan failed at its end: %s", _why(living))
        self.value = None

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """Tell what is waited for, where the block takes its time."""
        late = asyncio.get_running_loop().call_later(
            self._patience, _LOG.warning, "after %g s the app's lifespan has not %s", self._patience, what
        )
        try:
            yield
        finally:
            late.cancel()


def _why(living: asyncio.Task[None]) -> str:
    error = asyncio.CancelledError() if living.cancelled() else living.exception()
    if error is None:
        return "it ended before the worker did: it has to yield once"
    place = next(filter(None, (own_place(one) for leaf in leaves(error) for one in (leaf, leaf.__cause__) if one)), "")
    return f"{told(error)}{place}"
