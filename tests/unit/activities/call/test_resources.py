"""What holds a worker up at its beginning or end is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sostenuto.activities.call.given.resources import Resources
from sostenuto.activities.call.user_code import UserCode


async def test_a_lifespan_that_takes_its_time_is_told_of_when_it_begins_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def told(text: str) -> None:
        while text not in caplog.text:  # noqa: ASYNC110 - a line of the log sets no event
            await asyncio.sleep(0.01)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await told("after 0 s the app's lifespan has not begun: the worker serves when it yields")
        yield
        await told("after 0 s the app's lifespan has not ended: the worker waits 30 s for it")

    user = UserCode(1)
    async with user.running(), Resources(lifespan, user, patience_seconds=0.0).open():
        assert len(caplog.messages) == 1
    assert len(caplog.messages) == 2
