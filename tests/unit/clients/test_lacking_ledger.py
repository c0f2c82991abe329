"""What is said of a run that waits for a top-up of a ledger: of that, and not of the run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sostenuto.clients.approvals.awaited import Awaited
from sostenuto.clients.cli.approvals.asking import Asking
from sostenuto.contracts.wire.control.budget_event import BudgetSpent
from sostenuto.contracts.wire.control.share import Portion
from sostenuto.contracts.wire.control.top_up import PendingTopUp

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
LACKING = PendingTopUp(
    path="support",
    limit="usd",
    reason="the ledger 'it's' is not enough",
    missing=Portion(usd=0.061),
    ledger="it's",
    run_id="ticket",
    since=NOW,
)
COMMAND = "sostenuto ledger top-up 'it'\"'\"'s' 0.061"


class _Run:
    """A run that waits for ever."""

    id = "ticket"

    async def top_ups(self) -> tuple[PendingTopUp, ...]:
        return (LACKING,)


class _Lines:
    """A terminal at which nobody is to write anything."""

    is_typed = True


async def test_nothing_is_asked_at_the_prompt_of_its_run() -> None:
    told: list[str] = []
    run: Any = _Run()
    lines: Any = _Lines()
    waits = BudgetSpent(id="e/1/0", at=NOW, path="support", then="ask", reason=LACKING.reason)
    await Asking(run, told.append, lines).about(waits)
    assert [line.strip() for line in told] == [LACKING.reason, f"to allow more: {COMMAND}   (or more)"]


async def test_a_wait_that_is_over_is_not_told_as_the_one_that_is() -> None:
    told: list[str] = []
    run: Any = _Run()
    lines: Any = _Lines()
    old = BudgetSpent(id="e/1/0", at=NOW - timedelta(hours=1), path="support", then="ask", reason="it was not enough")
    await Asking(run, told.append, lines).about(old)
    assert told == []


def test_what_it_waits_for_names_the_ledger() -> None:
    said = str(Awaited(LACKING))
    assert said.endswith(f'it waits for a top-up: `{COMMAND}`, or client.ledgers.top_up("it\'s", usd=0.061, by=...)')
    turns = LACKING.model_copy(update={"limit": "turns", "missing": Portion(turns=2)})
    assert 'client.ledgers.top_up("it\'s", turns=2, by=...)' in str(Awaited(turns))
    own = LACKING.model_copy(update={"ledger": ""})
    assert str(Awaited(own)).endswith("`sostenuto top-up ticket 0.061`, or run.top_up(usd=0.061, by=...)")
