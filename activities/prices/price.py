"""What models cost: the one price list that a worker is given.

For its bills and for comparing models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ...contracts.control.price import Price
from ...contracts.control.usage import Usage
from ...contracts.errors import ModelError, UnreadableAnswer
from ...contracts.wire.totals import Totals

PriceList = Callable[[str, str, Usage], float | None]
"""Cost of a model call in US dollars, by provider, model and usage; None where unknown."""


@dataclass(slots=True)
class Charge:
    """A call that was answered, and so is to be paid for."""

    provider: str
    model: str
    """Its name as the provider reports it, without the provider."""
    usage: Usage | None
    """None: the provider did not tell."""
    has_price: bool = True
    """Whether the price list may know it. Services that bill by other units than tokens are in none."""
    price: Price | None = None
    """What whoever asks says that it costs."""
    cost: Totals | None = field(default=None, compare=False)
    """What it came to, once a bill has added it up."""


OnCharge = Callable[[Charge], None]
"""Takes note of each call that is to be paid for, as soon as it was answered. Must not block."""


def charge_failed(error: ModelError, provider: str, model: str, charge: OnCharge) -> None:
    """Take note of an answer that came, whole or in part, and is none.

    It is paid for, nobody knows how much. Other failures cost nothing.
    """
    if error.paid or isinstance(error, UnreadableAnswer):
        charge(Charge(provider, model, None))


P = TypeVar("P", bound=PriceList)


def never_blocks(price: P) -> P:
    """Mark a price function that is quick, and so needs no thread of its own."""
    price.never_blocks = True  # type: ignore[attr-defined]
    return price


def price_to_compare(price: PriceList, model: str) -> float | None:
    """Return US dollars for a million tokens in and a million out; None where unknown.

    Args:
        price: Cost of a model call.
        model: `provider/model`.
    """
    provider, _, name = model.partition("/")
    # Of a short call: many prices rise with the length of the prompt.
    cost = price(provider, name, Usage(input_tokens=1_000, output_tokens=1_000))
    return None if cost is None else round(cost * 1_000, 6)
