"""The corpus of `benchmarks.retrieval`: every question has one answer, which stands there once."""

from __future__ import annotations

import json
from collections import Counter

from benchmarks.retrieval import CORPUS

QUESTIONS = [json.loads(line) for line in (CORPUS / "questions.jsonl").read_text().splitlines() if line]
DOCUMENTS = {path.relative_to(CORPUS / "docs").as_posix(): path.read_text() for path in CORPUS.glob("docs/**/*.md")}


def test_the_words_of_every_answer_stand_in_one_document_once() -> None:
    for question in QUESTIONS:
        if question["document"] is not None:
            found = {
                name: text.count(question["quote"]) for name, text in DOCUMENTS.items() if question["quote"] in text
            }
            assert found == {question["document"]: 1}, question["id"]


def test_it_is_large_enough_to_tell_stages_apart() -> None:
    kinds = Counter(question["kind"] for question in QUESTIONS)
    assert len(DOCUMENTS) >= 45
    assert sum(kinds.values()) - kinds["unanswerable"] >= 60
    assert kinds["paraphrase"] >= 30
    assert kinds["identifier"] >= 12
    assert kinds["confusable"] >= 14
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS)


def test_the_fields_of_every_document_are_known() -> None:
    fields = json.loads((CORPUS / "fields.json").read_text())
    assert fields.keys() == DOCUMENTS.keys()
    assert {type(value["year"]) for value in fields.values()} == {int}
