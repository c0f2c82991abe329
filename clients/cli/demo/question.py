"""The second act of the demo: a question, and a worker killed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from ....contracts.specs.runnable import Runnable
from ....contracts.wire.event import Event, ModelRequested, ModelResponded, ToolResponded
from ....contracts.wire.places import EventId
from ....contracts.wire.run import Result
from ..step_tree import StepTree
from .kill import Kill, pid_of
from .stage import Stage


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of the second act."""

    id: str
    execution: str
    """Temporal's run id."""
    result: Result
    events: tuple[Event, ...]
    history: tuple[HistoryEvent, ...]
    kill: Kill | None

    @property
    def repeated(self) -> int:
        """Model calls that had to be made again because of the kill.

        They are further attempts at the call that ended first after it; those of later calls have other causes.
        """
        kill = self.kill
        later = (e for e in self.events if isinstance(e, ModelResponded) and kill and e.at > kill.at)
        return next((event.attempt - 1 for event in later), 0)


async def show_question(stage: Stage, runnable: Runnable, question: str) -> Answered:
    """Have a question answered, and kill the worker at work.

    It is killed when its model has asked for a tool.
    """
    client = stage.client
    run = await client.start(runnable, question)
    worker = 0
    kill: Kill | None = None
    told = False
    events: list[Event] = []
    tree = StepTree()
    with stage.console.status("waiting for a worker") as status:
        async for event in run.events():
            if kill is None and isinstance(event, ModelRequested):
                worker = _at_work((await client.history(run.id)).events)
            if kill is None and isinstance(event, ModelResponded) and event.message.tool_calls:
                # At once: a few milliseconds later the next step would be over.
                kill = stage.kill(worker)
            events.append(event)
            for text in tree.lines(event):
                stage.tell(text)
            # What the step asked for stands above the kill, as it does in the history.
            if kill and not told and len(events) == asked_for(events):
                # Not "between two steps": the next one may have begun in these milliseconds.
                stage.tell(f"{kill}, right after step {sum(map(is_step, events))}")
                told = True
            status.update(escape(tree.waiting()))
    history = tuple((await client.history(run.id)).events)
    return Answered(run.id, EventId.parse(events[0].id).execution, await run.result(), tuple(events), history, kill)


def asked_for(events: Sequence[Event]) -> int:
    """Return how many events there are once the first tool calls are told."""
    calls = ((at, len(e.message.tool_calls)) for at, e in enumerate(events, 1) if isinstance(e, ModelResponded))
    return next((at + wanted for at, wanted in calls if wanted), 0)


def is_step(event: Event) -> bool:
    """Return whether an event ends a step: a model call or a tool call."""
    return isinstance(event, ModelResponded | ToolResponded)


def _at_work(history: Sequence[HistoryEvent]) -> int:
    """Return the process that has the run: the one that decided its last step."""
    decided = [
        event.workflow_task_completed_event_attributes.identity
        for event in history
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    return pid_of(decided[-1]) if decided else 0
