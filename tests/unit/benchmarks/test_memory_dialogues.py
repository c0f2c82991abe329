"""The written dialogues are well formed, and their final states are what a faultless memory holds."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from benchmarks.memory_scores import KINDS, ORDERED, UNKNOWN, Dialogue, Recalled, holds, read, says, state_of, verdict

DIALOGUES = read()
ASKED = [asked for dialogue in DIALOGUES for asked in dialogue.asked]


def _said(dialogue: Dialogue) -> list[str]:
    """Every message, with its date."""
    return [f"{one.date}: {said.text}" for one in dialogue.sessions for said in one.messages]


def _facts(dialogue: Dialogue) -> list[str]:
    """All that a faultless extraction finds, with dates."""
    return [f"{one.date}: {fact}" for one in dialogue.sessions for fact in dialogue.facts_of(one.id)]


@pytest.fixture(params=DIALOGUES, ids=lambda dialogue: dialogue.id)
def dialogue(request: pytest.FixtureRequest) -> Dialogue:
    param: Dialogue = request.param
    return param


def test_it_is_large_enough() -> None:
    kinds = Counter(asked.kind for asked in ASKED)
    assert len(DIALOGUES) >= 44
    assert len(ASKED) >= 220
    assert kinds.keys() == set(KINDS)
    assert min(kinds.values()) >= 40
    assert min(len(dialogue.asked) for dialogue in DIALOGUES) >= 5


def test_ids_are_unique_and_tell_their_dialogue() -> None:
    assert len({dialogue.id for dialogue in DIALOGUES}) == len(DIALOGUES)
    for dialogue in DIALOGUES:
        assert [one.id for one in dialogue.sessions] == [
            f"{dialogue.id}-s{i}" for i, _ in enumerate(dialogue.sessions, 1)
        ]
        assert [one.id for one in dialogue.asked] == [f"{dialogue.id}-q{i}" for i, _ in enumerate(dialogue.asked, 1)]


def test_sessions_follow_each_other_and_people_speak_by_turns(dialogue: Dialogue) -> None:
    days = [date.fromisoformat(session.date) for session in dialogue.sessions]
    assert days == sorted(set(days))
    assert 2 <= len(days) <= 5
    for session in dialogue.sessions:
        turns, rest = divmod(len(session.messages), 2)
        assert 4 <= turns <= 10
        assert rest == 0
        assert [said.role for said in session.messages] == ["user", "assistant"] * turns
        assert all(said.text.strip() for said in session.messages)


def test_every_answer_stands_in_the_dialogue_and_what_was_never_said_does_not(dialogue: Dialogue) -> None:
    said = _said(dialogue)
    for asked in dialogue.asked:
        assert asked.k >= 1
        assert bool(asked.absent) == (asked.kind == UNKNOWN) == (not asked.answer), asked.id
        assert all(any(says(text, (group,)) for text in said) for group in asked.answer), asked.id
        assert not any(holds(text, word) for word in asked.absent for text in said), asked.id
        assert all(any(holds(text, value) for text in said) for value in asked.must_not), asked.id
        assert asked.must_not or asked.kind not in ORDERED, asked.id


def test_a_stale_value_is_no_answer(dialogue: Dialogue) -> None:
    for asked in dialogue.asked:
        if asked.kind in ORDERED:
            assert not any(says(value.replace("+", " "), asked.answer) for value in asked.must_not), asked.id


def test_facts_are_of_sessions_and_have_successors(dialogue: Dialogue) -> None:
    order = {session.id: i for i, session in enumerate(dialogue.sessions)}
    for fact in (*dialogue.stands, *dialogue.superseded):
        assert fact.said in order, fact.text
        assert says(fact.text, fact.words), fact.text
    assert all(fact.ended is None and fact.by is None for fact in dialogue.stands)
    assert all(fact.by and order[fact.said] < order[fact.ended or ""] for fact in dialogue.superseded)


def test_what_never_was_so_was_at_least_spoken_of(dialogue: Dialogue) -> None:
    whole = " ".join(_said(dialogue))
    assert [one.text for one in dialogue.never if not says(whole, one.words)] == []


def test_what_stands_is_a_faultless_state(dialogue: Dialogue) -> None:
    state = state_of(dialogue, [fact.text for fact in dialogue.stands])
    assert all((*state.stands, *state.gone, *state.kept_out))
    # What came back in the end is not judged.
    assert 4 * len(state.gone) >= 3 * len(dialogue.superseded)


def test_everything_that_was_ever_so_is_no_faultless_state() -> None:
    states = [state_of(dialogue, _facts(dialogue)) for dialogue in DIALOGUES]
    gone = [held for state in states for held in state.gone]
    assert sum(gone) < len(gone) / 10


def test_a_faultless_extraction_answers_every_question(dialogue: Dialogue) -> None:
    # The newest first, as nothing stale may come before what stands.
    texts = [Recalled(fact) for fact in (*(fact.text for fact in dialogue.stands), *_facts(dialogue))]
    wrong = [
        asked.id for asked in dialogue.asked if asked.kind != UNKNOWN and not verdict(asked, texts).is_right(len(texts))
    ]
    assert wrong == []
