"""Ledgers: what they are called, and when they begin anew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sostenuto import Budget, Ledger, SpecError
from sostenuto.contracts.control.ledger import MAX_LEDGER_BYTES, Period, check_ledger_name


def at(text: str) -> datetime:
    """A moment by UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("tenant:acme/day", Period.DAY),
        ("tenant:acme/hour", Period.HOUR),
        ("a/b/month", Period.MONTH),
        ("/day", Period.DAY),
        ("tenant:acme", Period.FIXED),
        ("tenant:acme/fixed", Period.FIXED),
        ("tenant:acme/week", Period.FIXED),
        ("tenant:acme/day/", Period.FIXED),
        ("tenant:acme/Day", Period.FIXED),
        ("day", Period.FIXED),
        ("holiday", Period.FIXED),
    ],
)
def test_the_end_of_its_name_says_when_it_begins_anew(name: str, period: Period) -> None:
    assert Period.of(name) is period


@pytest.mark.parametrize(
    ("period", "now", "began", "ends"),
    [
        (Period.HOUR, "2026-11-30T08:59:59.999999", "2026-11-30T08:00", "2026-11-30T09:00"),
        (Period.HOUR, "2026-12-31T23:00", "2026-12-31T23:00", "2027-01-01T00:00"),
        (Period.DAY, "2026-11-30T23:59:59", "2026-11-30", "2026-12-01"),
        (Period.DAY, "2026-12-31T12:00", "2026-12-31", "2027-01-01"),
        (Period.DAY, "2028-02-28T12:00", "2028-02-28", "2028-02-29"),
        (Period.DAY, "2027-02-28T12:00", "2027-02-28", "2027-03-01"),
        (Period.MONTH, "2026-01-31T12:00", "2026-01-01", "2026-02-01"),
        (Period.MONTH, "2028-02-29T23:59", "2028-02-01", "2028-03-01"),
        (Period.MONTH, "2026-11-30T23:59:59", "2026-11-01", "2026-12-01"),
        (Period.MONTH, "2026-12-01T00:00", "2026-12-01", "2027-01-01"),
        (Period.MONTH, "2026-12-31T23:59:59", "2026-12-01", "2027-01-01"),
    ],
)
def test_a_period_begins_and_ends_by_utc(period: Period, now: str, began: str, ends: str) -> None:
    assert (period.begins(at(now)), period.ends(at(now))) == (at(began), at(ends))


@pytest.mark.parametrize("period", [Period.HOUR, Period.DAY, Period.MONTH])
def test_the_next_period_begins_where_one_ends(period: Period) -> None:
    now = at("2026-10-31T23:30")
    for _ in range(30):
        ends = period.ends(now)
        assert ends is not None
        assert period.begins(ends) == ends
        assert now < ends
        now = ends


def test_one_that_is_fixed_never_ends() -> None:
    assert (Period.FIXED.begins(at("2026-12-31")), Period.FIXED.ends(at("2026-12-31"))) == (None, None)


def test_a_budget_takes_a_name_alone() -> None:
    assert Budget(ledger="tenant:acme/day").ledger == Ledger("tenant:acme/day")
    with pytest.raises(SpecError, match="give usd=, tokens=, turns=, seconds=, share= or ledger="):
        Budget()
    with pytest.raises(SpecError, match="Ledger has no field 'dollars'"):
        Ledger("tenant:acme/day", dollars=5)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "a ledger has a name of printable characters"),
        (" a", "without blanks around it"),
        ("a\n", "printable"),
        ("a\x1b[2Jb", "printable"),
        ("a\ud800", "printable"),
        ("ä" * 101, "202 bytes"),
    ],
)
def test_a_name_that_cannot_be(name: str, problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        check_ledger_name(name)
    with pytest.raises(SpecError, match=problem):
        Ledger(name)


@pytest.mark.parametrize("name", ["tenant:{context.tenant}/day", "{context.}"])
def test_a_name_that_a_run_would_fill_in_is_none_that_there_is(name: str) -> None:
    with pytest.raises(SpecError, match=r"stands for a value of a run's context: write the value of the run that is"):
        check_ledger_name(name)


def test_a_name_that_can_be() -> None:
    name = "ä" * (MAX_LEDGER_BYTES // 2)
    assert check_ledger_name(name) == Ledger(name).name == name
    # As of `Ledger("{{team}}/day")`.
    assert check_ledger_name("{team}/day") == "{team}/day"
    nothing: Any = None
    with pytest.raises(SpecError, match="a NoneType is no name"):
        check_ledger_name(nothing)
