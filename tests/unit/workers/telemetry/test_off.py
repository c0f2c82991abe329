"""Where telemetry is off a worker has nothing of it: it costs nothing."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from sostenuto.activities.call.live import Live
from sostenuto.activities.transcript_cache import TranscriptCache
from sostenuto.workers.settings import Settings
from sostenuto.workers.telemetry.telemetry import telemetry_of


async def test_a_worker_has_no_interceptor_no_task_and_no_thread_of_it() -> None:
    nobody: Any = None
    before = (asyncio.all_tasks(), threading.enumerate())
    settings, live, cache = Settings.load(environ={}), Live(), TranscriptCache()
    async with telemetry_of(settings, nobody, live=live, cache=cache, task_queue="q") as interceptors:
        assert interceptors == ()
        assert (asyncio.all_tasks(), threading.enumerate()) == before
