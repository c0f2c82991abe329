"""The worker of the live benchmark: a model that says when it says each token.

A process of its own: `python -m benchmarks.live_speaker ADDRESS REDIS_URL QUEUE`. It prints `ready`, and then the
processor time that it has used whenever a line comes in. Beside ours stands a workflow that carries the same tokens by
Temporal's own `workflow_streams`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.contrib.workflow_streams import WorkflowStream, WorkflowStreamClient
from temporalio.worker import Worker

from sostenuto import Agent, App, Message, Role, TextPart
from sostenuto.activities.call.live import Live
from sostenuto.activities.model_adapter import Completion, Delta, ModelRequest, OnDelta
from sostenuto.connection.connect import connect
from sostenuto.connection.live_channel import RedisChannel
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.wire.model_call import StopReason
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import build_worker

SPEAKER = Agent(name="speaker", model="scripted/speaker")


@dataclass(frozen=True, slots=True)
class Speech:
    """How much is said, and how fast."""

    tokens: int
    per_second: float

    @classmethod
    def parse(cls, text: str) -> Speech:
        """Read what `str` has written."""
        tokens, per_second = text.split(" at ")
        return cls(int(tokens), float(per_second))

    def __str__(self) -> str:
        return f"{self.tokens} at {self.per_second}"

    async def times(self) -> str:
        """Wait until the next token is due, and return it: the time, by a clock that all processes share."""
        await asyncio.sleep(1 / self.per_second)
        return f"{time.monotonic_ns()} "


class SpeakingModel:
    """Says the time, so many times."""

    provider = "scripted"

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Speak as the last message asks."""
        speech = Speech.parse(request.messages[-1].text)
        said = []
        for _ in range(speech.tokens):
            said.append(await speech.times())
            if on_delta:
                on_delta(Delta("text", said[-1]))
        message = Message(role=Role.ASSISTANT, parts=(TextPart(text="".join(said)),))
        return Completion(message, "speaker", StopReason.END, Usage(input_tokens=10, output_tokens=speech.tokens))

    async def close(self) -> None:
        """Do nothing: it holds no connections."""


@activity.defn
async def speak(speech: str) -> str:
    """Say the same by Temporal's own streams."""
    asked = Speech.parse(speech)
    said = []
    async with WorkflowStreamClient.from_within_activity(batch_interval=timedelta(seconds=0.05)) as client:
        topic = client.topic("tokens", type=str)
        for _ in range(asked.tokens):
            said.append(await asked.times())
            topic.publish(said[-1])
    return "".join(said)


@workflow.defn
class Streamed:
    """One model call that speaks by Temporal's own streams."""

    @workflow.init
    def __init__(self, speech: str) -> None:  # noqa: ARG002 - the same as that of `run`
        self.stream = WorkflowStream()

    @workflow.run
    async def run(self, speech: str) -> str:
        """Have it spoken."""
        return await workflow.execute_activity(speak, speech, start_to_close_timeout=timedelta(minutes=5))


async def main(address: str, url: str, queue: str) -> None:
    """Serve until the input ends."""
    client = await connect(address)
    loop = asyncio.get_running_loop()
    async with aclosing(RedisChannel(url or "redis://127.0.0.1:1")) as channel:
        live = Live(channel if url else None)
        ours = build_worker(
            client,
            App(SPEAKER),
            {"scripted": SpeakingModel()},
            lambda *_: 0.0,
            task_queue=queue,
            max_concurrent_calls=500,
            services=Services(live=live),
        )
        theirs = Worker(client, task_queue=f"{queue}-streamed", workflows=[Streamed], activities=[speak])
        async with ours, theirs:
            print("ready", flush=True)
            while await loop.run_in_executor(None, sys.stdin.readline):
                print(time.process_time(), flush=True)
        await live.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
