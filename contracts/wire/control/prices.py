"""What models cost, as a workflow asks for it."""

from __future__ import annotations

from ...contract import Contract
from ...control.price import Price


class PricesAsked(Contract):
    """Models that say no price, of a run that a budget of US dollars limits."""

    models: tuple[str, ...]
    """Each as `provider/model`."""


class ListedPrice(Contract):
    """What a model costs by a price list."""

    model: str
    """`provider/model`."""
    price: Price


class PricesFound(Contract):
    """Their prices: they are in force for all that the workflow starts."""

    prices: tuple[ListedPrice, ...] = ()
    """Without those that the list does not know."""
