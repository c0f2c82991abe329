"""Waits for what is async, in scripts and notebooks that are not.

    client = wait(Client.connect())
    run = wait(client.start(support, "Where is my order?"))
    for item in each(run.stream()):
        print(item)

All of it runs on one event loop, in a thread of its own that begins with the first call and ends with the process. So
it works where a loop is running already, too, as in a cell of Jupyter. That loop stands still meanwhile: what was made
here is used here.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Coroutine, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_for_futures
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Any, Final, Generic, TypeVar

from .contracts.errors import SpecError

__all__ = ["each", "using", "wait"]

T = TypeVar("T")

_END_SECONDS: Final = 5.0
"""How long what is under way may take to stop when the process ends."""


def wait(awaitable: Awaitable[T]) -> T:
    """Run what one would `await` to its end, and return what it returns.

    Ctrl-C cancels it and lets it clean up; a second one does not wait for that. A run that it waited for goes on.

    Args:
        awaitable: What an async function returns, such as `run.result()`, or a message, `chat.send("…")`.

    Raises:
        SpecError: It cannot be awaited, or this is called by async code that runs here itself.
    """
    if not _is_a(Awaitable, awaitable):
        hint = "`for item in each(…)`" if _is_a(AsyncIterable, awaitable) else "`wait(run.result())`"
        raise SpecError(f"wait: {_kind(awaitable)} cannot be awaited: write {hint}")
    try:
        background = _background()
    except SpecError:
        if isinstance(awaitable, Coroutine):
            awaitable.close()
        raise
    task: _Task[T] = _Task(background, awaitable if isinstance(awaitable, Coroutine) else _awaited(awaitable))
    try:
        task.begin()
        return task.ended.result()
    finally:
        task.stop()


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def each(items: AsyncIterable[T]) -> Generator[T, None, None]:
    """Return what an async iterator yields, for `for`.

    It is asked for one at a time, and closed at the end of the loop, however that ends.

    Args:
        items: What an async generator function returns, such as `run.stream()`.

    Raises:
        SpecError: It is no async iterator, or this is called by async code that runs here itself.
    """
    if not _is_a(AsyncIterable, items):
        raise SpecError(f"each: {_kind(items)} is not an async iterator: write `each(run.stream())`")
    return _each(_background(), items)


@contextmanager
def using(manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enter an async context, for `with`.

    Args:
        manager: What `async with` takes, such as `sostenuto.testing.temporal_server()`.

    Raises:
        SpecError: It is none, or this is called by async code that runs here itself.
    """
    if not _is_a(AbstractAsyncContextManager, manager):
        raise SpecError(f"using: {_kind(manager)} is not what `async with` takes: write `using(temporal_server())`")
    background = _background()
    entered: Future[T] = Future()
    left: asyncio.Queue[BaseException | None] = asyncio.Queue()
    task = _Task(background, _hold(manager, entered, left))
    try:
        task.begin()
        _wait_for_first(entered, task.ended)
        if not entered.done():
            # It could not be entered: this raises why.
            task.ended.result()
        try:
            yield entered.result()
        except GeneratorExit:
            # Nobody is in the block any more.
            raise
        except BaseException as error:
            if background.is_elsewhere():
                raise
            # The manager decides, as it does in `async with`.
            background.call(left.put_nowait, error)
        else:
            background.call(left.put_nowait, None)
        if not background.is_elsewhere():
            task.ended.result()
    finally:
        task.stop()


async def _hold(
    manager: AbstractAsyncContextManager[T], entered: Future[T], left: asyncio.Queue[BaseException | None]
) -> None:
    """Enter a context, and leave it, in one task: what is in it may insist on that."""
    async with manager as value:
        entered.set_result(value)
        if error := await left.get():
            raise error


def _each(background: _Background, items: AsyncIterable[T]) -> Generator[T, None, None]:
    asked: asyncio.Queue[Future[T]] = asyncio.Queue()
    task = _Task(background, _feed(items, asked))
    try:
        task.begin()
        while True:
            background.check_process()
            item: Future[T] = Future()
            background.call(asked.put_nowait, item)
            _wait_for_first(item, task.ended)
            if not item.done():
                task.ended.result()
                return
            yield item.result()
    finally:
        task.stop()
        if task.ended.done():
            # What its clean-up raised.
            with suppress(asyncio.CancelledError):
                task.ended.result()


