"""People's code apart from ours: what a function on the other loop returns, raises, and cannot hold up."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import AsyncIterator

import pytest

from sostenuto.activities.call import user_code
from sostenuto.activities.call.user_code import UserCode
from tests.patience import PATIENCE_SECONDS

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


@pytest.fixture
async def user() -> AsyncIterator[UserCode]:
    code = UserCode(4)
    async with code.running():
        yield code


async def test_an_async_function_runs_on_one_other_loop(user: UserCode) -> None:
    async def where() -> tuple[asyncio.AbstractEventLoop, str]:
        await asyncio.sleep(0)
        return asyncio.get_running_loop(), WHO.get()

    WHO.set("me")
    first, who = await user.on_loop("where", where)
    second, _ = await user.on_loop("where", where)
    assert first is second
    assert first is not asyncio.get_running_loop()
    assert who == "me"


async def test_a_sync_function_runs_in_a_thread(user: UserCode) -> None:
    WHO.set("me")
    thread, who = await user.in_thread(lambda: (threading.current_thread(), WHO.get()))
    assert thread is not threading.current_thread()
    assert who == "me"


@pytest.mark.parametrize("raised", [ValueError("no"), StopIteration()])
async def test_what_a_sync_function_raises_comes_back(user: UserCode, raised: Exception) -> None:
    def fail() -> None:
        raise raised

    with pytest.raises((ValueError, RuntimeError)):
        await user.in_thread(fail)


async def test_what_an_async_function_raises_comes_back(user: UserCode) -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await user.on_loop("fail", fail)


async def test_a_cancel_goes_through_and_is_waited_for(user: UserCode) -> None:
    began = threading.Event()
    seen: list[str] = []

    async def wait() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            seen.append("tidied up")

    task = asyncio.create_task(user.on_loop("wait", wait))
    await asyncio.to_thread(began.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["tidied up"]


async def test_what_finished_in_spite_of_a_cancel_counts(user: UserCode) -> None:
    began = threading.Event()

    async def stubborn() -> str:
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "done all the same"
        return "never"

    task = asyncio.create_task(user.on_loop("stubborn", stubborn))
    await asyncio.to_thread(began.wait)
    task.cancel()
    assert await task == "done all the same"


async def test_a_function_that_does_not_end_is_left_to_itself(user: UserCode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_code, "CANCEL_SECONDS", 0.1)
    began, go_on = threading.Event(), threading.Event()

    async def block() -> None:
        began.set()
        go_on.wait(PATIENCE_SECONDS)

    task = asyncio.create_task(user.on_loop("block", block))
    await asyncio.to_thread(began.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not go_on.is_set()
    go_on.set()


async def test_who_holds_the_loop_up_is_named_and_holds_up_no_other(
    user: UserCode, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(user_code, "PATIENCE_SECONDS", 0.2)

    go_on = threading.Event()

    async def block() -> str:
        go_on.wait(PATIENCE_SECONDS)
        return "done"

    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(user.on_loop("greedy", block))
        # This loop goes on, or it would never let the other one go.
        while not (user.culprit and caplog.text):  # noqa: ASYNC110 - it is another thread that says so
            await asyncio.sleep(0.01)
        assert user.culprit == "greedy"
        go_on.set()
        assert await task == "done"
    assert user.culprit == ""
    said = caplog.text
    assert "greedy has held up all async functions of this worker" in said
    assert "go_on.wait(PATIENCE_SECONDS)" in said


async def test_a_patient_function_is_not_named(user: UserCode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_code, "PATIENCE_SECONDS", 0.1)

    async def wait() -> None:
        await asyncio.sleep(0.6)

    task = asyncio.create_task(user.on_loop("patient", wait))
    while not task.done():
        await asyncio.sleep(0.02)
        assert user.culprit == ""
    await task


async def test_the_end_takes_what_still_runs_with_it() -> None:
    ended = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    user = UserCode()
    async with user.running():
        task = asyncio.create_task(user.on_loop("wait", wait))
        await asyncio.sleep(0.1)
    assert ended.is_set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_function_that_stops_the_loop_stops_nobody_else(user: UserCode) -> None:
    async def stops() -> str:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        return "stopped"

    async def works() -> str:
        await asyncio.sleep(0)
        return "works"

    assert await user.on_loop("stops", stops) == "stopped"
    assert await user.on_loop("works", works) == "works"
