"""What a model call costs, by the price list of `genai-prices` as installed.

Must not fetch prices over the network.
"""

from __future__ import annotations

from ..activities.prices.price import never_blocks
from ..contracts.control.usage import Usage
from ..contracts.names import LOCAL_PROVIDER


def cost_usd(provider: str, model: str, usage: Usage) -> float | None:
    """Return US dollars for a model's usage at today's list price.

    None where no price is known, 0 for the local model.

    Args:
        provider: Name of the provider. A compatible one is priced where it has its usual name, such as `groq`.
        model: The model's name as the provider reports it.
        usage: Of one call: many prices depend on the length of the prompt.
    """
    if provider == LOCAL_PROVIDER:
        return 0.0
    # The price list takes a fifth of a second to import, and a worker that only runs tools never needs it.
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    # From now on: only that import takes its time.
    never_blocks(cost_usd)
    priced = PricedUsage(
        # Like ours, these count the cached tokens among the input, and the reasoning among the output.
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        web_searches=usage.web_searches,
    )
    try:
        return float(calc_price(priced, model, provider_id=provider).total_price)
    except (LookupError, ValueError):  # not in the list; or counts that contradict each other
        return None
