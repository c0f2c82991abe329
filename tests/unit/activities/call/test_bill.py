"""What calls cost is added up over the attempts of an activity, and an unknown price is not taken for none."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from sostenuto.activities.call.bill import Bill, Costs
from sostenuto.activities.call.user_code import UserCode
from sostenuto.activities.prices.price import Charge
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.wire.totals import Totals

PAID = Charge("acme", "m", Usage(input_tokens=10))
SPENT = {"spent": {"usage": {"input_tokens": 5}, "cost_usd": 1.0, "unpriced_calls": 2}, "at": "1 of 2"}


def price(provider: str, model: str, usage: Usage) -> float | None:
    """Of each call, unless it fails."""
    if model == "broken":
        raise RuntimeError("no list today")
    return None if model == "unknown" else 0.5


async def billed(*charges: Charge, before: tuple[Any, ...] = ()) -> tuple[Totals, list[Any], list[Any]]:
    """What is on the bill, what is reported, and what heartbeats say at the end."""
    user = UserCode(1)
    reported: list[Any] = []
    beats: list[Any] = []

    async def activity() -> Totals:
        bill = Bill(Costs(price, user), reported.append)
        for charge in charges:
            bill.charge(charge)
        await bill.progress("2 of 2")
        await bill.keep()
        return await bill.totals()

    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_details=before)
    environment.on_heartbeat = lambda *details: beats.extend(details)
    try:
        return await environment.run(activity), reported, beats
    finally:
        user.close()


async def test_each_attempt_adds_to_what_those_before_have_spent() -> None:
    totals, reported, beats = await billed(PAID, PAID, before=(SPENT,))
    assert totals == Totals(usage=Usage(input_tokens=25), cost_usd=2.0, unpriced_calls=2)
    assert reported[0] == {"spent": SPENT["spent"], "at": ""}, "told again before anything goes wrong"
    assert reported[1]["at"] == "2 of 2"
    assert [Totals.model_validate(beat["spent"]) for beat in beats] == [totals]


@pytest.mark.parametrize(
    "charge",
    [
        Charge("acme", "unknown", Usage(input_tokens=10)),
        Charge("acme", "broken", Usage(input_tokens=10)),
        dataclasses.replace(PAID, has_price=False),
    ],
)
async def test_a_price_that_is_not_known_is_counted(charge: Charge) -> None:
    totals, _, _ = await billed(charge)
    assert totals == Totals(usage=Usage(input_tokens=10), unpriced_calls=1)


async def test_usage_that_was_not_told_is_counted() -> None:
    totals, _, _ = await billed(dataclasses.replace(PAID, usage=None))
    assert totals == Totals(unpriced_calls=1)


@pytest.mark.parametrize("before", [(), ("3 of 4 passages",), ({"paid": 1},), ({"spent": {"usage": 3}},)])
async def test_what_is_none_of_it_is_passed_over(before: tuple[Any, ...]) -> None:
    assert await billed(before=before) == (Totals(), [{"spent": {}, "at": "2 of 2"}], [])
