"""A run's history in the words of the tests. Must not judge: it only reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from sostenuto.contracts import names
from sostenuto.contracts.message import Message
from sostenuto.contracts.wire.model_call import ModelCall, ModelReply

T = TypeVar("T")

_OVERTAKEN = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND


class Recorded:
    """The events of one workflow execution."""

    def __init__(self, history: WorkflowHistory) -> None:
        self.history = history
        self.events: Sequence[HistoryEvent] = history.events

    @classmethod
    async def of(cls, client: Client, workflow_id: str, run_id: str | None = None) -> Recorded:
        """The history as it stands on the server now."""
        return cls(await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history())

    def attributes(self, kind: str) -> list[Any]:
        """The attributes of every event of a kind, such as `activity_task_scheduled`."""
        wanted = EventType.Value(f"EVENT_TYPE_{kind.upper()}")
        return [getattr(e, f"{kind}_event_attributes") for e in self.events if e.event_type == wanted]

    def first(self, kind: str) -> HistoryEvent:
        """The first event of a kind."""
        wanted = EventType.Value(f"EVENT_TYPE_{kind.upper()}")
        return next(e for e in self.events if e.event_type == wanted)

    @property
    def scheduled(self) -> list[str]:
        """Types of the activities that were scheduled, in their order."""
        return [a.activity_type.name for a in self.attributes("activity_task_scheduled")]

    @property
    def activity_ids(self) -> list[str]:
        """Ids of the activities that were scheduled, in their order."""
        return [a.activity_id for a in self.attributes("activity_task_scheduled")]

    @property
    def markers(self) -> list[str]:
        """Names of the markers: one per local activity."""
        return [a.marker_name for a in self.attributes("marker_recorded")]

    @property
    def counts(self) -> Counter[str]:
        """How many events of each kind."""
        return Counter(EventType.Name(e.event_type).removeprefix("EVENT_TYPE_").lower() for e in self.events)

    @property
    def failed_tasks(self) -> list[Any]:
        """Workflow tasks that failed, but for those that are done again on any busy machine.

        One that something overtakes, such as a cancel, and one that was let stand still for two seconds, which the SDK
        gives up. One whose own work takes so long fails again and again, and its run never ends.
        """
        failed = self.attributes("workflow_task_failed")
        return [one for one in failed if one.cause != _OVERTAKEN and not one.failure.message.startswith("[TMPRL1101]")]

    @property
    def model_calls(self) -> list[ModelCall]:
        """Inputs of the model calls."""
        scheduled = self.attributes("activity_task_scheduled")
        return [_decoded(a.input, ModelCall) for a in scheduled if a.activity_type.name == names.MODEL_ACTIVITY]

    @property
    def replies(self) -> list[ModelReply]:
        """Outputs of the model calls, in the order of their ends."""
        types = {e.event_id: e.activity_task_scheduled_event_attributes.activity_type.name for e in self.events}
        completed = self.attributes("activity_task_completed")
        return [
            _decoded(a.result, ModelReply) for a in completed if types[a.scheduled_event_id] == names.MODEL_ACTIVITY
        ]

    @property
    def told(self) -> list[Message]:
        """Every message that stands in a tail, in their order."""
        return [message for call in self.model_calls for message in call.tail]

    def seconds(self, start: str, end: str) -> float:
        """Between the first events of two kinds, by the server's clock."""
        return (self.first(end).event_time.ToNanoseconds() - self.first(start).event_time.ToNanoseconds()) / 1e9

    @property
    def attempts(self) -> dict[str, int]:
        """By activity id, the attempt that started last."""
        ids = {e.event_id: e.activity_task_scheduled_event_attributes.activity_id for e in self.events}
        return {ids[a.scheduled_event_id]: a.attempt for a in self.attributes("activity_task_started")}


def _decoded(payloads: Any, kind: type[T]) -> T:
    return pydantic_data_converter.payload_converter.from_payload(payloads.payloads[0], kind)
