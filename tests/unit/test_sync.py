"""The door for code that is not async: what it runs, how it is left, and whom it turns away."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, assert_type

import pytest

from sostenuto import SpecError
from sostenuto.sync import each, using, wait

MARK: ContextVar[str] = ContextVar("MARK", default="none")


class Counted:
    """An async generator that keeps what happened to it."""

    def __init__(self, *, fails_at_its_end: bool = False) -> None:
        self.given = 0
        self.closed_in_its_own_task = False
        self._fails = fails_at_its_end

    async def items(self) -> AsyncGenerator[int, None]:
        task = asyncio.current_task()
        try:
            while self.given < 3:
                self.given += 1
                yield self.given
        finally:
            # What waits here is not cancelled.
            await asyncio.sleep(0)
            self.closed_in_its_own_task = asyncio.current_task() is task
            if self._fails:
                raise OSError("its end failed")


async def doubled(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


class Asked:
    """What can be awaited and is no coroutine, as a message to a chat."""

    def __await__(self) -> Generator[Any, None, int]:
        return doubled(21).__await__()


async def failing() -> None:
    raise KeyError("lost")


async def test_it_waits_inside_a_running_loop_and_always_on_one_loop() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert_type(wait(doubled(4)), int)
    assert wait(doubled(4)) == 8
    assert_type(wait(Asked()), int)
    assert wait(Asked()) == 42
    assert wait(loop()) is await asyncio.to_thread(lambda: wait(loop()))
    assert wait(loop()) is not asyncio.get_running_loop()


def test_an_error_keeps_where_it_was_raised() -> None:
    with pytest.raises(KeyError, match="lost") as caught:
        wait(failing())
    assert [frame.name for frame in traceback.extract_tb(caught.tb)][-1] == "failing"


def test_what_ends_a_process_reaches_whoever_waits_and_leaves_the_loop_as_it_is() -> None:
    async def left() -> None:
        sys.exit(3)

    with pytest.raises(SystemExit):
        wait(left())
    with pytest.raises(asyncio.CancelledError):
        wait(_cancelled())
    assert wait(doubled(1)) == 2


async def _cancelled() -> None:
    raise asyncio.CancelledError


def test_context_variables_come_along() -> None:
    async def marked() -> AsyncIterator[str]:
        yield MARK.get()

    token = MARK.set("ours")
    assert list(each(marked())) == ["ours"]
    MARK.reset(token)


def test_items_come_one_at_a_time_and_a_break_closes_their_generator() -> None:
    counted = Counted()
    for item in each(counted.items()):
        assert_type(item, int)
        assert counted.given == item
        if item == 2:
            break
    assert (counted.given, counted.closed_in_its_own_task) == (2, True)
    assert list(each(Counted().items())) == [1, 2, 3]


def test_what_a_generator_raises_at_its_end_is_not_lost() -> None:
    items = each(Counted(fails_at_its_end=True).items())
    assert next(items) == 1
    with pytest.raises(OSError, match="its end failed"):
        items.close()


def test_a_context_is_told_what_its_block_raised_and_is_left_in_the_task_that_entered_it() -> None:
    told: list[Any] = []

    @asynccontextmanager
    async def door(*, swallows: bool) -> AsyncIterator[str]:
        async with asyncio.timeout(60):
            try:
                yield "open"
            except LookupError as error:
                told.append(error)
                if not swallows:
                    raise
            told.append("shut")

    with using(door(swallows=True)) as state:
        assert_type(state, str)
        wait(failing())
    with pytest.raises(KeyError, match="lost"), using(door(swallows=False)):
        wait(failing())
    with using(door(swallows=False)) as state:
        assert state == "open"
    assert list(map(str, told)) == ["'lost'", "shut", "'lost'", "shut"]


def test_a_context_that_cannot_be_entered_says_why() -> None:
    @asynccontextmanager
    async def walled() -> AsyncIterator[None]:
        await failing()
        yield

    with pytest.raises(KeyError, match="lost"), using(walled()):
        pass


def test_waiting_on_the_loop_itself_is_refused() -> None:
    async def deep() -> int:
        return wait(doubled(1))

    with pytest.raises(SpecError, match="in an async function, write `await`"):
        wait(deep())


def test_what_cannot_be_waited_for_is_refused() -> None:
    with pytest.raises(SpecError, match="of type async_generator, cannot be awaited: write `for item in each"):
        wait(Counted().items())  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="of type function, cannot be awaited"):
        wait(doubled)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="each: what was given, of type coroutine"):
        each(doubled(1))  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="using: what was given, of type coroutine"):
        using(doubled(1)).__enter__()  # type: ignore[arg-type]


SCRIPT = """
import asyncio, os, signal, sys, threading
from contextlib import asynccontextmanager
from sostenuto import SpecError
from sostenuto.sync import each, using, wait

async def long(name):
    try:
        print(name, "begins", flush=True)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print(name, "cleaned up", flush=True)

async def items():
    yield 1
    await long("each")

@asynccontextmanager
async def held():
    try:
        yield
    finally:
        await asyncio.sleep(0)
        print("left", flush=True)

for run in (lambda: wait(long("wait")), lambda: list(each(items()))):
    try:
        run()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
if (child := os.fork()) == 0:
    try:
        wait(asyncio.sleep(0))
    except SpecError as error:
        print(str(error)[:59], flush=True)
    sys.exit()
os.waitpid(child, 0)
with using(held()):
    for item in each(items()):
        if (child := os.fork()) == 0:
            sys.exit(4)
        break
print("a child left by", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
with using(held()):
    if (child := os.fork()) != 0:
        os.waitpid(child, 0)
if child == 0:
    sys.exit()
half = each(items())
next(half)
if (child := os.fork()) == 0:
    try:
        next(half)
    except SpecError as error:
        print(str(error)[:59], flush=True)
    sys.exit()
os.waitpid(child, 0)
manager = using(held())
manager.__enter__()
"""


def test_ctrl_c_forks_and_the_end_of_the_process() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    forked = "sostenuto.sync was in use when this process was forked, and"
    assert ran.stdout.splitlines() == [
        *("wait begins", "wait cleaned up", "interrupted", "each begins", "each cleaned up", "interrupted"),
        forked,
        *("left", "a child left by 4", "left", forked),
        "left",
    ]


def test_a_generator_that_is_collected_on_the_loop_itself_does_not_stop_it() -> None:
    counted = Counted()
    kept = [each(counted.items())]
    next(kept[0])

    async def collect() -> None:
        kept.clear()

    wait(collect())
    while not counted.closed_in_its_own_task:
        wait(asyncio.sleep(0))


BEGINS = """
import asyncio, os, signal, time
from asyncio import BaseEventLoop
from sostenuto.sync import wait

ready = BaseEventLoop.call_soon_threadsafe

def slow(loop, *given, **options):
    BaseEventLoop.call_soon_threadsafe = ready
    if is_begun:
        ready(loop, *given, **options)
    else:
        os.kill(os.getpid(), signal.SIGINT)
    while True:
        time.sleep(0.01)

async def long():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print("cleaned up", flush=True)

for is_begun in (True, False):
    BaseEventLoop.call_soon_threadsafe = slow
    try:
        wait(long())
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_ctrl_c_while_it_is_being_begun() -> None:
    """It is cancelled where it has begun, and never begins where it has not."""
    ran = subprocess.run([sys.executable, "-c", BEGINS], capture_output=True, text=True, check=False, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == ["cleaned up", "interrupted", "interrupted"]
