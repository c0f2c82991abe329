"""How well sentences are attributed to passages by the closeness of meanings, as the local model's answers are.

The corpus and the questions of `benchmarks/corpus`. Each question is asked of the eight passages that are nearest to
it; one that the corpus does not answer has no right passage among them. Short answers and quotes of those that have
are then attributed: to the passage that has the answer, to another one, or to none.

    python -m benchmarks.attribution [--state-dir DIR]

Needs what `sostenuto pull` fetches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sostenuto.activities.adapters.documents.chunker import Chunker
from sostenuto.activities.adapters.documents.loading import load
from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.adapters.local_model.citing.attribution import attributed
from sostenuto.activities.adapters.local_model.citing.cited import ENOUGH_TO_ANSWER
from sostenuto.activities.adapters.local_model.passages import Sentence, scores, split_passage
from sostenuto.workers.stack.weights import Weights

CORPUS = Path(__file__).parent / "corpus"
_NEAREST = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage of the corpus."""

    id: str
    document: str
    start: int
    end: int
    embedded: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the passages that are nearest to it."""

    text: str
    answer: str
    quote: str
    pieces: tuple[Piece, ...]
    right: frozenset[str]
    """Ids of those with at least half of the words that answer it; empty where none of them has."""

    @property
    def sentences(self) -> list[Sentence]:
        """What the passages say."""
        return [sentence for piece in self.pieces for sentence in piece.sentences]

    @property
    def others(self) -> list[Sentence]:
        """What those say that do not have the answer."""
        return [sentence for sentence in self.sentences if sentence.passage not in self.right]


def pieces(weights: Weights) -> list[Piece]:
    """Return the passages of the corpus."""
    cutter = Chunker(weights.tokenizer, 180)
    found: list[Piece] = []
    for path in sorted(CORPUS.glob("docs/**/*.md")):
        name = path.relative_to(CORPUS / "docs").as_posix()
        for chunk in cutter.chunks(load(path.read_bytes(), path.name)):
            identity, heading = str(len(found)), chunk.headings[-1] if chunk.headings else ""
            sentences = tuple(split_passage(chunk.text, heading, identity))
            found.append(Piece(identity, name, chunk.start, chunk.end, chunk.embedded_text(), sentences))
    return found


async def asked(found: Sequence[Piece], model: MiniLmEmbedder) -> list[Asked]:
    """Return the questions, each with the passages that are nearest."""
    lines = [json.loads(line) for line in (CORPUS / "questions.jsonl").read_text().splitlines() if line]
    vectors = await model.embed([piece.embedded for piece in found])
    near = await model.embed([said["question"] for said in lines]) @ vectors.T
    questions = []
    for said, row in zip(lines, near, strict=True):
        nearest = tuple(found[int(index)] for index in row.argsort()[::-1][:_NEAREST])
        right = frozenset(piece.id for piece in nearest if _answers(piece, said))
        questions.append(Asked(said["question"], said["answer"] or "", said["quote"] or "", nearest, right))
    return questions


async def measured(state_dir: Path) -> dict[str, str]:
    """Return the figures by what they are of."""
    weights = Weights.find(state_dir, local_model=None)
    model = MiniLmEmbedder(weights.embedding_model, weights.tokenizer)
    questions = await asked(pieces(weights), model)
    has_answer: list[float] = []
    has_none: list[float] = []
    unanswered: list[float] = []
    for question in questions:
        close = await scores(question.text, question.sentences, model)
        best = question.sentences[max(range(len(close)), key=lambda index: close[index])]
        (has_answer if best.passage in question.right else has_none).append(max(close))
        unanswered += [max(close)] if not question.answer else []
    answered = [question for question in questions if question.right]
    figures = {
        "answered, the best sentence being of a right passage": _share(has_answer),
        "answered, the best sentence being of another one": _share(has_none),
        "answered, the corpus having no answer": _share(unanswered),
    }
    for what, texts in (("answers", [q.answer for q in answered]), ("quotes", [q.quote for q in answered])):
        cited = [await _cited(text, q.sentences, model) for text, q in zip(texts, answered, strict=True)]
        without = [await _cited(text, q.others, model) for text, q in zip(texts, answered, strict=True)]
        right = sum(bool(one & q.right) for one, q in zip(cited, answered, strict=True))
        wrong = sum(bool(one) and not one & q.right for one, q in zip(cited, answered, strict=True))
        figures[f"{what} attributed to a right passage"] = f"{right} of {len(answered)}"
        figures[f"{what} attributed to others alone"] = f"{wrong} of {len(answered)}"
        figures[f"{what} attributed where the right passage is taken away"] = (
            f"{sum(map(bool, without))} of {len(answered)}"
        )
    return figures


def _answers(piece: Piece, said: dict[str, str | None]) -> bool:
    if piece.document != said["document"]:
        return False
    path = CORPUS / "docs" / piece.document
    quote = said["quote"] or ""
    start = load(path.read_bytes(), path.name).text.index(quote)
    return 2 * (min(start + len(quote), piece.end) - max(start, piece.start)) >= len(quote)


def _share(relevances: Sequence[float]) -> str:
    return f"{sum(one >= ENOUGH_TO_ANSWER for one in relevances)} of {len(relevances)}"


async def _cited(text: str, sentences: Sequence[Sentence], model: MiniLmEmbedder) -> set[str]:
    claims = await attributed(text, sentences, model)
    return {passage for claim in claims for passage in claim.passages}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=Path(".sostenuto"), help="where the weights are")
    figures = asyncio.run(measured(parser.parse_args().state_dir))
    for name, value in figures.items():
        sys.stdout.write(f"{name:64} {value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
