"""Runs people's code apart from ours: async functions on a loop of their own.

Sync ones run in threads. So no tool, validator or price function can hold up the loop on which heartbeats go out and
models are asked. Must not know what the code is for.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, Generic, TypeVar

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS = 1.0
"""A function that holds its loop up for longer is named in the log."""

CANCEL_SECONDS = 5.0
"""How long an async function that is cancelled may take to end, before it is left to itself."""


class UserCode:
    """A loop and threads for the functions that people give to a worker.

    Context variables of the caller hold in the function too.

    Args:
        threads: Most sync functions at once.
    """

    def __init__(self, threads: int = 200) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="user")
        self._aside = ThreadPoolExecutor(4, thread_name_prefix="user-aside")
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._asking = threading.Lock()
        self._closing = threading.Event()
        self._pinged: float | None = None
        self._culprit = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """End the loop when the block ends, and cancel what still runs on it."""
        try:
            yield
        finally:
            await asyncio.to_thread(self.close)

    @property
    def culprit(self) -> str:
        """Name of the function that holds up the loop now; empty where none does."""
        return self._culprit

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Run a sync function in a thread.

        The future can be cancelled until a thread has taken it up.
        """
        return _submit(self._pool, work)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run a sync function in a thread and return what it returns.

        A cancel is not waited for: a thread cannot be stopped.
        """
        return await asyncio.wrap_future(self.submit(work))

    async def aside(self, work: Callable[[], T]) -> T:
        """Run a sync function that should be short, such as a price's.

        It has a few threads of its own kind, so it waits for no tool that has taken one for good.
        """
        return await asyncio.wrap_future(_submit(self._aside, work))

    async def on_loop(self, name: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run an async function on the loop and return what it returns.

        A cancel goes through to it. Its end is then waited for, for at most `CANCEL_SECONDS`, and how it ended counts:
        it may have finished all the same. Where something holds the loop up nothing is waited for.

        Args:
            name: What the log calls it, where it holds up the loop.
            work: Makes the coroutine. May raise no `BaseException` but `asyncio.CancelledError`.
        """
        call = _Call(asyncio.get_running_loop(), name, work)
        loop = self._started()
        # Its context variables are those of this task.
        loop.call_soon_threadsafe(call.start, loop)
        try:
            await self._watched(call)
        except asyncio.CancelledError:
            loop.call_soon_threadsafe(call.cancel)
            if not self._culprit:
                await asyncio.wait([call.ended], timeout=CANCEL_SECONDS)
            if not call.ended.done() or call.ended.cancelled():
                raise
        return call.ended.result()

    def close(self) -> None:
        """End the loop. Does not wait for a function that holds it up."""
        with self._starting:
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is not None and thread is not None:
            self._closing.set()
            loop.call_soon_threadsafe(loop.stop)
            thread.join(CANCEL_SECONDS)
        for pool in (self._pool, self._aside):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _watched(self, call: _Call[T]) -> None:
        while not call.ended.done():
            await asyncio.wait([call.ended], timeout=PATIENCE_SECONDS)
            if not call.ended.done():
                self._check()

    def _check(self) -> None:
        """Ask the loop for a sign of life, and name what holds it up."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        with self._asking:
            if self._pinged is None:
                self._pinged = time.monotonic()
                loop.call_soon_threadsafe(self._answer)
                return
            held = time.monotonic() - self._pinged
            task = asyncio.current_task(loop)
            if held < PATIENCE_SECONDS / 2 or task is None or task.get_name() == self._culprit:
                return
            self._culprit = task.get_name()
        frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - the documented way to another's stack
        where = "".join(traceback.format_stack(frame)[-3:]) if frame else ""
        _LOG.warning(
            "%s has held up all async functions of this worker for %.1f s: make it a sync function, or let it await. "
            "It is at:\n%s",
            task.get_name(),
            held,
            where,
        )

    def _answer(self) -> None:
        with self._asking:
            culprit, pinged = self._culprit, self._pinged
            self._pinged = None
            self._culprit = ""
        if culprit and pinged is not None:
            _LOG.warning("%s held up all async functions for %.1f s", culprit, time.monotonic() - pinged)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                # A daemon: a function that never ends is not to hold up the end of the process.
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop, self._closing), name="user-loop", daemon=True
                )
                self._thread.start()
            return self._loop


class _Call(Generic[T]):
    """One call of an async function, between the caller's loop and the function's."""

    def __init__(
        self, caller: asyncio.AbstractEventLoop, name: str, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> None:
        self.ended: asyncio.Future[T] = caller.create_future()
        self._caller = caller
        self._name = name
        self._work = work
        self._task: asyncio.Task[T] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the function, on its own loop."""
        self._task = loop.create_task(self._work(), name=self._name)
        self._task.add_done_callback(self._hand_over)

    def cancel(self) -> None:
        """Cancel the function, on its own loop."""
        if self._task is not None:
            self._task.cancel()

    def _hand_over(self, task: asyncio.Task[T]) -> None:
        # The caller's loop may be gone: then nobody waits.
        with suppress(RuntimeError):
            self._caller.call_soon_threadsafe(self._end, task)

    def _end(self, task: asyncio.Task[T]) -> None:
        if self.ended.done():
            return
        if task.cancelled():
            self.ended.cancel()
        elif error := task.exception():
            self.ended.set_exception(error)
        else:
            self.ended.set_result(task.result())


def is_cancelled(error: BaseException) -> bool:
    """Return whether what raised this is to end, not something that it awaited.

    To be asked where it ran.
    """
    if not isinstance(error, asyncio.CancelledError):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:  # in a thread
        return False
    return task is not None and task.cancelling() > 0


def _serve(loop: asyncio.AbstractEventLoop, closing: threading.Event) -> None:
    asyncio.set_event_loop(loop)
    try:
        # A function may stop it, too: then it goes on.
        while not closing.is_set():
            try:
                loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                # Of a task that a function began: whoever waits for that one has it too.
                _LOG.warning("a task of an async function raised %s, which ends no worker", type(error).__name__)
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=CANCEL_SECONDS))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _submit(pool: ThreadPoolExecutor, work: Callable[[], T]) -> Future[T]:
    return pool.submit(contextvars.copy_context().run, _guarded, work)


def _guarded(work: Callable[[], T]) -> T:
    try:
        return work()
    except StopIteration as error:
        # No future takes one: the call would hang.
        raise RuntimeError("it raised StopIteration") from error
    except Exception:
        raise
    except BaseException as error:
        # On the loop that waits for it, it would end more than this call.
        raise RuntimeError(f"it raised {type(error).__name__}") from error
