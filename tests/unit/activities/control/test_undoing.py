"""What a worker says of how an effect is undone."""

from __future__ import annotations

from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from sostenuto import App, tool
from sostenuto.activities.control.undoing import UndoingActivities
from sostenuto.contracts import names
from sostenuto.contracts.wire.control.compensation import Undoing, UndoingCall


@tool(effect="idempotent", retries=3)
async def pay_back(amount: Decimal, currency: str, result: list[int]) -> None:
    """Undo it."""


@tool(compensate=pay_back)
async def charge(amount: Decimal, currency: str = "EUR") -> list[int]:
    """Charge."""
    return [1]


@tool(compensate="pay_back")
async def lend(amount: Decimal, result: list[int], currency: str = "EUR") -> str:
    """Lend: it has an argument of that name itself."""
    return "lent"


UNDOING = UndoingActivities(App(tools=[charge, lend]).tools)


async def _ask(**call: object) -> Undoing:
    return await ActivityEnvironment().run(UNDOING.ask, UndoingCall.model_validate(call))


async def test_what_it_is_given() -> None:
    found = await _ask(tool="charge", has=("amount",), content="[7,8]")
    assert found.tool
    assert (found.tool.name, found.tool.effect, found.tool.retries, found.tool.parameters) == (
        *("pay_back", "idempotent", 3),
        {},
    )
    assert (found.takes, found.given) == (("amount", "currency"), {"currency": "EUR", "result": [7, 8]})
    assert (await _ask(tool="charge", has=("amount", "currency"), content="[]")).given == {"result": []}
    own = await _ask(tool="lend", has=("amount", "result"), content="lent")
    assert (own.takes, own.given) == (("amount", "currency", "result"), {"currency": "EUR"})


@pytest.mark.parametrize(
    ("came", "why"),
    [
        ({"content": "[7", "incomplete": "The result has 3 MB"}, "what it returned is not known: The result has 3 MB"),
        ({"content": "none at all"}, "what it returned cannot be read: ValidationError: "),
    ],
)
async def test_a_result_that_is_not_there(came: dict[str, str], why: str) -> None:
    assert (await _ask(tool="charge", **came)).refused.startswith(why)


async def test_what_another_worker_knows() -> None:
    with pytest.raises(ApplicationError, match="no worker here knows what undoes mail") as found:
        await _ask(tool="mail")
    assert found.value.type == names.NOT_SERVED
