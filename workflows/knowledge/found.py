"""What the searches of one workflow found.

Answers may cite it, and prompts refer to it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...contracts.collection.citation import Citation
from ...contracts.message import Message
from ...contracts.specs.node import Node
from ...contracts.wire.retrieval import Passage, Retrieved, Scores


class FoundPassages:
    """What was found so far, each passage once."""

    def __init__(self) -> None:
        self.passages: dict[str, Passage] = {}
        """By id: an answer may cite these alone."""
        self.texts: dict[str, str] = {}
        """Results of `Retrieve` steps, and of `search` in code-first workflows, as models read them, each with the id
        of its activity: a prompt that has the text refers to that."""

    def add(self, retrieved: Retrieved, search: str = "") -> None:
        """Take in what a search found.

        Args:
            retrieved: That.
            search: Id of its activity, where it is no tool call.
        """
        self.know(retrieved.passages)
        if search and retrieved.passages:
            self.texts[retrieved.content] = search

    def know(self, passages: Iterable[Passage]) -> None:
        """Take in passages that were found elsewhere."""
        for passage in passages:
            # Not how well it fitted that query, nor what limits others.
            self.passages[passage.id] = passage.model_copy(update={"scores": Scores(), "fields": {}})

    def cited(self, citations: Iterable[Citation]) -> None:
        """Take in what a nested run cites.

        Whoever goes on with its answer may cite that too.
        """
        for citation in citations:
            self.passages.setdefault(
                citation.passage,
                Passage(
                    id=citation.passage,
                    text=citation.quote,
                    source=citation.source,
                    title=citation.title,
                    page=citation.page,
                    headings=citation.headings,
                    start=citation.start,
                    end=citation.end,
                ),
            )

    def citable_by(self, runnable: Node, message: Message | None) -> tuple[Passage, ...]:
        """Return the passages that answers in a nested run may cite.

        Those that it is told of, where any of its answers cites.
        """
        if not self.passages or message is None or not runnable.may_cite:
            return ()
        told = message.text
        return tuple(passage for passage in self.passages.values() if passage.id in told)
