"""The labelled texts of `benchmarks.guardrails`, put to LangChain's PII middleware as well.

It runs in an environment of its own, which is made where `--venv` says, from the package index, and reaches nothing. It
looks for e-mail addresses, cards and IP addresses; phone numbers, accounts and national ids it has no kind for.

    python -m benchmarks.guardrails_peer [--venv DIR] [--part odd|even|all]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Row, show
from benchmarks.guardrails import PARTS, Labelled, Score, read, scored
from benchmarks.peer_environment import answer_of, environment
from sostenuto.activities.guardrails.finding import Finding

REQUIREMENTS = ("langchain==1.5.2",)
KINDS = ("email", "card", "ip")


def theirs(python: Path, texts: Sequence[Labelled]) -> tuple[Score, float]:
    """Return how well LangChain finds what is labelled, and milliseconds for 2,000 characters."""
    said = answer_of(python, "langchain_pii.py", {"texts": [one.text for one in texts]})
    found: Iterator[list[Finding]] = ([Finding(*one) for one in each] for each in said["found"])
    score = scored(texts, lambda _: next(found))
    return score, said["seconds"] * 1_000 * 2_000 / said["chars"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, help="where its environment is kept (default: made anew)")
    parser.add_argument("--part", choices=PARTS, default="even", help="which lines (default: even)")
    options = parser.parse_args(arguments)
    texts = read("personal_data.jsonl", options.part)
    with TemporaryDirectory() as directory:
        python = environment(options.venv or Path(directory) / "venv", REQUIREMENTS)
        their, took = theirs(python, texts)
    our = scored(texts)
    rows = [
        row
        for kind in KINDS
        for row in (
            Row(f"{kind}: precision, ours and LangChain's", our.precision(kind), their.precision(kind)),
            Row(f"{kind}: recall, ours and LangChain's", our.recall(kind), their.recall(kind)),
        )
    ]
    rows.append(Row("ms to look through 2,000 characters for these three, LangChain", took))
    return 0 if show(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
