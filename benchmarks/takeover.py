"""How long a run stands still when its worker is killed and another worker is up.

Measured from the SIGKILL to the next model request, on a real server, each case several times. The figures come from
timeouts of the system's own (`workflows/policy.py`) and not from the machine's speed.

    python -m benchmarks.takeover [--rounds N] [--json FILE] [--check]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import uuid
from pathlib import Path

from temporalio.client import Client

from sostenuto.connection.connect import connect
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from sostenuto.workers.worker import build_worker
from tests.chaos.victim import adapters, chaos_app, recorded, start_run, start_victim

CASES = {
    "in the middle of a model call": "model-within-2",
    "with the answer in hand": "model-after-2",
    "in a tool": "tool-before-look",
    "in a workflow task": "task-4",
    "between steps, holding the run in its cache": "idle",
}
GOAL_SECONDS = 5.0
"""Wherever it dies."""


async def stand_still(temporal: Client, directory: Path, point: str) -> float:
    """Return the seconds from the worker's death to the next model request."""
    task_queue = f"takeover-{uuid.uuid4().hex[:8]}"
    victim = await start_victim(temporal, task_queue, directory, point)
    handle = await start_run(temporal, task_queue, directory)
    # The first workflow task makes the victim the one that holds the run; only then may another worker come up.
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.event_id >= 4:
            break
    # The holder must die while the step that others do for it is still under way.
    heir = adapters(directory, "model-slow-2" if point == "idle" else "")
    async with build_worker(temporal, chaos_app(directory), heir, lambda *_: 0.0, task_queue=task_queue):
        await victim.wait()
        await handle.result()
    died = recorded(directory, "deaths")[0]["time"]
    return float(min(line["time"] for line in recorded(directory, "requests") if line["time"] > died) - died)


async def measure(rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every round by case, the cases taking turns."""
    found: dict[str, list[float]] = {case: [] for case in CASES}
    with tempfile.TemporaryDirectory() as place:
        async with ProcessGroup() as group:
            server = await TemporalServer.start(group, Path(place), port=0, ui_port=None)
            temporal = await connect(server.address)
            for number in range(rounds):
                for case, point in CASES.items():
                    directory = Path(place) / f"{point}-{number}"
                    directory.mkdir()
                    found[case].append(await stand_still(temporal, directory, point))
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--check", action="store_true", help="exit with status 1 where the goal is missed")
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.rounds))
    print(f"{'killed':<46} {'median s':>9} {'max s':>7}")
    for case, seconds in found.items():
        print(f"{case:<46} {statistics.median(seconds):>9.2f} {max(seconds):>7.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))
    longest = max(max(seconds) for seconds in found.values())
    print(f"goal: less than {GOAL_SECONDS:g} s; the longest took {longest:.2f} s")
    if arguments.check and longest >= GOAL_SECONDS:
        sys.exit(1)


if __name__ == "__main__":
    main()
