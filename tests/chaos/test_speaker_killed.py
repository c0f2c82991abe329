"""A worker dies in the middle of an answer: what it said is retracted, and the next attempt is heard whole."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client, ModelResponded, Retract, Token
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import find_port
from sostenuto.workers.stack.valkey_server import ValkeyServer, find_valkey, new_password
from tests.chaos.speaker import SPEAKER, WORDS
from tests.integration.live.items import assert_tokens_join
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.chaos


@asynccontextmanager
async def speaker(temporal: TemporalClient, queue: str, url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    address = temporal.service_client.config.target_host
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.speaker", address, queue, url), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_what_a_dead_worker_said_is_retracted(temporal: TemporalClient, task_queue: str, tmp_path: Path) -> None:
    program = find_valkey()
    assert program
    async with ProcessGroup() as group:
        valkey = await ValkeyServer.start(group, program, tmp_path, port=find_port(0, "", ""), password=new_password())
        url = valkey.url.get_secret_value()
        client = Client(temporal, task_queue=task_queue, redis_url=url)
        async with speaker(temporal, task_queue, url) as victim:
            run = await client.start(SPEAKER, "Go.")
            items = []
            async with asyncio.timeout(PATIENCE_SECONDS):
                async for item in run.stream():
                    items.append(item)
                    if isinstance(item, Token) and victim.returncode is None:
                        victim.kill()
                        await victim.wait()
                        heir = asyncio.create_task(_inherit(temporal, task_queue, url, run.id))
            await heir
    answer = next(item for item in items if isinstance(item, ModelResponded))
    assert (answer.message.text, answer.attempt) == (WORDS, 2)
    assert_tokens_join(items)
    [retracted] = [number for number, item in enumerate(items) if isinstance(item, Retract)]
    assert sum(isinstance(item, Token) for item in items[retracted:]) > 1


async def _inherit(temporal: TemporalClient, queue: str, url: str, run_id: str) -> None:
    async with speaker(temporal, queue, url):
        await (await Client(temporal, task_queue=queue).get(run_id)).result()
