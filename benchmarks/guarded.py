"""What guardrails cost an agent: the same runs without any, and with redaction of all that goes in and out.

    python -m benchmarks.guarded [--rounds N]

One server, one worker after the other, in turns: the ratio of both is of one machine in one state.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.figures import Row, show
from sostenuto import Agent, App, Client, Pii, Secrets, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.guardrails.screening import Guards
from sostenuto.contracts.limits import written_bytes
from sostenuto.contracts.message import Message
from sostenuto.workers.worker import build_worker
from tests.dev_server import dev_server

TURNS = 20
MESSAGE = " ".join(f"Order {n} of Mr Berg, anna.berg{n}@example.com, waits at gate {n}." for n in range(32))[:2_000]


@tool(effect="read")
async def look(at: str) -> str:
    """Look somewhere."""
    return f"{at}: {MESSAGE[:500]}"


SCRIPT: list[Any] = [
    *({"tool_calls": [{"name": "look", "arguments": {"at": str(n)}}]} for n in range(TURNS - 1)),
    "Seen it all.",
]


async def seconds_of_a_run(client: Client, agent: Agent) -> tuple[float, int, int]:
    """Return how long a run takes, and how many events and bytes its history has."""
    began = time.perf_counter()
    run = await client.start(agent, "Look around.")
    await run.result()
    took = time.perf_counter() - began
    history = await client.history(run.id)
    return took, len(history.events), sum(event.ByteSize() for event in history.events)


async def measured(rounds: int) -> list[Row]:
    """Return the rows of runs with and without guardrails, in turns."""
    guardrails = {"without": [], "with": [Pii(), Secrets()]}
    found: dict[str, list[tuple[float, int, int]]] = {name: [] for name in guardrails}
    async with await dev_server() as server:
        for turn in range(rounds + 1):
            for name, ours in guardrails.items():
                agent = Agent(name="looker", model="scripted/m", tools=[look], max_turns=TURNS + 1)
                adapters = {"scripted": ScriptedAdapter(SCRIPT)}
                app = App(agent, guardrails=ours)
                async with build_worker(server.client, app, adapters, lambda *_: 0.0, task_queue=f"{name}-{turn}"):
                    client = Client(server.client, task_queue=f"{name}-{turn}", redis_url="")
                    measure = await seconds_of_a_run(client, agent)
                if turn:
                    found[name].append(measure)
    plain, guarded = ([median(column) for column in zip(*found[name], strict=True)] for name in ("without", "with"))
    return [
        Row(f"ms per turn, {TURNS} turns", guarded[0] * 1_000 / TURNS, plain[0] * 1_000 / TURNS),
        Row("events per turn", guarded[1] / TURNS, plain[1] / TURNS),
        Row("bytes per turn", guarded[2] / TURNS, plain[2] / TURNS),
    ]


async def message_row() -> Row:
    """Return the row of one message of 2,000 characters, by the median of many looks."""
    message = Message.user(MESSAGE)
    times = []
    for _ in range(200):
        screening = Guards().screen([Pii(), Secrets()], "input", "run-1")
        assert screening
        began = time.perf_counter()
        await screening.message(message)
        times.append((time.perf_counter() - began) * 1_000)
    took = median(times)
    return Row(f"ms to screen a message of {written_bytes(message):,} bytes, median", took, goal="< 5", met=took < 5)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how many times each (default: 5)")
    options = parser.parse_args(arguments)
    rows = [asyncio.run(message_row()), *asyncio.run(measured(options.rounds))]
    return 0 if show(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
