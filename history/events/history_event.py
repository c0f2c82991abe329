"""One event of a history, opened.

Its values, its failure, its time, and the ids of the events that it means.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from ...contracts.errors import SetupError
from ...contracts.limits import HOW_TO_READ_OUTSIDE
from ...contracts.wire.model_call import ModelReply
from ...contracts.wire.places import EventId
from ...contracts.wire.run import Result

T = TypeVar("T")
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


class RecordedEvent:
    """A history event that is being read.

    Args:
        event: With its payloads decoded, see `clients.history`.
        execution: Temporal's run id of the execution whose history it is in.
        converter: Of which only the parts without I/O are used.
    """

    def __init__(self, event: HistoryEvent, execution: str, converter: DataConverter) -> None:
        self.event = event
        self.execution = execution
        self.at: datetime = event.event_time.ToDatetime(UTC)
        """When, by the server's clock."""
        self._converter = converter
        self._stamped = 0

    def stamp(self, path: str) -> dict[str, Any]:
        """Return id, time and path for the next event that this one means."""
        stamp = {"id": str(EventId(self.execution, self.event.event_id, self._stamped)), "at": self.at, "path": path}
        self._stamped += 1
        return stamp

    def value(self, payloads: Payloads, kind: type[T]) -> T:
        """Return the value of the first payload.

        Raises:
            SetupError: It is kept outside the history, and this client does not know where.
        """
        value: T = self._read(payloads.payloads[0], kind)
        return value

    def json(self, payload: Payload) -> JsonValue:
        """Return the value of a payload that may be anything; None where it is not JSON.

        Raises:
            SetupError: As for `value`.
        """
        try:
            return _JSON.validate_python(self._read(payload, Any))
        except ValidationError:
            return None

    def _read(self, payload: Payload, kind: Any) -> Any:
        if payload.external_payloads:
            raise SetupError(f"the run keeps large payloads outside its history: {HOW_TO_READ_OUTSIDE}")
        return self._converter.payload_converter.from_payloads([payload], [kind])[0]

    def error(self, failure: Failure) -> BaseException:
        """Return the failure as an exception."""
        return self._converter.failure_converter.from_failure(failure, self._converter.payload_converter)

    def since(self, start: datetime) -> float:
        """Return the seconds from a time to this event, at least 0."""
        return max((self.at - start).total_seconds(), 0.0)


def end_fields(result: Result) -> dict[str, Any]:
    """Return what the event of an end has of a result: of a run's, or a turn's."""
    return {
        "status": result.status,
        "output": result.output,
        "reason": result.reason,
        "turns": result.turns,
        "usage": result.usage,
        "cost_usd": result.cost_usd,
    }


def reply_fields(reply: ModelReply) -> dict[str, Any]:
    """Return what the event of an answer has of a model's reply."""
    return {
        "model": reply.model,
        "message": reply.message,
        "usage": reply.usage,
        "cost_usd": reply.cost_usd,
        "prompt_hash": reply.prompt_hash,
        "stop": reply.stop,
        "without": reply.without,
    }
