"""Hands Ctrl-C to what is under way."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...contracts.errors import SostenutoError
from .exit_status import INTERRUPTED

_SENDING_SECONDS = 2.0
"""How long it may take to ask something to stop, which nobody may answer."""
_HEEDED: list[Callable[[], None]] = []
"""What is called for Ctrl-C, the innermost block's last."""


@contextmanager
def heeding(call: Callable[[], None]) -> Iterator[None]:
    """In the block, let Ctrl-C call something, but in a block within it."""
    loop = asyncio.get_running_loop()
    _HEEDED.append(call)
    try:
        # Where the platform's loop knows no signals, the first Ctrl-C leaves.
        with suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGINT, _heed)
        yield
    finally:
        _HEEDED.pop()
        if not _HEEDED:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGINT)


def _heed() -> None:
    # A Ctrl-C may come to be heard only when the block in which it was pressed has ended.
    if _HEEDED:
        _HEEDED[-1]()


@contextmanager
def ending_at_once() -> Iterator[None]:
    """In the block, let Ctrl-C end the process.

    What is under way is durable, and a worker that is stopped in order takes its time.
    """
    with heeding(lambda: os._exit(INTERRUPTED)):
        yield


@contextmanager
def ending_anywhere() -> Iterator[None]:
    """In the block, let Ctrl-C raise KeyboardInterrupt wherever it is.

    In a block that waits for nothing: of the first one asyncio would have it know when it is over.
    """
    before = signal.getsignal(signal.SIGINT)
    if before in (None, signal.SIG_IGN) or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        # Unless the block has set its own.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, before)


@contextmanager
def leaving() -> Iterator[None]:
    """In the block, let Ctrl-C cancel it."""
    block = asyncio.current_task()

    def leave() -> None:
        if block:
            block.cancel()

    with heeding(leave):
        yield


@contextmanager
def stopping(
    stop: Callable[[], Coroutine[Any, Any, None]], say: Callable[[str], None], *, first: str, second: str
) -> Iterator[None]:
    """In the block, let the first Ctrl-C stop something, and the second leave it.

    It is left once it was asked to stop, which takes a moment; the third leaves it at once.

    Args:
        stop: Asks it to stop.
        say: Told what happens.
        first: What is said to the first Ctrl-C.
        second: What is said to the second one.
    """
    block = asyncio.current_task()
    requests: list[asyncio.Task[None]] = []
    is_over = False

    async def ask() -> None:
        try:
            await stop()
        except SostenutoError as error:
            say(str(error))

    is_left = False

    def leave(_: object = None) -> None:
        if block and not is_over:
            block.cancel()

    def interrupt() -> None:
        nonlocal is_left
        if not requests:
            say(first)
            requests.append(asyncio.create_task(ask()))
        elif is_left:
            leave()
        else:
            is_left = True
            say(second)
            requests[0].add_done_callback(leave)
            asyncio.get_running_loop().call_later(_SENDING_SECONDS, leave)

    try:
        with heeding(interrupt):
            yield
    finally:
        is_over = True
        for request in requests:
            request.cancel()
