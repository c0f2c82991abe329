"""Whatever dies in the middle of an answer, what a subscriber has is the answer, and each message is answered once.

A chat with a worker of its own process, a real Valkey and two subscribers: one reads it all, one leaves and comes back
at random. The worker is killed within and between turns, Valkey is killed and started again, the provider breaks off,
and a fallback takes over. `STREAM_SEEDS` says how many chats; `make test` takes few.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Chat, Client, ModelResponded, Retract, RunFinished, Status, Token, TurnFinished
from sostenuto.contracts.wire.live import StreamItem
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import find_port
from sostenuto.workers.stack.valkey_server import ValkeyServer, find_valkey, new_password
from tests.chaos.talker import TALKER, answer_to
from tests.integration.live.items import assert_tokens_join
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.chaos

SEEDS = int(os.environ.get("STREAM_SEEDS", "1"))
FAULTS = ("none", "dies", "falls", "worker within", "worker between", "channel")


class Stage:
    """A worker and a Valkey, either of which can be killed."""

    def __init__(self, temporal: TemporalClient, queue: str, directory: Path, stack: AsyncExitStack) -> None:
        self._address = temporal.service_client.config.target_host
        self._queue = queue
        self._directory = directory
        self._stack = stack
        self._port, self._password = find_port(0, "", ""), new_password()
        self._channel: AsyncExitStack | None = None
        self._worker: asyncio.subprocess.Process | None = None
        self.url = ""

    async def start_channel(self) -> None:
        """Start Valkey, where it was before."""
        program = find_valkey()
        assert program
        self._channel = await self._stack.enter_async_context(AsyncExitStack())
        group = await self._channel.enter_async_context(ProcessGroup())
        server = await ValkeyServer.start(group, program, self._directory, port=self._port, password=self._password)
        self.url = server.url.get_secret_value()

    async def kill_channel(self) -> None:
        """Kill Valkey; with it goes all that it knew."""
        assert self._channel
        await self._channel.aclose()

    async def start_worker(self) -> None:
        """Start the worker and wait until it serves."""
        command = (sys.executable, "-m", "tests.chaos.talker", self._address, self._queue, self.url)
        self._worker = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert self._worker.stdout
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await self._worker.stdout.readline() == b"ready\n"

    async def kill_worker(self) -> None:
        """Kill the worker, wherever it is."""
        if self._worker and self._worker.returncode is None:
            self._worker.kill()
            await self._worker.wait()


@asynccontextmanager
async def staged(temporal: TemporalClient, queue: str, directory: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        stage = Stage(temporal, queue, directory, stack)
        await stage.start_channel()
        await stage.start_worker()
        stack.push_async_callback(stage.kill_worker)
        yield stage


async def _in_pieces(chat: Chat, chance: random.Random) -> list[StreamItem]:
    """All items of a chat, read by somebody who leaves and comes back."""
    items: list[StreamItem] = []
    while not (items and isinstance(items[-1], RunFinished)):
        left = chance.randrange(1, 60)
        async for item in chat.stream(items[-1].position if items else None):
            items.append(item)
            left -= 1
            if not left:
                break
    return items


async def _asked(chat: Chat, stage: Stage, question: str, fault: str, at: int) -> list[StreamItem]:
    """Ask a question, and let the fault happen after some items of its answer."""
    items: list[StreamItem] = []
    if fault == "worker between":
        await stage.kill_worker()
        await stage.start_worker()
    async for item in chat.send(question):
        items.append(item)
        if sum(isinstance(one, Token) for one in items) == at and isinstance(item, Token):
            if fault == "worker within":
                await stage.kill_worker()
                await stage.start_worker()
            if fault == "channel":
                await stage.kill_channel()
                await stage.start_channel()
    return items


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_what_was_heard_is_what_was_said(
    temporal: TemporalClient, task_queue: str, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    faults = [*chance.sample(FAULTS, len(FAULTS))]
    async with staged(temporal, task_queue, tmp_path) as stage:
        client = Client(temporal, task_queue=task_queue, redis_url=stage.url)
        chat = await client.chat(TALKER, id=task_queue)
        elsewhere = asyncio.create_task(_in_pieces(await client.chat(id=task_queue), random.Random(seed + 1)))
        questions = [f"q{number} {fault}" for number, fault in enumerate(faults)]
        async with asyncio.timeout(3 * PATIENCE_SECONDS):
            turns = [
                await _asked(chat, stage, question, fault, chance.randrange(1, 4))
                for question, fault in zip(questions, faults, strict=True)
            ]
            history = await chat.history()
            await chat.end()
            trace = await (await client.get(chat.id)).trace()
            other = await elsewhere
    said = [answer_to(question) for question in questions]
    for question, items, answer in zip(questions, turns, said, strict=True):
        where = f"seed {seed}: {question}"
        assert_tokens_join(items)
        assert [item.message.text for item in items if isinstance(item, ModelResponded)] == [answer], where
        assert isinstance(items[-1], TurnFinished), where
        assert (items[-1].status, items[-1].output, items[-1].turns) == (Status.COMPLETED, answer, 1), where
    assert_tokens_join(other)
    assert [item.message.text for item in other if isinstance(item, ModelResponded)] == said
    assert [turn.output for turn in history] == said
    models = [step for step in trace.run.walk() if step.kind == "model" and step.status == "completed"]
    assert [step.proven for step in models] == [True] * len(said)
    # Something was retracted, else nothing was tried.
    assert any(isinstance(item, Retract) for items in turns for item in items)
