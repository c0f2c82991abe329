"""A ledger on a terminal: what is left of it, whatever it limits."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime

import pytest

from sostenuto import Budget, LedgerState
from sostenuto.clients.cli.arguments.option_types import budget
from sostenuto.clients.cli.ledger_lines import set_words, state_lines, summary_note, tightest, top_up_words
from sostenuto.clients.cli.ledger_list import print_ledgers
from sostenuto.clients.cli.terminal import open_console
from sostenuto.clients.ledgers.summary import LedgerSummary
from sostenuto.contracts.control.ledger import Period
from sostenuto.contracts.wire.control.ledger import LedgerChange, LedgerPart
from sostenuto.contracts.wire.control.share import LedgerLimits, Portion

LIMITS = LedgerLimits(turns=1_300)
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
    holders=(
        LedgerPart(run_id="ticket-812", amount=Portion(usd=0.3, tokens=90_000, turns=10)),
        LedgerPart(run_id="ticket-7/law", amount=Portion(usd=0.112, tokens=2_000, turns=1)),
    ),
    changes=(
        LedgerChange(
            at=datetime(2026, 5, 1, 9, tzinfo=UTC),
            by="ada",
            note="the plan of May",
            limits=LedgerLimits(usd=20, turns=2_000),
            before=LedgerLimits(usd=20, tokens=5, turns=9),
            taken_back=Portion(usd=1, turns=3),
        ),
        LedgerChange(at=NOW, by="bob", added=Portion(usd=5), id="import-7"),
    ),
)


def test_what_is_spent_held_and_left() -> None:
    assert [*state_lines(STATE, NOW)] == [
        "tenant:acme/day",
        "                   SPENT          HELD         LIMIT          LEFT",
        "  usd           $17.2031       $0.4120      $25.0000       $7.3849",
        "  tokens       4,120,551        92,000          none",
        "  turns            1,203            11         2,000           786",
        "  held by 3 runs",
        "    ticket-812  $0.3, 10 turns",
        "    ticket-7/law  $0.112, 1 turn",
        "    and 1 more",
        "  topped up by $5 in this period: it is in the limits above",
        "  its limits were set by ada: the plan of May",
        "  begins anew at 2026-12-01 00:00 UTC, in 3h12m",
        "  who changed it, the newest first",
        "    2026-11-30 20:47 UTC  topped up by $5, by bob",
        "    2026-05-01 09:00 UTC  set to $20, 2,000 turns, by ada: the plan of May; $1, 3 turns of top-ups taken back",
    ]


def test_who_waits_for_what_of_it() -> None:
    part = LedgerPart(
        run_id="ticket-9", amount=Portion(usd=0.011382, tokens=7, turns=1), what="the next call of acme/m"
    )
    lines = [*state_lines(STATE.model_copy(update={"waiting": 2, "asking": (part,)}), NOW)]
    at = lines.index("  2 calls wait for more")
    assert lines[at + 1 : at + 3] == ["    ticket-9  $0.011382, 1 turn for the next call of acme/m", "    and 1 more"]


def test_what_somebody_set_is_said_with_what_is_limited_no_more_and_taken_back() -> None:
    state = STATE.model_copy(update={"changes": STATE.changes[:1], "topped_up": Portion()})
    assert set_words(state) == (
        "may spend $20, 2,000 turns per day from now on; tokens are not limited any more; "
        "the $1, 3 turns that it was topped up by in this period are taken back"
    )
    free = STATE.changes[0].model_copy(update={"limits": LedgerLimits(tokens=0), "taken_back": Portion()})
    of_tokens = state.model_copy(update={"limits": free.limits, "changes": (free,), "ends": None, "waiting": 1})
    assert set_words(of_tokens) == (
        "may spend 0 tokens from now on; usd and turns are not limited any more; "
        "1 call waits for more all the same: `sostenuto ledger show tenant:acme/day`"
    )


def test_what_came_of_a_top_up_is_said() -> None:
    ends = "it begins anew at 2026-12-01 00:00 UTC, in 3h12m"
    assert top_up_words(STATE, "import-7", NOW) == f"is topped up by $5; {ends}"
    waiting = STATE.model_copy(update={"waiting": 2})
    assert top_up_words(waiting, "import-7", NOW) == (
        f"is topped up by $5; {ends}; 2 calls wait for more all the same: `sostenuto ledger show tenant:acme/day`"
    )
    again = STATE.model_copy(update={"repeated": True})
    assert top_up_words(again, "import-7", NOW) == (
        "was topped up by the id 'import-7' before, and is not again: topped up by $5, by bob, "
        "at 2026-11-30 20:47:30 UTC"
    )
    assert top_up_words(again, "old", NOW) == "was topped up by the id 'old' before, and is not again"


def test_a_list_is_readable_on_any_screen() -> None:
    name = f"tenant:{'a' * 60}/month"
    listed = [
        LedgerSummary(name=name, since=NOW, state=STATE.model_copy(update={"limits": LedgerLimits()})),
        LedgerSummary(name="b", since=NOW, state=STATE.model_copy(update={"limits": LIMITS})),
        LedgerSummary(name="c", since=NOW),
    ]

    def shown(width: int) -> list[str]:
        console = open_console(width=width)
        with console.capture() as capture:
            print_ledgers(listed, NOW, console)
        return [line.rstrip() for line in capture.get().splitlines()]

    head, *rows = shown(200)
    assert head.split() == ["LEDGER", "SPENT", "HELD", "LIMIT", "LEFT", "RUNS", "NOTES"]
    assert len(rows) == 3
    assert "  1,203 turns  11 turns  1,300 turns  86 turns     3  begins anew at" in " ".join(rows[1].split(" "))
    narrow = shown(80)
    assert name in narrow
    assert "  86 turns left of 1,300 turns: 1,203 turns spent, 11 turns held by 3 runs" in narrow
    assert "  begins anew at 2026-12-01 00:00 UTC, in 3h12m" in narrow
    assert narrow[-2:] == ["c", "  no worker answers: start one, of any app"]
    assert max(map(len, narrow)) <= 80


def test_limits_that_nobody_set_or_that_are_not_there() -> None:
    own = STATE.model_copy(update={"is_set": False})
    assert "  its limits are those of the budget of a run: nobody set others" in [*state_lines(own, NOW)]
    none = STATE.model_copy(update={"limits": None, "is_set": False, "name": "it's", "ends": None, "waiting": 2})
    lines = [*state_lines(none, NOW)]
    assert "  nobody set its limits, so it gives nothing: sostenuto ledger set 'it'\"'\"'s' --usd …" in lines
    assert "  2 calls wait for more" in lines
    assert "    ticket-812  $0.3, 90,000 tokens, 10 turns" in lines
    assert "  never begins anew" in lines
    summary = LedgerSummary(name="it's", since=NOW, state=none)
    assert summary_note(summary, NOW) == "2 calls wait for more; has no limits, and gives nothing; never begins anew"
    silent = LedgerSummary(name="it's", since=NOW)
    assert summary_note(silent, NOW) == "no worker answers: start one, of any app"


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
