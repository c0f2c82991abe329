"""Headings of Markdown, in both of its forms, and what only looks like one."""

from __future__ import annotations

import pytest

from sostenuto.activities.adapters.documents.headings import Outline


def headings(text: str) -> list[tuple[int, str]]:
    return [(section.level, section.path[-1]) for section in Outline(text).sections if section.level]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# One\n## Two ##\n### Three #x", [(1, "One"), (2, "Two"), (3, "Three #x")]),
        ("One\n===\n\nTwo\n---", [(1, "One"), (2, "Two")]),
        ("#none\n####### none\n    # none\n\\# none", []),
        ("```\n# none\n```\n# One", [(1, "One")]),
        ("````\n# none\n```\n# none\n````\n# One", [(1, "One")]),
        ("~~~ sh\n# none\n```\n~~~\n# One", [(1, "One")]),
        ("```\n# none", []),
        ("``` not`fence\n# One", [(1, "One")]),
        ("text\nmore\n---\n", []),
        ("- item\n---\n\n---\n| a |\n---", []),
        ("# The `code` of [links](https://x.test/a) and **more**", [(1, "The code of links and more")]),
        ("   ### Three", [(3, "Three")]),
    ],
)
def test_headings(text: str, found: list[tuple[int, str]]) -> None:
    assert headings(text) == found


def test_a_path_is_of_those_that_are_still_open() -> None:
    paths = [section.path for section in Outline("a\n# A\n### C\n## B\n# D\n").sections]
    assert paths == [(), ("A",), ("A", "C"), ("A", "B"), ("D",)]


def test_sections_begin_and_end_where_they_do() -> None:
    text = "intro\n# A\nbody\n\nB\n==\n"
    sections = Outline(text).sections
    assert [text[section.start : section.body] for section in sections] == ["", "# A\n", "B\n==\n"]
    assert [section.has_body for section in sections] == [True, True, False]


def test_what_is_within_a_fence() -> None:
    text = "a\n```\nb\n```\nc"
    outline = Outline(text)
    assert outline.fences == [(2, 12)]
    assert [outline.is_fenced(place) for place in (0, 2, 3, 11, 12)] == [False, False, True, True, False]
