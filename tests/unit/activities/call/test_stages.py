"""What a step asks of models is one stage for each, with its time and its cost."""

from __future__ import annotations

from contextlib import suppress

from temporalio.testing import ActivityEnvironment

from sostenuto.activities.call.bill import Bill, Costs
from sostenuto.activities.call.stages import StageClock
from sostenuto.activities.call.user_code import UserCode
from sostenuto.activities.prices.price import Charge
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.wire.totals import StepStage, Totals


def _charge(tokens: int, model: str = "e") -> Charge:
    return Charge("acme", model, Usage(input_tokens=tokens))


async def _stages() -> tuple[tuple[StepStage, ...], Totals]:
    prices = {"e": 0.25}
    bill = Bill(Costs(lambda _, model, __: prices.get(model), UserCode()), lambda _: None)
    clock = StageClock(bill.charge)
    bill.charge(_charge(1))
    for tokens in (10, 20):
        with clock.stage("embeddings", "acme/e") as charge:
            charge(_charge(tokens))
    with suppress(ValueError), clock.stage("rerank", "model:acme/m") as charge:
        charge(_charge(5, "m"))
        raise ValueError("it is away")
    totals = await bill.totals()
    return clock.stages(), totals


async def test_each_model_is_a_stage_with_all_that_it_was_asked() -> None:
    (embeddings, rerank), totals = await ActivityEnvironment().run(_stages)
    assert (embeddings.kind, embeddings.model, embeddings.usage.input_tokens) == ("embeddings", "acme/e", 30)
    assert (embeddings.cost_usd, embeddings.unpriced_calls) == (0.5, 0)
    assert (rerank.usage.input_tokens, rerank.cost_usd, rerank.unpriced_calls) == (5, 0.0, 1)
    assert 0 <= embeddings.after_seconds <= rerank.after_seconds
    # What was asked beside them is in the sum alone.
    assert totals - (embeddings.totals + rerank.totals) == Totals(usage=Usage(input_tokens=1), cost_usd=0.25)


def test_what_is_left_beside_a_part_is_never_less_than_nothing() -> None:
    whole, part = (
        Totals(usage=Usage(input_tokens=3), cost_usd=0.1 + 0.2),
        Totals(usage=Usage(input_tokens=5), cost_usd=0.3),
    )
    assert whole - part == Totals()
