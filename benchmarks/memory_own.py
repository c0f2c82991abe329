"""This project's long-term memory, as `benchmarks.memory_dialogues` tells and asks it.

Each message of the user is a turn of a chat, and what a turn does is done here without the workflows around it: what
`MemoryActivities.recall` looks for and finds by rules before the turn, what the extraction asks a model and reads of
its answer, and what `MemoryActivities.apply` writes. The store is the embedded one. The model, where there is one, is
scripted: it says what a faultless one would, and of what is replaced only what the product shows it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.memory_scores import Dialogue, Fact, Recalled, Said, says
from sostenuto.activities.adapters.embeddings.local_passages import LocalPassages
from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.adapters.qdrant.bm25 import Bm25Encoder
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.knowledge.search import Knowledge
from sostenuto.activities.knowledge.store.collections import Collections
from sostenuto.activities.memory.memories import Memories
from sostenuto.activities.memory.rules.extracting import extracted
from sostenuto.activities.memory.rules.own_words import in_own_words
from sostenuto.contracts.collection.collection import Collection
from sostenuto.contracts.memory.long_term import LongTerm, MemoryKind
from sostenuto.contracts.wire.memory import calls
from sostenuto.contracts.wire.memory.calls import (
    MAX_EXTRACT_CHARS,
    MAX_MEMORY_QUERY_CHARS,
    MemoryListCall,
    RecallCall,
    RecalledMemory,
    WriteCall,
)
from sostenuto.contracts.wire.memory.record import MemoryPlace, MemorySource, NewMemory, shown_id
from sostenuto.workflows.memory.extraction import memories_of

_ALL = 1_000
_DECLARED = LongTerm(Collection("people"))
"""As it comes."""


@asynccontextmanager
async def memories(embedder: MiniLmEmbedder) -> AsyncIterator[Memories]:
    """Open memories on an embedded store of their own, for the length of the block."""
    with TemporaryDirectory() as directory:
        store = EdgeStore(Path(directory))
        encoders = {_DECLARED.collection.embedding: LocalPassages(lambda: embedder)}
        try:
            yield Memories(Knowledge(Collections(store), encoders, Bm25Encoder()))
        finally:
            await store.close()


@dataclass(slots=True)
class OwnMemory:
    """Our memory of one dialogue, in a scope of its own."""

    memories: Memories
    dialogue: Dialogue
    extract: str = "rules"
    """As `LongTerm(extract=…)`: `rules` or `messages`; `model` for the scripted one."""
    asked_at: datetime = datetime.min
    """When the questions are asked: on the day of the last session."""

    async def remember(self, messages: Sequence[Said], date: str) -> None:
        """Take in a session: a chat with a turn for each message of the user."""
        said = [message.text for message in messages if message.role == "user"]
        turns = self._facts_by_turn(said, date)
        told: tuple[str, ...] = ()
        for turn, text in enumerate(said):
            at = datetime.fromisoformat(date).replace(hour=12, minute=turn, tzinfo=UTC)
            self.asked_at = at
            if self.extract != "model":
                found = extracted(text[:MAX_EXTRACT_CHARS], at, _DECLARED.kinds)
                found += in_own_words(text[:MAX_EXTRACT_CHARS], at) if self.extract == "messages" else ()
            else:
                before = await self._before(text, told, at)
                told += tuple(one.id for one in before.memories)
                known = (*before.memories, *before.known)
                found = memories_of(self._scripted(turns.get(turn, ()), known), _DECLARED.kinds)
            if found:
                await self._write(found, f"{date}:{turn}", turn, at)

    async def recall(self, question: str, k: int) -> Sequence[Recalled]:
        """Return what is told of a question."""
        call = RecallCall(place=self._place, query=question, limit=k, now=self.asked_at)
        found = await self.memories.recall(call, _free)
        return [Recalled(one.told, one.score) for one in found.memories]

    async def state(self) -> Sequence[str]:
        """Return what stands."""
        page = await self.memories.page(MemoryListCall(place=self._place, limit=_ALL))
        return [memory.text for memory in page.memories]

    @property
    def _place(self) -> MemoryPlace:
        embedding = _DECLARED.collection.embedding
        return MemoryPlace(collection=f"people-{self.extract}", scope=f"user:{self.dialogue.id}", embedding=embedding)

    async def _before(self, text: str, told: tuple[str, ...], at: datetime) -> calls.Recalled:
        """Return what is recalled before a turn: all that the model is shown of what is remembered."""
        return await self.memories.recall(
            RecallCall(
                place=self._place,
                query=text[:MAX_MEMORY_QUERY_CHARS],
                kinds=_DECLARED.kinds,
                limit=_DECLARED.recall,
                tokens=_DECLARED.recall_tokens,
                half_life=_DECLARED.half_life,
                now=at + timedelta(seconds=1),
                told=told,
                known=12,
            ),
            _free,
        )

    async def _write(self, found: tuple[NewMemory, ...], step: str, turn: int, at: datetime) -> None:
        source = MemorySource(run_id=self.dialogue.id, step=step, turn=turn + 1, at=at)
        await self.memories.write(WriteCall(place=self._place, source=source, memories=found), _free)

    def _facts_by_turn(self, said: Sequence[str], date: str) -> Mapping[int, Sequence[str]]:
        """Return what the scripted model finds in each turn of a session."""
        [session] = [one.id for one in self.dialogue.sessions if one.date == date]
        known = {fact.text: fact for fact in (*self.dialogue.stands, *self.dialogue.superseded)}
        turns: dict[int, list[str]] = {}
        for text in self.dialogue.facts_of(session):
            turns.setdefault(_turn_of(known.get(text), said), []).append(text)
        return turns

    def _scripted(self, facts: Sequence[str], known: Sequence[RecalledMemory]) -> Any:
        """Return what the scripted model answers.

        It names no subject: it would have to name the same one in sessions that know nothing of each other.
        """
        replaced = {
            text: [
                shown_id(one.id)
                for one in known
                for past in self.dialogue.superseded
                if past.by == text and past.text == one.text
            ]
            for text in facts
        }
        said = [
            {"text": text, "kind": MemoryKind.FACT, "about": "", "importance": 0.5, "replaces": replaced[text]}
            for text in facts
            # What is remembered already it is told to leave out.
            if text not in [one.text for one in known]
        ]
        return {"memories": said}


def _turn_of(fact: Fact | None, said: Sequence[str]) -> int:
    """Return the first turn that has words of a fact; the last one where none has."""
    groups = fact.words if fact else ()
    return next((i for i, text in enumerate(said) if any(says(text, (one,)) for one in groups)), len(said) - 1)


def _free(_: object) -> None:
    """Charge nothing."""
