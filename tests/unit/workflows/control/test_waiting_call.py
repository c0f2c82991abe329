"""What a decision does to a call that waits, at any moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sostenuto import Approval
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
