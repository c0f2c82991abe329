"""Reads why a workflow task failed: its code did, or does not fit the history.

Pure: does no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure

from ...contracts.wire.event import RunStalled
from .history_event import RecordedEvent

_OF_CODE = frozenset(
    {
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    }
)
"""Causes that pass only when the code is mended. Others are the server's own, and pass by themselves."""

_UNKNOWN = re.compile(r"Workflow class (\S+) is not registered on this worker")
_PLACE = re.compile(r'File "([^"]+)", line (\d+)')
_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages)[/\\]")
_REFUSED = re.compile(r"Cannot access (\S+?)(?:\.__call__)? from inside a workflow\. If this is code [^.]*\.")
"""What the sandbox says, and what would help where the code was a library's."""


def read_stall(recorded: RecordedEvent, path: str) -> Iterator[RunStalled]:
    """Yield that the run is at a standstill, where its code is the cause."""
    attributes = recorded.event.workflow_task_failed_event_attributes
    if attributes.cause not in _OF_CODE:
        return
    failure = attributes.failure
    kind = failure.application_failure_info.type
    if unknown := unknown_workflow(failure):
        reason = f"the worker that took it does not serve the workflow {unknown!r}"
        yield RunStalled(**recorded.stamp(path), reason=reason, unserved=True)
        return
    everywhere = _PLACE.findall(failure.stack_trace)
    # The last one may be within a library that refuses what it was told to do.
    places = [place for place in everywhere if not _LIBRARY.search(place[0])] or everywhere
    fits = attributes.cause != WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    yield RunStalled(
        **recorded.stamp(path),
        reason=": ".join(part for part in (kind, with_refusals_explained(failure.message)) if part),
        where=":".join(places[-1]) if places and fits else "",
        fits=fits,
    )


def unknown_workflow(failure: Failure) -> str:
    """Return the workflow that a worker did not have; empty where that is not why."""
    unknown = _UNKNOWN.search(failure.message)
    return unknown[1] if unknown else ""


def with_refusals_explained(text: str) -> str:
    """Return a text with what to write instead of what was refused.

    As the sandbox of workflows does.
    """
    return _REFUSED.sub(
        r"\1 cannot be had in a workflow: it has workflow.now(), random(), uuid4(), sleep(), and tools for all else",
        text,
    )
