"""Cuts tool results down to the few sentences that bear on a question.

Checks answers against them, too.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import JsonValue
from pydantic_core import from_json

from ..embeddings.minilm import MiniLmEmbedder

MAX_CHARACTERS: Final = 1_200
"""Longest selection: about 300 tokens, which two cores read in a second."""

MOST_SENTENCES: Final = 400
"""More text than this is not looked at: the embedder reads about 50 sentences a second."""
_BEST: Final = 4
# Longest text that is an answer as it stands.
_SHORT: Final = 300
_EXTRACT_CHARACTERS: Final = 240
_LONGEST_EXTRACT: Final = 600
# Chosen on 16 questions over a page of 94 sentences: 13 right with it, 11 without.
_WORD_WEIGHT: Final = 0.2

# None of these may go through a text again and again: it is anybody's.
_FENCES = ("```", "~~~")
_TABLE_RULE = re.compile(r"\s*\|[\s|:-]+$")
_HEADING = re.compile(r"#{1,6}\s")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_MARKS = re.compile(r"\*\*|__|`|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)")
_RULE = re.compile(r"^[\s|:=-]+$")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
_TOKEN = re.compile(r"[a-z0-9]+")
_SUFFIX = re.compile(r"(?:ings?|edly|ed|es|ly|s|e)$")

_FILLER: Final = re.compile(
    r"how|do|doe|did|the|what|which|who|is|i|are|was|wa|when|where|why|an?|of|to|it|can|and|in|on|for|with|my"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a tool result."""

    text: str
    heading: str
    """The heading that it stands under, may be empty."""
    paragraph: int = field(default=0, compare=False)
    """Place of its paragraph or list item in the result."""
    passage: str = ""
    """Id of the passage that it is in, where it was found by the search of a collection."""

    @property
    def place(self) -> tuple[str, int]:
        """The paragraph that it stands in."""
        return self.passage, self.paragraph


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the results bears on a question."""

    text: str
    """The best sentences with their neighbours, in the order of the results."""
    extract: str
    """The best one, verbatim: an answer by itself. All of them, where they are short."""
    relevance: float
    """How close the best one is to the question, see `scores`."""


async def select(question: str, sentences: Sequence[Sentence], embedder: MiniLmEmbedder) -> Selection:
    """Select the sentences of tool results that bear on the question."""
    # Nothing is closer to a question than where it is asked, which answers nothing.
    others = [one for one in sentences if not _asks_the_same(one.text, question)]
    sentences = (others or [one for one in sentences if not one.passage])[:MOST_SENTENCES]
    close = await scores(question, sentences, embedder)
    ranking = sorted(range(len(sentences)), key=lambda i: (-close[i], i))
    relevance = max(close, default=0.0)
    whole = joined(sentences)
    # Of what a search found not all is meant, however little it is.
    if len(whole) <= _SHORT and not any(sentence.passage for sentence in sentences):
        return Selection(whole, whole, relevance)
    return Selection(_within(sentences, ranking), _extract(sentences, ranking[0]), relevance)


def _asks_the_same(text: str, question: str) -> bool:
    return text.rstrip(" \"'”)*`").endswith("?") and _stems(question) <= _stems(text)


async def scores(question: str, sentences: Sequence[Sentence], embedder: MiniLmEmbedder) -> list[float]:
    """Return how close each sentence is to a question.

    It is measured by meaning, up to 1, and a little, up to 0.2, by rare words in common; with the heading that the
    sentence stands under.
    """
    plain = [s.text for s in sentences]
    under_heading = [f"{s.heading}: {s.text}" for s in sentences]
    vectors = await embedder.embed([question, *plain, *under_heading])
    similar = vectors[1:] @ vectors[0]
    common = rare_words_in_common(question, under_heading)
    return [float(similar[i] + similar[i + len(sentences)]) / 2 + common[i] for i in range(len(sentences))]


def rare_words_in_common(text: str, others: Sequence[str]) -> list[float]:
    """Return how many of a text's words each of the others has, from 0 to 0.2.

    Words that few of them have count more.
    """
    words = [_stems(other) for other in others]
    spread = Counter(stem for stems in words for stem in stems)
    rarity = {
        stem: math.log(1 + len(words) / (0.5 + spread[stem])) for stem in _stems(text) if not _FILLER.fullmatch(stem)
    }
    total = sum(rarity.values()) or 1.0
    return [_WORD_WEIGHT * sum(weight for stem, weight in rarity.items() if stem in stems) / total for stems in words]


def _extract(sentences: Sequence[Sentence], index: int) -> str:
    """Return the sentence, with the next one of its paragraph if it is short."""
    text = sentences[index].text
    follower = sentences[index + 1] if index + 1 < len(sentences) else None
    if follower and follower.heading and follower.place == sentences[index].place:
        pair = f"{text} {follower.text}"
        text = pair if len(pair) <= _EXTRACT_CHARACTERS else text
    return text[:_LONGEST_EXTRACT]


def _within(sentences: Sequence[Sentence], ranking: Sequence[int]) -> str:
    """Return the best sentences, each with the next one, as long as they fit.

    Everything where all of it fits.
    """
    if sum(len(s.text) + 1 for s in sentences) <= MAX_CHARACTERS:
        return "\n".join(s.text for s in sentences)
    kept: set[int] = set()
    room = MAX_CHARACTERS
    for index in ranking[:_BEST]:
        for i in (index, index + 1):
            if i < len(sentences) and i not in kept and (len(sentences[i].text) < room or not kept):
                kept.add(i)
                room -= len(sentences[i].text) + 1
    return "\n".join(sentences[i].text for i in sorted(kept))[:MAX_CHARACTERS]


def joined(sentences: Sequence[Sentence]) -> str:
    """Join the sentences in one line, fragments ended by a semicolon."""
    *others, last = [s.text for s in sentences] or [""]
    return "".join(f"{text} " if text.endswith((".", "!", "?")) else f"{text}; " for text in others) + last


def split(content: str) -> list[Sentence]:
    """Split a tool result into sentences.

    It may be Markdown, plain text, or JSON, where an object is a sentence.
    """
    try:
        # Unlike Python's own, it refuses what is nested too deeply.
        parsed = from_json(content)
    except ValueError:
        return list(_prose(content))
    if isinstance(parsed, str):
        return list(_prose(parsed))
    return [Sentence(line, "") for line in _objects(parsed) if line]


def split_passage(text: str, heading: str, passage: str) -> list[Sentence]:
    """Split a passage that was found into sentences."""
    return [replace(one, heading=one.heading or heading, passage=passage) for one in _prose(text)]


def _objects(value: JsonValue) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)
    elif isinstance(value, dict):
        inner = [item for item in value.values() if isinstance(item, dict | list)]
        plain = {key: item for key, item in value.items() if not isinstance(item, dict | list)}
        yield ", ".join(f"{key.replace('_', ' ')}: {item}" for key, item in plain.items() if item is not None)
        for item in inner:
            yield from _objects(item)
    else:
        yield str(value)


def _prose(text: str) -> Iterator[Sentence]:
    heading, block, paragraph = "", "", 0
    for line in [*_without_table_heads(_without_fences(text.splitlines())), ""]:
        found = _HEADING.match(line)
        starts_anew = not line.strip() or found or _ITEM.match(line) or line.lstrip().startswith("|")
        if starts_anew and block:
            yield from (Sentence(sentence, heading, paragraph) for sentence in _END.split(block))
            block = ""
            paragraph += 1
        if found:
            heading = _plain(line[found.end() :].strip().rstrip("#"))
        elif not _RULE.match(line):
            block = f"{block} {_plain(_ITEM.sub('', line))}".strip()


def _without_fences(lines: Sequence[str]) -> list[str]:
    """Return lines without those that are code.

    From a fence on that nothing closes, all of them.
    """
    kept: list[str] = []
    inside: list[str] = []
    for line in lines:
        if inside:
            inside.append(line)
            if line.startswith(inside[0][:3]) and not line[3:].strip():
                inside = []
        elif line.startswith(_FENCES):
            inside = [line]
        else:
            kept.append(line)
    return kept + inside


def _without_table_heads(lines: Sequence[str]) -> list[str]:
    following = [*lines[1:], ""]
    return [
        line
        for line, after in zip(lines, following, strict=False)
        if not (line.lstrip().startswith("|") and _TABLE_RULE.match(after))
    ]


def _plain(line: str) -> str:
    return _MARKS.sub("", _LINK.sub(r"\1", line)).replace(" | ", ", ").strip(" \t|>")


def is_grounded(answer: str, text: str) -> bool:
    """Return whether the text has all words of the answer, whatever their endings."""
    known = _stems(text)
    said = [stem for stem in _stems(answer) if len(stem) > 2 or stem.isdigit()]
    return bool(said) and all(stem in known for stem in said)


def _stems(text: str) -> set[str]:
    return {_SUFFIX.sub("", word) or word for word in _TOKEN.findall(text.lower())}
