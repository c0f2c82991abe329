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
    assert [one.lost for one in sent.effects.taken] == ["what it was called with is too large to be handed on"] * 2
    assert Outbox(offload=True).fitting(result) == result
    small = result.model_copy(update={"effects": TakenEffects(taken=(LARGE,))})
    assert Outbox(offload=False).fitting(small) == small


def test_what_was_undone_gives_way_to_what_was_not() -> None:
    compensated = Compensation(effects=(*[UNDONE] * 1_000, FAILED))
    result = Result(status=Status.CANCELLED, output="y" * 300_000, compensated=compensated)
    sent = Outbox(offload=False).fitting(result, limits.MEMO_BYTES)
    assert sent.compensated == Compensation(effects=(FAILED,), more_undone=1_000)
    assert (sent.status, sent.output) == (Status.CANCELLED, None)
    assert limits.written_bytes(sent) < limits.MEMO_BYTES
