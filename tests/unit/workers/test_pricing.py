"""Prices: the cached part of the input is paid as cached, and an unknown price is not taken for none."""

import pytest

from sostenuto.activities.prices.price import price_to_compare
from sostenuto.contracts.control.usage import Usage
from sostenuto.workers.pricing import cost_usd

MILLION = Usage(input_tokens=100_000, cached_tokens=60_000, output_tokens=10_000, reasoning_tokens=4_000)


@pytest.mark.parametrize(("provider", "model"), [("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-5.1")])
def test_cached_input_costs_less_and_reasoning_no_more(provider: str, model: str) -> None:
    fresh = MILLION.model_copy(update={"cached_tokens": 0})
    plain = MILLION.model_copy(update={"reasoning_tokens": 0})
    cached, uncached, unreasoned = (cost_usd(provider, model, usage) for usage in (MILLION, fresh, plain))
    assert cached
    assert uncached
    assert 0 < cached < uncached
    assert cached == unreasoned


def test_a_price_is_the_sum_of_its_parts() -> None:
    usage = Usage(input_tokens=1000, cached_tokens=500, cache_write_tokens=100, output_tokens=100)
    expected = (400 * 3 + 500 * 0.3 + 100 * 3.75 + 100 * 15) / 1e6
    assert cost_usd("anthropic", "claude-sonnet-4-5-20250929", usage) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("provider", "model"), [("nowhere", "gpt-5.1"), ("openai", "no-such-model"), ("scripted", "x")]
)
def test_an_unknown_price_is_none(provider: str, model: str) -> None:
    assert cost_usd(provider, model, MILLION) is None


def test_the_local_model_costs_nothing() -> None:
    assert cost_usd("local", "anything", MILLION) == 0.0


def test_a_call_that_used_nothing_costs_nothing() -> None:
    assert cost_usd("openai", "gpt-5.1", Usage()) == 0.0


def test_counts_that_contradict_each_other_have_no_price() -> None:
    """Compatible servers count as they like; that is not a reason to lose an answer that was paid for."""
    assert cost_usd("openai", "gpt-5.1", Usage(input_tokens=10, cached_tokens=500)) is None


def test_models_are_compared_by_a_million_tokens_in_and_out() -> None:
    assert price_to_compare(cost_usd, "anthropic/claude-sonnet-4-5") == pytest.approx(3 + 15)
    assert price_to_compare(cost_usd, "local/anything") == 0.0
    assert price_to_compare(cost_usd, "scripted/x") is None
