"""What an answer rests on: what is refused, and what is quoted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sostenuto import Agent, Cited
from sostenuto.contracts.collection.citation import best_sentence, uncited

KNOWN = {"aa": 1, "bb": 2}


@pytest.mark.parametrize(
    ("claims", "problems"),
    [
        ([], []),
        ([{"text": "x", "passages": ["aa", "bb"]}], []),
        ([{"text": "x", "passages": []}], ["claims[0] names no passage"]),
        (
            [{"text": "x", "passages": ["aa"]}, {"text": "y", "passages": ["aa", "cc"]}],
            ["claims[1] names passages that no"],
        ),
        ([{"text": "x", "passages": ["cc"]}] * 9, ["claims[0]", "claims[1]", "claims[2]", "claims[3]", "claims[4]"]),
    ],
)
def test_what_no_search_found_is_refused(claims: list[object], problems: list[str]) -> None:
    found = uncited({"answer": "x", "claims": claims}, KNOWN.keys())
    assert len(found) == len(problems)
    for told, wanted in zip(found, problems, strict=True):
        assert told.startswith(wanted)
    assert all("there are aa, bb" in told for told in found if "no search" in told)


def test_without_a_search_there_is_nothing_to_cite() -> None:
    (told,) = uncited({"claims": [{"text": "x", "passages": ["aa"]}]}, ())
    assert told.endswith("there are none: search first")


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("The probe lies flat.", "Store the probe lying flat, since hanging stretches it."),
        ("Vinegar harms the seals", "Never use vinegar! "),
        ("nothing of it", "Wipe the shaft."),
    ],
)
def test_the_sentence_with_the_most_words_of_a_claim_is_quoted(claim: str, quote: str) -> None:
    text = "Wipe the shaft. Never use vinegar! \nStore the probe lying flat, since hanging\nstretches it.\n\nThe end"
    found, start, end = best_sentence(claim, SimpleNamespace(text=text, start=100))
    assert " ".join(found.split()) == quote.strip()
    assert text[start - 100 : end - 100] == found


def test_a_quote_is_bounded() -> None:
    found, start, end = best_sentence("x", SimpleNamespace(text="word " * 1_000, start=0))
    assert (len(found), start, end) == (400, 0, 400)


def test_an_output_type_of_ones_own_may_be_cited() -> None:
    class Mine(Cited):
        confidence: float

    schemas = [Agent(name="a", model="local/m", output=output).output for output in (Cited, Mine, str)]
    assert [schema.cited for schema in schemas if schema] == [True, True, False]
