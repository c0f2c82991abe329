"""What is told of effects that were to be undone."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

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


def _booking(number: int, size: int) -> TakenEffect:
    arguments: dict[str, JsonValue] = {"a": "x" * size}
    return TakenEffect(tool="book", path="desk", call_id=f"c{number}", undoable=True, key="k", arguments=arguments)


KEPT = TakenEffect(tool="mail", path="desk", call_id="d")


def _lost(number: int, more: int = 0) -> TakenEffect:
    lost = "it is too much"
    return TakenEffect(tool="book", path="desk", call_id=f"c{number}", undoable=True, lost=lost, more=more)


def test_what_is_too_large_to_be_handed_on_cannot_be_undone() -> None:
    effects = TakenEffects(taken=(_booking(1, 99), _booking(2, 9_999), KEPT), more_kept=3)
    assert effects.within(written_bytes(effects), "it is too much") == effects
    assert effects.within(5_000, "it is too much").taken == (_booking(1, 99), _lost(2), KEPT)
    assert effects.within(1, "it is too much") == TakenEffects(taken=(_lost(2, more=1),), more_kept=4)


def test_what_is_too_many_to_be_handed_on_is_counted() -> None:
    effects = TakenEffects(taken=tuple(_booking(number, 99) for number in range(9_000)), more_kept=3)
    some = effects.within(100_000, "it is too much")
    assert written_bytes(some) <= 100_000
    lost, whole = [one for one in some.taken if one.lost], [one for one in some.taken if not one.lost]
    assert whole == list(effects.taken[-len(whole) :]), "the last ones are undone"
    assert [one.more for one in lost[1:]] == [0] * (len(lost) - 1)
    assert len(whole) + len(lost) + lost[0].more == 9_000
    assert (len(whole) > 300, len(lost) > 20, some.more_kept) == (True, True, 3)
    # A run around it may have to hand on less.
    fewer = some.within(10_000, "it is less")
    assert written_bytes(fewer) <= 10_000
    assert sum(1 + one.more for one in fewer.taken) == 9_000


@pytest.mark.parametrize("most", [1, 2_000, 100_000])
def test_what_stands_is_counted_where_it_is_too_many(most: int) -> None:
    effects = tuple(_effect(outcome, "late") for outcome in EffectOutcome for _ in range(5_000))
    told = Compensation(effects=effects, more_kept=1).within(most)
    assert written_bytes(told) <= max(most, 500)
    assert (told.more_undone, told.more_kept, told.is_complete) == (10_000, 5_001, False)
    for outcome in (EffectOutcome.FAILED, EffectOutcome.UNKNOWN):
        assert sum(1 + one.more for one in told.of(outcome)) == 5_000
    assert "more" in told.words
    assert len(told.words) < 1_000


def test_many_are_told_in_a_line_by_their_number() -> None:
    many = Compensation(
        effects=(*[_effect(EffectOutcome.FAILED)] * 30, *[_effect(EffectOutcome.KEPT)] * 2), more_kept=3
    )
    named = ", ".join(["book call_1"] * 20)
    kept = "kept, as nothing undoes it: book call_1, book call_1 and 3 more"
    assert many.words == f"0 effects undone; not undone: {named} and 10 more; {kept}"
    assert Compensation(more_kept=3).words == "0 effects undone; kept, as nothing undoes it: 3 more"
