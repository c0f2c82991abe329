"""Reads why a workflow task failed: its code did, or does not fit the history.

Pure: does no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from ...contracts.wire.event import RunStalled
from .history_event import RecordedEvent

_OF_CODE = frozenset(
    {
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    }
)
"""Causes that pass only when the code is mended. Others are the server's own, and pass by themselves."""

_PLACE = re.compile(r'File "([^"]+)", line (\d+)')


def read_stall(recorded: RecordedEvent, path: str) -> Iterator[RunStalled]:
    """Yield that the run is at a standstill, where its code is the cause."""
    attributes = recorded.event.workflow_task_failed_event_attributes
    if attributes.cause not in _OF_CODE:
        return
    failure = attributes.failure
    kind = failure.application_failure_info.type
    places = _PLACE.findall(failure.stack_trace)
    fits = attributes.cause != WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    yield RunStalled(
        **recorded.stamp(path),
        reason=": ".join(part for part in (kind, failure.message) if part),
        where=":".join(places[-1]) if places and fits else "",
        fits=fits,
    )
