"""Answers that say what they rest on, and what became of that.

Must not know how an answer was come by.
"""

from __future__ import annotations

import re
from collections.abc import Collection as Group
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Protocol

from pydantic import BaseModel, Field

from ..contract import Contract

_SENTENCE: Final = re.compile(r"\S(?:.|\n(?!\s*\n))*?(?:[.!?](?=\s|$)|(?=\n\s*\n)|$)")
_WORD: Final = re.compile(r"\w{4,}|\d+")
"""Shorter words are in every sentence."""
_MOST_CHARS: Final = 400
_TOLD: Final = 5


class Attribution(StrEnum):
    """How it was found what a claim rests on."""

    MODEL = "model"
    """The model named the passages."""
    SIMILARITY = "similarity"
    """The passages with sentences closest in meaning were taken, for the model is too small to name them."""


class Claim(BaseModel):
    """One statement of an answer, and the passages that it rests on."""

    text: str = Field(description="One statement of the answer.")
    passages: list[str] = Field(description="Ids of the passages that the statement rests on, as they were given.")


class Cited(BaseModel):
    """An answer and what it rests on.

    `Agent(output=Cited)`, or a class of your own that has more fields.
    """

    answer: str = Field(description="The answer, whole.")
    claims: list[Claim] = Field(
        description="What the answer says, statement by statement. Empty where the passages do not answer."
    )


class Citation(Contract):
    """A passage that a claim rests on."""

    claim: str
    """The statement."""
    passage: str
    """Id of the passage."""
    source: str
    """URI of the document."""
    title: str = ""
    page: int | None = None
    """From 1; None where the document has no pages."""
    headings: tuple[str, ...] = ()
    """The headings that it stands under, from the top."""
    quote: str = ""
    """The sentence of the passage that has the most words of the claim."""
    start: int
    """Where the quote begins in the document's text, in characters."""
    end: int
    attribution: Attribution = Attribution.MODEL
    """How it was found that the claim rests on it."""


class Quotable(Protocol):
    """A passage that was found."""

    @property
    def text(self) -> str:
        """Its words."""
        ...

    @property
    def start(self) -> int:
        """Where it begins in the document's text, in characters."""
        ...


def uncited(answer: Mapping[str, Any], known: Group[str]) -> tuple[str, ...]:
    """Return what is wrong with the citations of an answer.

    Args:
        answer: As JSON, of the form of `Cited`.
        known: Ids of the passages that were found in the run.
    """
    problems = []
    for number, claim in enumerate(answer.get("claims") or ()):
        cited = claim.get("passages") or ()
        unknown = [one for one in cited if one not in known]
        if not cited:
            problems.append(f"claims[{number}] names no passage: name those that it rests on, or leave it out")
        elif unknown:
            there = ", ".join(known) if known else "none: search first"
            problems.append(
                f"claims[{number}] names passages that no search found, {', '.join(unknown)}; there are {there}"
            )
    return tuple(problems[:_TOLD])


def best_sentence(claim: str, passage: Quotable) -> tuple[str, int, int]:
    """Return the sentence of a passage that has the most words of a claim.

    And where it stands in the document. The first one where none has any.
    """
    wanted = set(_WORD.findall(claim.casefold()))
    best, most = None, 0.0
    for found in _SENTENCE.finditer(passage.text):
        words = set(_WORD.findall(found[0].casefold()))
        # Of two that have as many, the shorter says it in fewer words; a heading says it only where nothing else does.
        score = len(words & wanted) - len(words) / 1_000 - 0.5 * found[0].startswith("#")
        if best is None or score > most:
            best, most = found, max(score, 0.0)
    start, end = (best.start(), best.end()) if best else (0, len(passage.text))
    end = min(end, start + _MOST_CHARS)
    return passage.text[start:end], passage.start + start, passage.start + end
