"""Reads what code-first workflows were asked and came to. Does no I/O."""

from __future__ import annotations

from pydantic import JsonValue, ValidationError
from temporalio.api.common.v1 import Payloads
from temporalio.exceptions import ApplicationError, FailureError

from ...contracts.message import Message
from ...contracts.template import as_text
from .history_event import RecordedEvent
from .outcome import failure_reason


def read_input(recorded: RecordedEvent, payloads: Payloads) -> Message:
    """Read what a workflow was started with, as a message."""
    values = [recorded.json(payload) for payload in payloads.payloads]
    value = values[0] if len(values) == 1 else values
    if isinstance(value, dict):
        try:
            return Message.model_validate(value)
        except ValidationError:
            pass
    return Message.user(as_text(value) if values else "")


def read_output(recorded: RecordedEvent, payloads: Payloads) -> JsonValue:
    """Read what a workflow returned; None where that is nothing, or not JSON."""
    return recorded.json(payloads.payloads[0]) if payloads.payloads else None


def read_failure(error: BaseException) -> str:
    """Read why a workflow failed: the innermost error, the others only say where."""
    while isinstance(error, FailureError) and error.cause and not isinstance(error, ApplicationError):
        error = error.cause
    return error.message if isinstance(error, ApplicationError) else failure_reason(error)
