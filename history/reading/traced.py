"""Makes a trace of the histories of a run and of those nested in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ...contracts.wire.chats.chat_event import ChatStarted
from ...contracts.wire.event import RunStarted
from ..trace.building import TraceBuilder
from ..trace.shares import shares_of
from ..trace.step import Trace
from .tree import TreePart


async def build_trace(parts: AsyncIterator[TreePart], untold: str, earlier: str) -> Trace | None:
    """Return what a run did; None where nothing is told of it.

    Args:
        parts: Its workflows with their events, each after the one that started it.
        untold: Why the history of a nested run was not read, where it was not.
        earlier: Why that of an execution was not read from which the run goes on, where it was not.
    """
    builder = TraceBuilder()
    begun: set[str] = set()
    read: set[str] = set()
    async for part in parts:
        if not read and part.events and not isinstance(part.events[0], RunStarted | ChatStarted):
            builder.go_on(part.place.workflow_id, part.projection.path, part.events[0].at, earlier)
        for event in part.events:
            builder.take(event, part.projection)
        _take_awaited(builder, part)
        read.add(part.place.workflow_id)
        begun.update(nested.workflow_id for nested in part.nested())
    run = builder.root(dict.fromkeys(begun - read, untold))
    return Trace(run=run, shares=shares_of(run)) if run else None


def _take_awaited(builder: TraceBuilder, part: TreePart) -> None:
    """Take in what a workflow waits for people for, by all of its events."""
    run_id = part.place.workflow_id
    for call in part.projection.approvals.pending(run_id):
        if step := builder.open_step(call.path, call.call_id):
            step.await_person(call.words)
    for budget in part.projection.budgets.pending(run_id):
        if step := builder.open_step(budget.path, ""):
            step.await_person(budget.words)
