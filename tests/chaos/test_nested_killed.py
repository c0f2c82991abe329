"""The worker of a nested run dies as soon as an event stands in a history, and another one ends the run as it was.

Each event of the run and of the runs nested in it gets a run of its own, whose worker is killed with SIGKILL when
that event is there, and so does the middle of each call. The worker that takes over starts when the first one is dead.
`make test` takes some of them; all: `CHAOS_EVERY=1 python -m pytest -s tests/chaos/test_nested_killed.py`.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from sostenuto import Message, Result, Status
from sostenuto.contracts import names
from sostenuto.contracts.wire.run import RunInput
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from tests.chaos.nested import CALL_SECONDS, MOST_AT_ONCE, RUNS, RecordedCast, nested_app, root, start_victim
from tests.chaos.victim import recorded
from tests.patience import PATIENCE_SECONDS

EVERY = int(os.environ.get("CHAOS_EVERY", "6"))
"""One event of so many is tried: 1 for all of them."""
SEED = int(os.environ.get("CHAOS_SEED", "0"))
"""Which ones."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

TOOLS = ("note", "pay")
_AT_ONCE = 12


@dataclass(frozen=True)
class Kill:
    """When to kill: as soon as this event of one of the runs is in the history, or in the middle of a call."""

    run: str
    """One of `RUNS`."""
    event: int
    """Its id, from 1."""
    within: str = ""
    """The activity that the event schedules and that is to be under way for a while, empty for none."""


@dataclass(frozen=True)
class Survived:
    """A run whose worker was killed."""

    result: Result
    late: int
    """How many events came between the one that was waited for and the death. Negative: it never came."""


async def _start(temporal: Client, task_queue: str, directory: Path) -> WorkflowHandle[object, Result]:
    runnable = root(directory)
    return await temporal.start_workflow(
        names.run_type(runnable.kind, runnable.name),
        RunInput(runnable=runnable, message=Message.user("The report, please.")),
        id=task_queue,
        task_queue=task_queue,
        task_timeout=policy.TASK_TIMEOUT,
        result_type=Result,
    )


async def _finished(temporal: Client, task_queue: str, directory: Path) -> Result:
    """What the run comes to with a worker of this process."""
    cast = {"scripted": RecordedCast(directory)}
    worker = build_worker(temporal, nested_app(directory), cast, lambda *_: 0.001, task_queue=task_queue)
    async with worker:
        handle: WorkflowHandle[object, Result] = temporal.get_workflow_handle(task_queue, result_type=Result)
        return await handle.result()


async def _events(temporal: Client, workflow_id: str) -> int:
    description = await temporal.get_workflow_handle(workflow_id).describe()
    return description.history_length


async def _reached(temporal: Client, workflow_id: str, event_id: int) -> None:
    """Wait until an event is in the history of a run that may not have begun."""
    while True:
        try:
            async for event in temporal.get_workflow_handle(workflow_id).fetch_history_events(wait_new_event=True):
                if event.event_id >= event_id:
                    return
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        await asyncio.sleep(0.005)


async def _survive(temporal: Client, task_queue: str, directory: Path, kill: Kill) -> Survived:
    """Start a run, kill its worker at the event, and let another one end it."""
    victim = start_victim(temporal, task_queue, directory)
    try:
        handle = await _start(temporal, task_queue, directory)
        reached = asyncio.create_task(_reached(temporal, task_queue + kill.run, kill.event))
        ended = asyncio.create_task(handle.result())
        await asyncio.wait([reached, ended], return_when=asyncio.FIRST_COMPLETED)
        there = reached.done()
        reached.cancel()
        if kill.within:
            await asyncio.sleep(CALL_SECONDS / 2)
    finally:
        victim.kill()
        # Not in a thread, for a start polls the processes that there are, from this one; it takes milliseconds.
        victim.join()
    assert victim.exitcode == -9, f"the worker had ended with {victim.exitcode} before it was killed"
    late = await _events(temporal, task_queue + kill.run) - kill.event if there else -1
    ended.cancel()
    return Survived(await _finished(temporal, task_queue, directory), late)


async def _undisturbed(temporal: Client, task_queue: str, directory: Path) -> tuple[Result, list[Kill]]:
    """What the run comes to without a kill, and every event of it."""
    await _start(temporal, task_queue, directory)
    result = await _finished(temporal, task_queue, directory)
    assert result.status is Status.COMPLETED, result.reason
    kills = []
    for run in RUNS:
        for event in (await temporal.get_workflow_handle(task_queue + run).fetch_history()).events:
            kills.append(Kill(run, event.event_id))
            if scheduled := event.activity_task_scheduled_event_attributes.activity_type.name:
                kills.append(Kill(run, event.event_id, within=scheduled))
    return result, kills


async def test_every_event(temporal: Client, task_queue: str, tmp_path: Path) -> None:
    """Whatever the event, the result is the same, nothing unsafe happens twice, and little is repeated."""
    began = time.monotonic()
    undisturbed, kills = await _undisturbed(temporal, f"{task_queue}-undisturbed", tmp_path)
    sampled = kills[random.Random(SEED).randrange(EVERY) :: EVERY]
    # What the tools do is what must not be done twice.
    chosen = [kill for kill in kills if kill in sampled or kill.within in TOOLS]
    gate = asyncio.Semaphore(_AT_ONCE)
    late: list[int] = []

    async def check(number: int, kill: Kill) -> list[str]:
        async with gate:
            directory = tmp_path / str(number)
            directory.mkdir()
            where = f"{number}: killed at {kill}"
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    survived = await _survive(temporal, f"{task_queue}-{number}", directory, kill)
            except TimeoutError:
                return [f"{where}: did not end within {PATIENCE_SECONDS} s"]
            late.append(survived.late)
            return [f"{where}: {problem}" for problem in _problems(survived.result, undisturbed, directory)]

    async with asyncio.TaskGroup() as group:
        checks = [group.create_task(check(number, kill)) for number, kill in enumerate(chosen)]
    problems = [problem for done in checks for problem in done.result()]
    assert not problems, "\n".join(problems)
    reached = [events for events in late if events >= 0]
    sys.stdout.write(
        f"\n{len(kills)} points in {len(RUNS)} histories, {len(chosen)} tried, {len(reached)} kills, each "
        f"{statistics.median(reached)} events late by the median, 0 problems, {time.monotonic() - began:.0f} s\n"
    )
    # How events fall into workflow tasks varies, the more the busier the machine, so the last ones of a history may not
    # be there.
    assert len(reached) >= 0.6 * len(chosen), "many events were not reached: little was proved"


def _problems(result: Result, undisturbed: Result, directory: Path) -> list[str]:
    found = []
    if result != undisturbed:
        found.append(f"the result differs:\n{result!r}\n{undisturbed!r}")
    effects = recorded(directory, "effects")
    paid = [effect["key"] for effect in effects if effect["tool"] == "pay"]
    noted = [effect["key"] for effect in effects if effect["tool"] == "note"]
    if len(paid) > 1:
        found.append(f"pay took effect {len(paid)} times")
    if not 1 <= len(noted) <= 2 or len(set(noted)) != 1:
        found.append(f"note took effect under the keys {noted}")
    asked = Counter((request["model"], request["prompt"]) for request in recorded(directory, "requests"))
    again = {model: times for (model, _), times in asked.items() if times > 1}
    if any(times > 2 for times in again.values()) or len(again) > MOST_AT_ONCE:
        found.append(f"models were asked the same again: {again}")
    return found
