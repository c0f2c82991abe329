"""Looks up what models cost, for workflows of which no client sees what they run."""

from __future__ import annotations

import asyncio

from temporalio import activity

from ...contracts import names
from ...contracts.control.priced import ListPrice
from ...contracts.errors import SetupError
from ...contracts.wire.control.prices import ListedPrice, PricesAsked, PricesFound
from ..call.failure import failure


class PriceActivities:
    """The price list of this worker.

    Args:
        list_price: What a model costs by it.
    """

    def __init__(self, list_price: ListPrice) -> None:
        self._list_price = list_price

    @activity.defn(name=names.PRICES_ACTIVITY)
    async def look_up(self, asked: PricesAsked) -> PricesFound:
        """Return what the models cost today.

        Run within a workflow task, what it returns is one event of the history. Repeatable, costs nothing. Fails where
        the list is not installed.
        """
        try:
            # The list is large, and read at its first use.
            found = [(name, await asyncio.to_thread(self._list_price, name)) for name in asked.models]
        except SetupError as error:
            raise failure(error, str(error), kind=type(error).__name__, retryable=False) from None
        return PricesFound(prices=tuple(ListedPrice(model=name, price=price) for name, price in found if price))
