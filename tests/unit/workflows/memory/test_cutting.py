"""What is told in part: the beginning and the end, and how much is left out."""

from __future__ import annotations

import pytest

from sostenuto import Message, Role, TextPart
from sostenuto.contracts.limits import written_bytes
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
    assert longest_new(messages, sent=1, asked=3) == [(1, 0), (4, 0)]
    assert longest_new(messages[2:], sent=0, asked=1) == [(2, 0)]
    assert longest_new([Message(role=Role.TOOL, parts=(result("x" * 300),))], sent=0, asked=0) == []


def test_the_longest_is_what_has_the_most_bytes() -> None:
    parts = (result("x" * 900), result("字" * 400), result("😀" * 90), result("\x01" * 40))
    assert longest_new([Message(role=Role.TOOL, parts=parts)], sent=0, asked=0) == [(0, 1), (0, 0), (0, 2)]


@pytest.mark.parametrize("letter", ["字", "😀", '"', "\n", "\x01", "é"])
@pytest.mark.parametrize("left_out", [500, 5_000])
def test_what_has_many_bytes_for_a_character_is_cut_by_its_bytes(letter: str, left_out: int) -> None:
    whole = result("begin" + letter * 4_000 + "end")
    told = cut_part(whole, left_out)
    begin, end = (cuttable_text(told)[:5], cuttable_text(told)[-3:])
    assert (begin, end) == ("begin", "end")
    assert written_bytes(whole) - left_out - 200 <= written_bytes(told) <= written_bytes(whole) - left_out
