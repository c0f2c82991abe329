"""What an answer that cites looks like on a terminal, whatever its documents say."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from sostenuto import Citation, Cited
from sostenuto.clients.cli.footnotes import with_footnotes, with_notes
from sostenuto.contracts.collection.citation import Attribution, Claim


def citation(**fields: Any) -> Citation:
    given = {
        "claim": "It is stored flat.",
        "passage": "6dc28a082f",
        "source": "https://example.com/probe.md",
        "headings": ("The probe", "Storage"),
        "quote": "Store it lying flat.",
        "start": 10,
        "end": 30,
    }
    return Citation(**(given | fields))


def test_a_footnote_has_place_and_quote_and_its_number_stands_behind_the_claim() -> None:
    shown = with_footnotes("It is stored flat. Ask for more.", [citation(page=2)])
    assert shown == (
        "It is stored flat. [1] Ask for more.\n"
        "\n"
        "[1] https://example.com/probe.md · page 2 · The probe > Storage\n"
        "    “Store it lying flat.”"
    )


def test_a_claim_in_other_words_than_the_answers_stands_in_the_footnote() -> None:
    shown = with_footnotes("Flat, always.", [citation()])
    assert shown.splitlines()[:4] == [
        "Flat, always.",
        "",
        "[1] It is stored flat.",
        "    https://example.com/probe.md · The probe > Storage",
    ]


def test_several_passages_of_a_claim_are_footnotes_of_their_own() -> None:
    claims = [citation(claim="One."), citation(claim="One.", quote="Uno."), citation(claim="Two.")]
    assert with_footnotes("One. Two.", claims).splitlines()[0] == "One. [1][2] Two. [3]"


def test_claims_that_are_parts_of_each_other_have_each_their_number() -> None:
    shown = with_footnotes("It rains today.", [citation(claim="It rains"), citation(claim="It rains today.")])
    assert shown.splitlines()[0] == "It rains [1] today. [2]"


def test_without_page_headings_and_quote_there_is_the_source_alone() -> None:
    shown = with_footnotes("It is stored flat.", [citation(headings=(), quote=" \n")])
    assert shown == "It is stored flat. [1]\n\n[1] https://example.com/probe.md"


def test_a_file_is_told_by_its_path_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    near, far = (tmp_path / "my docs" / "a%b.md"), Path("/elsewhere/b.md")
    shown = with_footnotes("", [citation(source=one.as_uri(), headings=()) for one in (near, far)])
    assert "    my docs/a%b.md\n" in shown
    assert "    /elsewhere/b.md\n" in shown


def test_that_passages_were_found_by_similarity_is_said_once() -> None:
    found = [citation(attribution=Attribution.SIMILARITY)] * 2
    assert with_footnotes("x", found).count("the model did not name its sources") == 1
    assert "did not name" not in with_footnotes("x", [citation()])


HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31m\rhidden"


@pytest.mark.parametrize("field", ["claim", "source", "quote"])
def test_no_field_gives_the_terminal_orders(field: str) -> None:
    shown = with_footnotes(HOSTILE, [citation(**{field: HOSTILE})])
    assert not set(shown) & set("\x1b\x07\x9b\r\u202e")
    assert "gnp.exe" in shown


def test_no_heading_gives_the_terminal_orders() -> None:
    assert "\x1b" not in with_footnotes("x", [citation(headings=(HOSTILE, "a"))])


@pytest.mark.parametrize("field", ["claim", "source", "quote"])
def test_no_field_forges_a_footnote_of_its_own(field: str) -> None:
    shown = with_footnotes("x", [citation(**{field: "a\n\n[2] /etc/passwd\n    “forged”"})])
    assert not any(line.startswith("[2]") for line in shown.splitlines())


def test_a_long_quote_is_cut_and_stays_one_line() -> None:
    shown = with_footnotes("x", [citation(quote="word \n" * 1_000, source="https://example.com/" + "a" * 5_000)])
    last = shown.splitlines()[-1]
    assert last.startswith("    “word word")
    assert last.endswith("…”")
    assert max(map(len, shown.splitlines())) < 310


@pytest.mark.parametrize("width", [1, 40, 80])
def test_lines_are_broken_where_a_width_is_given(width: int) -> None:
    long = citation(quote="many words " * 30, source="https://example.com/" + "a" * 300)
    shown = with_footnotes(
        "An answer of several words, longer than a line of eighty columns is, as many are.\nTwo.", [long], width=width
    )
    assert max(map(len, shown.splitlines())) <= max(width, 20)
    notes = shown[shown.index("[1]") :].splitlines()
    assert all(line.startswith("    ") for line in notes[1:])


def test_an_answer_of_nothing_is_shown_as_such() -> None:
    assert with_footnotes("", []) == ""


class Mood(StrEnum):
    CALM = "calm"


class Labelled(Cited):
    """What has a field more."""

    mood: Mood


CLAIMS = [Claim(text="It is stored flat.", passages=["6dc28a082f"])]
NOTE = "\n\n[1] https://example.com/probe.md · The probe > Storage\n    “Store it lying flat.”"
NOTE_WITH_CLAIM = NOTE.replace("[1] ", "[1] It is stored flat.\n    ")


def test_the_text_of_a_step_after_the_one_that_cites_is_shown() -> None:
    assert with_notes("So: It is stored flat. Good.", [citation()]) == f"So: It is stored flat. [1] Good.{NOTE}"


def test_a_text_that_cites_nothing_stays_as_it_is_to_the_letter() -> None:
    assert with_notes(f"{HOSTILE}\r\n", []) == f"{HOSTILE}\r\n"
    assert with_notes("one two three four five six", [], width=20) == "one two three four\nfive six"


@pytest.mark.parametrize("known", [True, False])
def test_an_answer_that_cites_is_shown_with_all_its_fields(known: bool) -> None:
    output = Labelled(answer="It is stored flat.", claims=CLAIMS, mood=Mood.CALM)
    shown = with_notes(output if known else output.model_dump(mode="json"), [citation()])
    assert shown == f'It is stored flat. [1]\n\n{{\n  "mood": "calm"\n}}{NOTE}'


@pytest.mark.parametrize("known", [True, False])
def test_an_answer_that_claims_nothing_is_its_words(known: bool) -> None:
    output = Cited(answer="That is not known.", claims=[])
    assert with_notes(output if known else output.model_dump(), []) == "That is not known."


def test_an_object_is_json_with_its_footnotes_below() -> None:
    branches = {"left": {"answer": "It is stored flat.", "claims": []}, "right": "Yes"}
    end = with_notes(branches, [citation()])
    assert json.loads(end.removesuffix(NOTE_WITH_CLAIM)) == branches
    assert json.loads(with_notes(branches, [])) == branches
    assert json.loads(with_notes({"answer": "without claims", "sure": True}, [])) == {
        "answer": "without claims",
        "sure": True,
    }
    assert json.loads(with_notes(["a", 1, None], [])) == ["a", 1, None]


def test_an_object_with_an_answer_of_a_later_step_loses_no_field() -> None:
    shown = with_notes({"answer": "Flat.", "steps": ["lie it down"]}, [citation()])
    assert shown.startswith("Flat.\n\n{")
    assert "lie it down" in shown
    assert shown.endswith(NOTE_WITH_CLAIM)


def test_neither_fields_nor_objects_reach_the_terminal_as_orders() -> None:
    shown = [
        with_notes({"answer": HOSTILE, "claims": [], "more": HOSTILE}, []),
        with_notes({"other": HOSTILE}, [citation()]),
    ]
    assert not any("\x1b" in one for one in shown)
