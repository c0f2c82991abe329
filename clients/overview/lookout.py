"""Looks at all runs, and asks the server no more the more of them there are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar

from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from ...contracts import names
from ...history.events.history_event import RecordedEvent
from ...history.events.stalls import read_stall
from ...history.reading.follow import decoded
from ..rpc_errors import translate_rpc_errors
from .board import Sighting, open_runs
from .endings import EndingsReader
from .findings import attempts, is_offered
from .meter import Meter
from .overview import Overview
from .queues import QueueReader
from .requests import Requests, is_gone, is_late, quoted

_T = TypeVar("_T")

_AT_ONCE: Final = 8
"""Most requests at a time."""
_LIST_ROWS: Final = 100
_PAGE_EVENTS: Final = 250
_MOST_KNOWN: Final = 2000
"""Most workflows that are kept in mind, those that began last."""
_REPORTED: Final = 20
"""Most workflows of which the server itself reports that their code fails, that are asked for apart."""

_OF_A_RUN: Final = (
    f"WorkflowType = '{names.RUN_WORKFLOW}'",
    *(f"WorkflowType STARTS_WITH '{names.run_type(kind, '')}'" for kind in names.RUN_KINDS),
)
# Runs that a workflow started which somebody else did have no attribute.
OURS: Final = f"({names.SEARCH_RUNNABLE} IS NOT NULL OR {' OR '.join(_OF_A_RUN)})"
"""Visibility query for workflows of ours: runs, chats, ingests, and code-first ones that were started here."""
_OUTERMOST: Final = "ParentWorkflowId IS NULL"
_OPEN: Final = "ExecutionStatus = 'Running'"
_CHATS: Final = f"WorkflowType = '{names.CHAT_WORKFLOW}'"
_PROBLEMS: Final = "TemporalReportedProblems IS NOT NULL"


class Effort(NamedTuple):
    """Most requests of one look."""

    lists: int
    """Pages of the list of what runs, of a hundred."""
    descriptions: int
    """Workflows that are looked at."""
    queues: int
    """Task queues that are looked at."""
    pages: int
    """Pages of histories, of 250 events."""
    reasons: int
    """Runs that ended of which it is asked why."""


PER_FRAME: Final = Effort(lists=1, descriptions=40, queues=4, pages=12, reasons=3)
"""Of one of many looks: what it does not get to, the next ones do."""
AT_FIRST: Final = Effort(lists=5, descriptions=120, queues=10, pages=40, reasons=8)
"""Of the first of many looks."""
AT_LENGTH: Final = Effort(lists=10, descriptions=200, queues=20, pages=120, reasons=8)
"""Of a single look."""


class Lookout:
    """Where all runs are seen from.

    Each look lists some of them, looks at those in trouble, at those that are shown, and by turns at the others, and
    reads on where their histories have grown. So all are looked at in the end, however many there are.

    Args:
        temporal: The server.
        tenant: Whose runs. Empty: everybody's.
    """

    def __init__(self, temporal: Client, tenant: str = "") -> None:
        self._temporal = temporal
        self._tenant = tenant
        self._requests = Requests(temporal)
        self._scope = OURS + (f" AND {names.SEARCH_TENANT} = {quoted(tenant)}" if tenant else "")
        self._queues = QueueReader(self._requests)
        self._endings = EndingsReader(self._requests, temporal.data_converter, f"{self._scope} AND {_OUTERMOST}")
        self._known: dict[str, Sighting] = {}
        self._listed: set[str] = set()
        """What the pages so far have listed."""
        self._page: bytes | None = None
        self._reports = True
        self._look = 0
        self.shown: Sequence[str] = ()
        """Ids of the runs that somebody sees, in their order: these are looked at each time."""

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return self._requests.made

    async def look(self, effort: Effort = PER_FRAME) -> Overview:
        """Return what is known now.

        Raises:
            SetupError: The server is away, denies access, or lacks something.
        """
        with translate_rpc_errors("what runs"):
            self._look += 1
            running = await self._count(f"NOT {_CHATS}")
            chats = await self._count(_CHATS)
            await self._list(effort.lists)
            await self._describe(effort.descriptions)
            await self._queues.read(self._offered(), effort.queues)
            await self._read_stalls(effort.descriptions // 4)
            await self._read_histories(effort.pages)
            ended = await self._endings.read(datetime.now(UTC), effort.reasons)
        now = datetime.now(UTC)
        return Overview(
            at=now,
            namespace=self._temporal.namespace,
            tenant=self._tenant,
            running=running,
            chats=chats,
            runs=tuple(open_runs(self._known.values(), self._queues.loads, now)),
            queues=self._queues.told(self._queue_names()),
            ended=ended,
        )

    async def _count(self, query: str) -> int:
        return (await self._requests.count(f"{self._scope} AND {_OPEN} AND {_OUTERMOST} AND {query}")).count

    async def _list(self, pages: int) -> None:
        """List more of what runs, and forget what a whole list did not have."""
        query = f"{self._scope} AND {_OPEN}"
        is_first = self._page is None
        for _ in range(pages):
            rows, self._page = await self._requests.page(query, _LIST_ROWS, self._page)
            self._take(rows)
            self._listed |= {row.id for row in rows}
            if self._page is None or len(self._listed) >= _MOST_KNOWN:
                self._known = {id_: one for id_, one in self._known.items() if id_ in self._listed}
                self._page, self._listed = None, set()
                break
        # Where the whole list fits on a page, it has these too.
        if self._reports and not (is_first and self._page is None):
            try:
                rows, _ = await self._requests.page(f"{query} AND {_PROBLEMS}", _REPORTED)
            except RPCError as error:
                if not is_gone(error):
                    raise
                self._reports = False  # an older server
            else:
                self._take(rows)
                self._listed |= {row.id for row in rows}

    def _take(self, rows: Iterable[WorkflowExecution]) -> None:
        for row in rows:
            known = self._known.get(row.id)
            # The list lags behind: what was looked at is newer than it says.
            if known is None or (known.execution != row.run_id and known.described is None):
                self._known[row.id] = Sighting.of(row)

    async def _describe(self, most: int) -> None:
        """Look at so many: those that matter most, and by turns the others."""
        shown = {id_: place for place, id_ in enumerate(self.shown)}

        def urgency(one: Sighting) -> tuple[int, int]:
            if one.root in shown:
                return (0, shown[one.root])
            return (1, one.looked)

        now = datetime.now(UTC)
        troubled = [one for one in self._known.values() if one.troubles(self._queues.loads, now)]
        first = sorted(troubled, key=lambda one: one.looked)[: most // 3]
        rest = sorted((one for one in self._known.values() if one not in first), key=urgency)
        # Some turns are kept for those that nobody sees: trouble may be there.
        seen, others = rest[: most // 3], sorted(rest[most // 3 :], key=lambda one: one.looked)
        await _all(self._look_at(one) for one in [*first, *seen, *others][:most])

    async def _look_at(self, one: Sighting) -> None:
        described = await self._requests.describe(one.id)
        info = described.workflow_execution_info if described else None
        if info is None or info.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
            self._known.pop(one.id, None)
            return
        if info.execution.run_id != one.execution or one.described is None:
            # It has continued as new: what it took along stands at the beginning of its history.
            one.info.CopyFrom(info)
            one.meter, one.page, one.stall, one.stalled_at = Meter(self._temporal.data_converter), b"", None, 0
        one.described, one.looked = described, self._look

    def _looked_at(self) -> list[Sighting]:
        return [one for one in self._known.values() if one.looked == self._look]

    def _offered(self) -> list[str]:
        """Return task queues, those first from which somebody should have taken work."""
        now = datetime.now(UTC)
        seen = [one.described for one in self._looked_at() if one.described]
        found = sorted(seen, key=lambda described: not is_offered(described, now))
        return list(dict.fromkeys(described.execution_config.task_queue.name for described in found))

    def _queue_names(self) -> set[str]:
        return {one.described.execution_config.task_queue.name for one in self._known.values() if one.described}

    async def _read_stalls(self, most: int) -> None:
        """Ask why code fails; once, for its first failure alone stands in the history."""
        found = [
            one
            for one in self._looked_at()
            if one.described and attempts(one.described) and one.stalled_at != one.length
        ]
        await _all(self._read_stall(one) for one in found[:most])
        for one in self._looked_at():
            if one.described and not attempts(one.described):
                one.stall, one.stalled_at = None, 0

    async def _read_stall(self, one: Sighting) -> None:
        one.stall = None
        for event in await self._requests.last_events(one.id, one.execution):
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                break
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                recorded = RecordedEvent(event, one.execution, self._temporal.data_converter)
                one.stall = next(read_stall(recorded, one.runnable), None)
                break
        one.stalled_at = one.length

    async def _read_histories(self, pages: int) -> None:
        """Read on in histories that have grown, those first that are shown."""
        shown = {id_: place for place, id_ in enumerate(self.shown)}
        grown = [one for one in self._looked_at() if one.has_grown]
        grown.sort(key=lambda one: shown.get(one.root, len(shown)))
        left = pages
        while grown and left > 0:
            turn, left = grown[:left], left - len(grown)
            await _all(self._read_page(one) for one in turn)
            grown = [one for one in turn if one.page and one.has_grown]

    async def _read_page(self, one: Sighting) -> None:
        if one.meter is None:
            return
        try:
            answer = await self._requests.history(one.id, one.execution, _PAGE_EVENTS, one.page)
        except RPCError as error:
            if is_gone(error):
                # A server that was restored knows other places in it.
                one.meter, one.page = Meter(self._temporal.data_converter), b""
                return
            if is_late(error):
                one.waited_at = one.length
                return
            raise
        one.page = answer.next_page_token
        for event in answer.history.events:
            one.meter.take(await self._decoded(event) if one.meter.wants(event) else event)

    async def _decoded(self, event: HistoryEvent) -> HistoryEvent:
        try:
            return await decoded(event, self._temporal.data_converter)
        except Exception:  # noqa: BLE001 - a codec of somebody's; the meter notes that it could not read this
            return event


async def _all(doing: Iterable[Awaitable[_T]]) -> list[_T]:
    """Wait for all, a few at a time, also where one fails.

    Raises:
        RPCError: One failed.
    """
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(what: Awaitable[_T]) -> _T:
        async with turns:
            return await what

    done = await asyncio.gather(*map(one, doing), return_exceptions=True)
    for outcome in done:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in done if not isinstance(outcome, BaseException)]
