"""Looks up what the models of nested runs cost, where nobody has before."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from ...activities.prices.look_up import PriceActivities
from ...contracts.control.budget import Budget
from ...contracts.control.price import Price
from ...contracts.control.priced import priced_for_budgets, unpriced
from ...contracts.errors import SpecError
from ...contracts.specs.node import Node
from ...contracts.wire.control.prices import PricesAsked
from ...contracts.wire.places import Place
from .. import policy
from ..concurrency import told_by

RunsT = TypeVar("RunsT", bound=Node)


class Prices:
    """The prices that one workflow has looked up, each once.

    They are in force to its end. What a client starts has them already, and what a workflow of somebody's own starts no
    client has seen.
    """

    def __init__(self) -> None:
        self._known: dict[str, Price | None] = {}
        self._asking = asyncio.Lock()

    async def filled(self, runnable: RunsT, budget: Budget | None, place: Place) -> tuple[RunsT, Budget | None]:
        """Return what begins, with prices where a budget counts US dollars.

        Args:
            runnable: What begins.
            budget: What whoever starts it allows.
            place: Where it begins.

        Raises:
            SpecError: The price of a model is not known; names it.
            asyncio.CancelledError: The workflow is being cancelled.
        """
        if not (wanted := unpriced(runnable, budget)):
            return runnable, budget
        async with self._asking:
            if missing := tuple(name for name in wanted if name not in self._known):
                await self._look_up(missing, place)
        return priced_for_budgets(runnable, budget, self._known.get)

    async def _look_up(self, models: tuple[str, ...], place: Place) -> None:
        try:
            found = await workflow.execute_local_activity_method(
                PriceActivities.look_up,
                PricesAsked(models=models),
                activity_id=place.prices(),
                **policy.prices_policy(),
            )
        except FailureError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from None
            raise SpecError(told_by(error)) from None
        self._known |= {**dict.fromkeys(models), **{one.model: one.price for one in found.prices}}
