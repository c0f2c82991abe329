"""Decides by closeness of meaning which tool to call next.

The local model is too small to judge that itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ....contracts.tool import ToolDefinition
from ..embeddings.minilm import MiniLmEmbedder, TextVectors
from .argument_values import Slot, Source, find_slots
from .exchange import PastCall

# Cosines of MiniLM, set on the cases in docs/local-model.md: a tool that a question calls for had 0.23 and more, the
# best of those that a question does not call for at most 0.17.
RELEVANT: Final = 0.22
# Higher for a tool that changes something: calling it by mistake does harm.
_CLEAR: Final = 0.4
# Greetings had 0.79 and more with those below, questions at most 0.28.
_TALK: Final = 0.6
_MOST_FAILURES: Final = 2

_LOOKUPS: Final = (
    "Look something up and tell what it says.",
    "Find, search, list, read or get information.",
    "Show the current state of something.",
)
_ACTIONS: Final = (
    "Change something: create, update, send, delete or pay.",
    "Do something that has an effect on the world.",
    "Send, delete, buy, book, cancel or write something.",
)
_GREETINGS: Final = ("Hello!", "Hi, how are you?", "Thank you.", "Good bye.", "Thanks, that is all.")
_CLAUSE = re.compile(r"(?:[.?!;]\s+|,?\s+(?:and then|and also|and|then)\s+)(?=\w)")


@dataclass(frozen=True, slots=True)
class Choice:
    """A tool to call, and what its arguments can be."""

    tool: ToolDefinition
    request: str
    """The part of the question that it is called for."""
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    tool: ToolDefinition
    relevance: float
    """Cosine of the tool with the part of the question."""
    looks_up: bool
    slots: tuple[Slot, ...] | None
    """None where a required argument cannot be known yet."""

    @property
    def is_called_for(self) -> bool:
        return self.relevance >= (RELEVANT if self.looks_up else _CLEAR)

    @property
    def is_search(self) -> bool:
        """Whether the tool takes any question as its argument."""
        return self.looks_up and any(slot.subject for slot in self.slots or ())


async def choose_tools(
    question: str, tools: Sequence[ToolDefinition], calls: Sequence[PastCall], embedder: MiniLmEmbedder
) -> list[Choice]:
    """Return the tools to call next, each with the values for its arguments.

    Empty where it is time to answer, and for a greeting. Else, in this order: tools that a part of the question
    calls for; at the start, a tool that searches, or one that looks up what the question names; after a search, a
    tool that looks up what was found. A tool that was used is not chosen again, except one that failed and can be
    tried with another value, and one for which the question names another value.
    """
    if not tools:
        return []
    clauses = [question, *_clauses(question)]
    vectors = await embedder.embed([*clauses, *map(_text, tools), *_LOOKUPS, *_ACTIONS, *_GREETINGS])
    asked, tool_vectors, prototypes = _cut(vectors, len(clauses), len(tools))
    table = [
        _candidates(clause, vector @ tool_vectors.T, tools, calls, _looks_up(tool_vectors, prototypes))
        for clause, vector in zip(clauses, asked, strict=True)
    ]
    if _is_talk(asked[0], prototypes):
        return []
    wanted = list(_called_for(clauses, table))
    if not wanted and not calls:
        wanted = _search(question, table[0]) or _named(question, table[0])
    wanted = [choice for choice in wanted if not _is_used(choice, calls)]
    return wanted or _follow_up(question, table[0], calls)


def _clauses(question: str) -> list[str]:
    parts = [part.strip() for part in _CLAUSE.split(question) if part.strip()]
    return parts if len(parts) > 1 else []


def _text(tool: ToolDefinition) -> str:
    name = re.sub(r"([a-z])([A-Z])", r"\1 \2", tool.name).replace("_", " ").replace("-", " ")
    return f"{name}: {tool.description.partition(chr(10) * 2)[0]}"


def _cut(vectors: TextVectors, clauses: int, tools: int) -> tuple[TextVectors, TextVectors, TextVectors]:
    return vectors[:clauses], vectors[clauses : clauses + tools], vectors[clauses + tools :]


def _looks_up(tools: TextVectors, prototypes: TextVectors) -> list[bool]:
    scores = tools @ prototypes.T
    lookups, actions = scores[:, : len(_LOOKUPS)], scores[:, len(_LOOKUPS) : len(_LOOKUPS) + len(_ACTIONS)]
    return [bool(look > act) for look, act in zip(lookups.max(axis=1), actions.max(axis=1), strict=True)]


def _is_talk(question: TextVectors, prototypes: TextVectors) -> bool:
    return bool((question @ prototypes[-len(_GREETINGS) :].T).max() >= _TALK)


def _candidates(
    clause: str,
    relevances: TextVectors,
    tools: Sequence[ToolDefinition],
    calls: Sequence[PastCall],
    looks_up: list[bool],
) -> list[_Candidate]:
    """Return all tools, the most relevant first."""
    found = [
        _Candidate(tool, float(relevance), looks, find_slots(tool, clause, calls))
        for tool, relevance, looks in zip(tools, relevances, looks_up, strict=True)
    ]
    return sorted(found, key=lambda candidate: -candidate.relevance)


def _called_for(clauses: list[str], table: list[list[_Candidate]]) -> Iterator[Choice]:
    """Return the best tool for each part of the question.

    The best one for the whole, where no part needs a tool.
    """
    found = [_best(clause, row) for clause, row in zip(clauses, table, strict=True)]
    chosen: dict[str, Choice] = {}
    for choice in found[1:] if any(found[1:]) else found[:1]:
        if choice:
            chosen.setdefault(f"{choice.tool.name} {choice.slots}", choice)
    yield from chosen.values()


def _best(clause: str, row: list[_Candidate]) -> Choice | None:
    for candidate in row:
        if candidate.slots is not None and candidate.is_called_for:
            return Choice(candidate.tool, clause, candidate.slots)
    return None


def _search(question: str, row: list[_Candidate]) -> list[Choice]:
    found = [Choice(c.tool, question, c.slots) for c in row if c.slots and c.is_search]
    return found[:1]


def _named(question: str, row: list[_Candidate]) -> list[Choice]:
    """Return a lookup tool for which the question has every value, such as an id."""
    for candidate in row:
        if candidate.looks_up and candidate.slots and all(_stands_in(question, slot) for slot in candidate.slots):
            return [Choice(candidate.tool, question, candidate.slots)]
    return []


def _stands_in(question: str, slot: Slot) -> bool:
    if slot.source is Source.SCHEMA:
        return any(re.search(rf"\b{re.escape(str(o.value))}\b", question, re.IGNORECASE) for o in slot.options)
    return slot.source is Source.QUESTION and slot.reference


def _is_used(choice: Choice, calls: Sequence[PastCall]) -> bool:
    """Return whether the tool was called with every value that the question names."""
    past = [call for call in calls if call.tool == choice.tool.name]
    if not past:
        return False
    named = [slot for slot in choice.slots if slot.source is Source.QUESTION]
    tried = [{slot.name: call.arguments.get(slot.name) for slot in named} for call in past]
    return not any(
        slot.reference and any(o.value not in [t[slot.name] for t in tried] for o in slot.options) for slot in named
    )


def _follow_up(question: str, row: list[_Candidate], calls: Sequence[PastCall]) -> list[Choice]:
    """Return a tool that looks up one of the things that a search has found."""
    used = {call.tool for call in calls}
    if not any(candidate.is_search and candidate.tool.name in used for candidate in row):
        return []
    failures = [call for call in calls if call.is_error]
    for candidate in row:
        found = candidate.slots and any(slot.source is Source.RESULTS for slot in candidate.slots)
        failed = [call for call in failures if call.tool == candidate.tool.name]
        again = bool(failed) and len(failed) == sum(call.tool == candidate.tool.name for call in calls)
        fresh = candidate.tool.name not in used or (again and len(failed) < _MOST_FAILURES)
        if candidate.slots and candidate.looks_up and found and fresh:
            return [Choice(candidate.tool, question, candidate.slots)]
    return []
