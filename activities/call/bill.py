"""What a call costs: priced as it is paid for, over all its attempts.

Must not know what is called.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any, Final

from pydantic import ValidationError
from temporalio import activity

from ...contracts.control.usage import Usage
from ...contracts.wire.totals import SPENT, Totals
from ..prices.price import Charge, PriceList
from .failure import told
from .tool_call import Report
from .user_code import UserCode

_LOG = logging.getLogger(__name__)

_LONGEST: Final = timedelta(seconds=5)


class Costs:
    """What calls cost, by the worker's price list.

    Args:
        price: The list.
        user: Where it is asked, as it may be anybody's function.
    """

    def __init__(self, price: PriceList, user: UserCode) -> None:
        self._price = price
        self._user = user

    async def of(self, charge: Charge) -> float | None:
        """Return US dollars for a call; None where its price is not known.

        Nothing may go wrong by it: the call is paid for.
        """
        usage = charge.usage
        if charge.price and (usage or charge.price.is_by_call):
            return charge.price.of(usage or Usage())
        if usage is None or not charge.has_price:
            return None
        try:
            if getattr(self._price, "never_blocks", False):
                return self._price(charge.provider, charge.model, usage)
            async with asyncio.timeout(_LONGEST.total_seconds()):
                cost = await self._user.aside(lambda: self._price(charge.provider, charge.model, usage))
                return None if cost is None else float(cost)
        except Exception as error:  # noqa: BLE001 - whatever a price list raises
            _LOG.warning("no price for %s/%s: %s", charge.provider, charge.model, told(error))
            return None


class Bill:
    """What an activity has spent so far, its earlier attempts included.

    Args:
        costs: What calls cost. None: nothing can be paid for here.
        report: Reports the activity's progress; every heartbeat has what was spent.
    """

    def __init__(self, costs: Costs | None, report: Report) -> None:
        self._costs = costs
        self._report = report
        self._totals = _spent_before()
        self._open: list[Charge] = []
        if self._totals != Totals():
            report(self._details(""))

    def charge(self, charge: Charge) -> None:
        """Take in a call that was answered."""
        self._open.append(charge)

    async def totals(self) -> Totals:
        """Return what was spent."""
        while self._open:
            cost = await self._costs.of(self._open[0]) if self._costs else None
            charge = self._open.pop(0)
            charge.cost = Totals.call(charge.usage or Usage(), cost)
            self._totals += charge.cost
        return self._totals

    async def progress(self, words: str) -> None:
        """Report how far it is, with what was spent."""
        await self.totals()
        self._report(self._details(words))

    async def keep(self) -> tuple[Totals, ...]:
        """Tell the next attempt what was spent, whichever worker makes it.

        Return it, where it is anything: the detail of a failure.
        """
        if await self.totals() == Totals():
            return ()
        activity.heartbeat(self._details(""))
        return (self._totals,)

    def _details(self, words: str) -> dict[str, Any]:
        return {SPENT: self._totals.model_dump(mode="json"), "at": words}


def _spent_before() -> Totals:
    details = activity.info().heartbeat_details
    said = details[0] if details else None
    if not isinstance(said, dict) or SPENT not in said:
        return Totals()
    try:
        return Totals.model_validate(said[SPENT])
    except ValidationError:  # of another version
        return Totals()
