"""A worker that chats slowly: `python -m tests.chaos.talker ADDRESS QUEUE REDIS_URL`. It prints `ready`.

What a question says happens to its answer: `dies` breaks off the first attempt of it, `falls` every one of the first
model, so that the next one takes over.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from datetime import timedelta

from sostenuto import Agent, App, Message, Model, Role, TextPart, Usage
from sostenuto.activities.call.live import Live
from sostenuto.activities.model_adapter import Completion, Delta, ModelRequest, OnDelta
from sostenuto.connection.connect import connect
from sostenuto.connection.live_channel import RedisChannel
from sostenuto.contracts.errors import ProviderUnavailable
from sostenuto.contracts.wire.model_call import StopReason
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from tests.patience import VICTIM_HEARTBEAT_SECONDS

FIRST = Model("scripted/first", fallbacks=["scripted/second"], fallback_after=timedelta(0))
TALKER = Agent(name="talker", model=FIRST)
WORDS = 20


def answer_to(question: str) -> str:
    """What the talker says to a question, in the end."""
    return " ".join(f"{question.partition(' ')[0]}-{number}" for number in range(WORDS))


class Talker:
    """The model."""

    provider = "scripted"

    def __init__(self) -> None:
        self._asked: list[str] = []

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        question = [message.text for message in request.messages if message.role is Role.USER][-1]
        is_first = question not in self._asked
        self._asked.append(question)
        dies = ("dies" in question and is_first) or ("falls" in question and request.model.model == "first")
        text = answer_to(question)
        for number, word in enumerate(text.split(" ")):
            if dies and number == WORDS // 2:
                raise ProviderUnavailable("it broke off half way")
            await asyncio.sleep(0.05)
            if on_delta:
                # What is void was said otherwise, too.
                said = f"{word}?" if dies else word
                on_delta(Delta("text", f" {said}" if number else said))
        message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
        return Completion(message, request.model.model, StopReason.END, Usage(input_tokens=1, output_tokens=1))

    async def close(self) -> None:
        """Nothing to close."""


async def main(address: str, queue: str, url: str) -> None:
    """Serve until killed."""
    policy.HEARTBEAT_TIMEOUT = timedelta(seconds=VICTIM_HEARTBEAT_SECONDS)  # type: ignore[misc]
    client = await connect(address)
    async with aclosing(RedisChannel(url)) as channel:
        services = Services(live=Live(channel))
        async with build_worker(
            client, App(TALKER), {"scripted": Talker()}, lambda *_: 0.0, task_queue=queue, services=services
        ):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
