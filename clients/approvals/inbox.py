"""What waits for a person, or for money, in all runs and chats."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from temporalio.client import Client as TemporalClient
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from ...contracts.wire.control.approval_event import PendingApproval
from ...contracts.wire.control.top_up import PendingTopUp
from ...history.reading.tree import RunAddress, TreePart
from ..rpc_errors import translate_rpc_errors
from .approval_calls import pending_in
from .top_up_calls import lacking_in


class Inbox:
    """The part of a `Client` that is about calls that wait for a person."""

    temporal: TemporalClient

    async def approvals(
        self, query: str | None = None, *, group: str | None = None, limit: int = 100
    ) -> tuple[PendingApproval, ...]:
        """Return the calls that wait for a person anywhere, the oldest first.

        In all runs and chats, nested ones too.
        A call that began to wait just now may be missing for about a second. To decide one:
        `(await client.get(call.run_id)).approve(call.call_id, by=...)`.

        Args:
            query: A Temporal visibility query, such as `SostenutoTenant = 'acme'`.
            group: Whose yes is wanted. Default: anybody's.
            limit: Most workflows to look into, those first that began last.

        Raises:
            SpecError: The query is wrong; says where.
            SetupError: The server is away, denies access, or the namespace lacks our search attributes.
        """
        with translate_rpc_errors("the list of approvals"):
            # A run in which both wait is listed by its approvals.
            some = [part async for part in _awaiting(self.temporal, (names.AWAITS_APPROVAL,), query, limit)]
        found = (one for one in pending_in(some) if group in (None, one.group))
        return tuple(sorted(found, key=lambda one: one.since))

    async def top_ups(self, query: str | None = None, *, limit: int = 100) -> tuple[PendingTopUp, ...]:
        """Return the budgets that wait for a top-up anywhere, the oldest first.

        To allow one more: `(await client.get(one.run_id)).top_up(usd=..., by=...)`. Where one has a `ledger`, that is
        to be topped up: `client.ledgers.top_up(one.ledger, usd=..., by=...)`.

        Args:
            query: A Temporal visibility query, as for `approvals`.
            limit: Most workflows to look into, those first that began last.

        Raises:
            SpecError: The query is wrong; says where.
            SetupError: The server is away, denies access, or the namespace lacks our search attributes.
        """
        kinds = (names.AWAITS_TOP_UP, names.AWAITS_APPROVAL)
        with translate_rpc_errors("the list of top-ups"):
            some = [part async for part in _awaiting(self.temporal, kinds, query, limit)]
        return tuple(sorted(lacking_in(some), key=lambda one: one.since))


async def _awaiting(
    temporal: TemporalClient, kinds: Sequence[str], query: str | None, limit: int
) -> AsyncIterator[TreePart]:
    any_of = ", ".join(f"'{kind}'" for kind in kinds)
    full = f"{names.SEARCH_AWAITING} IN ({any_of}) AND ExecutionStatus = 'Running'"
    if query:
        full += f" AND ({query})"
    async for row in temporal.list_workflows(full, limit=limit):
        try:
            yield await TreePart.read(temporal, RunAddress(row.id, (row.run_id,)))
        except RPCError as error:
            # It has ended since, and was past the retention time.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
