"""Measures runs from outside: time, processor time and history.

By the wall's clock, this process's own account, and the server's history.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from benchmarks.contenders import Contender
from benchmarks.load import Load, Mark, ScriptedModel

WINDOW = 10
"""Turns at the end of a run that are measured on their own: an average over the run would hide growth."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What one run took. Times per turn, in milliseconds."""

    ms: float
    cpu_ms: float
    """Of the worker, over the whole run, its start and end included."""
    last_ms: float
    last_cpu_ms: float
    """Of the last `WINDOW` turns."""


@dataclass(frozen=True, slots=True)
class HistorySize:
    """What one run left on the server, over all its executions."""

    executions: int
    model_calls: int
    events: int
    bytes: int
    turn_events: float
    """Events of one of the last `WINDOW` turns."""
    turn_bytes: float
    """Bytes of one of the last `WINDOW` turns."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended that may have failed."""

    how: str
    seconds: float
    history: HistorySize

    @property
    def completed(self) -> bool:
        """Return whether it came to its answer."""
        return self.how == "completed"


def new_id(contender: Contender, load: Load) -> str:
    """Return a workflow id that no other run has."""
    return f"{contender.name}-{load.turns}-{load.tool}-{uuid4().hex[:8]}"


async def time_run(contender: Contender, load: Load, model: ScriptedModel) -> tuple[Timing, str]:
    """Time one run that has the machine for itself; return its workflow id, too."""
    model.marks.clear()
    workflow_id = new_id(contender, load)
    begin = Mark.now()
    await (await contender.start(load, workflow_id)).result()
    end = Mark.now()
    window = min(WINDOW, load.turns)
    # A mark is made when a turn's model call comes in, and the answer to the last one ends the run.
    first, last = model.marks[load.turns - window], model.marks[load.turns]
    timing = Timing(
        ms=1e3 * (end.seconds - begin.seconds) / load.turns,
        cpu_ms=1e3 * (end.cpu_seconds - begin.cpu_seconds) / load.turns,
        last_ms=1e3 * (last.seconds - first.seconds) / window,
        last_cpu_ms=1e3 * (last.cpu_seconds - first.cpu_seconds) / window,
    )
    return timing, workflow_id


async def turns_per_second(contender: Contender, load: Load, runs: int) -> float:
    """Return turns a second of many runs at once, from first start to last result."""
    begin = Mark.now()
    handles = await asyncio.gather(*(contender.start(load, new_id(contender, load)) for _ in range(runs)))
    await asyncio.gather(*(handle.result() for handle in handles))
    return runs * load.turns / (Mark.now().seconds - begin.seconds)


async def history_size(client: Client, workflow_id: str) -> HistorySize:
    """Return the size of a run's history, over continue-as-new."""
    events = [event async for event in _events(client, workflow_id)]
    executions = sum(e.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED for e in events)
    calls = [index for index, event in enumerate(events) if _is_model_call(event)]
    last = calls[-WINDOW - 1 :]
    between = events[last[0] : last[-1]]
    steps = max(len(last) - 1, 1)
    return HistorySize(
        executions=executions,
        model_calls=len(calls),
        events=len(events),
        bytes=sum(event.ByteSize() for event in events),
        turn_events=len(between) / steps,
        turn_bytes=sum(event.ByteSize() for event in between) / steps,
    )


async def outcome(contender: Contender, client: Client, load: Load, timeout_seconds: float) -> Outcome:
    """Return how a run ends that may fail or never end.

    What has not ended by the timeout is terminated.
    """
    workflow_id = new_id(contender, load)
    begin = Mark.now()
    handle = await contender.start(load, workflow_id)
    try:
        how = "completed"
        async with asyncio.timeout(timeout_seconds):
            await handle.result()
    except WorkflowFailureError as error:
        how = f"failed: {error.cause}"
    except TimeoutError:
        how = await _why_stuck(handle, timeout_seconds)
        await handle.terminate("the benchmark waits no longer")
    return Outcome(how, Mark.now().seconds - begin.seconds, await history_size(client, workflow_id))


async def _why_stuck(handle: WorkflowHandle[Any, Any], timeout_seconds: float) -> str:
    pending = (await handle.describe()).raw_description.pending_workflow_task
    return f"stuck: {timeout_seconds:.0f} s, attempt {pending.attempt} of one task"


async def _events(client: Client, workflow_id: str) -> AsyncIterator[HistoryEvent]:
    first = await client.get_workflow_handle(workflow_id).describe()
    run_id: str = first.raw_description.workflow_execution_info.first_run_id or first.run_id
    while run_id:
        following = ""
        async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events():
            following = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id or following
            yield event
        run_id = following


def _is_model_call(event: HistoryEvent) -> bool:
    name = event.activity_task_scheduled_event_attributes.activity_type.name
    return name in ("sostenuto.model", "naive_model", "speak")
