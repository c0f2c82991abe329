"""Workers that are up at the same time tell of each step once, whoever is at work in a run."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import find_port
from sostenuto.workers.stack.valkey_server import ValkeyServer, find_valkey, new_password
from tests.chaos.nested import root
from tests.fakes.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.integration.telemetry.watched import assert_spans_of, received, until_sent
from tests.patience import PATIENCE_SECONDS


async def _started(address: str, queue: str, directory: Path, redis_url: str) -> asyncio.subprocess.Process:
    command = ("-m", "tests.chaos.watched_worker", address, queue, str(directory), redis_url)
    worker = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert worker.stdout
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await worker.stdout.readline() == b"ready\n"
    return worker


async def _run_on(workers: int, temporal: TemporalClient, directory: Path, url: str, receiver: OtlpReceiver) -> None:
    queue = f"two-{os.urandom(4).hex()}"
    client = Client(temporal, task_queue=queue, redis_url="")
    address = temporal.service_client.config.target_host
    up: list[asyncio.subprocess.Process] = []
    try:
        up.append(await _started(address, queue, directory, url))
        runs = [await client.start(root(directory), "The report, please.", id=f"{queue}-{n}") for n in range(3)]
        # The others begin while runs are under way, and look at what may have been left untold.
        up += [await _started(address, queue, directory, url) for _ in range(workers - 1)]
        for run in runs:
            await run.result()
        await until_sent(receiver, "invoke_workflow desk", len(runs))
        await asyncio.sleep(3)  # what comes twice comes now
    finally:
        for worker in up:
            if worker.returncode is None:
                worker.terminate()
                await worker.wait()
    counts = Counter(span.span_id for span in receiver.spans)
    assert [span for span, count in counts.items() if count > 1] == []
    for run in runs:
        trace = await run.trace()
        (first,) = [span for span in receiver.spans if run.id in str(span.attributes) and span.name.endswith(" desk")]
        assert_spans_of([span for span in receiver.spans if span.trace_id == first.trace_id], trace)


async def test_workers_that_share_positions(
    temporal: TemporalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = find_valkey()
    assert program
    with otlp_receiver() as receiver:
        received(receiver, monkeypatch)
        async with ProcessGroup() as group:
            server = await ValkeyServer.start(
                group, program, tmp_path, port=find_port(0, "", ""), password=new_password()
            )
            await _run_on(3, temporal, tmp_path, server.url.get_secret_value(), receiver)
