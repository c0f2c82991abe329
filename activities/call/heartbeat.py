"""Liveness of activities.

A dead worker is noticed within seconds, and a cancelled run reaches its calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pydantic_core import from_json, to_json
from temporalio import activity

INTERVAL_SECONDS = 1.0


@asynccontextmanager
async def heartbeats() -> AsyncIterator[Callable[[Any], None]]:
    """Heartbeat in the background.

    Yields a function, safe to call from any thread, that reports progress.
    """
    if activity.info().is_local:
        yield lambda _: None  # the server hears of a local activity only when it has ended
        return
    loop = asyncio.get_running_loop()
    # Every heartbeat replaces the details of the one before, so the last progress is sent again.
    details: list[Any] = []

    def report(progress: Any) -> None:
        # What is not JSON fails here, in the tool, and not in a heartbeat that would take the whole call down.
        details[:] = [] if progress is None else [from_json(to_json(progress))]

    next_one: asyncio.TimerHandle

    def beat() -> None:
        nonlocal next_one
        next_one = loop.call_later(INTERVAL_SECONDS, beat)
        activity.heartbeat(*details)

    # The start counts as the first heartbeat, so a short call sends none: each is a write on the server.
    next_one = loop.call_later(INTERVAL_SECONDS, beat)
    try:
        yield report
    finally:
        next_one.cancel()
