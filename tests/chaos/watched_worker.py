"""Workers of the nested app that send spans, and can be killed at any moment.

Run as `python -m tests.chaos.watched_worker ADDRESS TASK_QUEUE DIRECTORY REDIS_URL`. Where spans go, the environment
says.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr
from temporalio.client import Client

from sostenuto.activities.call.live import Live
from sostenuto.activities.transcript_cache import TranscriptCache
from sostenuto.connection.connect import connect
from sostenuto.workers.served.activities import Services
from sostenuto.workers.settings import Settings
from sostenuto.workers.telemetry import follower
from sostenuto.workers.telemetry.telemetry import telemetry_of
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from tests.chaos.nested import RecordedCast, nested_app
from tests.patience import VICTIM_HEARTBEAT_SECONDS


async def serve(client: Client, task_queue: str, directory: Path, redis_url: str, until: asyncio.Event) -> None:
    """Serve the app, and send spans, until it is time to stop."""
    live, cache = Live(), TranscriptCache()
    settings = Settings(telemetry=("otlp",), redis_url=SecretStr(redis_url))
    async with telemetry_of(settings, client, task_queue=task_queue, live=live, cache=cache) as interceptors:
        worker = build_worker(
            client,
            nested_app(directory),
            {"scripted": RecordedCast(directory)},
            lambda *_: 0.001,
            task_queue=task_queue,
            services=Services(live=live, cache=cache),
            interceptors=interceptors,
        )
        async with worker:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await until.wait()


async def _main(address: str, task_queue: str, directory: Path, redis_url: str) -> None:
    follower.LOOK_SECONDS = 1.0
    policy.HEARTBEAT_TIMEOUT = timedelta(seconds=VICTIM_HEARTBEAT_SECONDS)  # type: ignore[misc]
    await serve(await connect(address), task_queue, directory, redis_url, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
