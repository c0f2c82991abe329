"""A failure is told in a line where it was foreseen, else with the app's own code, and never twice in full."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from sostenuto import ToolError
from sostenuto.activities.call.failure import failure
from sostenuto.contracts import names
from sostenuto.workers.failure_lines import FailureLines, tell_failures

LOGGERS = ("temporalio.activity", "temporalio.worker._workflow_instance", "temporalio.worker._workflow")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    tell_failures()
    yield caplog
    for name in LOGGERS:
        logger = logging.getLogger(name)
        for one in [one for one in logger.filters if isinstance(one, FailureLines)]:
            logger.removeFilter(one)


def _raised(text: str) -> Exception:
    try:
        try:
            raise KeyError(text)
        except KeyError as error:
            raise RuntimeError(text) from error
    except RuntimeError as error:
        return error


async def _fails(error: BaseException, attempt: int = 1) -> None:
    """Log as the SDK does where an activity fails."""
    environment = ActivityEnvironment()
    known = {"activity_id": "desk:call_1", "activity_type": "look", "workflow_id": "desk-1", "attempt": attempt}
    environment.info = activity.Info(**{**vars(environment.info), **known})

    async def call() -> None:
        extra = {"__temporal_error_identifier": "ActivityFailure"}
        activity.logger.warning("Completing activity as failed", exc_info=error, extra=extra)

    await environment.run(call)


def _told(log: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.getMessage(), record.exc_text or "") for record in log.records]


def _of(error: BaseException, *, retryable: bool = False) -> ApplicationError:
    return failure(error, str(error), kind=names.TOOL_FAILED, retryable=retryable)


async def test_what_was_foreseen_is_a_line(log: pytest.LogCaptureFixture) -> None:
    await _fails(_of(ToolError("there is\nno \x1b[31morder")))
    quota = failure(ToolError("x"), "p/m: no credit", kind="QuotaExceeded", retryable=True)
    await _fails(quota, attempt=3)
    assert _told(log) == [
        ("desk-1: look (desk:call_1) failed: there is no �[31morder", ""),
        ("desk-1: look (desk:call_1) failed, attempt 3: QuotaExceeded: p/m: no credit", ""),
    ]


async def test_what_was_not_has_the_apps_own_frames_once(log: pytest.LogCaptureFixture) -> None:
    for attempt in (1, 2, 3):
        await _fails(_of(_raised(f"row {attempt}"), retryable=True), attempt)
    (first, trace), *later = _told(log)
    assert first == "desk-1: look (desk:call_1) failed, attempt 1: row 1"
    assert trace.startswith("Traceback")
    assert trace.endswith("RuntimeError: row 1")
    assert "KeyError: 'row 1'" in trace
    assert "in _raised" in trace
    assert "temporalio" not in trace
    assert later == [(f"desk-1: look (desk:call_1) failed, attempt {n}, as before: row {n}", "") for n in (2, 3)]


async def test_another_error_of_the_same_call_is_told_in_full(log: pytest.LogCaptureFixture) -> None:
    await _fails(_of(_raised("a"), retryable=True))
    await _fails(_of(ValueError("b"), retryable=True), 2)
    assert [bool(trace) for _, trace in _told(log)] == [True, True]


async def test_work_that_nobody_serves_is_told_once(log: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        await _fails(ApplicationError("no key", type=names.NOT_SERVED, non_retryable=True))
    assert _told(log) == [("desk-1: look (desk:call_1) failed: no key", "")]


async def test_what_was_stopped_is_no_failure(log: pytest.LogCaptureFixture) -> None:
    """As where its run has ended."""
    await _fails(asyncio.CancelledError("Activity cancelled"))
    tell_failures(unforeseen_alone=True)
    await _fails(asyncio.CancelledError("Activity cancelled"))
    assert _told(log) == [("desk-1: look (desk:call_1) was stopped", "")]


async def test_beside_a_run_the_unforeseen_alone_is_told(log: pytest.LogCaptureFixture) -> None:
    tell_failures(unforeseen_alone=True)
    await _fails(_of(ToolError("there is no order")))
    for attempt in (1, 2):
        await _fails(_of(_raised("row"), retryable=True), attempt)
    assert [message for message, _ in _told(log)] == ["desk-1: look (desk:call_1) failed, attempt 1: row"]


def test_code_of_a_workflow_that_fails(log: pytest.LogCaptureFixture) -> None:
    extra = {
        "temporal_workflow": {"workflow_id": "flow-1", "run_id": "r", "workflow_type": "Flow"},
        "__temporal_error_identifier": "WorkflowTaskFailure",
    }
    for _ in range(4):
        logging.getLogger(LOGGERS[1]).warning("Failed activation", exc_info=_raised("zz"), extra=extra)
    said = [message for message, _ in _told(log)]
    begins = "flow-1: the code of Flow failed, and is tried again"
    assert said[0] == f"{begins}: RuntimeError: zz"
    assert said[1] == f"{begins}, as before: RuntimeError: zz"
    assert said[3] == f"{begins}, for the 4th time here: RuntimeError: zz"
    assert [bool(trace) for _, trace in _told(log)] == [True, False, False, False]


def test_other_records_stay_as_they_are(log: pytest.LogCaptureFixture) -> None:
    logging.getLogger(LOGGERS[0]).warning("of %s own", "somebody's")
    assert _told(log) == [("of somebody's own", "")]
