"""What nesting costs: chains beside bare activities, and runs that start runs.

    python -m benchmarks.chain [--rounds N] [--check] [--json FILE]

Everything runs in this process on one real server, one run at a time, and what is compared takes turns. A ratio is the
median of the rounds' own ratios, for in one round both met the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from temporalio.client import Client
from temporalio.common import TypedSearchAttributes
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from benchmarks.bare import STEPS, BareRun, BareSteps, UnguardedSteps, bare_step
from benchmarks.load import Mark
from sostenuto import Agent, App, Chain, Message, Prompt, Result, Status, Team, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.connection.connect import connect
from sostenuto.contracts import names
from sostenuto.contracts.specs.runnable import Runnable
from sostenuto.contracts.wire.run import RunInput
from sostenuto.workers.pricing import cost_usd
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from sostenuto.workflows.search_attributes import AT_START, named

GOAL = 1.15
"""Most that the chain may take, in times of the bare activities."""
INSTRUCTIONS = "You are a careful librarian."
QUESTION = "What do the pages say?"
SAID = "The pages say that the sea is wide."
BARE, UNGUARDED, CHAIN = "five bare activities", "the same outside the SDK's sandbox", "a chain of five prompts"
AGENTS, CALLER, LEADER = "a chain of five agents", "an agent that calls a tool", "a leader that calls a member"
PAIRS = ((CHAIN, BARE), (CHAIN, UNGUARDED), (AGENTS, CHAIN), (LEADER, CALLER))
"""What is set against what."""

_LOOK = {"tool_calls": [{"name": "look", "arguments": {"task": "the sea"}}]}

Run = Callable[[str], Awaitable[None]]
"""A whole run under a workflow id."""


@tool(effect="read")
async def look(task: str) -> str:
    """Look at something."""
    return f"{SAID} ({task})"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took."""

    ms: float
    cpu_ms: float
    """Of the worker: the server is another process."""


@dataclass(slots=True)
class Figures:
    """What each round of each pair took, and what one run left."""

    rounds: dict[tuple[str, str], list[tuple[Taken, Taken]]]
    history: dict[str, tuple[int, int]]
    """Events and bytes of the run itself, without the runs that it started."""

    def middle(self, who: str, name: str) -> float:
        """Return the median of a field of `Taken`, over all pairs."""
        places = [(rounds, pair.index(who)) for pair, rounds in self.rounds.items() if who in pair]
        return median(_field(both[place], name) for rounds, place in places for both in rounds)

    def ratio(self, pair: tuple[str, str], name: str = "ms") -> float:
        """Return the median of the rounds' ratios."""
        return median(_field(one, name) / _field(other, name) for one, other in self.rounds[pair])


def _field(taken: Taken, name: str) -> float:
    value: float = getattr(taken, name)
    return value


def _template(number: int) -> str:
    return f"Step {number}: {{s{number - 1}}}" if number else "Step 0: {input}"


def runnables() -> Mapping[str, Runnable]:
    """Return our runnables, by what the table calls them."""
    places = range(STEPS)
    prompts = [
        Prompt(name=f"s{n}", template=_template(n), model="scripted/says", instructions=INSTRUCTIONS) for n in places
    ]
    agents = [Agent(name=f"s{n}", model="scripted/says", instructions=INSTRUCTIONS) for n in places]
    member = Agent(name="look", model="scripted/says", instructions=INSTRUCTIONS)
    return {
        CHAIN: Chain(name="chain", steps=prompts),
        AGENTS: Chain(name="agents", steps=agents),
        CALLER: Agent(name="caller", model="scripted/calls", instructions=INSTRUCTIONS, tools=[look]),
        LEADER: Team(name="leader", model="scripted/calls", instructions=INSTRUCTIONS, members=[member]),
    }


def _ours(client: Client, queue: str, runnable: Runnable) -> Run:
    async def run(workflow_id: str) -> None:
        # As the client starts a run, but for what it reads of the history afterwards.
        result: Result = await client.execute_workflow(
            names.run_type(runnable.kind, runnable.name),
            RunInput(runnable=runnable, message=Message.user(QUESTION)),
            id=workflow_id,
            task_queue=queue,
            result_type=Result,
            static_summary=QUESTION,
            task_timeout=policy.TASK_TIMEOUT,
            search_attributes=TypedSearchAttributes([*named(runnable.name, None), *AT_START]),
        )
        if result.status is not Status.COMPLETED:
            raise RuntimeError(f"{runnable.name} ended as {result.status}: {result.reason}")

    return run


