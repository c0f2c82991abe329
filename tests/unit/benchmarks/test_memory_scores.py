"""A memory's answers are judged by their words, their order and nothing else."""

from __future__ import annotations

import pytest

from benchmarks.memory_dialogues import Answered, NewestSentences, answered, dated, figures_of, sentences, table
from benchmarks.memory_scores import (
    Asked,
    Dialogue,
    Fact,
    Never,
    Recalled,
    Said,
    Session,
    State,
    holds,
    separation,
    state_of,
    verdict,
)

MOVED = Asked("q1", "update", "Where does she live?", 3, (("Coimbra", "upper floor + aunt"),), ("Porto",), ())
NUTS = Asked("q2", "fact", "Which nuts?", 3, (("peanuts",), ("cashews",)), (), ())
NEVER_SAID = Asked("q3", "unknown", "How many children?", 3, (), (), ("children",))

PORTO = Fact("She lives in Porto.", (("Porto",),), "s1", "s2", "She lives in Coimbra.")
COIMBRA = Fact("She lives in Coimbra.", (("Coimbra",),), "s2")
GHENT = Never("She lives in Ghent.", (("Ghent",),), ("sister",))
DIALOGUE = Dialogue(
    "d1",
    (
        Session("s1", "2025-02-03", (Said("user", "I'm in Porto. Rain!"), Said("assistant", "Oh."))),
        Session("s2", "2025-06-22", (Said("user", "We moved. It's Coimbra now."), Said("assistant", "Nice."))),
    ),
    (MOVED, NEVER_SAID),
    (COIMBRA,),
    (PORTO,),
    (GHENT,),
)


def _recalled(*texts: str) -> list[Recalled]:
    return [Recalled(text, 1 - i / 10) for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "alternative", "held"),
    [
        ("It's a ŠKODA!", "škoda", True),
        ("a Škodas", "Škoda", False),
        ("at half past eleven", "half past", True),
        ("past half", "half past", False),
        ("the aunt has the upper floor", "upper floor + aunt", True),
        ("the upper floor", "upper floor + aunt", False),
        ("2025-06-22: it hailed", "2025-06-22+hailed", True),
        ("don't", "don't", True),
    ],
)
def test_words_are_whole_and_case_is_none(text: str, alternative: str, held: bool) -> None:
    assert holds(text, alternative) is held


def test_an_answer_counts_within_its_number_of_texts() -> None:
    judged = verdict(MOVED, _recalled("It rains.", "A cat.", "The aunt has an upper floor."))
    assert judged.rank == 3
    assert [judged.is_right(k) for k in (1, 2, 3)] == [False, False, True]


def test_every_group_must_be_met_by_some_text() -> None:
    assert verdict(NUTS, _recalled("no peanuts", "cashews as well")).rank == 2
    assert verdict(NUTS, _recalled("no peanuts", "no fish")).rank is None


@pytest.mark.parametrize(
    ("texts", "right", "clean"),
    [
        (["She lives in Coimbra."], True, True),
        (["She lives in Coimbra.", "She lives in Porto."], True, False),
        (["She lives in Porto.", "She lives in Coimbra."], False, False),
        (["She moved from Porto to Coimbra."], True, True),
        (["She no longer lives in Porto.", "She lives in Coimbra."], True, True),
        (["She lives in Porto."], False, False),
        ([], False, False),
    ],
)
def test_a_stale_value_must_not_come_first(texts: list[str], right: bool, clean: bool) -> None:
    judged = verdict(MOVED, _recalled(*texts))
    assert (judged.is_right(3), judged.is_clean(3)) == (right, clean)