async def _feed(items: AsyncIterable[T], asked: asyncio.Queue[Future[T]]) -> None:
    """Give each item that is asked for, in one task: a generator may insist on that."""
    try:
        item = await asked.get()
        async for value in items:
            item.set_result(value)
            item = await asked.get()
    finally:
        if isinstance(items, AsyncGenerator):
            await items.aclose()


class _Task(Generic[T]):
    """A coroutine on the loop of the background, with the context variables of whoever begins it.

    It begins in the block whose end stops it: Ctrl-C may come as soon as it has.
    """

    def __init__(self, background: _Background, coroutine: Coroutine[Any, Any, T]) -> None:
        self.ended: Future[T] = Future()
        self._background = background
        self._coroutine = coroutine
        self._task: asyncio.Task[T] | None = None

    def begin(self) -> None:
        """Begin it, soon."""
        self._background.call(self._begin)

    def stop(self) -> None:
        """Cancel it where it has not ended, and wait for its clean-up."""
        if self.ended.done():
            return
        if self._background.is_elsewhere():
            _left_behind.append(self)
            return
        self._background.call(self._cancel)
        # The garbage collector may close a generator anywhere.
        if not self._background.is_here():
            wait_for_futures((self.ended,))

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._coroutine)
        self._task.add_done_callback(self._end)

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()
        elif not self.ended.done():
            self._coroutine.close()
            self.ended.set_exception(asyncio.CancelledError())

    def _end(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            self.ended.set_exception(asyncio.CancelledError())
        elif error := task.exception():
            self.ended.set_exception(error)
        else:
            self.ended.set_result(task.result())


class _Background:
    """An event loop in a thread of its own, until the process ends."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._is_over = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._turn, name="sostenuto.sync", daemon=True)
        self._thread.start()
        atexit.register(self._end)

    def call(self, function: Any, *arguments: Any) -> None:
        """Call a function on the loop, soon; not at all where the loop is over, or was left behind by a fork."""
        if self.is_elsewhere():
            return
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    def is_here(self) -> bool:
        """Return whether this is its thread."""
        return threading.current_thread() is self._thread

    def is_elsewhere(self) -> bool:
        """Return whether this process is a fork of its own, which has no such thread."""
        return self._process != os.getpid()

    def check(self) -> None:
        """Check that whoever is here can wait for it.

        Raises:
            SpecError: It would wait for ever.
        """
        if self.is_here():
            raise SpecError("sostenuto.sync is for code that is not async: in an async function, write `await`")
        self.check_process()
        if self._is_over:
            raise SpecError("sostenuto.sync is over: the process ends")

    def check_process(self) -> None:
        """Check that it runs in this process.

        Raises:
            SpecError: It would be waited for for ever.
        """
        if self.is_elsewhere():
            raise SpecError(
                "sostenuto.sync was in use when this process was forked, and its thread is not in it: "
                "start processes by multiprocessing's 'spawn'"
            )

    def _turn(self) -> None:
        while not self._is_over:
            # What ends a process goes to whoever waits for the task, which takes another turn.
            with suppress(SystemExit, KeyboardInterrupt):
                self._loop.run_forever()
        self._loop.close()

    def _end(self) -> None:
        if self.is_elsewhere():
            return
        self._is_over = True
        stopping = _Task(self, self._stop_tasks())
        stopping.begin()
        with suppress(TimeoutError):
            stopping.ended.result(_END_SECONDS)
        self.call(self._loop.stop)
        self._thread.join(_END_SECONDS)

    async def _stop_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_asyncgens()


def _wait_for_first(*futures: Future[Any]) -> None:
    wait_for_futures(futures, return_when=FIRST_COMPLETED)


def _is_a(kind: type, given: object) -> bool:
    return isinstance(given, kind)


def _kind(given: object) -> str:
    if isinstance(given, Coroutine):
        # Of one that nobody awaits Python complains as well.
        given.close()
    return f"what was given, of type {type(given).__name__},"


_made: list[_Background] = []
_left_behind: Final[list[object]] = []
"""What goes on in the process of which this one is a fork. Python would complain of it, and close it here."""
_making: Final = threading.Lock()


def _background() -> _Background:
    """Return the one of this process."""
    with _making:
        if not _made:
            _made.append(_Background())
    _made[0].check()
    return _made[0]
