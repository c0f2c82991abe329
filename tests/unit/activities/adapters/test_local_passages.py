import time

import pytest

from sostenuto.activities.adapters.local_model.passages import Sentence, is_grounded, joined, split

PAGE = """# Tools

A **tool** is a [typed function](tools.md). It has
an `effect`.

## Effects

- `read` repeats freely.
- `once` does not.

```python
code = "is left out"
```

| effect | repeats |
|---|---|
| read | yes |
"""


def test_markdown_becomes_sentences_under_their_headings() -> None:
    assert split(PAGE) == [
        Sentence("A tool is a typed function.", "Tools"),
        Sentence("It has an effect.", "Tools"),
        Sentence("read repeats freely.", "Effects"),
        Sentence("once does not.", "Effects"),
        Sentence("read, yes", "Effects"),
    ]


def test_json_becomes_one_sentence_per_object() -> None:
    found = split('[{"order_id": "7", "status": "shipped", "note": null}, {"items": ["a", {"b": 1}]}]')
    assert [s.text for s in found] == ["order id: 7, status: shipped", "a", "b: 1"]


def test_json_text_is_read_as_prose() -> None:
    assert [s.text for s in split('"One. Two."')] == ["One.", "Two."]


def test_nothing_has_no_sentences() -> None:
    assert split("") == []
    assert split("[]") == []


@pytest.mark.parametrize(
    ("answer", "grounded"),
    [
        ("Maria Lopez has the phone number 555-0199.", True),
        ("Her phone numbers: 555-0199", True),
        ("Maria Lopez has the phone number 555-0198.", False),
        ("Maria Lopez does not have a phone.", False),
        ("", False),
    ],
)
def test_an_answer_is_grounded_where_all_its_words_are_known(answer: str, grounded: bool) -> None:
    assert is_grounded(answer, "Maria Lopez has her phone number here: 555-0199") is grounded


def test_sentences_are_joined_as_they_end() -> None:
    texts = ("It rains.", "status: open", "Really?", "yes")
    assert joined([Sentence(text, "") for text in texts]) == "It rains. status: open; Really? yes"
    assert joined([]) == ""


def test_a_fence_that_nothing_closes_hides_nothing() -> None:
    assert [one.text for one in split("Before.\n```\ncode\n```\nAfter.\n~~~\nStill here.")] == [
        "Before.",
        "After. ~~~ Still here.",
    ]
    assert [one.text for one in split("| Head |\n|---|\n| Cell |")] == ["Cell"]
    assert [(one.text, one.heading) for one in split("## The head ##\nText.")] == [("Text.", "The head")]


@pytest.mark.parametrize("shape", ["```a\n", "\n", "# a    ", "[", "|a|\n", "|-", "[x](", "*a* ", '{"a":', "a. "])
def test_a_text_of_any_shape_is_split_in_time_as_long_as_it_is(shape: str) -> None:
    def seconds(size: int) -> float:
        began = time.process_time()
        split(shape * (size // len(shape)) + "b")
        return time.process_time() - began

    # Ten times the text: what grows by its square would take a hundred times as long.
    assert seconds(100_000) < seconds(10_000) * 30 + 1.5