def test_what_was_never_said_is_answered_by_silence_alone() -> None:
    assert verdict(NEVER_SAID, []).is_right(3)
    assert not verdict(NEVER_SAID, _recalled("She plays the cello.")).is_right(3)


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (["She lives in Coimbra."], State((True,), (True,), (True,), 1)),
        (["She lives in Porto."], State((False,), (False,), (True,), 1)),
        (["She left Porto for Coimbra."], State((True,), (True,), (True,), 1)),
        (["She used to live in Porto."], State((False,), (True,), (True,), 1)),
        (["Her home is Ghent."], State((False,), (True,), (False,), 1)),
        (["Her sister's home is Ghent."], State((False,), (True,), (True,), 1)),
        ([], State((False,), (True,), (True,), 0)),
    ],
)
def test_a_state_is_compared_fact_by_fact(texts: list[str], state: State) -> None:
    assert state_of(DIALOGUE, texts) == state


def test_a_fact_that_came_back_is_not_held_to_be_stale() -> None:
    again = Fact("She lives in Porto again.", (("Porto",),), "s3")
    coimbra = Fact("She lives in Coimbra.", (("Coimbra",),), "s2", "s3", again.text)
    dialogue = Dialogue("d1", (), (), (again,), (PORTO, coimbra), ())
    assert state_of(dialogue, ["She lives in Porto again."]) == State((True,), (True,), (), 1)


def test_separation_is_of_the_best_scores() -> None:
    far, near, silent = [Recalled("a", 0.2)], [Recalled("a", 0.2), Recalled("b", 0.9)], list[Recalled]()
    assert separation([verdict(MOVED, near), verdict(NEVER_SAID, far)]) == 1
    assert separation([verdict(MOVED, far), verdict(NEVER_SAID, far)]) == 0.5
    assert separation([verdict(MOVED, far), verdict(NEVER_SAID, silent)]) == 1
    assert separation([verdict(MOVED, [Recalled("a")]), verdict(NEVER_SAID, far)]) is None
    assert separation([verdict(MOVED, near)]) is None


def test_what_is_extracted_of_a_session_includes_what_ended_there() -> None:
    gone = Fact("She has piano lessons.", (("piano",),), "s1", "s2", "She has no piano lessons any more.")
    dialogue = Dialogue("d1", (), (), (COIMBRA,), (PORTO, gone), ())
    assert dialogue.facts_of("s1") == ["She lives in Porto.", "She has piano lessons."]
    assert dialogue.facts_of("s2") == ["She lives in Coimbra.", "She has no piano lessons any more."]


async def test_a_memory_is_told_the_sessions_and_asked_afterwards() -> None:
    found = await answered(NewestSentences(), DIALOGUE)
    assert [one.rank for one in found.verdicts] == [1, None]
    assert found.state == State((True,), (False,), (True,), 4)
    assert len(found.seconds) == 2


def test_only_the_user_is_kept_by_sentences() -> None:
    said = [Said("user", "Hi! It's 2.5 mg. ok"), Said("assistant", "Noted.")]
    assert [dated("2025-02-03", one) for one in sentences(said)] == [
        "2025-02-03: Hi!",
        "2025-02-03: It's 2.5 mg.",
        "2025-02-03: ok",
    ]


def _figures(*, keeps_silent: bool) -> list[float | None]:
    right, silent = verdict(MOVED, _recalled("Coimbra")), verdict(NEVER_SAID, [])
    state = State((True, False), (True,), (True,), 3)
    made = figures_of(
        "mine", [Answered((MOVED, NEVER_SAID), (right, silent), state, (0.001, 0.003))], keeps_silent=keeps_silent
    )
    assert "| mine |" in table([made])
    return [made.kinds["update"], made.kinds["unknown"], made.at[1], made.stands, made.state, made.question_ms]


def test_figures_are_parts_of_what_was_judged() -> None:
    assert _figures(keeps_silent=True) == [1.0, 1.0, 1.0, 0.5, 0.75, pytest.approx(2)]


def test_what_never_keeps_silent_is_not_judged_by_what_was_never_said() -> None:
    assert _figures(keeps_silent=False)[1] is None
