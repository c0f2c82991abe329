"""What is told in part: the beginning and the end, and how much is left out."""

from __future__ import annotations

import pytest

from sostenuto import Message, Role, TextPart
from sostenuto.contracts.message import Part, ToolResultPart
from sostenuto.workflows.memory.cutting import cut_part, cuttable_text, longest_new

WHOLE = "".join(f"{number:06}" for number in range(5_000))


def result(content: str) -> ToolResultPart:
    return ToolResultPart(call_id="call_1_0", name="look", content=content)


@pytest.mark.parametrize("left_out", [0, 1, 9_999, 29_000])
@pytest.mark.parametrize("part", [result(WHOLE), TextPart(text=WHOLE)], ids=["result", "text"])
def test_a_part_that_is_cut_has_its_beginning_and_its_end(part: Part, left_out: int) -> None:
    told = cuttable_text(cut_part(part, left_out))
    begin, note, end = told.split("\n")
    assert WHOLE.startswith(begin)
    assert WHOLE.endswith(end)
    assert len(told) <= len(WHOLE) - left_out
    assert note.startswith(f"[{len(WHOLE) - len(begin) - len(end):,} characters are left out here")


@pytest.mark.parametrize("content", [WHOLE, "x" * 301])
def test_where_nothing_of_it_fits_its_length_is_told(content: str) -> None:
    told = cuttable_text(cut_part(result(content), len(content)))
    assert told.startswith(f"[{len(content):,} characters are left out here: they do not fit")
    assert len(told) < len(content)


def test_the_longest_of_what_is_new_is_found_and_never_what_is_asked_now() -> None:
    messages = [
        Message.user("known " * 900),
        Message.user("never answered " * 90),
        Message.user("pinned " * 900, pinned=True),
        Message.user("asked now " * 900),
        Message(role=Role.TOOL, parts=(result("x" * 400),)),
    ]
    found = longest_new(messages, sent=1, asked=3)
    assert found == (1, messages[1].parts[0])
    assert longest_new(messages[2:], sent=0, asked=1) == (2, messages[4].parts[0])
    assert longest_new([Message(role=Role.TOOL, parts=(result("x" * 300),))], sent=0, asked=0) is None