def _bare(client: Client, queue: str, steps: type[BareSteps] | type[UnguardedSteps]) -> Run:
    async def run(workflow_id: str) -> None:
        given = BareRun(model="scripted/says", instructions=INSTRUCTIONS, text=QUESTION)
        await client.execute_workflow(
            steps.run, given, id=workflow_id, task_queue=queue, task_timeout=policy.TASK_TIMEOUT
        )

    return run


def _workers(client: Client, served: Mapping[str, Runnable]) -> tuple[Worker, Worker]:
    """Run our worker and the bare one, with the same options."""
    model = ScriptedAdapter({"says": [SAID], "calls": [_LOOK, SAID]})
    ours = build_worker(
        client, App(*served.values(), tools=[look]), {"scripted": model}, cost_usd, task_queue="bench-ours"
    )
    restrictions = SandboxRestrictions.default.with_passthrough_modules("sostenuto", "benchmarks", "pydantic")
    bare = Worker(
        client,
        task_queue="bench-bare",
        workflows=[BareSteps, UnguardedSteps],
        activities=[bare_step],
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        max_concurrent_activities=200,
        max_cached_workflows=1000,
        sticky_queue_schedule_to_start_timeout=policy.STICKY_TIMEOUT,
    )
    return ours, bare


async def measure(rounds: int) -> Figures:
    """Measure all of it, on a server of its own."""
    served = runnables()
    with tempfile.TemporaryDirectory() as state:
        async with ProcessGroup() as group:
            server = await TemporalServer.start(group, Path(state), port=0, ui_port=None)
            client = await connect(server.address)
            runs = {
                BARE: _bare(client, "bench-bare", BareSteps),
                UNGUARDED: _bare(client, "bench-bare", UnguardedSteps),
                **{name: _ours(client, "bench-ours", runnable) for name, runnable in served.items()},
            }
            ours, bare = _workers(client, served)
            async with ours, bare:
                return await _taken(client, runs, rounds)


async def _taken(client: Client, runs: Mapping[str, Run], rounds: int) -> Figures:
    figures = Figures({pair: [] for pair in PAIRS}, {})
    for name, run in runs.items():  # the first run of a kind loads what the others find loaded
        workflow_id = uuid4().hex
        await run(workflow_id)
        events = (await client.get_workflow_handle(workflow_id).fetch_history()).events
        figures.history[name] = len(events), sum(event.ByteSize() for event in events)
    for pair, found in figures.rounds.items():
        one, other = (runs[name] for name in pair)
        for number in range(rounds):
            # The server is still busy with a run when the next one begins: each follows itself as often as the other.
            if number % 2:
                first, second = await _timed(one), await _timed(other)
            else:
                second, first = await _timed(other), await _timed(one)
            found.append((first, second))
    return figures


async def _timed(run: Run) -> Taken:
    begin = Mark.now()
    await run(uuid4().hex)
    end = Mark.now()
    return Taken(1e3 * (end.seconds - begin.seconds), 1e3 * (end.cpu_seconds - begin.cpu_seconds))


def lines(figures: Figures) -> list[str]:
    """Return the tables, as docs/benchmarks.md has them."""
    table = ["| run | ms | worker CPU ms | events | history bytes |", "|---|---:|---:|---:|---:|"]
    for name, (events, size) in figures.history.items():
        ms, cpu = figures.middle(name, "ms"), figures.middle(name, "cpu_ms")
        table.append(f"| {name} | {ms:.1f} | {cpu:.1f} | {events} | {size:,} |")
    table += ["", "| against | ratio of ms | ratio of worker CPU | goal | met |", "|---|---:|---:|---|---|"]
    for pair in PAIRS:
        ms, cpu = figures.ratio(pair), figures.ratio(pair, "cpu_ms")
        goal, told = (f"<= {GOAL}", "yes" if met(figures) else "NO") if pair == PAIRS[0] else ("", "")
        table.append(f"| {pair[0]} / {pair[1]} | {ms:.2f} | {cpu:.2f} | {goal} | {told} |")
    return table


def met(figures: Figures) -> bool:
    """Return whether the goal was met."""
    return figures.ratio(PAIRS[0]) <= GOAL


def main() -> int:
    """Print the tables; exit status 1 if `--check` was given and the goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chain", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    parser.add_argument("--check", action="store_true", help="exit with status 1 where the goal is missed")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.rounds))
    print("\n".join(lines(figures)))
    print(f"\nPython {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if options.json:
        rounds = {
            " / ".join(pair): [[asdict(one), asdict(two)] for one, two in r] for pair, r in figures.rounds.items()
        }
        options.json.write_text(json.dumps({"rounds": rounds, "history": figures.history}, indent=1))
    return int(options.check and not met(figures))


if __name__ == "__main__":
    sys.exit(main())
