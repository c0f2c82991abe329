"""How much of what people said in earlier sessions a memory finds again, and what it holds to be so in the end.

Dialogues written for this project, `benchmarks/dialogues`: several sessions with one person each, with small talk,
corrections, jests and talk of other people, and questions afterwards. This project's long-term memory is measured, by
rules and with a scripted model, beside two that remember nothing but sentences: all of them, found by their embedding,
and the newest ones.

    python -m benchmarks.memory_dialogues [--part odd|even] [--state-dir DIR] [--json FILE]

What was changed after a look at these figures was chosen by the dialogues with odd numbers, and judged by the others.

Needs what `sostenuto pull` fetches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.memory_own import OwnMemory, memories
from benchmarks.memory_scores import (
    KINDS,
    UNKNOWN,
    Asked,
    Dialogue,
    Recalled,
    Said,
    State,
    Verdict,
    read,
    separation,
    state_of,
    verdict,
)
from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder, TextVectors
from sostenuto.workers.stack.weights import Weights

DEEPEST = 20
"""Texts that are asked for, whatever a question's own number."""
NEWEST = 20
"""Sentences that the shorter of the two stand-ins keeps."""


class LongTermMemory(Protocol):
    """What one person's sessions are told to, and the questions afterwards."""

    async def remember(self, messages: Sequence[Said], date: str) -> None:
        """Take in a session, which was on a date such as `2025-02-03`."""
        ...

    async def recall(self, question: str, k: int) -> Sequence[Recalled]:
        """Return up to `k` texts as they would enter a prompt, best first. None where nothing is close enough."""
        ...

    async def state(self) -> Sequence[str]:
        """Return the texts that stand."""
        ...


@dataclass(frozen=True, slots=True)
class Contestant:
    """A kind of memory."""

    name: str
    make: Callable[[Dialogue], LongTermMemory]
    """Makes an empty one for a dialogue."""
    keeps_silent: bool = False
    """Whether it returns nothing where nothing is close enough. Else questions that have no answer do not count."""


@dataclass(slots=True)
class AllSentences:
    """Every sentence that the user said, found by its embedding."""

    embedder: MiniLmEmbedder
    texts: list[str] = field(default_factory=list)
    vectors: list[TextVectors] = field(default_factory=list)

    async def remember(self, messages: Sequence[Said], date: str) -> None:
        """Keep the sentences, with their date, which is not embedded."""
        said = sentences(messages)
        self.vectors.append(await self.embedder.embed(said))
        self.texts += [dated(date, sentence) for sentence in said]

    async def recall(self, question: str, k: int) -> Sequence[Recalled]:
        """Return the nearest ones, by cosine."""
        (query,) = await self.embedder.embed([question])
        scores = np.concatenate(self.vectors) @ query
        return [Recalled(self.texts[i], float(scores[i])) for i in np.argsort(-scores, kind="stable")[:k]]

    async def state(self) -> Sequence[str]:
        """Return all of them."""
        return self.texts


@dataclass(slots=True)
class NewestSentences:
    """The sentences that the user said last, whatever the question."""

    texts: list[str] = field(default_factory=list)

    async def remember(self, messages: Sequence[Said], date: str) -> None:
        """Keep the newest."""
        self.texts = [*self.texts, *(dated(date, sentence) for sentence in sentences(messages))][-NEWEST:]

    async def recall(self, question: str, k: int) -> Sequence[Recalled]:
        """Return the newest, the newest first."""
        del question
        return [Recalled(text) for text in reversed(self.texts)][:k]

    async def state(self) -> Sequence[str]:
        """Return all that are kept."""
        return self.texts


@dataclass(frozen=True, slots=True)
class Answered:
    """What a memory made of one dialogue."""

    asked: Sequence[Asked]
    verdicts: Sequence[Verdict]
    state: State
    seconds: Sequence[float]
    """Of each question."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How a memory did with all dialogues. Parts of 1, but for the last two."""

    memory: str
    kinds: dict[str, float | None]
    """Questions answered within their own number of texts, by kind. None where there are none of a kind, and of those
    without an answer where it never keeps silent."""
    at: dict[int, float]
    """Questions with an answer that were answered within so many texts."""
    clean: float
    """Questions with an answer that were answered with nothing stale or foreign among the texts."""
    separation: float | None
    stands: float
    gone: float
    kept_out: float
    state: float
    """Harmonic mean of the three: a memory that forgets all of it, or that forgets nothing, comes to nothing."""
    texts: float
    """Held at the end of a dialogue, on average."""
    question_ms: float
    """Median."""


def sentences(messages: Sequence[Said]) -> list[str]:
    """Return what the user said, by sentences."""
    said = (re.split(r"(?<=[.!?])\s+", message.text) for message in messages if message.role == "user")
    return [sentence for sentence in chain.from_iterable(said) if sentence]


def dated(date: str, text: str) -> str:
    """Return a text as it enters a prompt, with the day on which it was said."""
    return f"{date}: {text}"


