"""Waits for what a server tells a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.patience import PATIENCE_SECONDS

T = TypeVar("T")


async def eventually(ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """The answer, once it is as wanted."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = await ask()
            if wanted(answer):
                return answer
            await asyncio.sleep(0.05)
