"""Summarises by quoting the sentences that say most.

Word for word, for the model would make the rest up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..embeddings.minilm import MiniLmEmbedder
from .passages import Sentence, split

# What asks for a summary of a text, as against a question about one.
_ASKS: Final = re.compile(
    r"\b(?:summari[sz]e|sum up|(?:write|give|make)\b[^.\n]*\b(?:summary|report|digest|abstract))\b", re.IGNORECASE
)
_COUNT: Final = re.compile(r"\b(one|two|three|four|five|[1-9])(?: \w+)? sentences?\b", re.IGNORECASE)
_NUMBERS: Final = ("one", "two", "three", "four", "five")
_DEFAULT_COUNT: Final = 3
# What is shorter, where no request stands with it, is more likely something said than a text to summarise.
_FEWEST_SENTENCES: Final = 3
# Above this many the embedder takes seconds.
_MOST_SENTENCES: Final = 400


async def digest(instructions: str, question: str, embedder: MiniLmEmbedder) -> str | None:
    """Return the sentences that sum up the text.

    None where neither the question nor the instructions ask for a summary.

    As many as are asked for, else three; of a text with headings one under each.
    """
    request, text = _parts(instructions, question)
    sentences = [s for s in split(text) if not s.text.endswith("?")][:_MOST_SENTENCES] if request else []
    if len(sentences) < (_FEWEST_SENTENCES if request is instructions else 1):
        return None
    groups = _groups(sentences)
    wanted = _count(request) or (1 if len(groups) > 1 else _DEFAULT_COUNT)
    vectors = await embedder.embed([sentence.text for sentence in sentences])
    scores = [float(score) for score in vectors @ vectors.mean(axis=0)]
    kept = {i for group in groups for i in sorted(group, key=lambda index: -scores[index])[:wanted]}
    return " ".join(_ended(sentences[i].text) for i in sorted(kept))


def _parts(instructions: str, question: str) -> tuple[str, str]:
    """Return what asks for a summary, and the text to sum up.

    The first is empty where nothing asks for one.
    """
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", question) if part.strip()]
    for place in (0, -1):
        if len(paragraphs) > 1 and _ASKS.search(paragraphs[place]):
            request = paragraphs.pop(place)
            return request, "\n\n".join(paragraphs)
    return (instructions, question) if _ASKS.search(instructions) else ("", question)


def _groups(sentences: Sequence[Sentence]) -> list[list[int]]:
    """Group the sentences by heading; one group where there are no headings."""
    by_heading: dict[str, list[int]] = {}
    for index, sentence in enumerate(sentences):
        by_heading.setdefault(sentence.heading, []).append(index)
    return [group for heading, group in by_heading.items() if heading] or list(by_heading.values())


def _count(request: str) -> int:
    found = _COUNT.search(request)
    if found is None:
        return 0
    word = found[1].lower()
    return _NUMBERS.index(word) + 1 if word in _NUMBERS else int(word)


def _ended(sentence: str) -> str:
    return sentence if sentence[-1] in ".!;:" else f"{sentence}."
