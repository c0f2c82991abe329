"""Looks at the runs that a run started. Must not judge."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import eventually


async def begun(client: Client, workflow_id: str) -> Recorded | None:
    """The history of a run so far; None where it has not begun."""
    try:
        return await Recorded.of(client, workflow_id)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def at_work(client: Client, *workflow_ids: str, activities: int = 1) -> None:
    """Wait until each of these runs has scheduled so many activities."""

    async def reached() -> bool:
        found = [await begun(client, workflow_id) for workflow_id in workflow_ids]
        return all(recorded and len(recorded.scheduled) >= activities for recorded in found)

    await eventually(reached)


async def children(client: Client, workflow_id: str) -> list[str]:
    """Ids of the runs that a run started, in their order."""
    recorded = await Recorded.of(client, workflow_id)
    return [a.workflow_id for a in recorded.attributes("start_child_workflow_execution_initiated")]


def most_at_once(recorded: Recorded) -> int:
    """Most model calls and nested runs that were under way at the same time, by the history of who started them."""
    now = most = 0
    for event in recorded.events:
        kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        now += kind in ("ACTIVITY_TASK_SCHEDULED", "START_CHILD_WORKFLOW_EXECUTION_INITIATED")
        now -= kind in ("ACTIVITY_TASK_COMPLETED", "CHILD_WORKFLOW_EXECUTION_COMPLETED")
        most = max(most, now)
    return most


async def status(client: Client, workflow_id: str) -> WorkflowExecutionStatus | None:
    """How a run ended, or that it has not."""
    return (await client.get_workflow_handle(workflow_id).describe()).status
