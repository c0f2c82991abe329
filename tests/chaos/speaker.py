"""A worker whose model speaks slowly: `python -m tests.chaos.speaker ADDRESS QUEUE REDIS_URL`. It prints `ready`."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from datetime import timedelta

from sostenuto import Agent, App
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.call.live import Live
from sostenuto.connection.connect import connect
from sostenuto.connection.live_channel import RedisChannel
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from tests.patience import VICTIM_HEARTBEAT_SECONDS

WORDS = " ".join(f"word{number}" for number in range(30))
SPEAKER = Agent(name="speaker", model="scripted/m")


async def main(address: str, queue: str, url: str) -> None:
    """Serve until killed."""
    policy.HEARTBEAT_TIMEOUT = timedelta(seconds=VICTIM_HEARTBEAT_SECONDS)  # type: ignore[misc]
    client = await connect(address)
    model = ScriptedAdapter([{"text": WORDS, "seconds_per_word": 0.2}])
    async with aclosing(RedisChannel(url)) as channel:
        services = Services(live=Live(channel))
        async with build_worker(
            client, App(SPEAKER), {"scripted": model}, lambda *_: 0.0, task_queue=queue, services=services
        ):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
