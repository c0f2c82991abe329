"""Finds out what a run spent that ended without telling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import activity
from temporalio.client import Client

from ...contracts import names
from ...contracts.wire.control.spent import Spent, SpentQuery
from ..call.heartbeat import heartbeats

ReadSpent = Callable[[Client, str], Awaitable[Spent]]
"""Reads from the histories of a run, and of what is nested in it, what they spent."""


class SpendingActivities:
    """What this worker can find out of runs that ended without telling.

    Args:
        read: Reads it.
    """

    def __init__(self, read: ReadSpent) -> None:
        self._read = read

    @activity.defn(name=names.SPENT_ACTIVITY)
    async def spent(self, query: SpentQuery) -> Spent:
        """Return what a run spent.

        Repeatable: it only reads. Raises what the server raises, and where something of it has not ended yet, which is
        retried. Heartbeats on its own. Costs nothing.
        """
        async with heartbeats():
            return await self._read(activity.client(), query.run_id)
