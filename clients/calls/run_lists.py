"""What a client lists: runs and chats."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, Literal, TypeVar

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from ...contracts.wire.places import Place
from ..chats.summary import ChatSummary
from ..overview.lookout import OURS
from ..overview.requests import quoted
from ..rpc_errors import translate_rpc_errors
from ..summary import RunSummary, awaits_of

ListOrder = Literal["time", "cost"]
"""How runs may be listed."""

_ROOTS_AT_ONCE: Final = 50
_UNDER_WAY: Final = "ExecutionStatus = 'Running'"

RowT = TypeVar("RowT", RunSummary, ChatSummary)


class RunLists:
    """The part of a `Client` that lists what there is."""

    temporal: TemporalClient

    async def list(
        self, query: str | None = None, *, limit: int = 20, nested: bool = False, order: ListOrder = "time"
    ) -> tuple[RunSummary, ...]:
        """Return summaries of runs, the newest first.

        Args:
            query: A Temporal visibility query, such as `SostenutoStatus = 'failed' AND SostenutoCostUsd > 0.1`.
            limit: Most runs to return: those that began last.
            nested: Whether to list runs that other runs started too.
            order: `cost`: of those that are listed, those first that cost most. Where no nested runs are listed, what
                those under way have used is added to the run that they are in.

        Raises:
            SpecError: The query is wrong; says where.
        """
        # Code-first workflows that were started here have the attribute.
        full = (
            f"{OURS} AND WorkflowType NOT IN ('{names.CHAT_WORKFLOW}', '{names.INGEST_WORKFLOW}') "
            "AND ExecutionStatus != 'ContinuedAsNew'"
        )
        if not nested:
            full += " AND ParentWorkflowId IS NULL"
        if query:
            full += f" AND ({query})"
        with translate_rpc_errors("the list of runs"):
            rows: Sequence[RunSummary] = [
                RunSummary.of(row) async for row in self.temporal.list_workflows(full, limit=limit)
            ]
            if not nested:
                rows = await self._with_awaited(rows)
            if order == "cost" and not nested:
                rows = await self._with_nested(rows)
        return tuple(sorted(rows, key=_by_cost) if order == "cost" else rows)

    async def chats(
        self, query: str | None = None, *, limit: int = 20, order: ListOrder = "time"
    ) -> tuple[ChatSummary, ...]:
        """Return summaries of chats, those first whose newest execution began last.

        Args:
            query: A Temporal visibility query, such as `SostenutoTenant = 'acme' AND ExecutionStatus = 'Running'`.
            limit: Most chats to return.
            order: `cost`: of those that are listed, those first that cost most.

        Raises:
            SpecError: The query is wrong; says where.
        """
        full = f"WorkflowType = '{names.CHAT_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"
        if query:
            full += f" AND ({query})"
        with translate_rpc_errors("the list of chats"):
            rows: Sequence[ChatSummary] = [
                await ChatSummary.of(row) async for row in self.temporal.list_workflows(full, limit=limit)
            ]
            rows = await self._with_awaited(rows)
        return tuple(sorted(rows, key=_by_cost) if order == "cost" else rows)

    async def _with_awaited(self, rows: Sequence[RowT]) -> Sequence[RowT]:
        """Add what nested runs wait for people for, as what they are in waits for them."""
        found: dict[str, str] = {}
        try:
            async for row in self._nested_in(rows, f"{_UNDER_WAY} AND {names.SEARCH_AWAITING} IS NOT NULL"):
                root, awaits = Place(row.id).root, awaits_of(row)
                # As a run in which both wait is listed.
                found[root] = min(found.get(root, awaits), awaits)
        except RPCError as error:
            # The namespace may have the attributes of a version that had no such one.
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
        return [row if row.awaits else row.model_copy(update={"awaits": found.get(row.id, "")}) for row in rows]

    async def _nested_in(
        self, rows: Iterable[RunSummary | ChatSummary], query: str = _UNDER_WAY
    ) -> AsyncIterator[WorkflowExecution]:
        """Yield the runs under way that are nested in those that are."""
        open_ = [row.id for row in rows if row.ended_at is None]
        for first in range(0, len(open_), _ROOTS_AT_ONCE):
            roots = ", ".join(map(quoted, open_[first : first + _ROOTS_AT_ONCE]))
            full = f"RootWorkflowId IN ({roots}) AND ParentWorkflowId IS NOT NULL AND {query}"
            async for row in self.temporal.list_workflows(full):
                yield row

    async def _with_nested(self, rows: Sequence[RunSummary]) -> Sequence[RunSummary]:
        """Add what nested runs under way have used.

        The run that started one knows that at its end.
        """
        costs: Counter[str] = Counter()
        tokens: Counter[str] = Counter()
        async for row in self._nested_in(rows):
            one, root = RunSummary.of(row), Place(row.id).root
            costs[root] += one.cost_usd or 0.0  # type: ignore[assignment]
            tokens[root] += one.tokens or 0
        return [row.with_nested(costs[row.id], tokens[row.id]) if tokens[row.id] else row for row in rows]


def _by_cost(row: RunSummary | ChatSummary) -> tuple[float, int]:
    return (-(row.cost_usd or 0.0), -(row.tokens or 0))
