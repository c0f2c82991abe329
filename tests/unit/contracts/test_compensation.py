"""What is told of effects that were to be undone."""

from __future__ import annotations

import pytest

from sostenuto import CompensatedEffect, Compensation, EffectOutcome
from sostenuto.contracts.limits import written_bytes
from sostenuto.contracts.wire.control.compensation import TakenEffect, TakenEffects


def _effect(outcome: EffectOutcome, reason: str = "") -> CompensatedEffect:
    return CompensatedEffect(tool="book", path="desk", call_id="call_1", outcome=outcome, by="cancel", reason=reason)


WHOLE = Compensation(
    effects=(
        _effect(EffectOutcome.UNDONE, "free"),
        _effect(EffectOutcome.FAILED, "it is\ntoo late"),
        _effect(EffectOutcome.KEPT),
        _effect(EffectOutcome.UNKNOWN),
        _effect(EffectOutcome.NOT_DONE),
    )
)


def test_in_words() -> None:
    assert WHOLE.words == (
        "1 effect undone; not undone: book call_1 (it is too late), book call_1; "
        "kept, as nothing undoes it: book call_1"
    )
    assert Compensation().words == "0 effects undone"
    assert (WHOLE.is_complete, Compensation().is_complete) == (False, True)
    assert Compensation(effects=(WHOLE.effects[0], WHOLE.effects[4])).is_complete
    assert not Compensation(more_kept=1).is_complete


@pytest.mark.parametrize(
    ("left_out", "kept", "undone", "outcomes"),
    [
        (0, 0, 0, ["undone", "failed", "kept", "unknown", "not_done"]),
        (1, 0, 2, ["failed", "kept", "unknown"]),
        (250, 1, 2, ["failed", "unknown"]),
        (100_000, 1, 2, ["failed", "unknown"]),
    ],
)
def test_what_stands_is_told_to_the_last(left_out: int, kept: int, undone: int, outcomes: list[str]) -> None:
    told = WHOLE.within(written_bytes(WHOLE) - left_out)
    assert (told.more_kept, told.more_undone) == (kept, undone)
    assert [one.outcome.value for one in told.effects] == outcomes
    assert told + Compensation(more_kept=1) == told.model_copy(update={"more_kept": kept + 1})


def test_what_is_too_large_to_be_handed_on_cannot_be_undone() -> None:
    large = TakenEffect(tool="book", path="desk", call_id="c", undoable=True, key="k", arguments={"a": "x" * 99})
    kept = TakenEffect(tool="mail", path="desk", call_id="d")
    stubs = TakenEffects(taken=(large, kept)).without_payloads("it is too large")
    assert stubs.taken == (
        TakenEffect(tool="book", path="desk", call_id="c", undoable=True, lost="it is too large"),
        kept,
    )
