"""How much of what guardrails look for they find, how much they take for it that is none, and how long it takes.

Texts written for this project, `benchmarks/labelled`, with what is in them and as many that only look like it. Whoever
wrote them had not seen the detectors. What was changed after a look at these figures was chosen by the lines with odd
numbers, and is judged by the others.

    python -m benchmarks.guardrails [--part odd|even|all]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.figures import Row, show
from sostenuto.activities.guardrails.finding import Finding
from sostenuto.activities.guardrails.injection.instructions import instructions
from sostenuto.activities.guardrails.personal.personal_data import DETECTORS, personal_data
from sostenuto.activities.guardrails.secrets.secrets import secrets

Detect = Callable[[str], list[Finding]]

LABELLED = Path(__file__).parent / "labelled"
PARTS = {"odd": (1,), "even": (0,), "all": (0, 1)}
ALL = "all"
SECRETS = ("api_key", "cloud_key", "token", "private_key", "connection_string", "password")
_AS_GOOD = 0.8
"""So much of a labelled value has to be found, and may not be exceeded by more than two characters."""
_ROUNDS = 200
_SPLIT = "~~"
"""Stands in the middle of each secret, so that nobody takes the file for a leak."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, and the values of each kind in it."""

    text: str
    values: dict[str, list[str]]


@dataclass(slots=True)
class Score:
    """What was found of a kind."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def precision(self, kind: str) -> float:
        """How much of what was taken for the kind is of it."""
        return self.right[kind] / max(self.right[kind] + self.wrong[kind], 1)

    def recall(self, kind: str) -> float:
        """How much of what is of the kind was found."""
        return self.right[kind] / max(self.right[kind] + self.missed[kind], 1)


def read(name: str, part: str) -> list[Labelled]:
    """Return the texts of a file, those with odd or even numbers or all."""
    found = []
    for line in (LABELLED / name).read_text().splitlines():
        said = json.loads(line)
        if int(said["id"].rpartition("-")[2]) % 2 in PARTS[part]:
            values: dict[str, list[str]] = {}
            for span in said["spans"]:
                values.setdefault(span["kind"], []).append(span["value"].replace(_SPLIT, ""))
            found.append(Labelled(said["text"].replace(_SPLIT, ""), values))
    return found


def scored(texts: Sequence[Labelled], detect: Detect = personal_data) -> Score:
    """Compare what is found with what is there, kind by kind."""
    score = Score()
    for one in texts:
        left = {kind: list(values) for kind, values in one.values.items()}
        for finding in detect(one.text):
            value, wanted = one.text[finding.start : finding.end], left.get(finding.kind, [])
            match = next((other for other in wanted if _is_same(value, other)), None)
            if match is None:
                score.wrong[finding.kind] += 1
            else:
                wanted.remove(match)
                score.right[finding.kind] += 1
        for kind, values in left.items():
            score.missed[kind] += len(values)
    return score


def scored_alike(texts: Sequence[Labelled], detect: Detect) -> Score:
    """Compare what is found with what is there, of whatever kind each is said to be."""
    score = Score()
    for one in texts:
        left = [(kind, value) for kind, values in one.values.items() for value in values]
        for finding in detect(one.text):
            value = one.text[finding.start : finding.end]
            match = next((other for other in left if value in other[1] or _is_same(value, other[1])), None)
            if match is None:
                score.wrong[ALL] += 1
            else:
                left.remove(match)
                score.right[ALL] += 1
                score.right[match[0]] += 1
        for kind, _ in left:
            score.missed[ALL] += 1
            score.missed[kind] += 1
    return score


def _is_same(found: str, labelled: str) -> bool:
    if labelled in found:
        return len(found) <= len(labelled) + 2
    return found in labelled and len(found) >= _AS_GOOD * len(labelled)


def milliseconds(texts: Sequence[Labelled], detect: Detect, size: int = 2_000) -> float:
    """Return the median time to look through a message of so many characters."""
    message = " ".join(one.text for one in texts)
    pieces = [message[start : start + size] for start in range(0, len(message) - size, size)][:_ROUNDS]
    times = []
    for piece in pieces:
        began = time.perf_counter()
        detect(piece)
        times.append((time.perf_counter() - began) * 1_000)
    return median(times)


def injection_rows(part: str) -> list[Row]:
    """Return how many of the texts with instructions to a model are found, and how many others are taken for some."""
    cases = [json.loads(line) for line in (LABELLED / "injection.jsonl").read_text().splitlines()]
    ours = [one for one in cases if int(one["id"].rpartition("-")[2]) % 2 in PARTS[part]]
    found = [one for one in ours if instructions(one["text"])]
    right, there = (sum(one["injected"] for one in those) for those in (found, ours))
    took = milliseconds([Labelled(one["text"], {}) for one in ours], instructions)
    return [
        Row(f"injection: texts with {part} numbers; with instructions", len(ours), there),
        Row("injection: precision; recall", right / max(len(found), 1), right / there),
        Row("ms to look through 2,000 characters, median", took),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, default="even", help="which lines (default: even)")
    options = parser.parse_args(arguments)
    texts = read("personal_data.jsonl", options.part)
    score = scored(texts)
    rows = [Row(f"personal data: texts with {options.part} numbers", len(texts))]
    for kind in DETECTORS:
        rows += [Row(f"{kind}: precision; recall", score.precision(kind), score.recall(kind))]
    took = milliseconds(texts, personal_data)
    rows.append(Row("ms to look through 2,000 characters, median", took))
    texts = read("secrets.jsonl", options.part)
    score = scored_alike(texts, secrets)
    rows.append(Row(f"secrets: texts with {options.part} numbers", len(texts)))
    rows.append(Row("secrets: precision; recall", score.precision(ALL), score.recall(ALL)))
    rows += [Row(f"{kind}: recall", score.recall(kind)) for kind in SECRETS]
    secrets_took = milliseconds(texts, secrets)
    rows.append(Row("ms to look through 2,000 characters, median", secrets_took))
    rows += injection_rows(options.part)
    both = took + secrets_took
    rows.append(Row("ms of both", both, goal="< 5", met=both < 5))
    return 0 if show(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
