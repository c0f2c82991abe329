"""Chunks: none too long, none empty, nothing lost, and each where a person would have cut."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import get_args

import pytest
from tokenizers import Tokenizer

from sostenuto.activities.adapters.documents.chunker import Chunker
from sostenuto.activities.knowledge.chunk import Chunk
from sostenuto.contracts.collection.document import Document, Form
from sostenuto.contracts.errors import SetupError
from tests.fakes.word_pieces import tokenizer_file

SENTENCE = "The quick brown fox jumps over the lazy dog. "  # 10 tokens
ALPHABET = [
    *("the quick fox", ". ", "! ", ", ", "\n", "\n\n", " ", "  ", "\t", "    ", "word", "x" * 150, "é", "e\u0301", "ﬁ"),
    *(
        "中文",
        "中文。",
        "😀",
        "👩\u200d👩\u200d👧",
        "\u200b",
        "\u00a0",
        "\u3000",
        "\n# Head\n",
        "\n## Two words\n",
        "\n### x\n",
    ),
    *(
        "\n```\n",
        "\n~~~ python\n",
        "\nTitle\n===\n",
        "\n- item",
        "\n| a | b |\n| - | - |\n",
        "def f():\n    return 1\n",
        "#",
    ),
]


@pytest.fixture
def chunker(tmp_path: Path) -> Chunker:
    return Chunker(tokenizer_file(tmp_path), 40, most_heading_tokens=20)


def markdown(chunker: Chunker, text: str) -> list[Chunk]:
    return chunker.chunks(Document(text, "markdown"))


def check(chunks: list[Chunk], document: Document, tokenizer: Tokenizer, most: int) -> None:
    left = list(document.text)
    last = 0
    for chunk in chunks:
        assert document.text[chunk.start : chunk.end] == chunk.text
        assert chunk.text.strip()
        assert chunk.start >= last
        last = chunk.end
        left[chunk.start : chunk.end] = " " * len(chunk.text)
        assert len(tokenizer.encode(chunk.text, add_special_tokens=False).ids) <= most or len(chunk.text) == 1
    assert not "".join(left).strip()


@pytest.mark.parametrize("byte_level", [False, True], ids=["word pieces", "bytes"])
@pytest.mark.parametrize("form", get_args(Form))
def test_whatever_the_text(tmp_path: Path, form: Form, byte_level: bool) -> None:
    """Exact places, nothing lost, nothing too long and the same again, also for a tokenizer that counts spaces."""
    path = tokenizer_file(tmp_path, byte_level=byte_level)
    counting = Tokenizer.from_file(str(path))
    counting.no_truncation()
    counting.no_padding()
    chance = random.Random(f"{form}{byte_level}")
    for number in range(150):
        text = "".join(chance.choices(ALPHABET, k=chance.randrange(1, 400)))
        most = chance.choice([16, 40, 200])
        document = Document(text, form)
        chunks = Chunker(path, most).chunks(document)
        check(chunks, document, counting, most)
        if number % 10 == 0:
            assert Chunker(path, most).chunks(document) == chunks


def test_offsets_are_of_characters(chunker: Chunker) -> None:
    text = "😀 中文 é. " * 50
    chunks = chunker.chunks(Document(text, "text"))
    assert len(chunks) > 1
    assert chunks[-1].end == len(text.rstrip())


@pytest.mark.parametrize("text", ["", " \n\t\n "])
def test_no_text_gives_no_chunk(chunker: Chunker, text: str) -> None:
    assert [chunker.chunks(Document(text, form)) for form in get_args(Form)] == [[], [], []]


def test_a_heading_goes_with_what_follows(chunker: Chunker) -> None:
    chunks = markdown(chunker, f"# Guide\n\n## Start\n\n{SENTENCE * 2}\n\n## End\n\n{SENTENCE * 3}")
    assert [(chunk.text.split("\n")[0], chunk.headings) for chunk in chunks] == [
        ("# Guide", ("Guide", "Start")),
        ("## End", ("Guide", "End")),
    ]


def test_a_heading_is_never_the_end_of_a_chunk(chunker: Chunker) -> None:
    chunks = markdown(chunker, "# A\n\n" + f"## Some head\n\n{SENTENCE * 12}\n\n" * 5)
    assert not [chunk for chunk in chunks if chunk.text.split("\n")[-1].startswith("#")]


def test_a_section_that_says_next_to_nothing_takes_the_following_along(chunker: Chunker) -> None:
    chunks = markdown(
        chunker, f"# G\n\n{SENTENCE}\n\n## A\n\nx\n\n## B\n\n{SENTENCE}\n\n## C\n\nx\n\n# H\n\n{SENTENCE}"
    )
    # What stands on its own, and what two sections share.
    assert [chunk.headings for chunk in chunks] == [("G",), ("G",), ("G", "C"), ("H",)]
    assert chunks[1].text.startswith("## A\n\nx\n\n## B\n\nThe quick")


def test_cuts_are_between_paragraphs_else_sentences_else_words(chunker: Chunker) -> None:
    paragraphs = markdown(chunker, f"{SENTENCE * 3}\n\n{SENTENCE * 3}\n\n{SENTENCE * 3}")
    assert [chunk.text for chunk in paragraphs] == [(SENTENCE * 3).strip()] * 3
    assert {chunk.text[-1] for chunk in markdown(chunker, SENTENCE * 20)} == {"."}
    assert {chunk.text[-3:] for chunk in markdown(chunker, "the fox " * 60)} == {"fox"}


def test_code_is_cut_between_definitions(chunker: Chunker) -> None:
    function = "def f():\n    the = fox\n\n    return the\n\n\n"  # 14 tokens, with a blank line in it
    chunks = chunker.chunks(Document(function * 8, "code"))
    assert {chunk.text.split("\n")[0] for chunk in chunks} == {"def f():"}
    indented = chunker.chunks(Document("class A:\n" + "    the = fox\n\n" * 40, "code"))
    assert {chunk.text[:4] for chunk in indented[1:]} == {"    "}


def test_a_fenced_block_that_fits_is_whole_and_its_comments_are_no_headings(chunker: Chunker) -> None:
    fence = "```sh\n# the fox\n\nthe dog\n```"
    chunks = markdown(chunker, f"# Use\n\n{SENTENCE * 3}\n\n{fence}\n\n{SENTENCE * 3}")
    assert [fence in chunk.text for chunk in chunks].count(True) == 1
    assert {chunk.headings for chunk in chunks} == {("Use",)}


def test_rows_of_a_table_are_whole(chunker: Chunker) -> None:
    chunks = markdown(chunker, "| the | fox |\n| - | - |\n" + "| quick. | brown dog. |\n" * 30)
    assert len(chunks) > 4
    assert {line for chunk in chunks for line in chunk.text.split("\n")} == {
        *("| the | fox |", "| - | - |", "| quick. | brown dog. |")
    }


def test_the_last_piece_says_something_too(chunker: Chunker) -> None:
    chunks = markdown(chunker, SENTENCE * 4 + "the fox.")
    assert [len(chunk.text) > 50 for chunk in chunks] == [True, True]


def test_pages_are_those_on_which_chunks_begin(chunker: Chunker) -> None:
    text = f"{SENTENCE * 2}\n\n{SENTENCE * 2}\n\n\n\n{SENTENCE * 2}"
    second = len(SENTENCE) * 2 + 2
    document = Document(text, "text", pages=(0, second, second * 2, second * 2 + 2))
    assert [chunk.page for chunk in chunker.chunks(document)] == [1, 4]
    assert {chunk.page for chunk in chunker.chunks(Document(text, "text"))} == {None}


def test_a_path_of_headings_is_bounded_from_outside(chunker: Chunker) -> None:
    chunks = markdown(chunker, "# " + "outer " * 3 + f"\n\n## the fox\n\n### the dog\n\n{SENTENCE}")
    assert {chunk.headings for chunk in chunks} == {("the fox", "the dog")}
    assert markdown(chunker, f"# {'dog ' * 30}\n\n{SENTENCE}")[-1].headings == ("dog " * 19 + "dog",)


def test_what_is_embedded_fits_the_model(tmp_path: Path) -> None:
    path = tokenizer_file(tmp_path)
    counting = Tokenizer.from_file(str(path))
    counting.no_truncation()
    counting.no_padding()
    text = "".join(
        f"{'#' * (1 + number % 6)} the quick brown fox {number}\n\n{SENTENCE * 30}\n\n" for number in range(30)
    )
    for chunk in Chunker(path).chunks(Document(text, "markdown")):
        assert len(counting.encode(chunk.embedded_text(), add_special_tokens=False).ids) <= 254


@pytest.mark.parametrize(
    "text",
    [
        *("x" * 500_000, "the fox " * 60_000, "中文" * 50_000, "😀" * 100_000, "\n" * 500_000 + "x"),
        *(" " * 500_000 + "x", "# x\n" * 50_000, "# x\ny\n" * 20_000, ">" * 50_000, "- " * 50_000),
        *("[" * 100_000, "`" * 100_000, "```\nx\n\n" * 30_000),
        *("\u0301" * 200_000, "\u200d" * 200_000, "|a|b|\n|-|-|\n" + "|1|2|\n" * 30_000),
    ],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_nothing_takes_the_square_of_its_length(chunker: Chunker, text: str) -> None:
    begun = time.process_time()
    chunks = markdown(chunker, text)
    assert time.process_time() - begun < 30
    assert max(len(chunk.text) for chunk in chunks) <= 400


def test_a_bound_below_a_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="16 tokens or more"):
        Chunker(tmp_path, 15)


def test_a_tokenizer_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="sostenuto pull"):
        Chunker(tmp_path / "none.json").chunks(Document("x", "text"))


def test_tokens_are_counted_about_where_there_is_no_tokenizer() -> None:
    text = SENTENCE * 20
    chunks = Chunker(None, 40).chunks(Document(text))
    assert all(chunk.text.endswith(".") for chunk in chunks)
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    # Each sentence has 11 words, of which two have more than four letters twice over, and a full stop.
    assert {chunk.text.count(".") for chunk in chunks[:-1]} <= {2, 3}
    assert sum(chunk.text.count(".") for chunk in chunks) == 20
    (long,) = {len(chunk.text) for chunk in Chunker(None, 20).chunks(Document("x" * 800))}
    assert long == 80, "twenty tokens of four letters"
