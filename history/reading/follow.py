"""Reads a workflow execution's history as it grows, whatever the connection does.

Interprets none of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message as Proto
from temporalio.api.common.v1 import Payload, SearchAttributes, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

_logger = logging.getLogger(__name__)

_PASSING = frozenset(
    {
        RPCStatusCode.ABORTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.UNKNOWN,
    }
)
MAY_BE_TAKEN_BACK = frozenset(
    {EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED}
)
"""At the end of the history of a workflow that is sent updates: others may come under their ids. They mean nothing to
us, and may be yielded twice."""
_PATIENCE = timedelta(seconds=15)
_LAST_EVENTS = 6
P = TypeVar("P", bound=Proto)

_FULL_PAGE = 250
"""Events of a page after which there may be more."""
_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 5.0


async def read_start(temporal: Client, workflow_id: str, execution: str) -> WorkflowExecutionStartedEventAttributes:
    """Return what started an execution, with payloads as the server keeps them.

    Raises:
        RPCError: There is no such execution, or the server refuses.
    """
    handle = temporal.get_workflow_handle(workflow_id, run_id=execution)
    event = await anext(aiter(handle.fetch_history_events(page_size=1)))
    return event.workflow_execution_started_event_attributes


@dataclass(slots=True)
class Mark:
    """Where the reading of a workflow's history stands, to go on there later."""

    execution: str = ""
    """Temporal's run id of the execution that is being read."""
    page: bytes | None = None
    """What the server takes to give what comes after the page that was read last."""
    seen: int = 0
    """Id of the last event that was read."""

    def at(self, execution: str) -> Mark:
        """Return this mark, at the beginning of an execution where it stood in another."""
        if self.execution != execution:
            self.execution, self.page, self.seen = execution, None, 0
        return self


async def follow(
    temporal: Client, workflow_id: str, execution: str, *, wait: bool = True, mark: Mark | None = None
) -> AsyncIterator[HistoryEvent]:
    """Yield every history event of one execution, decoded, by default until it ends.

    A server that is away is waited for, for as long as it takes.

    Args:
        temporal: Where it is.
        workflow_id: Id of its workflow.
        execution: Temporal's run id of it.
        wait: Whether to wait for events that are yet to come.
        mark: Moves along. Where it stands in this execution, the events before it are left out.

    Raises:
        RPCError: There is no such execution, or the server refuses.
    """
    mark = (mark or Mark()).at(execution)
    delay = _FIRST_DELAY_SECONDS
    while True:
        try:
            async for event in _after(mark, temporal, workflow_id, wait=wait):
                delay = _FIRST_DELAY_SECONDS
                yield event
        except RPCError as error:
            if _is_of_another_branch(error):
                # It is read anew; what was seen is left out.
                mark.page = None
            elif error.status in _PASSING:
                _logger.warning("the Temporal server is away (%s): trying again in %.1f s", error.message, delay)
            else:
                raise
        else:
            return
        await asyncio.sleep(delay)
        delay = min(2 * delay, _LONGEST_DELAY_SECONDS)


def _is_of_another_branch(error: RPCError) -> bool:
    """Return whether a page is not to be had any more.

    What came after the one before was taken back meanwhile, as the server does with a workflow task that was never
    written.
    """
    return error.status is RPCStatusCode.INVALID_ARGUMENT and "branch tokens" in error.message


async def read_news(temporal: Client, workflow_id: str, execution: str, mark: Mark) -> AsyncIterator[HistoryEvent]:
    """Yield the history events of one execution that came since a mark, decoded.

    Those that are there now: what comes while they are read is left to the next time, and nothing is waited for.

    Args:
        temporal: Where it is.
        workflow_id: Id of its workflow.
        execution: Temporal's run id of it.
        mark: Moves along.

    Raises:
        RPCError: There is no such execution, or the server does not answer or refuses.
    """
    # Where there is nothing, the server would hold the request.
    if mark.at(execution).page is None or await _newest_event(temporal, workflow_id, execution) > mark.seen:
        async for event in _after(mark, temporal, workflow_id, patience=_PATIENCE):
            yield event


async def _newest_event(temporal: Client, workflow_id: str, execution: str) -> int:
    """Return the id of the newest event that means anything to us, among the last few."""
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=temporal.namespace,
        execution=WorkflowExecution(workflow_id=workflow_id, run_id=execution),
        maximum_page_size=_LAST_EVENTS,
    )
    answer = await temporal.workflow_service.get_workflow_execution_history_reverse(request, timeout=_PATIENCE)
    last = (event.event_id for event in answer.history.events if event.event_type not in MAY_BE_TAKEN_BACK)
    return next(last, 0)


async def _after(
    mark: Mark, temporal: Client, workflow_id: str, *, wait: bool = True, patience: timedelta | None = None
) -> AsyncIterator[HistoryEvent]:
    handle = temporal.get_workflow_handle(workflow_id, run_id=mark.execution)
    events = handle.fetch_history_events(wait_new_event=wait, next_page_token=mark.page, rpc_timeout=patience)
    async for event in events:
        is_last = events.current_page_index == len(events.current_page or ())
        if is_last:
            # Also the one before it would do: what was seen is left out.
            mark.page = events.next_page_token or mark.page
        if event.event_id > mark.seen:
            whole = await decoded(event, temporal.data_converter)
            if event.event_type not in MAY_BE_TAKEN_BACK:
                mark.seen = event.event_id
            yield whole
        if patience and is_last and len(events.current_page or ()) < _FULL_PAGE:
            return


async def decoded(message: P, converter: DataConverter) -> P:
    """Return an event, or a part of one, with its payloads decoded.

    As they were before encryption and external storage.
    """
    if converter.payload_codec is None and converter.external_storage is None:
        return message
    payloads = list(_payloads(message))
    if payloads:
        values: list[Any] = await converter.decode(payloads, [RawValue] * len(payloads))
        for payload, value in zip(payloads, values, strict=True):
            payload.CopyFrom(value.payload)
    return message


def _payloads(message: Proto) -> Iterator[Payload]:
    if isinstance(message, Payload):
        yield message
        return
    # The server reads these itself, so they are never encoded.
    if isinstance(message, SearchAttributes):
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            nested = [v for v in value.values() if isinstance(v, Proto)]
        else:
            nested = list(value) if field.is_repeated else [value]
        for part in nested:
            yield from _payloads(part)
