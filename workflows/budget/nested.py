"""Charges what a nested run spent, also of one that ended without telling."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError

from ...activities.control.spending import SpendingActivities
from ...contracts.text import first_line
from ...contracts.wire.control.spent import Spent, SpentQuery
from ...contracts.wire.places import Place
from ...contracts.wire.run import Result
from .. import policy
from .amount import Amount
from .hold import Hold


async def settle_nested(hold: Hold, result: Result, place: Place, run_id: str) -> Result:
    """Charge what a nested run spent; return its result with that.

    Of one that was terminated its history tells. Where nobody can read that, all is charged that it was given.

    Args:
        hold: What it was given.
        result: What it came to.
        place: Where it runs.
        run_id: Its id.
    """
    if not result.ended_unheard:
        hold.settle(Amount.of(result.totals, result.turns))
        return result
    try:
        spent = await _read(place, run_id)
    except (FailureError, asyncio.CancelledError):
        # A cancel ends it as well, and what it is charged with stands in its result all the same.
        return result.model_copy(update={"unsettled": hold.lose().unsettled})
    hold.settle(Amount.of(spent.totals, spent.turns))
    return result.model_copy(update={**dict(spent.totals), "turns": spent.turns})


async def _read(place: Place, run_id: str) -> Spent:
    return await workflow.execute_activity_method(
        SpendingActivities.spent,
        SpentQuery(run_id=run_id),
        activity_id=place.spending(),
        summary=f"what {first_line(place.name, 80)} spent",
        **policy.reading_policy(),
    )
