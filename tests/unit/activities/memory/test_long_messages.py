"""Whatever a message repeats: one that is twice as long takes about twice as long, and no worker stands still."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from sostenuto.activities.memory.rules.extracting import extracted, understood
from sostenuto.activities.memory.rules.own_words import in_own_words
from sostenuto.contracts.memory.long_term import MemoryKind

AT = datetime(2026, 11, 30, tzinfo=UTC)
HEADS = ("", "i like ", "i'm a ", "my ", "i moved from ", "remember that our ")
MANY = (
    *(" ", "\N{NO-BREAK SPACE}", "\n", "\t \n", ",", " ,", ",\n", "a", "1 ", "'", '"', "`", "> ", ". ", "? ", "and "),
    *("and and ", ", and ", "i ", "my ", "no ", "so, ", "now ", "er-", "x er ", "any more ", "to ", "in 2000 "),
    *("last week ", "remember that ", "tomorrow ", "since ", "please ", "i like "),
)


def _seconds(text: str) -> float:
    """Of this process alone: what else the machine does takes no part in it."""
    began = time.process_time()
    extracted(text, AT, tuple(MemoryKind))
    in_own_words(text, AT)
    understood(text, MemoryKind.FACT, AT)
    return time.process_time() - began


def _grows(head: str, many: str) -> float:
    """How many times as long four times as much takes."""
    short, long = (f"{head}{many * (chars // len(many))}x" for chars in (2_000, 8_000))
    best = min(_seconds(long) for _ in range(2))
    return best / max(min(_seconds(short) for _ in range(2)), 1e-4)


@pytest.mark.parametrize("many", MANY)
def test_time_grows_as_the_message_does(many: str) -> None:
    for head in HEADS:
        # What is quadratic takes sixteen times as long. One look may be disturbed, three are not.
        assert any(_grows(head, many) < 9 for _ in range(3)), head


@pytest.mark.parametrize("blanks", [" " * 3_000, "\t", "\N{NO-BREAK SPACE} "])
def test_how_many_blanks_there_are_says_nothing(blanks: str) -> None:
    found = extracted(f"I like{blanks}tea{blanks}but{blanks}I hate{blanks}coffee", AT, tuple(MemoryKind))
    assert [one.text for one in found] == ["The user likes tea.", "The user dislikes coffee."]
    assert extracted(f"remember{blanks}me to{blanks}somebody there", AT, tuple(MemoryKind)) == ()
