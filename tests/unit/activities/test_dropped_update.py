"""What a server drops is sent again, and what it refuses is not."""

from __future__ import annotations

import pytest
from temporalio.service import RPCError, RPCStatusCode

from sostenuto.activities.dropped_update import is_dropped

_NOT_READY = "Unable to perform workflow execution update due to unexpected workflow task failure."


@pytest.mark.parametrize(
    ("status", "message", "dropped"),
    [
        (RPCStatusCode.UNAVAILABLE, "the server is away", True),
        (RPCStatusCode.ABORTED, "update was aborted", True),
        (RPCStatusCode.FAILED_PRECONDITION, _NOT_READY, True),
        (RPCStatusCode.FAILED_PRECONDITION, "Workflow Task in failed state", False),
        (RPCStatusCode.NOT_FOUND, "workflow execution already completed", False),
        (RPCStatusCode.INVALID_ARGUMENT, "no such update", False),
    ],
)
def test_what_is_dropped(status: RPCStatusCode, message: str, dropped: bool) -> None:
    assert is_dropped(RPCError(message, status, b"")) is dropped