async def answered(memory: LongTermMemory, dialogue: Dialogue) -> Answered:
    """Tell a memory a dialogue, session by session, and ask the questions."""
    for session in dialogue.sessions:
        await memory.remember(session.messages, session.date)
    verdicts, seconds = [], []
    for asked in dialogue.asked:
        began = time.perf_counter()
        recalled = await memory.recall(asked.text, DEEPEST)
        seconds.append(time.perf_counter() - began)
        verdicts.append(verdict(asked, recalled))
    return Answered(dialogue.asked, verdicts, state_of(dialogue, await memory.state()), seconds)


def figures_of(memory: str, found: Sequence[Answered], *, keeps_silent: bool) -> Figures:
    """Sum up what a memory made of the dialogues."""
    judged = [pair for one in found for pair in zip(one.asked, one.verdicts, strict=True)]
    known = [(asked, one) for asked, one in judged if asked.kind != UNKNOWN]
    states = [one.state for one in found]
    stands = [held for state in states for held in state.stands]
    gone = [held for state in states for held in state.gone]
    kept_out = [held for state in states for held in state.kept_out]
    return Figures(
        memory=memory,
        kinds={
            kind: _part(right) if right and (keeps_silent or kind != UNKNOWN) else None
            for kind in KINDS
            for right in ([one.is_right(asked.k) for asked, one in judged if asked.kind == kind],)
        },
        at={depth: _part([one.is_right(depth) for _, one in known]) for depth in (1, 3, 5, DEEPEST)},
        clean=_part([one.is_clean(asked.k) for asked, one in known]),
        separation=separation(one for _, one in judged),
        stands=_part(stands),
        gone=_part(gone),
        kept_out=_part(kept_out),
        state=statistics.harmonic_mean([_part(stands), _part(gone), _part(kept_out)]),
        texts=statistics.mean(state.texts for state in states),
        question_ms=1_000 * statistics.median(chain.from_iterable(one.seconds for one in found)),
    )


def _part(held: Sequence[bool]) -> float:
    return sum(held) / len(held)


async def measured(contestant: Contestant, dialogues: Sequence[Dialogue]) -> Figures:
    """Put all dialogues to a kind of memory, each to an empty one."""
    found = [await answered(contestant.make(dialogue), dialogue) for dialogue in dialogues]
    return figures_of(contestant.name, found, keeps_silent=contestant.keeps_silent)


@asynccontextmanager
async def contestants(state_dir: Path) -> AsyncIterator[list[Contestant]]:
    """Yield the memories that are measured here, for the length of the block."""
    weights = Weights.find(state_dir)
    embedder = MiniLmEmbedder(weights.embedding_model, weights.tokenizer)
    async with memories(embedder) as own:
        yield [
            Contestant("all sentences, by embedding", lambda _: AllSentences(embedder)),
            Contestant(f"the newest {NEWEST} sentences", lambda _: NewestSentences()),
            Contestant("ours, by rules", lambda dialogue: OwnMemory(own, dialogue)),
            Contestant("ours, messages", lambda dialogue: OwnMemory(own, dialogue, "messages")),
            Contestant("ours, faultless extraction", lambda dialogue: OwnMemory(own, dialogue, "model")),
        ]


def table(rows: Sequence[Figures]) -> str:
    """Return the figures as two Markdown tables, of recall and of the final state."""
    recall = [
        [
            row.memory,
            *(_percent(row.kinds[kind]) for kind in KINDS),
            *(_percent(value) for value in row.at.values()),
            _percent(row.clean),
            "-" if row.separation is None else f"{row.separation:.2f}",
            f"{row.question_ms:.1f}",
        ]
        for row in rows
    ]
    state = [
        [row.memory, *map(_percent, (row.stands, row.gone, row.kept_out, row.state)), f"{row.texts:.1f}"]
        for row in rows
    ]
    depths = [f"right@{depth}" for depth in rows[0].at]
    heads = ["memory", *KINDS, *depths, "clean", "separation", "ms"]
    return "\n\n".join(
        [_markdown(heads, recall), _markdown(["memory", "stands", "gone", "kept out", "state", "texts"], state)]
    )


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{part:.1%}"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    marks = ["---", *("---:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, marks, *rows])


async def all_measured(state_dir: Path, part: str = "all") -> list[Figures]:
    """Measure the memories of this project.

    Args:
        state_dir: Where the weights are.
        part: Which dialogues: `all`, or those with `odd` or `even` numbers.
    """
    dialogues = [one for one in read() if part in ("all", ("even", "odd")[int(one.id[1:]) % 2])]
    async with contestants(state_dir) as found:
        return [await measured(contestant, dialogues) for contestant in found]


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory_dialogues", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=Path(".sostenuto"), help="where the weights are")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--part", choices=("all", "odd", "even"), default="all", help="which dialogues, by their ids")
    arguments = parser.parse_args()
    rows = asyncio.run(all_measured(arguments.state_dir, arguments.part))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    sys.stdout.write(f"{table(rows)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
