"""What a decision does to a call that waits, at any moment."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sostenuto import Approval
from sostenuto.contracts.control.person import person
from sostenuto.contracts.tool import ToolSpec
from sostenuto.contracts.wire.control.decision import Decided, Decision, DecisionKind
from sostenuto.workflows.control.waiting_call import WaitingCall

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
HASH = "ab" * 32


def _call(until: datetime | None = None, requester: str = "", **approval: Any) -> WaitingCall:
    asks = Approval(**approval)
    return WaitingCall(ToolSpec(name="pay", parameters={}, asks=asks), {"a": 1}, HASH, asks, requester, until)


def _decision(kind: DecisionKind = DecisionKind.APPROVE, **fields: Any) -> Decision:
    return Decision(**{"path": "desk", "call_id": "c", "kind": kind, "by": "ann", **fields})


@pytest.mark.parametrize(
    ("call", "decision", "why"),
    [
        (_call(), _decision(), ""),
        (_call(), _decision(hash=HASH[:8].upper()), ""),
        (_call(), _decision(hash="cd" * 32), "the hash is not that of the call"),
        (_call(NOW), _decision(), "it expired at 2026-11-30 09:00:00 UTC"),
        (_call(NOW + timedelta(seconds=1)), _decision(), ""),
        # Its first deadline sends it to others, and ends nothing.
        (_call(NOW, expires=timedelta(hours=1), escalate_to="board"), _decision(), ""),
        (_call(requester="Ann", four_eyes=True), _decision(by="  \uff41\uff4e\uff4e "), "another person than 'Ann'"),
        (_call(requester="ann", four_eyes=True), _decision(DecisionKind.DENY), ""),
        (_call(requester="ann", four_eyes=True), _decision(by="a\u034fnn"), "another person than 'ann'"),
        (_call(requester="a\u200bnn\ufe0f", four_eyes=True), _decision(by="ANN"), "another person than"),
        (_call(), _decision(by="\u034f\u3164"), "by= says who decides"),
        (_call(), _decision(by=""), "by= says who decides"),
        (_call(), _decision(by="a\nb"), "by= says who decides"),
        (_call(), _decision(note="x" * 2_001), "the note has 2,001 characters"),
        (_call(grants=True), _decision(for_rest=True), ""),
        (_call(grants=True), _decision(DecisionKind.DENY, for_rest=True), "a yes to pay is for one call"),
    ],
)
def test_why_not(call: WaitingCall, decision: Decision, why: str) -> None:
    found = call.why_not(decision, NOW)
    assert found.startswith(why) if not why.startswith("another") else why in found
    assert bool(found) == bool(why)


def test_what_two_people_say() -> None:
    call = _call(quorum=2, grants=True)
    assert call.take(_decision(for_rest=True)) == Decided(missing=1)
    assert call.take(_decision(by="bob", for_rest=True)) == Decided()
    assert call.permit is not None
    assert (call.permit.arguments, call.permit.edited, call.is_granted) == ({"a": 1}, False, True)


@pytest.mark.parametrize(
    "alike",
    [
        "Zoe\u0308 A\u0301",
        " zo\u00eb  \u00e1 ",
        "ZO\u00cb \u00c1",
        "zo\u034f\u00eb\ufe0f \u00e1\u180b",
        "zoe\u034f\u0308 a\u0301\u3164\uffa0",
        "\u2800zo\u00eb \u00e1\u115f\U000e0101",
        "\uff5ao\u00eb \u00e1",
    ],
)
def test_one_person_says_yes_once_however_the_name_is_written(alike: str) -> None:
    call = _call(quorum=2)
    call.take(_decision(by="Zo\u00eb \u00c1"))
    assert "has said yes already: it takes 2 different deciders" in call.why_not(_decision(by=alike), NOW)
    assert not call.why_not(_decision(by="Zoe A"), NOW)


def test_a_name_that_was_written_in_one_way_stays_so() -> None:
    printable = [chr(code) for code in range(0x110000) if chr(code).isprintable()]
    assert not [char for char in printable if person(person(f"a{char}b")) != person(f"a{char}b")]
    unseen = [char for char in printable if person(f"a{char}b") == "ab"]
    assert {*"\u034f\u115f\u17b4\u180b\u2800\u3164\ufe0f\uffa0\U000e0101"} <= {*unseen}
    assert {unicodedata.category(char) for char in unseen} == {"Mn", "Lo", "So"}
    assert len(unseen) < 300


def test_an_edit_asks_the_others_anew_and_grants_nothing() -> None:
    call = _call(quorum=2, grants=True)
    call.take(_decision(for_rest=True))
    assert call.take(_decision(DecisionKind.EDIT, by="bob", arguments={"a": 2}), "cd" * 32).missing == 1
    assert "the hash is not that of the call" in call.why_not(_decision(hash=HASH), NOW)
    call.take(_decision(for_rest=True))
    assert call.permit is not None
    assert (call.permit.arguments, call.permit.edited, call.is_granted) == ({"a": 2}, True, False)


def test_what_comes_late_changes_nothing_that_was_decided() -> None:
    call = _call(NOW, expires=timedelta(hours=1))
    call.take(_decision(DecisionKind.ANSWER, answer=7))
    call.late()
    assert call.permit is not None
    assert (call.permit.answer, call.permit.refused) == ("7", "")
