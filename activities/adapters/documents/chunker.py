"""Cuts documents into chunks that an embedder takes whole.

The text is tokenised once, and cut in one pass. semantic-text-splitter counts the tokens of every piece that it tries:
it takes three to ten times as long, the more the longer a paragraph is, and keeps a word of any length whole.
"""

from __future__ import annotations

import json
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ....contracts.collection.document import PATH_SEPARATOR, Document
from ....contracts.errors import SetupError
from ...knowledge.chunk import Chunk
from .cuts import best_cut
from .estimated_tokens import EstimatingTokenizer
from .headings import Outline

LEAST_TOKENS: Final = 16
"""Smallest bound: a character may have several tokens."""

_CHARS_OF_A_TOKEN: Final = 10
"""Longest on average. More have only texts that are no language, and words so long that they count as one unknown."""

_TOKENISED_AT_ONCE: Final = 20_000
_BATCH: Final = 32
_INDENTATION: Final = 80


class Chunker:
    """Cuts documents where they are best cut.

    No chunk has more tokens than it may have.
    There is no overlap: chunks end where paragraphs or sentences do, and take their headings along.

    Args:
        tokenizer: The embedding model's `tokenizer.json`. None: it is not to be had, and tokens are counted about.
        most_tokens: Longest chunk, without the tokens that the model adds.
        most_heading_tokens: Longest path of headings, which are embedded with it. Its outermost ones are left out.
    """

    def __init__(self, tokenizer: Path | None, most_tokens: int = 200, *, most_heading_tokens: int = 48) -> None:
        if most_tokens < LEAST_TOKENS:
            raise ValueError(f"a chunk must have {LEAST_TOKENS} tokens or more, not {most_tokens}")
        self._path = tokenizer
        self._most = most_tokens
        self._most_heading = most_heading_tokens
        self._lock = threading.Lock()
        self._tokenizer: Any = None

    def chunks(self, document: Document) -> list[Chunk]:
        """Return the pieces of a document, in their order: all of it but whitespace.

        Raises:
            SetupError: The tokenizer's file or package is missing.
        """
        with self._lock:
            if self._tokenizer is None:
                self._tokenizer = self._loaded()
        text = document.text
        outline = Outline(text if document.form == "markdown" else "")
        spans = [span for span in self._spans(document, outline) if span is not None]
        paths: dict[tuple[str, ...], tuple[str, ...]] = {}
        found = []
        for start, end in self._within_bound(text, spans):
            path = outline.path_of(start, end) if document.form == "markdown" else ()
            if path not in paths:
                paths[path] = self._short(path)
            page = max(bisect_right(document.pages, _first_word(text, start)), 1) if document.pages else None
            found.append(Chunk(text[start:end], start, end, page, paths[path]))
        return found

    def _spans(self, document: Document, outline: Outline) -> Iterator[tuple[int, int] | None]:
        text = document.text
        ends = self._token_ends(text)
        start = 0
        while start < len(text):
            limit = self._section_end(ends, outline, start, len(text))
            cut = self._cut(document, ends, outline, start, limit)
            yield _trimmed(text, start, cut)
            start = cut

    def _section_end(self, ends: array[int], outline: Outline, start: int, last: int) -> int:
        """Return where the section ends.

        One that says next to nothing takes the following along.
        """
        number = outline.number_at(start)
        level = outline.sections[number].level
        says_something = False
        while number + 1 < len(outline.sections):
            says_something = says_something or outline.sections[number].has_body
            number += 1
            after = outline.sections[number]
            is_small = bisect_left(ends, after.start) - bisect_right(ends, start) < self._most // 8
            if says_something and not (is_small and after.level >= level):
                return after.start
            if after.start - start > self._most * _CHARS_OF_A_TOKEN:
                break
        return last

    def _cut(self, document: Document, ends: array[int], outline: Outline, start: int, limit: int) -> int:
        """Return where the piece that begins at `start` ends, at `limit` at the latest."""
        before = bisect_right(ends, start)

        def end_of(count: int) -> int:
            return ends[before + count - 1] if before + count <= len(ends) else len(document.text)

        furthest = _past_spaces(document.text, min(end_of(self._most), start + self._most * _CHARS_OF_A_TOKEN))
        if limit <= furthest:
            return limit
        # What is left for the last piece is to say something too.
        left = bisect_left(ends, limit) - before
        count = min(self._most, max(left - self._most // 4, self._most // 2))
        last = max(min(_past_spaces(document.text, end_of(count)), furthest), start + 1)
        first = end_of(count // 2)
        if first >= last:  # few tokens, of many characters
            first = (start + last) // 2
        section = outline.sections[outline.number_at(start)]
        if first < section.body < last:  # no heading ends a piece
            first = section.body
        return best_cut(document.text, first, last, document.form, outline.is_fenced)

    def _token_ends(self, text: str) -> array[int]:
        """Return where each token ends."""
        found = array("q")
        parts = _parts(text)
        while batch := [part for _, part in zip(range(_BATCH), parts, strict=False)]:
            encoded = self._tokenizer.encode_batch([text[start:end] for start, end in batch], add_special_tokens=False)
            for (start, _), tokens in zip(batch, encoded, strict=True):
                found.extend(start + end for _, end in tokens.offsets)
        return found

    def _within_bound(self, text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield the pieces, in halves those that have too many tokens by themselves.

        A tokenizer may see the beginning of a piece otherwise than it does amid the text.
        """
        for number in range(0, len(spans), _BATCH * 8):
            batch = spans[number : number + _BATCH * 8]
            encoded = self._tokenizer.encode_batch([text[start:end] for start, end in batch], add_special_tokens=False)
            for (start, end), tokens in zip(batch, encoded, strict=True):
                if len(tokens.ids) <= self._most or end - start == 1:
                    yield start, end
                    continue
                middle = best_cut(text, start + (end - start) // 4, start + (end - start) // 2, "text", lambda _: False)
                halves = (_trimmed(text, start, middle), _trimmed(text, middle, end))
                yield from self._within_bound(text, [half for half in halves if half is not None])

    def _short(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return a path that is embedded whole: its innermost headings tell most."""
        while path:
            tokens = self._tokenizer.encode(PATH_SEPARATOR.join(path), add_special_tokens=False)
            if len(tokens.ids) <= self._most_heading:
                break
            if len(path) == 1:
                return (path[0][: tokens.offsets[self._most_heading - 1][1]].strip(),) if self._most_heading else ()
            path = path[1:]
        return path

    def _loaded(self) -> Any:
        if self._path is None:
            return EstimatingTokenizer()
        if not self._path.is_file():
            raise SetupError(f"the chunker's tokenizer {self._path} is missing: run `sostenuto pull`")
        try:
            import tokenizers  # noqa: PLC0415 - heavy, and only for those who index
        except ImportError as error:
            raise SetupError(f"the chunker cannot be loaded ({error}): pip install 'sostenuto[knowledge]'") from error
        # With its own bounds it would count 128 tokens at most, and 128 for every text that has less.
        settings = json.loads(self._path.read_text(encoding="utf-8")) | {"truncation": None, "padding": None}
        return tokenizers.Tokenizer.from_str(json.dumps(settings))


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """Yield pieces that are tokenised by themselves, up to the end of a line or word."""
    start = 0
    while start < len(text):
        end = min(start + _TOKENISED_AT_ONCE, len(text))
        if end < len(text):
            for mark in ("\n", " "):
                if (found := text.rfind(mark, start + 1, end)) > start:
                    end = found + 1
                    break
        yield start, end
        start = end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return a piece without the whitespace around it; None where it has nothing else.

    Its first line keeps its indentation.
    """
    piece = text[start:end]
    whole = len(piece.rstrip())
    if not whole:
        return None
    first = len(piece) - len(piece.lstrip())
    line = piece.rfind("\n", 0, first) + 1
    # In the middle of a line, a space is none.
    is_indentation = first - line <= _INDENTATION and (line or start == 0 or text[start - 1] == "\n")
    return start + (line if is_indentation else first), start + whole


def _past_spaces(text: str, end: int) -> int:
    """Return the end of the whitespace after a token, which no chunk keeps.

    Not of all of it, where it is very long.
    """
    following = text[end : end + _INDENTATION]
    return end + len(following) - len(following.lstrip())


def _first_word(text: str, start: int) -> int:
    while text[start].isspace():
        start += 1
    return start
