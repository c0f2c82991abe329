"""Whatever a predicate does, the call asks unless it said that nobody need be asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from sostenuto import Approval, tool
from sostenuto.activities.call.user_code import UserCode
from sostenuto.activities.control import approval
from sostenuto.activities.control.approval import ApprovalActivities
from sostenuto.contracts.control.approval import call_hash
from sostenuto.contracts.wire.control.approval_call import ApprovalAsked, ApprovalCall


@pytest.fixture
async def user() -> AsyncIterator[UserCode]:
    code = UserCode(4)
    async with code.running():
        yield code


async def pay(order: int, amount: float = 20.0) -> str:
    """Pay."""
    return f"{order} {amount}"


async def _asked(user: UserCode, when: Any, arguments: dict[str, Any], **call: Any) -> ApprovalAsked:
    made = tool(approval=Approval(when=when) if when else True)(pay)
    known = {"large": Approval(group="board", when=lambda amount: amount > 10)}
    activities = ApprovalActivities({"pay": made}, known, {}, user)
    asks = call.pop("asks", made.spec.asks)
    given = ApprovalCall(name="pay", asks=asks, arguments=arguments, parameters=made.spec.parameters, **call)
    # As it comes over the wire: without code.
    given = ApprovalCall.model_validate_json(given.model_dump_json())
    found: ApprovalAsked = await ActivityEnvironment().run(activities.ask, given)
    return found


async def _later(amount: float) -> bool:
    await asyncio.sleep(0)
    return amount > 10


def _returns_later(amount: float) -> Any:
    return _later(amount)


def _raises(amount: float) -> bool:
    raise SystemExit(f"no {amount:g}")


@pytest.mark.parametrize(
    ("when", "arguments", "needed", "reason"),
    [
        (None, {"order": 1}, True, ""),
        (lambda amount: amount > 10, {"order": 1, "amount": 5}, False, ""),
        (lambda amount: amount > 10, {"order": 1}, True, ""),
        (lambda **given: given == {"order": 1, "amount": 5.0}, {"order": "1", "amount": 5}, True, ""),
        (_later, {"order": 1, "amount": 5}, False, ""),
        (_returns_later, {"order": 1, "amount": 50}, True, ""),
        (lambda amount: None, {"order": 1}, True, "its when= returned a NoneType, in place of True or False"),
        (lambda order: 1 // (order - 1), {"order": 1}, True, "its when= raised ZeroDivisionError: "),
        (_raises, {"order": 1, "amount": 5}, True, "its when= raised SystemExit: no 5"),
    ],
)
async def test_what_a_predicate_says(
    user: UserCode, when: Any, arguments: dict[str, Any], needed: bool, reason: str
) -> None:
    asked = await _asked(user, when, arguments)
    assert asked.needed is needed
    assert asked.reason.startswith(reason)
    assert bool(asked.reason) == bool(reason)
    assert asked.hash == (call_hash("pay", arguments) if needed else "")


async def test_a_predicate_that_hangs(user: UserCode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approval, "PREDICATE_SECONDS", 0.1)
    asked = await _asked(user, lambda amount: time.sleep(0.5), {"order": 1})
    assert (asked.needed, asked.reason) == (True, "its when= did not end within 0.1 s")


async def test_what_does_not_fit_asks_nobody(user: UserCode) -> None:
    asked = await _asked(user, None, {"order": "seven"})
    assert not asked.needed
    assert asked.refused.startswith("The arguments do not fit. order: Input should be a valid integer")


async def test_the_approval_of_the_app_is_recorded_as_it_is_now(user: UserCode) -> None:
    asked = await _asked(user, None, {"order": 1, "amount": 50}, asks=Approval(policy="large"))
    assert (asked.needed, asked.asks.group, asked.asks.policy, asked.asks.conditional) == (True, "board", "large", True)
    assert not (await _asked(user, None, {"order": 1, "amount": 5}, asks=Approval(policy="large"))).needed
    # Who edits has looked at what is made.
    assert (await _asked(user, None, {"order": 1, "amount": 5}, asks=Approval(policy="large"), edited=True)).needed


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"asks": Approval(policy="small")}, r"this worker has no approval 'small' \(it has: large\)"),
        ({"asks": Approval(conditional=True)}, "this worker does not know when pay asks for an approval"),
        ({"asks": Approval(conditional=True), "server": "git"}, "this worker does not know when pay asks"),
    ],
)
async def test_a_worker_that_lacks_something_hands_it_on(user: UserCode, call: dict[str, Any], message: str) -> None:
    with pytest.raises(ApplicationError, match=message) as found:
        await _asked(user, None, {"order": 1}, **call)
    assert found.value.type == "NotServed"
