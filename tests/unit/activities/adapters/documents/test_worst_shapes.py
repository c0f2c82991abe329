"""What is looked for in documents takes time as their length does, however they are made."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from sostenuto.activities.adapters.documents.csv_rows import csv_text
from sostenuto.activities.adapters.documents.cuts import best_cut
from sostenuto.activities.adapters.documents.estimated_tokens import EstimatingTokenizer
from sostenuto.activities.adapters.documents.headings import Outline
from sostenuto.activities.adapters.documents.isolated.html import markdown_of, read_html
from sostenuto.activities.adapters.documents.kind import document_kind
from sostenuto.activities.adapters.documents.plain import clean, decode, front_matter, without_spaces_at_ends
from sostenuto.activities.knowledge.chunk import Chunk, heading_text
from sostenuto.contracts.collection.citation import best_sentence
from sostenuto.contracts.errors import DocumentError

SMALL, TIMES = 10_000, 10
MOST, SPARE_SECONDS = 15, 1.5


@dataclass
class Passage:
    """A passage that a sentence is looked for in."""

    text: str
    start: int = 0


def cut(text: str) -> None:
    for form in ("markdown", "text", "code"):
        best_cut(text, 0, len(text) - 1, form, lambda _: True)


def table(text: str) -> None:
    with suppress(DocumentError):  # a cell is too long
        csv_text(text)


READERS: dict[str, Callable[[str], object]] = {
    "front matter": front_matter,
    "clean": clean,
    "decode": lambda text: decode(text.encode()),
    "kind": lambda text: document_kind(text.encode(), "x"),
    "spaces at ends": without_spaces_at_ends,
    "csv": table,
    "outline": Outline,
    "heading": lambda text: heading_text(text.replace("\n", " ")),
    "chunk": lambda text: Chunk(text, 0, len(text), headings=("a", "b")).embedded_text(),
    "tokens": lambda text: EstimatingTokenizer().encode_batch([text], add_special_tokens=False),
    "cut": cut,
    "sentence": lambda text: best_sentence("a claim of few words", Passage(text)),
    "html": lambda text: read_html(f"<p>x</p>{text}".encode()),
    "markdown of html": lambda text: markdown_of(f"<pre>{text}</pre>"),
}

SHAPES: dict[str, Callable[[int], str]] = {
    "title and spaces": lambda size: f"---\ntitle: x{' ' * size}y\n---\nbody",
    "title and colons": lambda size: f"---\n{'title :' * (size // 7)}\n---\nbody",
    "titles": lambda size: f"---\n{('title' + chr(10)) * (size // 6)}---\nbody",
    "open front matter": lambda size: "---\n" + "--- x\n" * (size // 6),
    "spaces": lambda size: f"a{' ' * size}b",
    "tabs by line": lambda size: f"a{(chr(9) * 50 + 'b' + chr(10)) * (size // 52)}",
    "blank lines": lambda size: f"a{chr(10) * size}b",
    "lines of spaces": lambda size: f"a{(' ' * 9 + chr(10)) * (size // 10)}b",
    "fences": lambda size: "```a\n" * (size // 5),
    "one fence": lambda size: "`" * size,
    "hashes": lambda size: f"# {'#' * size} x",
    "hashes apart": lambda size: f"# {'# ' * (size // 2)}x",
    "underline": lambda size: f"a\n{'=' * size} x",
    "open links": lambda size: "[](#" * (size // 4),
    "brackets": lambda size: "[" * size,
    "links": lambda size: "[a](b" * (size // 5),
    "numbers": lambda size: "1" * size + "x",
    "quotes": lambda size: '."' * (size // 2),
    "many quotes": lambda size: f".{chr(34) * size}",
    "stops": lambda size: "." * size,
    "comments": lambda size: "<!--" * (size // 4),
    "open tags": lambda size: "<title" * (size // 6),
    "open main": lambda size: "<main " * (size // 6),
    "charset": lambda size: f"<meta charset={' ' * size}",
    "word": lambda size: "a" * size,
}


@pytest.mark.parametrize("reader", READERS)
def test_ten_times_as_much_takes_about_ten_times_as_long(reader: str) -> None:
    read = READERS[reader]
    for shape, made in SHAPES.items():
        short, long = (seconds(read, made(size)) for size in (SMALL, SMALL * TIMES))
        assert long < short * MOST + SPARE_SECONDS, f"{shape}: {long:.2f} s after {short:.3f} s"


def seconds(read: Callable[[str], object], text: str) -> float:
    begun = time.process_time()
    with suppress(DocumentError):
        read(text)
    return time.process_time() - begun
