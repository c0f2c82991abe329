"""What models cost, by the price list of `genai-prices` as installed.

Must not fetch prices over the network, or be asked by a workflow.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from ...contracts.control.price import LongPrice, Price
from ...contracts.errors import SetupError
from ...contracts.names import LOCAL_PROVIDER

_UNITS: Final = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached",
    "cache_write_mtok": "cache_write",
    "requests_kcount": "request",
    "web_searches_kcount": "web_search",
}
_TIERED: Final = ("input", "output", "cached", "cache_write")


def list_price(name: str) -> Price | None:
    """Return what a model costs today.

    None where the list does not know it, or by other units than ours.

    Args:
        name: `provider/model`.

    Raises:
        SetupError: The list is not installed.
    """
    provider, _, model = name.partition("/")
    if provider == LOCAL_PROVIDER:
        return Price(input=0, output=0)
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        raise SetupError(
            f"the price of {name} is looked up in a list that is not installed: pip install 'sostenuto[worker]', or "
            "give the model a price"
        ) from None
    try:
        found = calc_price(Usage(input_tokens=1, output_tokens=1), model, provider_id=provider)
    except (LookupError, ValueError):
        return None
    return _price(found.model.get_prices(datetime.now(UTC)))


def _price(listed: Any) -> Price | None:
    rates = {_UNITS[unit]: rate for unit, rate in vars(listed).items() if unit in _UNITS and rate is not None}
    if "input" not in rates:
        return None
    # What has no price of answers, as embeddings, has none to be paid.
    rates.setdefault("output", 0.0)
    starts = sorted({tier.start for rate in rates.values() for tier in getattr(rate, "tiers", ())})
    longer = [LongPrice(over_tokens=start, **_at(rates, start)) for start in starts]
    fees = {unit: float(rate) for unit, rate in rates.items() if unit not in _TIERED}
    return Price(**_at(rates, 0), **fees, longer=longer)


def _at(rates: dict[str, Any], tokens: int) -> dict[str, Any]:
    """Return the rates for a prompt of more than so many tokens."""
    found = {}
    for unit in _TIERED:
        if (rate := rates.get(unit)) is None:
            continue
        tiers = [tier.price for tier in getattr(rate, "tiers", ()) if tier.start <= tokens]
        found[unit] = float(tiers[-1] if tiers else getattr(rate, "base", rate))
    return found
