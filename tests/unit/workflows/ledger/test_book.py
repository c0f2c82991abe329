"""What a ledger gives, and to whom."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sostenuto.contracts.limits import CARRIED_BYTES, written_bytes
from sostenuto.contracts.wire.control.ledger import EndedHolder, LedgerInput, LedgerSet, LedgerTopUp
from sostenuto.contracts.wire.control.share import LedgerLimits, OfLedger, Portion, ShareAsked, ShareGiven
from sostenuto.workflows.ledger.book import Book
from sostenuto.workflows.ledger.room import MOST_QUESTIONS

NOON = datetime(2026, 2, 28, 12, 30, tzinfo=UTC)


def book(name: str = "team", **limits: Any) -> Book:
    """A ledger of its limits."""
    return Book(LedgerInput(name=name, limits=LedgerLimits(**limits) if limits else None))


def asked(run: str, number: int = 0, turns: int = 0, *, back: int = 0, spent: int = 0, **more: Any) -> ShareAsked:
    """What a run says, of turns alone."""
    of = {name: more.pop(name) for name in ("default", "keep", "told") if name in more}
    return ShareAsked(
        run_id=run,
        number=number,
        need=Portion(turns=turns),
        what="the next call",
        back=Portion(turns=back),
        spent=Portion(turns=spent),
        of=OfLedger(execution=f"{run}-1", **of),
        **more,
    )


def say(one: Book, said: ShareAsked, now: datetime = NOON) -> list[tuple[str, int, ShareGiven]]:
    """The answers once that is said: to which run and question, and what."""
    one.hear(said, now)
    return [(asked.run_id, asked.number, given) for asked, given in one.answers(now, 500)]


def given_turns(answers: list[tuple[str, int, ShareGiven]]) -> dict[str, int]:
    """How many turns each run is given."""
    assert not [given.refused for _, _, given in answers if given.refused]
    return {run: given.given.turns for run, _, given in answers}


def test_a_run_is_given_more_than_it_needs_where_there_is_plenty() -> None:
    one = book(turns=100)
    assert given_turns(say(one, asked("a", 1, 1))) == {"a": 9}
    assert given_turns(say(one, asked("b", 1, 5))) == {"b": 26}
    state = one.state(NOON)
    assert (state.held.turns, state.spent.turns, state.runs) == (35, 0, 2)


def test_a_question_waits_until_others_give_back_and_those_after_it_wait_too() -> None:
    one = book(turns=10)
    assert given_turns(say(one, asked("a", 1, 8))) == {"a": 9}
    assert say(one, asked("b", 1, 4)) == []
    assert say(one, asked("c", 1, 1)) == []
    assert [block.run_id for block in one.to_recall(9)] == ["a"]
    assert one.to_recall(9) == []
    assert given_turns(say(one, asked("a", back=6, spent=2))) == {"b": 4, "c": 1}
    assert [block.run_id for block in one.to_recall(9)] == []


def test_what_does_not_fit_even_then_is_refused() -> None:
    one = book("team/day", turns=10)
    say(one, asked("a", 1, 8))
    ((_, _, given),) = say(one, asked("b", 1, 11))
    assert given.limit == "turns"
    assert given.refused == (
        "the ledger 'team/day' is not enough: 0 of 10 model calls are made; it begins anew at 2026-03-01 00:00 UTC"
    )


def test_a_part_is_kept_for_last_answers() -> None:
    one = Book(LedgerInput(name="team", limits=LedgerLimits(usd=1.0)))

    def ask(usd: float, *, last: bool) -> ShareGiven:
        question = asked("a", 1, keep=0.1, last=last).model_copy(update={"need": Portion(usd=usd)})
        ((_, _, given),) = say(one, question)
        return given

    assert ask(0.95, last=False).refused
    assert ask(0.95, last=True).given.usd == pytest.approx(0.95)


def test_another_period_begins_anew_and_what_runs_have_counts_in_it() -> None:
    one = book("team/day", turns=10)
    say(one, asked("a", 1, 8))
    say(one, asked("a", spent=4))
    one.top_up(LedgerTopUp(turns=5, by="anna"), "t1", NOON)
    assert one.state(NOON).spent.turns == 4
    tomorrow = NOON + timedelta(days=1)
    assert one.state(tomorrow).spent.turns == 0
    assert one.state(tomorrow).topped_up.turns == 0
    assert one.state(tomorrow).held.turns == 5
    # It was held before the day was over, and is charged to the day on which that is told.
    say(one, asked("a", back=3, spent=2), tomorrow)
    assert (one.state(tomorrow).spent.turns, one.state(tomorrow).held.turns) == (2, 0)


def test_who_waits_for_a_top_up_goes_on_with_it_or_in_the_next_period() -> None:
    one = book("team/day", turns=1)
    say(one, asked("a", 1, 1))
    say(one, asked("a", spent=1))
    assert say(one, asked("b", 1, 1, wait=True)) == []
    assert say(one, asked("c", 1, 1, wait=True)) == []
    assert one.to_recall(9) == []
    assert one.next_period(NOON) == datetime(2026, 3, 1, tzinfo=UTC)
    one.top_up(LedgerTopUp(turns=1, by="anna"), "t1", NOON)
    assert [run for run, _, _ in say(one, asked("d"))] == ["b"]
    assert say(one, asked("b", spent=1)) == []
    assert [run for run, _, _ in say(one, asked("d"), NOON + timedelta(days=1))] == ["c"]


def test_a_top_up_that_is_enough_with_what_others_give_back_has_them_asked() -> None:
    one = book(turns=10)
    say(one, asked("idle", 1, 5))
    say(one, asked("idle", back=0, spent=0))
    assert say(one, asked("b", 1, 12, wait=True)) == []
    assert one.to_recall(9) == []
    assert [block.run_id for block in one.owing(9)] == []
    one.top_up(LedgerTopUp(turns=4, by="anna"), "t1", NOON)
    assert say(one, asked("c", 1, 1)) == []
    assert [block.run_id for block in one.to_recall(9)] == ["idle"]
    assert [block.run_id for block in one.owing(9)] == ["idle", "b"]
    assert list(given_turns(say(one, asked("idle", back=7)))) == ["b", "c"]


def test_who_ended_while_it_waited_holds_up_nobody() -> None:
    one = book(turns=10)
    say(one, asked("a", 1, 8))
    assert say(one, asked("dead", 1, 5)) == []
    assert say(one, asked("c", 1, 1)) == []
    one.ended(EndedHolder(run_id="dead", execution="dead-1", spent=Portion()))
    assert given_turns(say(one, asked("d"))) == {"c": 1}


def test_new_limits_are_all_that_may_be_spent() -> None:
    one = book(turns=10)
    one.top_up(LedgerTopUp(turns=5, by="anna"), "t1", NOON)
    one.limit(LedgerSet(turns=1, by="anna"), NOON)
    assert one.state(NOON).topped_up == Portion()
    ((_, _, given),) = say(one, asked("a", 1, 2))
    assert given.limit == "turns"


def test_who_waits_no_longer_is_given_nothing() -> None:
    one = book(turns=1)
    say(one, asked("a", 1, 1))
    say(one, asked("a", spent=1))
    say(one, asked("b", 1, 1, wait=True, until=NOON.timestamp() + 60))
    say(one, asked("c", 2, 1, wait=True))
    say(one, asked("c", withdraws=2))
    one.limit(LedgerSet(turns=9, by="anna"), NOON)
    assert say(one, asked("d"), NOON + timedelta(minutes=2)) == []
    assert one.state(NOON).waiting == 0


def test_no_more_wait_than_fit_into_what_a_further_execution_begins_with() -> None:
    one = book(turns=1)
    say(one, asked("a", 1, 1))
    say(one, asked("a", spent=1))
    for number in range(MOST_QUESTIONS):
        one.hear(asked(f"run-{number}", 1, 1, wait=True), NOON)
    assert one.answers(NOON, 500) == []
    ((run, _, given),) = say(one, asked("late", 1, 1, wait=True))
    assert (run, given.refused) == ("late", "as many runs wait for the ledger 'team' already as can")


@pytest.mark.parametrize("id_bytes", [10, 80, 250, 900])
def test_however_many_ask_it_can_continue_as_new(id_bytes: int) -> None:
    """A command that the server refuses would fail its task for ever."""
    one = book(turns=10**9)
    for number in range(5_000):
        one.hear(asked(f"{number:0{id_bytes}}", 1, 1, default=LedgerLimits(turns=10**9)), NOON)
        if number % 100 == 0:
            one.answers(NOON, 500)
    one.answers(NOON, 10_000)
    assert one.state(NOON).runs > 500
    # It answers nothing any more, and is asked on and on.
    for number in range(9_500):
        what = "the next call of a model with a very long name " * 10
        one.hear(asked(f"late{number:0{id_bytes}}", 1, 1, wait=True).model_copy(update={"what": what}), NOON)
    carried = one.carried()
    assert written_bytes(carried) < CARRIED_BYTES
    assert len(carried.waiting) > 300
    known = [question.run_id for question in one.waiting.values()]
    assert [question.run_id for question in carried.waiting] == known[: len(carried.waiting)], "the oldest are kept"


def test_a_run_that_ended_unheard_is_charged_for_what_it_did_not_tell() -> None:
    one = book(turns=20)
    say(one, asked("a", 1, 4))
    say(one, asked("a", spent=2))
    one.ended(EndedHolder(run_id="a", execution="a-1", spent=Portion(turns=3)))
    assert (one.state(NOON).spent.turns, one.state(NOON).held.turns, one.state(NOON).runs) == (3, 0, 0)


def test_what_a_run_told_before_it_had_nothing_for_a_while_is_not_charged_again() -> None:
    one = book(turns=100)
    say(one, asked("a", 1, 1))
    say(one, asked("a", back=5, spent=4))
    assert one.state(NOON).runs == 0
    say(one, asked("a", 2, 1, told=Portion(turns=4)))
    one.ended(EndedHolder(run_id="a", execution="a-1", spent=Portion(turns=5)))
    assert one.state(NOON).spent.turns == 5


def test_a_question_that_is_sent_again_is_one() -> None:
    one = book(turns=1)
    say(one, asked("a", 1, 1))
    say(one, asked("b", 7, 1))
    say(one, asked("b", 7, 1))
    assert one.state(NOON).waiting == 1


def test_the_limits_of_a_budget_count_where_it_asks() -> None:
    one = book()
    say(one, asked("a", 1, 1, default=LedgerLimits(turns=5)))
    say(one, asked("a", spent=1, default=LedgerLimits(turns=9)))
    assert one.state(NOON).limits == LedgerLimits(turns=5)


def test_runs_that_say_nothing_are_looked_for_in_turn() -> None:
    one = book(turns=10**6)
    for number in range(5):
        say(one, asked(f"run-{number}", 1, 1))
    assert one.silent(2) == []
    assert [block.run_id for block in one.silent(2)] == ["run-0", "run-1"]
    say(one, asked("run-2", 2, 1))
    assert [block.run_id for block in one.silent(2)] == ["run-3", "run-4"]
    assert [block.run_id for block in one.silent(2)] == ["run-2", "run-0"]


def test_of_a_run_that_nobody_can_read_all_is_charged() -> None:
    one = book(turns=100)
    say(one, asked("a", 1, 4))
    held = one.state(NOON).held.turns
    one.ended(EndedHolder(run_id="a", execution="another", spent=None))
    assert one.state(NOON).held.turns == held
    one.ended(EndedHolder(run_id="a", execution="a-1", spent=None))
    assert (one.state(NOON).spent.turns, one.state(NOON).held.turns) == (held, 0)


def test_it_tells_who_has_most_and_who_asks_for_what() -> None:
    one = book(turns=10_000)
    for number in range(12):
        say(one, asked(f"run-{number}", 1, number + 1))
    for number in range(12):
        say(one, asked(f"late-{number}", 1, 10_001 + number, wait=True))
    state = one.state(NOON)
    assert (state.runs, len(state.holders), state.waiting, len(state.asking)) == (12, 10, 12, 10)
    held = [part.amount.turns for part in state.holders]
    assert held == [9 * most for most in range(12, 2, -1)]
    first = state.asking[0]
    assert (first.run_id, first.amount.turns, first.what) == ("late-0", 10_001, "the next call")


def test_who_changed_its_limits_is_told_for_a_while() -> None:
    one = book("team/day", turns=10, usd=3)
    for number in range(120):
        one.top_up(LedgerTopUp(turns=1, by="anna"), f"t{number}", NOON)
    one.limit(LedgerSet(turns=1, by="bob", note="x" * 999), NOON)
    state = one.state(NOON)
    *_, before, last = state.changes
    assert len(state.changes) == 20
    assert (before.at, before.by, before.added, before.id, before.limits) == (
        NOON,
        "anna",
        Portion(turns=1),
        "t119",
        None,
    )
    assert (last.limits, last.before) == (LedgerLimits(turns=1), LedgerLimits(turns=10, usd=3))
    assert (last.taken_back, last.by, len(last.note)) == (Portion(turns=120), "bob", 300)
    assert [one.has_taken(f"t{number}") for number in (19, 20, 119)] == [False, True, True]
    # What was allowed yesterday is not taken back: it counts no more.
    one.top_up(LedgerTopUp(turns=1, by="anna"), "t", NOON)
    one.limit(LedgerSet(turns=2, by="bob"), NOON + timedelta(days=1))
    assert one.state(NOON).changes[-1].taken_back == Portion()


def test_a_refusal_says_what_the_ledger_lacks() -> None:
    one = book(turns=10)
    say(one, asked("a", 1, 7))
    say(one, asked("a", spent=7, back=2))
    ((_, _, given),) = say(one, asked("b", 1, 5))
    assert given.missing == Portion(turns=2)
    say(one, asked("a", 2, 1))
    one.limit(LedgerSet(turns=6, by="anna"), NOON)
    ((_, _, given),) = say(one, asked("b", 2, 5))
    # With what another one has.
    assert given.missing == Portion(turns=8)


def test_a_further_execution_knows_it_all() -> None:
    one = book("team/hour", turns=10, usd=3.5)
    one.limit(LedgerSet(turns=12, by="anna", note="more"), NOON)
    say(one, asked("a", 1, 3, default=LedgerLimits(turns=1)))
    say(one, asked("a", spent=2))
    say(one, asked("b", 1, 99, wait=True))
    one.top_up(LedgerTopUp(turns=1, by="anna"), "t1", NOON)
    again = Book(LedgerInput.model_validate_json(one.carried().model_dump_json()))
    assert again.carried() == one.carried()
    assert again.state(NOON) == one.state(NOON)
    assert not again.top_up(LedgerTopUp(turns=1, by="anna"), "t1", NOON)


@pytest.mark.parametrize("seed", range(20))
def test_no_talk_makes_it_give_more_than_there_is_or_hold_anything_for_ever(seed: int) -> None:
    chance = random.Random(seed)
    limit = chance.randint(5, 60)
    one = Book(LedgerInput(name="team", limits=LedgerLimits(turns=limit)))
    has: dict[str, int] = {f"run-{number}": 0 for number in range(6)}
    asks: dict[str, int] = {}
    spent = 0
    for number in range(1, 400):
        run = chance.choice([*has])
        used = chance.randint(0, has[run])
        back = chance.randint(0, has[run] - used)
        spent, has[run] = spent + used, has[run] - used - back
        wants = 0 if run in asks else chance.randint(0, 4)
        if wants:
            asks[run] = number
        for who, which, given in say(one, asked(run, number if wants else 0, wants, back=back, spent=used)):
            assert asks.pop(who) == which
            has[who] += given.given.turns
        if chance.random() < 0.1:
            one = Book(one.carried())
        state = one.state(NOON)
        assert (state.spent.turns, state.held.turns) == (spent, sum(has.values()))
        assert spent + sum(has.values()) <= limit
    for run, left in has.items():
        for who, _, given in say(one, asked(run, back=left)):
            say(one, asked(who, back=given.given.turns))
    assert (one.state(NOON).held.turns, one.state(NOON).runs, one.state(NOON).waiting) == (0, 0, 0)
