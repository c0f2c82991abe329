"""What many runs at once spend from one ledger, and how fast it answers them.

    python -m benchmarks.ledgers [--runs N] [--turns N] [--check]

All in this process on one real server. First the same runs with a plenty: each has a budget of its own, then all share
a ledger. Then a ledger that is not enough for them.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client as TemporalClient

from benchmarks.figures import Row, show
from sostenuto import Agent, App, Budget, Client, Ledger, LedgerState, Model, Price, Stop, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.connection.connect import connect
from sostenuto.contracts import names
from sostenuto.contracts.wire.control.share import OfLedger, Portion, ShareAsked
from sostenuto.history.reading.executions import executions_until
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from sostenuto.workers.worker import build_worker

_MODEL = Model("scripted/model", price=Price(input=1, output=10), max_output_tokens=600)
_USED = {"input_tokens": 1_000, "output_tokens": 500}
_COST = 0.006
_QUEUE = "ledgers"


@tool(effect="read", fast=True)
async def look(at: int) -> str:
    """Look at something."""
    return f"thing {at}"


@dataclass(frozen=True)
class Spent:
    """What many runs came to."""

    seconds: float
    calls: int
    ledger: LedgerState | None
    messages: int
    """Messages to the ledger."""
    events: int
    """Events of the ledger's histories."""


def _agent(turns: int, budget: Budget) -> Agent:
    return Agent(name="spender", model=_MODEL, tools=[look], max_turns=turns + 1, budget=budget)


@asynccontextmanager
async def _served(turns: int) -> AsyncIterator[TemporalClient]:
    script: list[Any] = [
        {"tool_calls": [{"name": "look", "arguments": {"at": turn}}], "usage": _USED} for turn in range(turns - 1)
    ]
    with tempfile.TemporaryDirectory() as state:
        async with ProcessGroup() as group:
            server = await TemporalServer.start(group, Path(state), port=0, ui_port=None)
            client = await connect(server.address)
            adapters = {"scripted": ScriptedAdapter([*script, {"text": "Done.", "usage": _USED}])}
            app = App(_agent(turns, Budget(usd=1)))
            async with build_worker(client, app, adapters, lambda *_: 0.0, task_queue=_QUEUE, max_cached_runs=2_000):
                yield client


async def _spend(temporal: TemporalClient, runs: int, turns: int, budget: Budget) -> Spent:
    client = Client(temporal, task_queue=_QUEUE, redis_url="")
    began = time.perf_counter()
    started = await asyncio.gather(*(client.start(_agent(turns, budget), "Go.") for _ in range(runs)))
    results = await asyncio.gather(*(run.result() for run in started))
    seconds = time.perf_counter() - began
    state, found = None, Counter[str]()
    if budget.ledger:
        state = await client.ledgers.get(budget.ledger.name)
        found = await _told(temporal, names.LEDGER_ID + budget.ledger.name)
    return Spent(seconds, sum(one.turns for one in results), state, found["messages"], found["events"])


async def _messages_per_second(temporal: TemporalClient, count: int) -> float:
    """Return how many messages a second a ledger takes that has nothing to answer, sent by as many runs."""
    client = Client(temporal, task_queue=_QUEUE, redis_url="")
    await client.ledgers.set("told", turns=count, by="benchmark")
    handle, at_once = temporal.get_workflow_handle(names.LEDGER_ID + "told"), asyncio.Semaphore(200)

    async def tell(number: int) -> None:
        nothing, spent, of = Portion(), Portion(turns=1), OfLedger(execution=f"first-{number}")
        said = ShareAsked(run_id=f"run-{number}", number=0, need=nothing, what="", spent=spent, of=of)
        async with at_once:
            await handle.signal(names.SHARE_ASKED_SIGNAL, said)

    began = time.perf_counter()
    await asyncio.gather(*map(tell, range(count)))
    # It answers a query once it has taken what came before.
    assert (await client.ledgers.get("told")).spent.turns == count
    return count / (time.perf_counter() - began)


async def _told(temporal: TemporalClient, workflow_id: str) -> Counter[str]:
    newest = await temporal.get_workflow_handle(workflow_id).describe()
    found = Counter[str]()
    for execution in await executions_until(temporal, workflow_id, newest.run_id):
        async for event in temporal.get_workflow_handle(workflow_id, run_id=execution).fetch_history_events():
            found["events"] += 1
            found["messages"] += event.HasField("workflow_execution_signaled_event_attributes")
    return found


async def measure(runs: int, turns: int) -> list[Row]:
    """Return the lines of the table."""
    async with _served(turns) as temporal:
        alone = await _messages_per_second(temporal, 5_000)
        await _spend(temporal, min(runs, 20), turns, Budget(usd=1_000))
        own = await _spend(temporal, runs, turns, Budget(usd=1_000))
        plenty = await _spend(temporal, runs, turns, Budget(ledger=Ledger("plenty", usd=runs * turns * _COST * 100)))
        limit = runs * turns * _COST * 0.4
        scarce = await _spend(temporal, runs, turns, Budget(ledger=Ledger("scarce", usd=limit), on_exhausted=Stop()))
    assert scarce.ledger
    assert plenty.ledger
    spent = scarce.ledger.spent
    charged = abs(spent.usd - scarce.calls * _COST) < 1e-6 and spent.turns == scarce.calls
    return [
        Row("messages that a ledger takes per second, alone", alone, None),
        Row(f"{runs} runs of {turns} model calls, seconds: a ledger, beside budgets", plenty.seconds, own.seconds),
        Row("messages to the ledger per model call, where it has plenty", plenty.messages / plenty.calls, None),
        Row("events of the ledger per model call, where it has plenty", plenty.events / plenty.calls, None),
        Row(f"{runs} runs on a ledger that is not enough: seconds", scarce.seconds, None),
        Row("messages that it took per second, of all that goes on", scarce.messages / scarce.seconds, None),
        Row("messages per model call", scarce.messages / scarce.calls, None),
        Row("part of its limit that was spent", spent.usd / limit, None, "<= 1", spent.usd <= limit + 1e-9),
        Row(
            "its total, beside what the runs came to, US dollars", spent.usd, scarce.calls * _COST, "the same", charged
        ),
        Row("US dollars that it holds in the end", scarce.ledger.held.usd, None, "0", not scarce.ledger.held.usd),
    ]


def main() -> int:
    """Print the table; exit status 1 if `--check` was given and a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledgers", description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--check", action="store_true", help="exit with status 1 where a goal is missed")
    options = parser.parse_args()
    # So many runs at once take their time.
    logging.getLogger("sostenuto.clients").setLevel(logging.ERROR)
    met = show(asyncio.run(measure(options.runs, options.turns)))
    return int(options.check and not met)


if __name__ == "__main__":
    sys.exit(main())
