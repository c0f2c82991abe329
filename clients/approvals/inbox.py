"""What waits for a person in all runs and chats."""

from __future__ import annotations

from collections.abc import AsyncIterator

from temporalio.client import Client as TemporalClient
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from ...contracts.wire.control.approval_event import PendingApproval
from ...history.reading.tree import RunAddress, TreePart
from ..rpc_errors import translate_rpc_errors
from .approval_calls import pending_in


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
            found = [one async for one in _pending_anywhere(self.temporal, query, limit)]
        return tuple(sorted((one for one in found if group in (None, one.group)), key=lambda one: one.since))


async def _pending_anywhere(temporal: TemporalClient, query: str | None, limit: int) -> AsyncIterator[PendingApproval]:
    full = f"{names.SEARCH_AWAITING} = '{names.AWAITS_APPROVAL}' AND ExecutionStatus = 'Running'"
    if query:
        full += f" AND ({query})"
    async for row in temporal.list_workflows(full, limit=limit):
        try:
            part = await TreePart.read(temporal, RunAddress(row.id, (row.run_id,)))
        except RPCError as error:
            # It has ended since, and was past the retention time.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            continue
        for one in pending_in([part]):
            yield one
