"""What a nested run was given, over its executions."""

from __future__ import annotations

from sostenuto import Budget, Stop
from sostenuto.contracts.control.budget import Envelope
from sostenuto.contracts.wire.places import Place
from sostenuto.workflows.budget.account import Account, Need
from sostenuto.workflows.budget.amount import Amount
from sostenuto.workflows.budget.carrying import carried_of, envelope_now, resume

GIVEN = Envelope(usd=0.5, tokens=10_000, until=60.0, whole_usd=2.0, on_exhausted=(Stop(),))


DESK = Place("desk")


async def _asks(account: Account, need: Need) -> None:
    raise AssertionError("nothing is asked here")


def test_what_was_given_back_is_not_there_in_the_next_execution() -> None:
    account = Account.of_envelope(DESK, GIVEN, _asks)
    account.spent = Amount(0.1, 2_000, 1)
    account.change(Amount() - account.idle())
    account.told = account.spent
    carried = envelope_now(account)
    assert carried is not None
    again = Account.of_envelope(DESK, carried, _asks)
    resume(again, account.spent, carried_of(account))
    assert (again.usd, again.tokens, again.turns, again.until) == (account.usd, account.tokens, None, 60.0)
    assert (again.idle(), again.told, again.on_exhausted) == (Amount(), Amount(0.1, 2_000, 1), (Stop(),))
    assert again.unspent().usd == account.unspent().usd == 1.9


def test_a_budget_of_its_own_was_given_by_nobody() -> None:
    assert envelope_now(Account.opened(DESK, Budget(usd=1), None, began=0.0)) is None
