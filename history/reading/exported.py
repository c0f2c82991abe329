"""Reads histories that were exported to files.

Needs no server.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from google.protobuf.json_format import ParseError
from pydantic import ValidationError
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.contract import problem_text
from ...contracts.errors import SetupError, SpecError
from ...contracts.text import one_line
from ..events.projection import Projection
from ..trace.step import Trace
from .executions import Entry, how_to_show_ledger
from .follow import decoded
from .traced import build_trace
from .tree import RunAddress, TreePart

_UNTOLD = "its history is not with the file, which `sostenuto export --nested` adds"
_AGAIN = "export it again by `sostenuto export ID -o FILE`"


class ExportedTrace(NamedTuple):
    """What the file of a run tells of it."""

    trace: Trace
    at: datetime
    """Time of the last event in it: so far a run that had not ended is told."""


def nested_directory(file: Path) -> Path:
    """Return where the histories of the runs nested in an exported one are."""
    return file.with_name(f"{file.name}.nested")


def read_history_file(file: Path) -> WorkflowHistory:
    """Return the history in a file.

    Raises:
        SpecError: There is none in it, or not a whole one; says what to do.
    """
    try:
        history = WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, ParseError) as error:
        problem = one_line(str(error), 200)
        raise SpecError(
            f"{file} is not a history as `sostenuto export` writes it, or not the whole of one ({problem}): {_AGAIN}"
        ) from error
    if not history.events:
        raise SpecError(f"{file} is a history without events: {_AGAIN}")
    started = history.events[0].workflow_execution_started_event_attributes
    return WorkflowHistory(started.workflow_id or file.stem, history.events)


async def read_exported_trace(file: Path, converter: DataConverter) -> ExportedTrace:
    """Return what a run did, by the files of its export.

    Args:
        file: As `sostenuto export` writes it. Nested runs are told where they were exported with it.
        converter: The one that the run was written by; reads payloads outside the history where it knows of them.

    Raises:
        SpecError: The file has no whole history, or not that of a run or a chat.
        SetupError: Payloads are kept outside the history, and are not found.
    """
    root = read_history_file(file)
    _check(file, root)
    nested = [*_nested(file)]
    try:
        parts = _parts(root, nested, converter)
        trace = await build_trace(parts, _UNTOLD, f"of its executions, the newest alone is in {file.name}")
    except ApplicationError as error:
        raise SetupError(f"{file}: {error.message}") from error
    except ValueError as error:
        raise SpecError(
            f"{file} has what this version of sostenuto cannot read ({_problem(error)}): read it by the version that "
            "wrote it"
        ) from error
    if trace is None:
        raise SpecError(
            f"{file} has the newest execution alone of {root.workflow_id!r}, in which nothing has happened yet: ask "
            f"the server, which has them all, by `sostenuto trace {root.workflow_id}`"
        )
    last = max(history.events[-1].event_time.ToDatetime(UTC) for history in (root, *nested))
    return ExportedTrace(trace, last)


def _problem(error: ValueError) -> str:
    return problem_text(error.errors()[0]) if isinstance(error, ValidationError) else one_line(str(error), 200)


def _check(file: Path, history: WorkflowHistory) -> None:
    first = history.events[0]
    ids = [event.event_id for event in history.events]
    if first.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED or ids != [*range(1, len(ids) + 1)]:
        missing = next(number for number, found in enumerate([*ids, 0], 1) if number != found)
        raise SpecError(f"{file} is a part of a history, without event {missing}: {_AGAIN}")
    started = _started(history)
    kind = started.workflow_type.name
    if kind == names.LEDGER_WORKFLOW:
        shown = how_to_show_ledger(history.workflow_id)
        raise SpecError(f"{file} is the history of a ledger, and of no run or chat: {shown} shows what it has")
    ours = names.is_of_runnables(kind)
    if not ours and names.SEARCH_RUNNABLE not in started.search_attributes.indexed_fields:
        raise SpecError(
            f"{file} is the history of a workflow of type {kind!r}, and of no run or chat: "
            "`sostenuto ls` and `sostenuto ls --chats` list those"
        )


def _nested(file: Path) -> list[WorkflowHistory]:
    return [read_history_file(found) for found in sorted(nested_directory(file).rglob("*.json"))]


async def _parts(
    root: WorkflowHistory, nested: list[WorkflowHistory], converter: DataConverter
) -> AsyncIterator[TreePart]:
    """Yield the workflows of the tree whose histories are there, the root first."""
    places = deque([(RunAddress(root.workflow_id, ()), root)])
    while places:
        place, history = places.popleft()
        part = TreePart(place, Projection(converter))
        execution = _started(history).original_execution_run_id or "exported"
        for event in history.events:
            events = part.projection.feed(await decoded(event, converter), execution)
            part.take(Entry(execution, event.event_id, events), keep=True)
        yield part
        places.extend((inner, found) for inner in part.nested() for found in nested if _is_of(found, inner))


def _is_of(history: WorkflowHistory, place: RunAddress) -> bool:
    # Another run may have had the same id when its history was exported to the same directory.
    first = _started(history).first_execution_run_id
    return history.workflow_id == place.workflow_id and first in ("", *place.executions)


def _started(history: WorkflowHistory) -> WorkflowExecutionStartedEventAttributes:
    return history.events[0].workflow_execution_started_event_attributes
