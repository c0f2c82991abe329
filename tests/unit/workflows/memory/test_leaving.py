"""What leaves a prompt: the oldest, as whole exchanges and whole turns, and no more than has to."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sostenuto import Message, Role, TextPart
from sostenuto.contracts.message import ToolCallPart, ToolResultPart
from sostenuto.workflows.memory.leaving import beyond_window, exchanges, old_results, oldest
from sostenuto.workflows.memory.token_count import STUB_TOKENS
from tests.fakes.conversations import Conversation, staying

SEEDS = range(300)


def said(text: str = "So.") -> Message:
    return Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))


def calls(*ids: str) -> Message:
    return Message(role=Role.ASSISTANT, parts=tuple(ToolCallPart(id=id, name="look", arguments={}) for id in ids))


def result(id: str, size: int = 1_000) -> Message:
    return Message(role=Role.TOOL, parts=(ToolResultPart(call_id=id, name="look", content="x" * size),))


ASKED = Message.user("How?")


def test_a_call_leaves_with_all_its_results() -> None:
    messages = [ASKED, calls("a", "b"), result("a"), result("b"), said()]
    assert [*exchanges(messages, [0])] == [range(1, 4), range(4, 5)]
    assert [*exchanges(messages, [0, 2])] == [range(4, 5)], "one that stays keeps its call and the others"


def test_a_call_whose_results_are_yet_to_be_told_stays() -> None:
    assert [*exchanges([ASKED, said(), calls("a")], [])] == [range(1), range(1, 2)]
    assert [*exchanges([ASKED, calls("a"), result("a"), calls("b", "c"), result("b")], [0])] == [range(1, 3)]


def test_a_call_of_a_turn_that_failed_leaves_with_results_that_no_reply_knows() -> None:
    messages = [ASKED, calls("a", "b"), result("a"), result("b")]
    assert [*exchanges(messages, [])] == [range(1), range(1, 4)]
    both = Message(role=Role.TOOL, parts=(*result("a").parts, *result("b").parts))
    assert [*exchanges([ASKED, calls("a", "b"), both], [])] == [range(1), range(1, 3)]
    assert oldest(messages, [1.0, 10.0, 10.0, 10.0], [], 20, 4) == ((0, 4),)


def test_a_step_takes_more_than_a_summary_alone() -> None:
    """Summing up a summary would be the same again and again."""
    messages = [ASKED, said(), ASKED, said(), ASKED]
    tokens = [5.0, 200.0, 5.0, 5.0, 5.0]
    assert oldest(messages, tokens, [4], 300, 4, most=100) == ((0, 2),)
    assert oldest(messages, [5.0] * 5, [4], 300, 4, most=12) == ((0, 2),)


def test_what_is_longer_than_a_prompt_may_be_is_found() -> None:
    messages = [ASKED, calls("a"), result("a"), ASKED, said(), ASKED]
    tokens = [50.0, 60.0, 10.0, 30.0, 80.0, 1.0]
    assert beyond_window(messages, tokens, [5], [(0, 5)], 69) == ((1, 3), (4, 5))
    assert beyond_window(messages, tokens, [5], [(0, 3)], 69) == ((1, 3),), "of what leaves"
    assert beyond_window(messages, tokens, [5], [(0, 5)], 80) == ()
    assert beyond_window(messages, tokens, [0, 0, 5], [(1, 5)], 120) == ((4, 5),), "with what stays before it"


def test_a_turn_leaves_whole() -> None:
    turn = [ASKED, calls("a"), result("a"), said()]
    messages = [*turn, *turn, ASKED, calls("a"), result("a"), said()]
    tokens = [10.0] * len(messages)
    assert oldest(messages, tokens, [8], 1, 8) == ((0, 4),)
    assert oldest(messages, tokens, [8], 40, 8) == ((0, 4),)
    assert oldest(messages, tokens, [8], 41, 8) == ((0, 8),)
    assert oldest(messages, tokens, [8], 81, 8) == ((0, 8), (9, 11)), "of what is asked now exchanges leave"
    assert oldest(messages, tokens, [8], 1_000, 8) == ((0, 8), (9, 12))
    assert oldest(messages, tokens, [8], 0, 8) == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_enough_leaves_and_what_is_newer_stays(seed: int) -> None:
    made = Conversation(seed)
    known = made.known()
    asked = made.chance.choice([len(known), *(i for i, one in enumerate(known) if one.role is Role.USER)])
    stay = staying(known, asked)
    tokens = [made.chance.uniform(1, 500) for _ in known]
    excess = made.chance.uniform(0, 1.2) * sum(tokens)
    dropped = oldest(known, tokens, stay, excess, asked)
    gone = [index for start, stop in dropped for index in range(start, stop)]
    assert gone == sorted(set(gone))
    assert all(one[1] < other[0] for one, other in pairwise(dropped)), "in as few ranges as can be"
    assert not set(gone) & set(stay)
    able = [index for one in exchanges(known, stay) for index in one]
    assert gone == able[: len(gone)], "the oldest first"
    assert sum(tokens[index] for index in gone) >= excess or gone == able
    if gone and len(gone) < len(able):
        first = able[len(gone)]
        assert known[first].role is Role.USER or first >= asked, "no half of an old turn is left"


def test_long_results_are_cleared_the_oldest_first() -> None:
    messages = [ASKED, calls("a", "s"), result("a"), result("s"), calls("b"), result("b"), calls("c"), result("c")]
    tokens = [10.0, 10.0, 400.0, STUB_TOKENS + 1.0, 10.0, 400.0, 10.0, 400.0]
    left = 400 - STUB_TOKENS
    assert old_results(messages, tokens, 1) == (("a",), True)
    assert old_results(messages, tokens, left) == (("a",), True)
    assert old_results(messages, tokens, left + 1) == (("a", "b"), True)
    assert old_results(messages, tokens, 2_000) == (("a", "b", "c"), False), "one that is no longer than a stub stays"
    assert old_results(messages, tokens, 0) == ((), True)


def test_the_results_of_one_message_are_cleared_together() -> None:
    both = Message(role=Role.TOOL, parts=(*result("a").parts, *result("b").parts))
    assert old_results([both], [4.0 * STUB_TOKENS], 1) == (("a", "b"), True)
    assert old_results([both], [3.0 * STUB_TOKENS], 1) == ((), False), "it is hardly worth it"
