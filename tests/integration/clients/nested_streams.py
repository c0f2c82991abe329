"""What a stream of nested runs must hold, whatever the tree."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.client import Client as TemporalClient

from sostenuto.clients.run import Run
from sostenuto.contracts.wire.event import Event, MemberFinished, MemberStarted, ModelResponded
from sostenuto.history.events.projection import Projection
from sostenuto.history.reading.follow import follow


async def events_of(run: Run, after: str | None = None, *, nested: bool = True) -> list[Event]:
    return [event async for event in run.events(after, nested=nested)]


def by_execution(events: Sequence[Event]) -> dict[str, list[Event]]:
    """The events without their cursors, by the execution whose history they are from."""
    found: dict[str, list[Event]] = {}
    for event in events:
        plain = event.model_copy(update={"cursor": ""})
        found.setdefault(event.id.partition("/")[0], []).append(plain)
    return found


def assert_well_nested(events: Sequence[Event]) -> None:
    """Each nested run's events stand between its start and its end, and nothing is told twice."""
    assert len({event.id for event in events}) == len(events)
    starts = {event.path: index for index, event in enumerate(events) if isinstance(event, MemberStarted)}
    ends = {event.path: index for index, event in enumerate(events) if isinstance(event, MemberFinished)}
    assert starts.keys() == ends.keys()
    for path, start in starts.items():
        inside = [index for index, event in enumerate(events) if f"{event.path}/".startswith(f"{path}/")]
        assert (min(inside), max(inside)) == (start, ends[path])


def assert_exactly(before: Sequence[Event], after: Sequence[Event], whole: Sequence[Event]) -> None:
    """The two parts are the whole: nothing is lost, nothing told twice, and no history is out of order."""
    joined = [*before, *after]
    assert len({event.id for event in joined}) == len(joined)
    assert by_execution(joined) == by_execution(whole)


async def assert_prompts_proven(temporal: TemporalClient, root: Run) -> int:
    """Every prompt that any run of the tree sent, rebuilt from its history, has the hash of the one that was sent."""
    replies = [event for event in await events_of(root) if isinstance(event, ModelResponded)]
    proven = 0
    for workflow_id in (root.id, *await root.nested()):
        projection, executions = Projection(temporal.data_converter), set()
        description = await temporal.get_workflow_handle(workflow_id).describe()
        execution = description.raw_info.first_run_id
        while execution:
            executions.add(execution)
            async for recorded in follow(temporal, workflow_id, execution):
                projection.feed(recorded, execution)
            execution = projection.next_execution
        for reply in replies:
            if reply.id.partition("/")[0] in executions:
                assert projection.prompt(reply.turn, reply.path).hash == reply.prompt_hash
                proven += 1
    assert proven == len(replies)
    return proven
