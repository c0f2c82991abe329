"""Who is told of Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from sostenuto import SpecError
from sostenuto.clients.cli.interrupts import heeding, leaving, stopping


async def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(0.01)


async def test_the_innermost_block_is_told() -> None:
    told: list[str] = []
    with heeding(lambda: told.append("outer")):
        await ctrl_c()
        with heeding(lambda: told.append("inner")):
            await ctrl_c()
        await ctrl_c()
    assert told == ["outer", "inner", "outer"]


async def test_what_is_heard_only_after_a_block_is_told_to_the_one_around_it() -> None:
    told: list[str] = []
    with heeding(lambda: told.append("outer")):
        with heeding(lambda: told.append("inner")):
            os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.01)
    assert told == ["outer"]


async def test_the_first_stops_and_the_second_leaves() -> None:
    said: list[str] = []

    async def stop() -> None:
        raise SpecError("it has ended")

    async def twice() -> None:
        with stopping(stop, said.append, first="stopping", second="left"):
            await ctrl_c()
            await ctrl_c()

    with pytest.raises(asyncio.CancelledError):
        await twice()
    assert said == ["stopping", "it has ended", "left"]


async def test_the_second_leaves_once_it_was_asked_to_stop() -> None:
    asked: list[str] = []

    async def stop() -> None:
        await asyncio.sleep(0.05)
        asked.append("stop")

    async def twice() -> None:
        with stopping(stop, lambda _: None, first="", second=""):
            await ctrl_c()
            await ctrl_c()
            await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        await twice()
    assert asked == ["stop"]


async def test_a_block_that_is_left_is_cancelled() -> None:
    with pytest.raises(asyncio.CancelledError), leaving():
        await ctrl_c()
