"""What an app's tools share on a worker.

It is made once when the worker begins, and closed when that ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from ....contracts.errors import SetupError
from ..failure import told
from ..user_code import UserCode

_LOG: Final = logging.getLogger(__name__)

Lifespan = Callable[[], AbstractAsyncContextManager[Any]]

_CLOSING_SECONDS: Final = 30.0
"""How long it may take to close."""


class Resources:
    """What the tools of one worker share.

    It is made, used by async tools, and closed on one loop, and in one task.

    Args:
        lifespan: Makes and closes it. None: there is none.
        user: Runs it.
    """

    def __init__(self, lifespan: Lifespan | None, user: UserCode) -> None:
        self.value: Any = None
        """What the lifespan yielded."""
        self._lifespan = lifespan
        self._user = user
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: asyncio.Event | None = None

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
            await asyncio.wait([living, opening], return_when=asyncio.FIRST_COMPLETED)
            if living.done():
                raise SetupError(f"App: lifespan: {_why(living)}")
            yield
        finally:
            opening.cancel()
            await self._close(living, was_open=opened.is_set())

    async def _live(self, lifespan: Lifespan, is_open: Callable[[], None]) -> None:
        # The loop's own: what is made on it is closed on it, and in one task.
        self._loop, self._leaving = asyncio.get_running_loop(), asyncio.Event()
        async with lifespan() as value:
            self.value = value
            is_open()
            await self._leaving.wait()

    async def _close(self, living: asyncio.Task[None], *, was_open: bool) -> None:
        # One that has not begun does not look whether it is to end.
        if was_open and self._loop and self._leaving and not living.done():
            self._loop.call_soon_threadsafe(self._leaving.set)
            await asyncio.wait([living], timeout=_CLOSING_SECONDS)
        if not living.done():
            if was_open:
                _LOG.warning("the app's lifespan did not end within %g s, and is left to itself", _CLOSING_SECONDS)
            living.cancel()
        await asyncio.wait([living])
        if self.value is not None and not living.cancelled() and living.exception():
            _LOG.warning("the app's lifespan failed at its end: %s", _why(living))
        self.value = None


def _why(living: asyncio.Task[None]) -> str:
    error = living.exception()
    return told(error) if error else "it ended before the worker did: it has to yield once"
