"""How many runs ended lately, how, and why those that did not complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowExecution
from temporalio.converter import DataConverter

from ...contracts.contract import Contract
from ...contracts.wire.run import THE_RUN_WAS_CANCELLED, Status
from ...history.events.history_event import RecordedEvent
from ...history.reading.follow import decoded
from ..summary import RunSummary
from .overview import Endings, LateEnd
from .requests import Requests, moment_in_query

MINUTES: Final = 15
"""How long ago is lately."""
_ROWS: Final = 100
_TOLD: Final = 8
"""Most ends that are told one by one."""
_MOST_KNOWN: Final = 200


class _Ended(Contract):
    """As much of a result as says why."""

    reason: str = ""


class EndingsReader:
    """Asks how runs ended, and once for each of the last ones why.

    Args:
        requests: Asks the server.
        converter: The runs' data converter.
        scope: Visibility query for the runs.
    """

    def __init__(self, requests: Requests, converter: DataConverter, scope: str) -> None:
        self._requests = requests
        self._converter = converter
        self._scope = f"{scope} AND ExecutionStatus != 'ContinuedAsNew'"
        self._reasons: dict[str, str] = {}

    async def read(self, now: datetime, reasons: int) -> Endings:
        """Return how runs ended up to now.

        Args:
            now: What the time is.
            reasons: Of how many it may be asked why.

        Raises:
            RPCError: The server is away, or refuses.
        """
        since = moment_in_query(now - timedelta(minutes=MINUTES))
        query = f"{self._scope} AND CloseTime > '{since}'"
        rows, more = await self._requests.page(query, _ROWS)
        summaries = [RunSummary.of(row) for row in rows]
        counts = Counter(summary.status for summary in summaries)
        if more:
            counts = await self._counted(query)
        late = [(row, one) for row, one in zip(rows, summaries, strict=True) if one.status != Status.COMPLETED][:_TOLD]
        await self._ask_why([row for row, _ in late], reasons)
        return Endings(
            minutes=MINUTES,
            counts=dict(counts),
            is_whole=not more,
            cost_usd=sum(summary.cost_usd or 0.0 for summary in summaries),
            late=tuple(
                LateEnd(
                    id=one.id,
                    runnable=one.runnable,
                    tenant=one.tenant,
                    status=one.status,
                    ended_at=one.ended_at or now,
                    reason=self._reasons.get(row.run_id, ""),
                )
                for row, one in late
            ),
        )

    async def _counted(self, query: str) -> Counter[str]:
        """Count by what Temporal itself knows, which is all that the server groups by."""
        counts: Counter[str] = Counter()
        for group in (await self._requests.count(f"{query} GROUP BY ExecutionStatus")).groups:
            status: str = self._converter.payload_converter.from_payload(group.group_values[0], str)
            counts[_STATUSES.get(status, Status.FAILED).value] += group.count
        return counts

    async def _ask_why(self, ended: Sequence[WorkflowExecution], most: int) -> None:
        unknown = [row for row in ended if row.run_id not in self._reasons]
        for row in unknown[:most]:
            event = await self._requests.close_event(row.id, row.run_id)
            self._reasons[row.run_id] = (
                reason_of(await decoded(event, self._converter), self._converter) if event else ""
            )
        while len(self._reasons) > _MOST_KNOWN:
            del self._reasons[next(iter(self._reasons))]


_STATUSES: Final = {"Completed": Status.COMPLETED, "Canceled": Status.CANCELLED}


def reason_of(event: HistoryEvent, converter: DataConverter) -> str:
    """Return why an execution ended so; empty where its last event does not tell.

    Args:
        event: With its payloads decoded.
        converter: Of which only the parts without I/O are used.
    """
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            return _message(event.workflow_execution_failed_event_attributes.failure)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            return _reason(event, event.workflow_execution_completed_event_attributes.result, converter)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            reason = event.workflow_execution_terminated_event_attributes.reason
            return f"it was terminated: {reason}" if reason else "it was terminated"
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            return "it took longer than its Temporal timeout"
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
            return THE_RUN_WAS_CANCELLED
        case _:
            return ""


def _message(failure: Failure) -> str:
    """Return what the innermost error says: the others only say where."""
    while failure.HasField("cause") and not failure.HasField("application_failure_info"):
        failure = failure.cause
    return failure.message


def _reason(event: HistoryEvent, result: Payloads, converter: DataConverter) -> str:
    try:
        return RecordedEvent(event, "", converter).value(result, _Ended).reason
    except Exception:  # noqa: BLE001 - a code-first workflow may return anything
        return ""
