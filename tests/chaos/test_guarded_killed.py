"""A worker dies in the middle of a guardrail: the next one decides the same, and nothing leaks meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client, GuardrailDecided
from sostenuto.activities.guardrails.vault.keys import VaultKeys
from tests.chaos.guarded import ANNA, ANSWER, CLERK, HELD
from tests.integration.agent.stage import Stage, eventually
from tests.integration.guardrails.said import everything
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.chaos


@asynccontextmanager
async def guarded(temporal: TemporalClient, queue: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own."""
    address = temporal.service_client.config.target_host
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.guarded", address, queue, str(folder)),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
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


KILLS = (("held_input", "held_call"), ("held_result",), ("held_output",))
"""What is under way when a worker dies: the question is looked at beside the first model call."""


@pytest.mark.timeout(200)
async def test_the_next_worker_decides_the_same(
    temporal: TemporalClient, task_queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOSTENUTO_VAULT_KEYS", VaultKeys.made("test").text)
    client = Client(temporal, task_queue=task_queue, redis_url="")
    for held in HELD:
        (tmp_path / f"hold-{held}").touch()
    run = await client.start(CLERK, f"Write to {ANNA} for $ 5.")
    for under_way in KILLS:
        async with guarded(temporal, task_queue, tmp_path) as victim:

            async def are_held(names: tuple[str, ...] = under_way) -> bool:
                return all((tmp_path / name).exists() for name in names)

            await eventually(are_held)
            victim.kill()
            await victim.wait()
        for name in under_way:
            (tmp_path / f"hold-{name}").unlink()
    async with guarded(temporal, task_queue, tmp_path):
        async with asyncio.timeout(PATIENCE_SECONDS):
            result = await run.result()
        decided = [event async for event in run.events() if isinstance(event, GuardrailDecided)]
        said = await everything(Stage(temporal, task_queue), run.id)
    assert result.output == ANSWER
    assert sorted((one.guardrail, one.stage, one.verdict, one.reason) for one in decided) == [
        ("held_call", "tool_call", "passed", ""),
        ("held_input", "input", "flagged", "it names a price"),
        ("held_output", "output", "flagged", "it names a price"),
        ("held_result", "tool_result", "passed", ""),
        ("pii", "input", "redacted", "1 email"),
        ("pii", "output", "passed", ""),
        ("pii", "output", "redacted", "1 email"),
        ("pii", "tool_call", "redacted", "1 email"),
        ("pii", "tool_result", "passed", ""),
    ]
    assert ANNA not in said
