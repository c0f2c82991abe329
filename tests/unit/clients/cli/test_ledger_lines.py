"""A ledger on a terminal: what is left of it, whatever it limits."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime

import pytest

from sostenuto import Budget, LedgerState
from sostenuto.clients.cli.arguments.option_types import budget
from sostenuto.clients.cli.ledger_lines import state_lines, summary_note, tightest
from sostenuto.clients.ledgers.summary import LedgerSummary
from sostenuto.contracts.control.ledger import Period
from sostenuto.contracts.wire.control.share import LedgerLimits, Portion

NOW = datetime(2026, 11, 30, 20, 47, 30, tzinfo=UTC)
STATE = LedgerState(
    name="tenant:acme/day",
    period=Period.DAY,
    began=datetime(2026, 11, 30, tzinfo=UTC),
    ends=datetime(2026, 12, 1, tzinfo=UTC),
    limits=LedgerLimits(usd=20, turns=2_000),
    is_set=True,
    set_by="ada",
    note="the plan of May",
    topped_up=Portion(usd=5),
    spent=Portion(usd=17.2031, tokens=4_120_551, turns=1_203),
    held=Portion(usd=0.412, tokens=92_000, turns=11),
    runs=3,
)


def test_what_is_spent_held_and_left() -> None:
    assert [*state_lines(STATE, NOW)] == [
        "tenant:acme/day",
        "                   SPENT          HELD         LIMIT          LEFT",
        "  usd           $17.2031       $0.4120      $25.0000       $7.3849",
        "  tokens       4,120,551        92,000          none",
        "  turns            1,203            11         2,000           786",
        "  held by 3 runs",
        "  topped up by $5 in this period: it is in the limits above",
        "  its limits were set by ada: the plan of May",
        "  begins anew at 2026-12-01 00:00 UTC, in 3h12m",
    ]


def test_limits_that_nobody_set_or_that_are_not_there() -> None:
    own = STATE.model_copy(update={"is_set": False})
    assert "  its limits are those of the budget of a run: nobody set others" in [*state_lines(own, NOW)]
    none = STATE.model_copy(update={"limits": None, "is_set": False, "name": "it's", "ends": None, "waiting": 2})
    lines = [*state_lines(none, NOW)]
    assert "  nobody set its limits, so it gives nothing: sostenuto ledger set 'it'\"'\"'s' --usd …" in lines
    assert "  held by 3 runs; 2 calls wait for more" in lines
    assert lines[-1] == "  never begins anew"
    summary = LedgerSummary(name="it's", task_queue="q", since=NOW, state=none)
    assert summary_note(summary, NOW) == "2 calls wait for more; has no limits, and gives nothing; never begins anew"
    silent = LedgerSummary(name="it's", task_queue="q", since=NOW)
    assert summary_note(silent, NOW) == "no worker answers: start one on the task queue 'q'"


@pytest.mark.parametrize(
    ("limits", "kind", "left"),
    [
        (LedgerLimits(usd=20, turns=2_000), "usd", "$7.3849"),
        (LedgerLimits(usd=2_000, turns=2_000), "turns", "786"),
        # Lowered below what is spent already.
        (LedgerLimits(usd=1, turns=2_000), "usd", "$0.0000"),
        (LedgerLimits(usd=2_000, turns=0), "turns", "0"),
    ],
)
def test_that_of_which_the_least_part_is_left(limits: LedgerLimits, kind: str, left: str) -> None:
    row = tightest(STATE.model_copy(update={"limits": limits}))
    assert (row.kind, row.left) == (kind, left)


def test_the_budget_of_an_option_may_name_a_ledger() -> None:
    assert budget("ledger=tenant:acme/day") == Budget(ledger="tenant:acme/day")
    assert budget("0.50") == Budget(usd=0.5)
    assert budget("usd=0.50, ledger=a=b,turns=9") == Budget(usd=0.5, turns=9, ledger="a=b")
    for text, problem in (
        ("ledger=a,ledger=b", "says ledger twice"),
        ("ledger=", "a ledger has a name"),
        ("", "is not a limit"),
        ("ledger=a,0.5x", "is not a limit"),
    ):
        with pytest.raises(ArgumentTypeError, match=problem):
            budget(text)
