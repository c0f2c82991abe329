"""Finds and reads the executions that make up a run.

A run continues as new, is reset, and outlives its oldest executions.

Found from the newest backwards: the links from old to new lead to executions that a reset has replaced.
"""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from pydantic import JsonValue
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from ...contracts.errors import SetupError, SpecError
from ...contracts.wire.event import Event
from ...contracts.wire.places import EventId
from ...workflows.search_attributes import RUNNABLE
from ..events.projection import Projection
from .follow import Mark, follow, read_start


class Entry(NamedTuple):
    """What one history event means."""

    execution: str
    event: int
    """Its id in the history of that execution."""
    events: list[Event]


async def describe(temporal: Client, workflow_id: str, execution: str | None = None) -> WorkflowExecutionDescription:
    """Ask the server about an execution of a run, the newest of that id by default.

    Raises:
        SpecError: The workflow is not a run.
        RPCError: There is no such execution, or the server refuses.
    """
    description = await temporal.get_workflow_handle(workflow_id, run_id=execution).describe()
    if is_code_first(description) and description.typed_search_attributes.get(RUNNABLE) is None:
        if description.workflow_type == names.LEDGER_WORKFLOW:
            raise SpecError(f"{workflow_id!r} is no run but a ledger, which {how_to_show_ledger(workflow_id)} shows")
        raise SpecError(
            f"{workflow_id!r} is not a run of ours but a workflow of type {description.workflow_type!r}: "
            "one of your own can be watched where `client.start` started it"
        )
    return description


def how_to_show_ledger(workflow_id: str) -> str:
    """Return the command that shows a ledger."""
    return f"`sostenuto ledger show {shlex.quote(workflow_id.removeprefix(names.LEDGER_ID))}`"


def is_code_first(description: WorkflowExecutionDescription) -> bool:
    """Return whether it is a code-first workflow."""
    kind = description.workflow_type
    return not names.is_of_runnables(kind)


async def context_of(description: WorkflowExecutionDescription) -> dict[str, JsonValue]:
    """Return the context of a run or a chat, as JSON; empty where it has none.

    Raises:
        SetupError: This process cannot read it, as it was encoded otherwise.
    """
    try:
        return dict(await description.memo_value(names.CONTEXT_MEMO, {}) or {})
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise SetupError(
            f"the context of {description.id!r} cannot be read here ({why}): connect with the data converter, and its "
            "codec, by which it was written"
        ) from error


def first_execution(description: WorkflowExecutionDescription) -> str:
    """Return the first execution of a run, which names all that came of it."""
    return description.raw_info.first_run_id


async def executions_until(temporal: Client, workflow_id: str, newest: str) -> tuple[str, ...]:
    """Return the executions of a run up to that one, oldest first, as far as retained.

    Raises:
        RPCError: There is no such execution, or the server refuses.
    """
    found = [newest]
    before = (await read_start(temporal, workflow_id, newest)).continued_execution_run_id
    while before:
        try:
            started = await read_start(temporal, workflow_id, before)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            break
        found.append(before)
        before = started.continued_execution_run_id
    return tuple(reversed(found))


async def executions_left(temporal: Client, workflow_id: str, first: str) -> tuple[str, ...]:
    """Return what is left of a run whose first execution is past the retention time.

    Raises:
        RPCError: The server refuses.
    """
    try:
        newest = await temporal.get_workflow_handle(workflow_id).describe()
        if first_execution(newest) != first or newest.run_id == first:
            return ()
        return await executions_until(temporal, workflow_id, newest.run_id)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return ()


def from_position(executions: Sequence[str], position: EventId) -> Sequence[str]:
    """Return the executions to read for what comes after a position in one of them."""
    place = executions.index(position.execution)
    # What the first event of an execution means depends on the execution before it.
    return executions[max(place - 1, 0) if position.history_event == 1 else place :]


async def read_chain(
    temporal: Client,
    workflow_id: str,
    executions: Sequence[str],
    projection: Projection,
    *,
    wait: bool = True,
    mark: Mark | None = None,
) -> AsyncIterator[Entry]:
    """Read the executions, and those that they continue in, as events.

    Args:
        temporal: Where they are.
        workflow_id: Id of their workflow.
        executions: The oldest first.
        projection: Reads them.
        wait: Whether to wait for events that are yet to come.
        mark: Moves along. What lies before it in the first execution was read by the projection already.

    Raises:
        RPCError: There is no such execution, or the server refuses.
    """
    left = list(executions)
    while left:
        execution = left.pop(0)
        async for recorded in follow(temporal, workflow_id, execution, wait=wait, mark=mark):
            yield Entry(execution, recorded.event_id, projection.feed(recorded, execution))
        if not left and projection.next_execution:
            left.append(projection.next_execution)
