"""Long conversations in a small window: what a turn costs after thousands of others, and whether all of it is there.

Run it by `python -m benchmarks.memory`. The server is a process of its own; worker and client are this one. The model
counts four bytes as a token, as providers count theirs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client as TemporalClient

from benchmarks.figures import Row, show
from sostenuto import Agent, App, Client, Memory, Message, Role, TextPart, Usage, tool
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.connection.connect import connect
from sostenuto.contracts.memory.conversation import MemoryStrategy
from sostenuto.contracts.message import Part, ToolCallPart
from sostenuto.contracts.wire.model_call import StopReason
from sostenuto.history.reading.executions import executions_until
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from sostenuto.workers.worker import build_worker

WINDOW = 4_000
MOST_BYTES = 5_000
"""Goal: bytes of history for each turn, with what each execution is given."""
_SAID = "A thousand words say no more than these five hundred letters. " * 8
_SUMMARY = "What was said before, in so many words as a summary has. " * 10


@tool(effect="read")
async def look(number: int) -> str:
    """Look at one of many."""
    return f"{number}: {_SAID}{_SAID}"


@dataclass
class CountingModel:
    """A model that answers at once, counts what it is sent, and keeps the count.

    Looks `turns` times where it has a tool, and answers each question where it has none.
    """

    turns: int
    provider: str = "scripted"
    most: int = 0
    """Most tokens that a prompt had."""
    asked: int = 0
    """How often it was asked, summaries apart."""
    summaries: int = 0
    times: list[float] = field(default_factory=list)
    """When it was asked."""

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:  # noqa: ARG002
        """Answer."""
        tokens = (len(request.instructions) + sum(len(m.model_dump_json()) for m in request.messages)) // 4
        self.most = max(self.most, tokens)
        part: Part
        if request.messages[-1].text.startswith("[Write a summary"):
            self.summaries += 1
            part = TextPart(text=_SUMMARY)
        else:
            self.asked += 1
            self.times.append(time.perf_counter())
            walks = bool(request.tools) and self.asked <= self.turns
            part = ToolCallPart(id="look", name="look", arguments={"number": self.asked}) if walks else _text(self)
        usage = Usage(input_tokens=tokens, output_tokens=len(part.model_dump_json()) // 4)
        stop = StopReason.TOOL_CALLS if isinstance(part, ToolCallPart) else StopReason.END
        return Completion(Message(role=Role.ASSISTANT, parts=(part,)), "m", stop, usage)

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


def _text(model: CountingModel) -> TextPart:
    return TextPart(text=f"{model.asked}: {_SAID}")


@dataclass(frozen=True)
class Long:
    """A conversation that is to be measured."""

    what: str
    turns: int
    talk: Callable[[Client, Agent, str], Awaitable[bool]]
    """Has it; returns whether all of it was answered."""
    has_tool: bool


async def _walk(client: Client, agent: Agent, run_id: str) -> bool:
    result = await (await client.start(agent, "Look at all of them.", id=run_id)).result()
    return result.status == "completed"


def _talk(turns: int) -> Callable[[Client, Agent, str], Awaitable[bool]]:
    async def talk(client: Client, agent: Agent, chat_id: str) -> bool:
        chat = await client.chat(agent, id=chat_id)
        results = [await chat.send(f"Question {number}, of the length that questions have.") for number in range(turns)]
        return all(result.status == "completed" for result in results)

    return talk


async def measure_one(temporal: TemporalClient, long: Long, strategy: MemoryStrategy) -> list[Row]:
    """Have a conversation, and look what its histories have of it."""
    model, queue, run_id = CountingModel(long.turns), uuid4().hex, f"long-{uuid4().hex[:8]}"
    agent = Agent(
        name="talker",
        model="scripted/m",
        tools=[look] if long.has_tool else [],
        memory=Memory(window=WINDOW, strategy=strategy),
        max_turns=long.turns + 1,
    )
    async with build_worker(temporal, App(agent), {"scripted": model}, lambda *_: 0.001, task_queue=queue):
        is_whole = await long.talk(Client(temporal, task_queue=queue, redis_url=""), agent, run_id)
        newest = (await temporal.get_workflow_handle(run_id).describe()).run_id
        executions = await executions_until(temporal, run_id, newest or "")
        size = 0
        for one in executions:
            size += (await temporal.get_workflow_handle(run_id, run_id=one).describe()).raw_info.history_size_bytes
        early, late = [
            await _turn_bytes(temporal, run_id, one) for one in (executions[0], executions[max(len(executions) - 2, 0)])
        ]
    whole, most = size / long.turns, model.most
    ms = [1000 * (after - before) for before, after in zip(model.times, model.times[1:], strict=False)]
    hundred = max(min(100, len(ms) // 4), 1)
    early_ms, late_ms = median(ms[:hundred]), median(ms[-hundred:])
    of = f"{long.what}, {strategy}"
    return [
        Row(f"{of}: answered of {long.turns:,} turns", long.turns if is_whole else 0, None, "all", is_whole),
        Row(f"{of}: most tokens of a prompt; the window", most, WINDOW, "<= window", most <= WINDOW),
        Row(f"{of}: summaries", model.summaries),
        Row(f"{of}: executions", len(executions)),
        Row(f"{of}: history bytes per turn, all that is taken along included", whole, MOST_BYTES, "<",
            whole < MOST_BYTES),
        Row(f"{of}: the same of a late execution; of the first", late, early, "<= 1.15", late <= 1.15 * early),
        Row(f"{of}: ms of a turn, late; early", late_ms, early_ms, "<= 1.25", late_ms <= 1.25 * early_ms),
    ]  # fmt: skip


async def _turn_bytes(temporal: TemporalClient, run_id: str, execution: str) -> float:
    """Return the bytes of a turn in one execution, without what it was given and takes along."""
    history = await temporal.get_workflow_handle(run_id, run_id=execution).fetch_history()
    ends = (EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW)
    events = [event for event in history.events if event.event_type not in ends]
    asked = sum(
        event.activity_task_scheduled_event_attributes.activity_type.name == "sostenuto.model" for event in events
    )
    return sum(event.ByteSize() for event in events) / max(asked, 1)


async def measure(options: argparse.Namespace, say: Callable[[str], None]) -> list[Row]:
    """Measure everything, on a server of its own."""
    longs = [
        Long("agent", options.agent_turns, _walk, has_tool=True),
        Long("chat", options.chat_turns, _talk(options.chat_turns), has_tool=False),
    ]
    rows: list[Row] = []
    strategies: tuple[MemoryStrategy, ...] = ("summary", "window", "clear_tools")
    with tempfile.TemporaryDirectory() as state:
        async with ProcessGroup() as group:
            server = await TemporalServer.start(group, Path(state), port=0, ui_port=None)
            temporal = await connect(server.address)
            for long in longs:
                for strategy in strategies if long.has_tool else strategies[:2]:
                    say(f"{long.what} of {long.turns:,} turns, {strategy}")
                    rows += await measure_one(temporal, long, strategy)
    return rows


def main() -> int:
    """Print the table; exit status 1 if `--check` was given and a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--agent-turns", type=int, default=2_000, help="turns of the agent (default 2,000)")
    parser.add_argument("--chat-turns", type=int, default=1_000, help="turns of the chat (default 1,000)")
    parser.add_argument("--check", action="store_true", help="exit with status 1 where a goal is missed")
    options = parser.parse_args()
    met = show(asyncio.run(measure(options, lambda line: print(line, file=sys.stderr))))
    return int(options.check and not met)


if __name__ == "__main__":
    sys.exit(main())
