"""Our agent against a loop written by hand, on one real server.

Compares time, processor time and history of a turn.

Run it by `python -m benchmarks.turns`. Both loops run in this process, one after the other by turns; the server is a
process of its own, so the processor time of this one is the worker's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig

from benchmarks.contenders import Contender, Naive, Ours
from benchmarks.imports import Imports
from benchmarks.load import Load, ScriptedModel
from benchmarks.measure import history_size, outcome, time_run, turns_per_second
from benchmarks.report import Measurements, markdown, rows, table
from sostenuto.connection.connect import connect
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer

CROWD = Load(5)
LONG = Load(1000)
LARGE = Load(60, result_bytes=100_000)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    loads: tuple[Load, ...]
    """Run by both, and those with the fast tool by ours alone."""
    rounds: int
    runs: int
    """How many at once."""
    crowd_rounds: int
    import_rounds: int
    stuck_seconds: float
    """How long to wait for a run that makes no headway."""


FULL = Plan((Load(10), Load(50), Load(200), Load(200, fast=True)), 5, 100, 5, 9, 30)
QUICK = Plan((Load(10), Load(200), Load(200, fast=True)), 2, 30, 1, 3, 10)

Say = Callable[[str], None]


async def measure(plan: Plan, say: Say) -> Measurements:
    """Measure everything that the plan asks for, on a server of its own."""
    measured = Measurements(imports=Imports.measure(plan.import_rounds))
    model = ScriptedModel([*plan.loads, CROWD, LONG, LARGE])
    with tempfile.TemporaryDirectory() as state:
        async with ProcessGroup() as group:
            server = await TemporalServer.start(group, Path(state), port=0, ui_port=None)
            client = await connect(server.address)
            ours, naive = Ours.build(client, model), Naive.build(client, model)
            async with ours.worker, naive.worker:
                await _time(plan, (ours, naive), client, model, measured, say)
                await _crowd(plan, (ours, naive), measured, say)
                await _outcomes(plan, (ours, naive), client, measured, say)
    return measured


async def _time(
    plan: Plan,
    contenders: tuple[Contender, Contender],
    client: Client,
    model: ScriptedModel,
    measured: Measurements,
    say: Say,
) -> None:
    for contender in contenders:
        await time_run(contender, plan.loads[0], model)  # the first run of a process loads what the others find loaded
    for number in range(plan.rounds):
        say(f"round {number + 1} of {plan.rounds}: runs of {', '.join(str(load.turns) for load in plan.loads)} turns")
        for load in plan.loads:
            # Each second round goes the other way about, so that a drift of the machine hits both.
            for contender in contenders if number % 2 == 0 else contenders[::-1]:
                if load.fast and contender.name == "naive":
                    continue
                timing, workflow_id = await time_run(contender, load, model)
                measured.timings.setdefault((load, contender.name), []).append(timing)
                if number == 0:
                    measured.histories[load, contender.name] = await history_size(client, workflow_id)


async def _crowd(plan: Plan, contenders: tuple[Contender, ...], measured: Measurements, say: Say) -> None:
    for number in range(plan.crowd_rounds):
        say(f"round {number + 1} of {plan.crowd_rounds}: {plan.runs} runs at once")
        for contender in contenders if number % 2 == 0 else contenders[::-1]:
            measured.turns_per_second.setdefault(contender.name, []).append(
                await turns_per_second(contender, CROWD, plan.runs)
            )


async def _outcomes(
    plan: Plan, contenders: tuple[Contender, Contender], client: Client, measured: Measurements, say: Say
) -> None:
    ours, naive = contenders
    say(f"{LONG.turns} turns")
    measured.outcomes[LONG, ours.name] = await outcome(ours, client, LONG, 300)
    say(f"{LARGE.turns} turns with {LARGE.result_bytes // 1000} KB results")
    measured.outcomes[LARGE, ours.name] = await outcome(ours, client, LARGE, 120)
    measured.outcomes[LARGE, naive.name] = await outcome(naive, client, LARGE, plan.stuck_seconds)


def main() -> int:
    """Print the table; exit status 1 if `--check` was given and a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, not a measurement")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    parser.add_argument("--markdown", action="store_true", help="print the table as docs/benchmarks.md has it")
    parser.add_argument("--check", action="store_true", help="exit with status 1 where a goal is missed")
    options = parser.parse_args()
    # The naive loop's end would fill the screen: the table tells it in one line.
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))
    measured = asyncio.run(measure(QUICK if options.quick else FULL, lambda line: print(line, file=sys.stderr)))
    lines = rows(measured)
    title = f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    if options.markdown:
        print(f"{markdown(lines)}\n\n{title}")
    else:
        Console(width=150).print(table(lines, title))
    if options.json:
        options.json.write_text(json.dumps({"machine": title, "figures": [asdict(row) for row in lines]}, indent=1))
    return int(options.check and not all(row.met is not False for row in lines))


if __name__ == "__main__":
    sys.exit(main())
