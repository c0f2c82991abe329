"""What calls of a model cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from ..contract import Contract, Spec, arguments, as_tuple
from .usage import Usage

HOW_TO_PRICE = "write Model('provider/model', price=Price(input=…, output=…))"
"""What to do about a model whose price nobody knows."""

_MILLION = 1_000_000
_THOUSAND = 1_000


class LongPrice(Contract):
    """What calls with a longer prompt cost, as `Price` has it."""

    over_tokens: int = Field(ge=1)
    """Input tokens from which on it counts for all tokens of a call."""
    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    cache_write: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Price(Spec):
    """What a model costs, in US dollars for a million tokens.

    `Price(input=3, output=15, cached=0.3)`.
    """

    input: float = Field(ge=0, allow_inf_nan=False)
    """For tokens of the prompt."""
    output: float = Field(ge=0, allow_inf_nan=False)
    """For tokens of the answer, reasoning included."""
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """For those of the prompt that the provider's cache had. None: as any others."""
    cache_write: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """For those that were written to its cache. None: as any others."""
    request: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """For a thousand calls."""
    web_search: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """For a thousand searches of the web by the provider."""
    longer: tuple[LongPrice, ...] = ()
    """Prices of longer prompts, the shortest first."""

    def __init__(
        self,
        *,
        input: float,
        output: float,
        cached: float | None = None,
        cache_write: float | None = None,
        request: float = 0.0,
        web_search: float = 0.0,
        longer: Iterable[LongPrice] = (),
        **unknown: Any,
    ) -> None:
        self._construct({**arguments(locals()), "longer": as_tuple(longer, "Price: longer")})

    @property
    def is_by_call(self) -> bool:
        """Whether a call costs the same however long it is."""
        return not (self.input or self.output or self.longer)

    def of(self, usage: Usage) -> float:
        """Return US dollars for one call."""
        rate = next((one for one in reversed(self.longer) if usage.input_tokens > one.over_tokens), None) or self
        plain = max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
        tokens = (
            plain * rate.input
            + usage.cached_tokens * _or(rate.cached, rate.input)
            + usage.cache_write_tokens * _or(rate.cache_write, rate.input)
            + usage.output_tokens * rate.output
        )
        return tokens / _MILLION + self._fees(usage.web_searches)

    def most(self, input_tokens: int, output_tokens: int, web_searches: int = 0) -> float:
        """Return the most US dollars that a call with at most so many tokens can cost."""
        fees = self._fees(web_searches)
        return max(
            (input_tokens * _dearest(rate) + output_tokens * rate.output) / _MILLION + fees
            for rate in self._rates(input_tokens)
        )

    def output_tokens(self, usd: float, input_tokens: int, web_searches: int = 0) -> int:
        """Return how many tokens of answer US dollars are enough for.

        After a prompt of so many tokens, with so many searches of the web.
        """
        rates = self._rates(input_tokens)
        left = min(usd - input_tokens * _dearest(rate) / _MILLION for rate in rates) - self._fees(web_searches)
        dearest = max(rate.output for rate in rates)
        if left < 0:
            return 0
        return int(left * _MILLION / dearest) if dearest else _MILLION

    def _rates(self, input_tokens: int) -> list[Price | LongPrice]:
        return [self, *(one for one in self.longer if input_tokens > one.over_tokens)]

    def _fees(self, web_searches: int) -> float:
        return (self.request + web_searches * self.web_search) / _THOUSAND


def _dearest(rate: Price | LongPrice) -> float:
    """Return the price of a token of the prompt in the worst case.

    That is that it is written to the cache.
    """
    return max(rate.input, _or(rate.cache_write, 0.0), _or(rate.cached, 0.0))


def _or(price: float | None, other: float) -> float:
    return other if price is None else price
