"""Long chats: what a turn costs after a thousand others, and what becomes of a hundred messages at once.

Run it by `python -m benchmarks.chats`. The server is a process of its own; worker and client are this one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from uuid import uuid4

from temporalio.client import Client as TemporalClient

from benchmarks.figures import Row, show
from sostenuto import Agent, App, Chat, Client, Message, Role, TextPart, Usage
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.connection.connect import connect
from sostenuto.contracts.wire.model_call import StopReason
from sostenuto.history.reading.executions import executions_until
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from sostenuto.workers.worker import build_worker

TALKER = Agent(name="talker", model="scripted/m")
WINDOW = 50
_ANSWER = "A thousand words say no more than these five hundred letters. " * 8


class Talker:
    """A model that answers at once, with half a kilobyte."""

    provider = "scripted"

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:  # noqa: ARG002
        """Answer with the number of the question."""
        asked = [message.text for message in request.messages if message.role is Role.USER]
        message = Message(role=Role.ASSISTANT, parts=(TextPart(text=f"{len(asked)}: {asked[-1][:20]} {_ANSWER}"),))
        return Completion(message, "m", StopReason.END, Usage(input_tokens=10, output_tokens=5))

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


@dataclass
class Spent:
    """What turns took, by their number."""

    ms: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)
    """Of the history, where it did not continue as new in that turn."""
    events: list[int] = field(default_factory=list)

    def of(self, figures: Sequence[float], at: int) -> float:
        """Return the median of a window that begins at a turn."""
        return median(figures[at : at + WINDOW])


async def long_chat(temporal: TemporalClient, queue: str, turns: int) -> list[Row]:
    """Chat for long, and compare late turns with early ones."""
    chat = await Client(temporal, task_queue=queue, redis_url="").chat(TALKER, id=f"long-{uuid4().hex[:8]}")
    handle = temporal.get_workflow_handle(chat.id)
    spent = Spent()
    before = (await handle.describe()).raw_info
    for number in range(turns):
        begun = time.perf_counter()
        await chat.send(f"Question {number}, of the length that questions have.")
        spent.ms.append(1000 * (time.perf_counter() - begun))
        after = (await handle.describe()).raw_info
        if after.execution.run_id == before.execution.run_id:
            spent.bytes.append(after.history_size_bytes - before.history_size_bytes)
            spent.events.append(after.history_length - before.history_length)
        before = after
    executions = await executions_until(temporal, chat.id, before.execution.run_id)
    sizes = [(await temporal.get_workflow_handle(chat.id, run_id=one).describe()).raw_info for one in executions]
    whole = sum(one.history_size_bytes for one in sizes) / turns
    early, late = WINDOW, len(spent.bytes) - WINDOW
    growth = spent.of(spent.bytes, late) / spent.of(spent.bytes, early)
    slower = spent.of(spent.ms, turns - WINDOW) / spent.of(spent.ms, early)
    reading = await _read(chat)
    return [
        Row(f"history bytes of a turn, the last {WINDOW} of {turns:,}; turns {early} to {early + WINDOW}",
            spent.of(spent.bytes, late), spent.of(spent.bytes, early), "<= 1.10", 0.9 <= growth <= 1.1),
        Row("history events of a turn, late; early", spent.of(spent.events, late), spent.of(spent.events, early),
            "same", spent.of(spent.events, late) == spent.of(spent.events, early)),
        Row("history bytes per turn over all executions, what is carried included", whole),
        Row("executions", len(executions)),
        Row("ms of a turn, late; early", spent.of(spent.ms, turns - WINDOW), spent.of(spent.ms, early), "<= 1.25",
            slower <= 1.25),
        Row("ms of a turn that is read by `async for`, late", median(reading)),
    ]  # fmt: skip


async def _read(chat: Chat) -> list[float]:
    took = []
    for number in range(20):
        begun = time.perf_counter()
        async for _ in chat.send(f"And {number}?"):
            pass
        took.append(1000 * (time.perf_counter() - begun))
    return took


async def many_at_once(temporal: TemporalClient, queue: str, messages: int) -> list[Row]:
    """Send many messages to one chat at once."""
    chat = await Client(temporal, task_queue=queue, redis_url="").chat(TALKER, id=f"many-{uuid4().hex[:8]}")
    begun = time.perf_counter()
    turns = [chat.send(f"message-{number:04}-", id=f"m{number}") for number in range(messages)]
    results = await asyncio.gather(*turns)
    took = time.perf_counter() - begun
    history = await chat.history()
    order = [str(turn.output).partition(":")[0] for turn in history]
    right = sum(f"message-{number:04}-" in str(result.output) for number, result in enumerate(results))
    answered = right if order == [str(number) for number in range(1, messages + 1)] else 0
    return [
        Row(f"{messages} messages at once: answered once each, in one order", answered, None, f"{messages}",
            answered == messages),
        Row("the same, turns per second", messages / took),
    ]  # fmt: skip


async def measure(options: argparse.Namespace, say: Callable[[str], None]) -> list[Row]:
    """Measure everything, on a server of its own."""
    with tempfile.TemporaryDirectory() as state:
        async with ProcessGroup() as group:
            server = await TemporalServer.start(group, Path(state), port=0, ui_port=None)
            temporal = await connect(server.address)
            async with build_worker(
                temporal, App(TALKER), {"scripted": Talker()}, lambda *_: 0.001, task_queue="chats"
            ):
                say(f"a chat of {options.turns:,} turns")
                rows = await long_chat(temporal, "chats", options.turns)
                say("a hundred messages at once")
                return rows + await many_at_once(temporal, "chats", 100)


def main() -> int:
    """Print the table; exit status 1 if `--check` was given and a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chats", description=__doc__)
    parser.add_argument("--turns", type=int, default=1_000, help="turns of the long chat (default 1,000)")
    parser.add_argument("--check", action="store_true", help="exit with status 1 where a goal is missed")
    options = parser.parse_args()
    met = show(asyncio.run(measure(options, lambda line: print(line, file=sys.stderr))))
    return int(options.check and not met)


if __name__ == "__main__":
    sys.exit(main())
