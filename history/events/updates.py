"""Reads updates: what a workflow was asked, and what came of it. Does no I/O.

An update is admitted where a reset brings it back, accepted, and completed: each kind has a reader of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.update.v1 import Request

from ...contracts.wire.event import Event
from .history_event import RecordedEvent


class UpdateReader(Protocol):
    """Reads the updates of one name."""

    def accepted(self, recorded: RecordedEvent, update_id: str, asked: Payloads) -> Iterator[Event]:
        """Yield the events of what the workflow was asked."""
        ...

    def completed(self, recorded: RecordedEvent, update_id: str, came: Payloads) -> Iterator[Event]:
        """Yield the events of what came of it, where it did not fail."""
        ...


class Updates:
    """The updates of one execution after the other.

    Args:
        readers: What reads those of which name.
    """

    def __init__(self, readers: Mapping[str, UpdateReader]) -> None:
        self._readers = readers
        self._admitted: dict[str, Request] = {}
        self._accepted: dict[str, UpdateReader] = {}
        self.handlers: dict[int, Callable[[RecordedEvent], Iterator[Event]]] = {
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: self._on_admitted,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: self._on_accepted,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: self._on_completed,
        }
        """What reads which type of history event."""

    def forget(self) -> None:
        """Begin another execution, which was asked nothing yet."""
        self._admitted, self._accepted = {}, {}

    def _on_admitted(self, recorded: RecordedEvent) -> Iterator[Event]:
        request = recorded.event.workflow_execution_update_admitted_event_attributes.request
        self._admitted[request.meta.update_id] = request
        yield from ()

    def _on_accepted(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_update_accepted_event_attributes
        update_id = attributes.protocol_instance_id
        # After a reset the request stands where it was admitted again.
        request = self._admitted.pop(update_id, attributes.accepted_request)
        if reader := self._readers.get(request.input.name):
            self._accepted[update_id] = reader
            yield from reader.accepted(recorded, update_id, request.input.args)

    def _on_completed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_update_completed_event_attributes
        reader = self._accepted.pop(attributes.meta.update_id, None)
        if reader and attributes.outcome.HasField("success"):
            yield from reader.completed(recorded, attributes.meta.update_id, attributes.outcome.success)
