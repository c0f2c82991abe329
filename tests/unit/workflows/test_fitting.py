"""A result that is too large is sent without what can be left out, and what was done is never left out silently."""

from __future__ import annotations

from sostenuto import CompensatedEffect, Compensation, EffectOutcome, Result, Status
from sostenuto.contracts import limits
from sostenuto.contracts.wire.control.compensation import TakenEffect, TakenEffects
from sostenuto.workflows.payload_limits import Outbox

LARGE = TakenEffect(tool="book", path="desk", call_id="call_1", undoable=True, arguments={"text": "x" * 1_500_000})
UNDONE = CompensatedEffect(tool="book", path="desk", outcome=EffectOutcome.UNDONE, reason="x" * 200)
FAILED = CompensatedEffect(tool="book", path="desk", outcome=EffectOutcome.FAILED, reason="x" * 200)


def test_effects_that_are_too_large_are_told_of_and_cannot_be_undone() -> None:
    result = Result(status=Status.COMPLETED, output="ok", effects=TakenEffects(taken=(LARGE, LARGE), more_kept=1))
    sent = Outbox(offload=False).fitting(result)
    assert (sent.status, sent.output, sent.effects.more_kept) == (Status.COMPLETED, "ok", 1)
    too_much = "the run that did it could not hand on what undoing takes: it did too much, or was given too much"
    assert [one.lost for one in sent.effects.taken] == [too_much, ""], "the last one can be undone"
    assert Outbox(offload=True).fitting(result) == result
    small = result.model_copy(update={"effects": TakenEffects(taken=(LARGE,))})
    assert Outbox(offload=False).fitting(small) == small


def test_effects_that_are_too_many_are_counted_and_leave_room_for_what_was_said() -> None:
    small = LARGE.model_copy(update={"arguments": {"text": "x" * 300}})
    effects = TakenEffects(taken=(small,) * 9_000)
    sent = Outbox(offload=False).fitting(Result(status=Status.COMPLETED, output="y" * 900_000, effects=effects))
    assert (sent.status, sent.output) == (Status.COMPLETED, "y" * 900_000)
    assert sum(1 + one.more for one in sent.effects.taken) == 9_000
    assert limits.written_bytes(sent) < limits.MAX_PAYLOAD_BYTES


def test_what_was_undone_gives_way_to_what_was_not() -> None:
    compensated = Compensation(effects=(*[UNDONE] * 1_000, FAILED))
    result = Result(status=Status.CANCELLED, output="y" * 300_000, compensated=compensated)
    sent = Outbox(offload=False).fitting(result, limits.MEMO_BYTES)
    assert sent.compensated == Compensation(effects=(FAILED,), more_undone=1_000)
    assert (sent.status, sent.output) == (Status.CANCELLED, None)
    assert limits.written_bytes(sent) < limits.MEMO_BYTES
