"""Labels of metrics have so many values and no more, whatever names come from outside."""

from __future__ import annotations

from sostenuto.workers.telemetry.metrics import OTHER, BoundedLabels


def test_the_first_values_stay_and_all_others_are_one() -> None:
    labels = BoundedLabels(most=3)
    assert [labels.of("tool", f"t{number}") for number in range(5)] == ["t0", "t1", "t2", OTHER, OTHER]
    assert labels.of("tool", "t1") == "t1"
    assert labels.of("model", "t4") == "t4", "each label has its own"


def test_however_many_come() -> None:
    labels = BoundedLabels()
    assert len({labels.of("tenant", number) for number in range(10_000)}) == 201
