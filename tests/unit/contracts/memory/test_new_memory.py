"""What may be remembered, and how what it is about is written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sostenuto.contracts.wire.memory.record import NewMemory


@pytest.mark.parametrize("text", [" ", "\n\t", "\x00", "\u200b", " \ufeff\u2800", "\U000e0041\U000e0042", "\x1b\u00ad"])
def test_nothing_is_remembered_of_what_nobody_can_see(text: str) -> None:
    with pytest.raises(ValidationError, match="nothing of it can be seen"):
        NewMemory(text=text)


def test_what_is_seen_stays_as_it_was_written() -> None:
    assert NewMemory(text=" a\u200b ").text == " a\u200b "


@pytest.mark.parametrize("key", ["caf\u00e9 door", " cafe\u0301  door\n", "caf\u00e9\u00a0door"])
def test_a_subject_is_the_same_however_it_is_written(key: str) -> None:
    kept = NewMemory(text="x", key=key).key
    assert kept == "caf\u00e9 door"
    assert NewMemory(text="x", key=kept).key == kept


def test_a_subject_of_blanks_is_none() -> None:
    assert [NewMemory(text="x", key=key).key for key in (" ", "\u200b", "")] == [""] * 3
    assert len(NewMemory(text="x", key=f"{' ' * 200}x").key) == 1
