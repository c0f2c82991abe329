"""Fills in what the models of a runnable cost.

So its run is charged by the prices that it began with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..collection.collection import Collection
from ..contract import Spec
from ..errors import SpecError
from ..model import Model
from ..specs.node import Node
from .budget import Budget
from .price import HOW_TO_PRICE, Price

PricedT = TypeVar("PricedT", bound=Spec)
NodeT = TypeVar("NodeT", bound=Node)

_OR_ELSE: Final = "or limit tokens, and take the ledger out where the budget has one: that always counts dollars"

ListPrice = Callable[[str], Price | None]
"""Returns what `provider/model` costs by a price list; None where it is not known."""


def priced(spec: PricedT, list_price: ListPrice) -> PricedT:
    """Return a runnable or a budget whose models have their prices.

    Args:
        spec: What has models, at any depth.
        list_price: The price list, for models that say no price themselves.

    Raises:
        SpecError: The price of a model is not known; names it.
    """
    made: PricedT = _each(spec, list_price)
    return made


def priced_for_budgets(runnable: NodeT, budget: Budget | None, list_price: ListPrice) -> tuple[NodeT, Budget | None]:
    """Return what begins, with prices where a budget counts US dollars.

    Args:
        runnable: What begins.
        budget: What whoever starts it allows.
        list_price: The price list.

    Raises:
        SpecError: The price of a model is not known; names it.
    """
    if not counts_usd(budget, *(node.budget for node in runnable.walk())):
        return runnable, budget
    return priced(runnable, list_price), budget and priced(budget, list_price)


def unpriced(runnable: Node, budget: Budget | None) -> tuple[str, ...]:
    """Return the names of models whose price a list has to say, each once.

    There are none where no budget counts US dollars.

    Raises:
        SpecError: No list can know the price of one.
    """
    found: dict[str, None] = {}

    def note(name: str) -> Price:
        found[name] = None
        return Price(input=0, output=0)

    priced_for_budgets(runnable, budget, note)
    return tuple(found)


def counts_usd(*budgets: Budget | None) -> bool:
    """Return whether one of the budgets counts US dollars, as a ledger always does."""
    return any(budget is not None and (budget.usd is not None or budget.ledger is not None) for budget in budgets)


def _each(value: Any, list_price: ListPrice) -> Any:
    if isinstance(value, Model):
        return _priced(value, list_price)
    if isinstance(value, Collection):
        return _priced_collection(value, list_price)
    if isinstance(value, Spec):
        changes = {field: new for field, old in value if (new := _each(old, list_price)) is not old}
        return value.model_copy(update=changes) if changes else value
    if isinstance(value, tuple):
        made = tuple(_each(item, list_price) for item in value)
        return made if any(one is not other for one, other in zip(made, value, strict=True)) else value
    return value


def _priced(model: Model, list_price: ListPrice) -> Model:
    fallbacks = tuple(_priced(fallback, list_price) for fallback in model.fallbacks)
    if model.price:
        return model.model_copy(update={"fallbacks": fallbacks})
    if model.service_tier:
        tier = f"service tier {model.service_tier!r}"
        raise SpecError(
            f"{model.name}: a budget counts US dollars, and no list has the price of its {tier}: {HOW_TO_PRICE}"
        )
    price = list_price(model.name)
    if price is None:
        raise SpecError(
            f"{model.name}: a budget counts US dollars, and the price of this model is not known: {HOW_TO_PRICE}, "
            f"{_OR_ELSE}"
        )
    return model.model_copy(update={"price": price, "fallbacks": fallbacks})


def _priced_collection(collection: Collection, list_price: ListPrice) -> Collection:
    prices = dict(collection.prices)
    for name in collection.paid:
        price = prices.get(name) or list_price(name)
        if price is None:
            raise SpecError(
                f"Collection {collection.name!r}: a budget counts US dollars, and the price of {name} is not known: "
                f"write Collection(…, prices={{{name!r}: Price(input=…, output=0)}}), {_OR_ELSE}"
            )
        prices[name] = price
    return collection.model_copy(update={"prices": prices}) if prices != collection.prices else collection
