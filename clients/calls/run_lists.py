"""What a client lists: runs and chats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

from temporalio.client import Client as TemporalClient

from ...contracts import names
from ...contracts.wire.places import Place
from ...workflows.search_attributes import RUNNING
from ..chats.summary import ChatSummary
from ..overview.lookout import OURS
from ..overview.requests import quoted
from ..rpc_errors import translate_rpc_errors
from ..summary import RunSummary

ListOrder = Literal["time", "cost"]
"""How runs may be listed."""

_ROOTS_AT_ONCE: Final = 50


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
            rows = [await ChatSummary.of(row) async for row in self.temporal.list_workflows(full, limit=limit)]
        return tuple(sorted(rows, key=_by_cost) if order == "cost" else rows)

    async def _with_nested(self, rows: Sequence[RunSummary]) -> Sequence[RunSummary]:
        """Add what nested runs under way have used.

        The run that started one knows that at its end.
        """
        open_ = [row.id for row in rows if row.status == RUNNING]
        costs: Counter[str] = Counter()
        tokens: Counter[str] = Counter()
        for first in range(0, len(open_), _ROOTS_AT_ONCE):
            roots = ", ".join(map(quoted, open_[first : first + _ROOTS_AT_ONCE]))
            query = f"RootWorkflowId IN ({roots}) AND ParentWorkflowId IS NOT NULL AND ExecutionStatus = 'Running'"
            async for row in self.temporal.list_workflows(query):
                one, root = RunSummary.of(row), Place(row.id).root
                costs[root] += one.cost_usd or 0.0  # type: ignore[assignment]
                tokens[root] += one.tokens or 0
        return [row.with_nested(costs[row.id], tokens[row.id]) if tokens[row.id] else row for row in rows]


def _by_cost(row: RunSummary | ChatSummary) -> tuple[float, int]:
    return (-(row.cost_usd or 0.0), -(row.tokens or 0))
