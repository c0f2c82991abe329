"""The corpus and the questions of `benchmarks.retrieval`, asked of LlamaIndex's default pipeline as well.

Both embed with the same model, from the same file. LlamaIndex runs in an environment of its own, which is made where
`--venv` says, from the package index.

    python -m benchmarks.retrieval_llamaindex [--venv DIR] [--state-dir DIR] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.peer_environment import answer_of, environment
from benchmarks.retrieval import CORPUS, DEEPEST, Figures, Question, figures_of, measured, questions
from sostenuto.activities.adapters.documents.loading import load
from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.knowledge.sources.files import uri_of
from sostenuto.workers.stack.weights import Weights

REQUIREMENTS = ("llama-index-core==0.14.25", *(f"{name}=={version(name)}" for name in ("onnxruntime", "tokenizers")))
"""The last two are what embeds here, too."""

PIPELINES: dict[str, dict[str, Any]] = {
    "LlamaIndex as it comes": {"chunking": {}, "paths": True},
    "LlamaIndex, without paths": {"chunking": {}, "paths": False},
    "LlamaIndex, pieces of 256": {"chunking": {"chunk_size": 256, "chunk_overlap": 32}, "paths": True},
}
"""As it comes, its splitter makes pieces of 1,024 tokens, of which the model reads the first 256, and each is embedded
with the path of its document."""

_ALIKE = 1e-5


@dataclass(frozen=True, slots=True)
class Row:
    """What one pipeline came to."""

    figures: Figures
    passages: int
    characters: float
    """Of the first five passages of a question, on average: what a model would have to read."""
    query_ms: float
    """Median of the questions."""


def compared(venv: Path, state_dir: Path) -> list[Row]:
    """Measure each pipeline."""
    python = environment(venv, REQUIREMENTS)
    ours = asyncio.run(measured(state_dir))
    rows = [
        Row(figures, int(ours.facts["passages"]), ours.characters[figures.stage], ours.facts["search p50 ms"])
        for figures in ours.stages
    ]
    return [*rows, *(_theirs(python, state_dir, name) for name in PIPELINES)]


def _theirs(python: Path, state_dir: Path, name: str) -> Row:
    weights = Weights.find(state_dir, local_model=None)
    asked, pipeline = questions(), PIPELINES[name]
    texts = [question.text for question in asked[:5]]
    paths = sorted(CORPUS.glob("docs/**/*.md"))
    documents = {
        uri_of(str(path)): {
            "text": load(path.read_bytes(), path.name).text,
            "path": str(path.relative_to(CORPUS)) if pipeline["paths"] else "",
        }
        for path in paths
    }
    given = {
        "model": str(weights.embedding_model),
        "tokenizer": str(weights.tokenizer),
        "documents": documents,
        "questions": [question.text for question in asked],
        "texts": texts,
        "chunking": pipeline["chunking"],
    }
    said = answer_of(python, "llamaindex_pipeline.py", given)
    asyncio.run(_check_alike(weights, texts, said["vectors"]))
    ranks = [_rank(question, ranking) for question, ranking in zip(asked, said["rankings"], strict=True)]
    characters = [sum(end - start for _, start, end in ranking[:5]) for ranking in said["rankings"]]
    query_ms = 1_000 * statistics.median(said["seconds"])
    return Row(figures_of(name, ranks), said["chunks"], statistics.mean(characters), query_ms)


def _rank(question: Question, ranking: Sequence[tuple[str, int, int]]) -> int | None:
    """Return the rank of the first piece that has at least half of the answer's words, as is asked of ours."""
    return next((rank for rank, (uri, *at) in enumerate(ranking, 1) if question.is_answered_at(uri, *at)), None)


async def _check_alike(weights: Weights, texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
    model = MiniLmEmbedder(weights.embedding_model, weights.tokenizer)
    # One by one, as theirs were: padding moves the last digits of a model of eight bits.
    ours = np.concatenate([await model.embed([text]) for text in texts])
    furthest = float(np.abs(ours - np.array(vectors, dtype=np.float32)).max())
    if furthest > _ALIKE:
        raise SystemExit(f"the two pipelines embed differently: their vectors are up to {furthest:.3g} apart")


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval_llamaindex", description=__doc__)
    parser.add_argument(
        "--venv", type=Path, metavar="DIR", help="its environment; default: a new one, which is deleted"
    )
    parser.add_argument("--state-dir", type=Path, default=Path(".sostenuto"), help="where the weights are")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    arguments = parser.parse_args()
    with TemporaryDirectory() as directory:
        rows = compared(arguments.venv or Path(directory) / "venv", arguments.state_dir)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    head = f"{'pipeline':26} hit@1  recall@5  MRR@{DEEPEST}  passages  characters of five  query ms"
    lines = (
        f"{row.figures.stage:26} {row.figures.hit_at_1:.3f}  {row.figures.recall_at_5:.3f}     {row.figures.mrr:.3f}"
        f"  {row.passages:8,}  {row.characters:18,.0f}  {row.query_ms:8.1f}"
        for row in rows
    )
    sys.stdout.write("\n".join([head, *lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
