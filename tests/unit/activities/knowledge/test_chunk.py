"""What of a chunk is embedded: its text under its headings, each said once."""

from __future__ import annotations

import pytest

from sostenuto.activities.knowledge.chunk import Chunk, heading_text


@pytest.mark.parametrize(
    ("text", "headings", "embedded"),
    [
        ("words", (), "words"),
        ("words", ("Guide", "Start"), "Guide > Start\n\nwords"),
        ("## Start\n\nwords", ("Guide", "Start"), "Guide\n\n## Start\n\nwords"),
        ("# Guide\n\n## Start\n\nwords", ("Guide", "Start"), "# Guide\n\n## Start\n\nwords"),
        ("Start\n=====\n\nwords", ("Start",), "Start\n=====\n\nwords"),
        ("words\n\n## Next\n\nmore", ("Guide",), "Guide\n\nwords\n\n## Next\n\nmore"),
        ("### The `x` of **y** ###\nwords", ("The x of y",), "### The `x` of **y** ###\nwords"),
    ],
)
def test_embedded_text(text: str, headings: tuple[str, ...], embedded: str) -> None:
    assert Chunk(text, 0, len(text), headings=headings).embedded_text() == embedded


def test_the_words_of_a_heading() -> None:
    assert heading_text("## See [the   docs](https://x.test) #") == "See the docs"
    assert heading_text("C# and snake_case") == "C# and snake_case"
