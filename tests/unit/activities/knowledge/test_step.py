"""What is around every step: whatever ends one, what was paid for is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from sostenuto.activities.call.bill import Costs
from sostenuto.activities.call.user_code import UserCode
from sostenuto.activities.knowledge.step import step
from sostenuto.activities.prices.price import Charge
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.wire.totals import Totals

SPENT = Totals(usage=Usage(input_tokens=10), cost_usd=0.5)


async def ended(error: BaseException) -> tuple[BaseException, list[Any]]:
    """What a step ends with that pays and then meets the error, and what its heartbeats say."""
    user = UserCode(1)
    beats: list[Any] = []

    async def activity() -> None:
        async with step("ToolFailed", costs=Costs(lambda *_: 0.5, user)) as bill:
            bill.charge(Charge("acme", "m", Usage(input_tokens=10)))
            raise error

    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.extend(details)
    try:
        with pytest.raises(BaseException) as raised:  # noqa: PT011 - a cancel is none of the others
            await environment.run(activity)
    finally:
        user.close()
    return raised.value, beats


async def test_a_bug_tells_what_was_paid_for_and_is_no_longer_unlimited() -> None:
    error, beats = await ended(KeyError("characters"))
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message, error.details) == ("ToolFailed", "KeyError: 'characters'", (SPENT,))
    assert [Totals.model_validate(beat["spent"]) for beat in beats] == [SPENT]


async def test_a_cancel_leaves_it_for_the_next_attempt() -> None:
    error, beats = await ended(asyncio.CancelledError())
    assert isinstance(error, asyncio.CancelledError)
    assert [Totals.model_validate(beat["spent"]) for beat in beats] == [SPENT]
