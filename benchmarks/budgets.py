"""What a budget of US dollars costs each turn of an agent, beside the same agent without one.

    python -m benchmarks.budgets [--rounds N] [--turns N] [--check]

Both run in this process on one real server, and take turns. A ratio is the median of the rounds' own ratios, for in one
round both met the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.contenders import Ours
from benchmarks.figures import Row, show
from benchmarks.load import Load, ScriptedModel
from benchmarks.measure import HistorySize, Timing, history_size, time_run
from sostenuto import Budget
from sostenuto.connection.connect import connect
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer

GOAL = 1.05
"""Most that a turn with a budget may take, in times of one without."""

Sizes = tuple[HistorySize, HistorySize]
Rounds = Sequence[tuple[Timing, Timing]]


async def measure(rounds: int, load: Load) -> tuple[Rounds, Sizes]:
    """Measure runs with a budget and without, on a server of their own."""
    model = ScriptedModel([load])
    with tempfile.TemporaryDirectory() as state:
        async with ProcessGroup() as group:
            server = await TemporalServer.start(group, Path(state), port=0, ui_port=None)
            client = await connect(server.address)
            budgeted = Ours.build(client, model, name="budgeted", budget=Budget(usd=1_000))
            plain = Ours.build(client, model, name="plain")
            async with budgeted.worker, plain.worker:
                first = [await time_run(one, load, model) for one in (budgeted, plain)]
                sizes = [await history_size(client, workflow_id) for _, workflow_id in first]
                found = []
                for number in range(rounds):
                    both = {}
                    # Each second round goes the other way about, so that a drift of the machine hits both.
                    for one in (budgeted, plain) if number % 2 else (plain, budgeted):
                        both[one.name], _ = await time_run(one, load, model)
                    found.append((both["budgeted"], both["plain"]))
    return found, (sizes[0], sizes[1])


def rows(rounds: Rounds, sizes: Sizes) -> list[Row]:
    """Return the lines of the table."""
    told = []
    for figure, name in (("ms per turn", "ms"), ("worker CPU ms per turn", "cpu_ms")):
        pairs = [(getattr(one, name), getattr(other, name)) for one, other in rounds]
        with_budget, without = (median(values) for values in zip(*pairs, strict=True))
        told += _lines(figure, with_budget, without, median(one / other for one, other in pairs))
    for figure, name in (("events per turn", "turn_events"), ("history bytes per turn", "turn_bytes")):
        with_budget, without = (getattr(size, name) for size in sizes)
        told += _lines(figure, with_budget, without, with_budget / without)
    return told


def _lines(figure: str, with_budget: float, without: float, ratio: float) -> list[Row]:
    return [
        Row(f"{figure}: with a budget, beside without", with_budget, without),
        Row(f"{figure}: ratio", ratio, None, f"<= {GOAL}", ratio <= GOAL),
    ]


def main() -> int:
    """Print the table; exit status 1 if `--check` was given and a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.budgets", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--turns", type=int, default=50)
    parser.add_argument("--check", action="store_true", help="exit with status 1 where a goal is missed")
    options = parser.parse_args()
    rounds, sizes = asyncio.run(measure(options.rounds, Load(options.turns)))
    met = show(rows(rounds, sizes))
    return int(options.check and not met)


if __name__ == "__main__":
    sys.exit(main())
