"""Starts ledgers, and finds out which runs that have something of one have ended."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from ...contracts.control.ledger import ledger_workflow_id
from ...contracts.wire.control.ledger import EndedHolder, EndedHolders, LedgerBlock, LedgerHolders, LedgerInput
from ...contracts.wire.control.share import Portion
from ..call.heartbeat import heartbeats
from .spending import ReadSpent

_AT_ONCE = 16
"""Runs that are looked for at once."""


class LedgerActivities:
    """What a worker does for ledgers.

    Args:
        read: Reads from the histories of a run, and of what is nested in it, what they spent.
        task_timeout: How long a workflow task of a ledger may take.
    """

    def __init__(self, read: ReadSpent, task_timeout: timedelta) -> None:
        self._read = read
        self._task_timeout = task_timeout

    @activity.defn(name=names.LEDGER_OPEN_ACTIVITY)
    async def open(self, ledger: LedgerInput) -> None:
        """Start a ledger where it is not there.

        Repeatable. Raises what the server raises. Heartbeats on its own. Costs nothing.
        """
        async with heartbeats():
            await activity.client().start_workflow(
                names.LEDGER_WORKFLOW,
                ledger,
                id=ledger_workflow_id(ledger.name),
                task_queue=names.LEDGER_QUEUE,
                task_timeout=self._task_timeout,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"ledger {ledger.name}",
            )

    @activity.defn(name=names.LEDGER_HOLDERS_ACTIVITY)
    async def holders(self, asked: LedgerHolders) -> EndedHolders:
        """Return which of some runs have ended, and what each of them spent in all.

        Of one that cannot be read now nothing is said, as of one that goes on. Repeatable: it only reads. Heartbeats on
        its own. Costs nothing.
        """
        client, turns = activity.client(), asyncio.Semaphore(_AT_ONCE)

        async def look(block: LedgerBlock) -> EndedHolder | None:
            async with turns:
                try:
                    return await self._ended(client, block)
                except Exception:  # noqa: BLE001 - one history that cannot be read must not hide the others
                    activity.logger.warning("cannot tell whether run %r goes on", block.run_id, exc_info=True)
                    return None

        async with heartbeats():
            found = await asyncio.gather(*map(look, asked.blocks))
        return EndedHolders(ended=tuple(one for one in found if one))

    async def _ended(self, client: Client, block: LedgerBlock) -> EndedHolder | None:
        """Return what a run spent; None where it goes on, or something of it does."""
        gone = EndedHolder(run_id=block.run_id, execution=block.execution)
        try:
            newest = await client.get_workflow_handle(block.run_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return gone
        if newest.raw_info.first_run_id != block.execution:
            # What has its id now is another run.
            return gone
        if newest.close_time is None:
            return None
        try:
            spent = await self._read(client, block.run_id)
        except ApplicationError as error:
            return gone if error.non_retryable else None
        usd, tokens, calls = spent.totals.charged
        return gone.model_copy(update={"spent": Portion(usd=usd, tokens=tokens, turns=spent.turns + calls)})
