"""However often workers die, each step of a run is one span, once, and the spans add up to what the run cost.

A run with nested ones on workers of their own processes, which are killed with SIGKILL at random moments, each after
the one before. Spans go to a receiver of the test, positions to a real Valkey. `SPAN_SEEDS` says how many runs.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client, Status
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import find_port
from sostenuto.workers.stack.valkey_server import ValkeyServer, find_valkey, new_password
from tests.chaos.nested import RUNS, root
from tests.fakes.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.integration.agent.stage import eventually
from tests.integration.telemetry.watched import assert_spans_of, received
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

SEEDS = int(os.environ.get("SPAN_SEEDS", "1"))
KILLS = 4


async def _killed(address: str, queue: str, directory: Path, redis_url: str, chance: random.Random) -> None:
    """Serve for a while, and die."""
    command = ("-m", "tests.chaos.watched_worker", address, queue, str(directory), redis_url)
    worker = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    try:
        assert worker.stdout
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await worker.stdout.readline() == b"ready\n"
        await asyncio.sleep(chance.uniform(0.1, 2.5))
    finally:
        worker.kill()
        await worker.wait()


async def _survive(seed: int, temporal: TemporalClient, directory: Path, redis_url: str, receiver: OtlpReceiver) -> int:
    """Run once over several deaths; return how many spans came twice."""
    queue, chance = f"spans-{os.urandom(4).hex()}-{seed}", random.Random(seed)
    address = temporal.service_client.config.target_host
    client = Client(temporal, task_queue=queue, redis_url="")
    run = await client.start(root(directory), "The report, please.", id=queue)
    for _ in range(KILLS):
        await _killed(address, queue, directory, redis_url, chance)
    last = asyncio.create_task(_last(address, queue, directory, redis_url))
    try:
        result = await run.result()
        trace = await run.trace()
        wanted = sum(1 for _ in trace.run.walk())

        async def have_come() -> bool:
            return len({span.span_id for span in receiver.spans}) >= wanted

        # Those of nested runs that ended in a worker that died come when others have waited for it to tell.
        await eventually(have_come, PATIENCE_SECONDS)
        await asyncio.sleep(1)  # what comes twice comes now
    finally:
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
    assert result.status is Status.COMPLETED
    counts = Counter(span.span_id for span in receiver.spans)
    once = list({span.span_id: span for span in receiver.spans}.values())
    assert_spans_of(once, trace)
    assert sum(1 for step in trace.run.walk() if step.kind == "run") == len(RUNS)
    return sum(count - 1 for count in counts.values())


async def _last(address: str, queue: str, directory: Path, redis_url: str) -> None:
    command = ("-m", "tests.chaos.watched_worker", address, queue, str(directory), redis_url)
    worker = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.DEVNULL)
    try:
        await worker.wait()
    finally:
        worker.terminate()
        await worker.wait()


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_each_step_is_one_span(
    temporal: TemporalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    program = find_valkey()
    assert program
    with otlp_receiver() as receiver:
        received(receiver, monkeypatch)
        async with ProcessGroup() as group:
            server = await ValkeyServer.start(
                group, program, tmp_path, port=find_port(0, "", ""), password=new_password()
            )
            twice = await _survive(seed, temporal, tmp_path, server.url.get_secret_value(), receiver)
    # Between a batch that was taken and the note of it, a kill has one batch come again, with the same ids.
    sys.stdout.write(f"seed {seed}: {twice} came twice\n")
