"""A router's decision.

Runs beside the workflow as a local activity, so it must be quick, and calls no model.
"""

from __future__ import annotations

import asyncio

from temporalio import activity

from ...contracts import names
from ...contracts.errors import SetupError, SpecError
from ...contracts.wire.route_call import RouteCall, RouteChoice
from ..call.failure import failure
from ..prices.price import PriceList
from .complexity import cheapest_adequate
from .embedding import Closeness, Embedder
from .rules import first_that_holds
from .said_by_model import said_by_model


class RouteActivities:
    """Decisions of routers, by every strategy.

    Args:
        embedder: Compares meanings. None: this worker has none, and routers that need it fail.
        price: Cost of a model call, the same that the worker bills by.
    """

    def __init__(self, embedder: Embedder | None, price: PriceList) -> None:
        self._closeness = Closeness(embedder)
        self._price = price

    @activity.defn(name=names.ROUTE_ACTIVITY)
    async def decide(self, call: RouteCall) -> RouteChoice:
        """Decide which route an input takes, with the reason.

        Repeatable: the same input gets the same answer. Raises failures that are never retried: `SpecError` for a rule
        that cannot be evaluated, `SetupError` for a missing embedder, each saying what to do; anything else is a bug.
        Sends no heartbeats, and costs no more than the embedding of one text.
        """
        try:
            return _settled(call, await self._found(call))
        except (SpecError, SetupError) as error:
            message = f"strategy {call.strategy!r}: {error}"
            raise failure(error, message, kind=type(error).__name__, retryable=False) from None
        except Exception as error:  # noqa: BLE001 - a local activity that is retried for ever would hang its run
            message = f"strategy {call.strategy!r}: {type(error).__name__}: {error}"
            raise failure(error, message, kind=type(error).__name__, retryable=False) from None

    async def _found(self, call: RouteCall) -> RouteChoice:
        match call.strategy:
            case "model":
                return said_by_model(call)
            case "embedding":
                return await self._closeness.closest(call)
            case "rules":
                return await asyncio.to_thread(first_that_holds, call)
            case "complexity":
                return await asyncio.to_thread(cheapest_adequate, call, self._price)


def _settled(call: RouteCall, found: RouteChoice) -> RouteChoice:
    """Return what was found, or the default.

    The default, where nothing was found or it is not sure enough.
    """
    if found.route and found.confidence >= call.threshold:
        return found
    otherwise = ": the default" if call.default else ", and there is no default"
    reason = found.reason
    if found.route:
        below = f"{found.confidence:.2f} for {found.route!r} is below the threshold {call.threshold:g}"
        reason = f"{below} ({found.reason})"
    return found.model_copy(update={"route": call.default, "reason": f"{reason}{otherwise}"})
