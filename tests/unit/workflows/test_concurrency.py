"""What an activity has spent is read off whatever it failed by."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError, TimeoutType  # noqa: A004

from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.wire.totals import Totals
from sostenuto.workflows.concurrency import spent_by

SPENT = Totals(usage=Usage(input_tokens=7), cost_usd=0.5)
TOLD = SPENT.model_dump(mode="json")


def failed(cause: BaseException) -> ActivityError:
    """An activity that failed by it."""
    error = ActivityError(
        "it failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="a",
        activity_id="1",
        retry_state=None,
    )
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "spent"),
    [
        (ApplicationError("x", TOLD), SPENT),
        (ApplicationError("x"), Totals()),
        (ApplicationError("x", "what another one tells"), Totals()),
        (TimeoutError("x", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[{"spent": TOLD, "at": ""}]), SPENT),
        (TimeoutError("x", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[{"paid": 1}]), Totals()),
        (TimeoutError("x", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=["half"]), Totals()),
        (TimeoutError("x", type=None, last_heartbeat_details=[]), Totals()),
    ],
)
def test_what_was_spent(cause: BaseException, spent: Any) -> None:
    assert spent_by(failed(cause)) == spent
