"""What is shown of an answer is the beginning of what is told in the end, and has nothing that is found."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from sostenuto.activities.guardrails.guarded_stream import GuardedStream, SentenceGuard
from sostenuto.activities.guardrails.hiding import Hiding, found_in
from sostenuto.activities.guardrails.personal.personal_data import personal_data
from sostenuto.activities.guardrails.secrets.secrets import secrets
from sostenuto.activities.guardrails.vault.keys import VaultKeys
from sostenuto.activities.guardrails.vault.vault import Vault
from sostenuto.activities.model_adapter import Delta

LABELLED = Path(__file__).parents[4] / "benchmarks" / "labelled"
VAULT = Vault(VaultKeys.made("test"), "run-1")
LOOKS = (personal_data, secrets)


def texts() -> list[str]:
    """Every labelled text."""
    found = []
    for name in ("personal_data.jsonl", "secrets.jsonl"):
        lines = (LABELLED / name).read_text().splitlines()
        found += [json.loads(line)["text"].replace("~~", "") for line in lines]
    return found


def shown(text: str, chance: random.Random, *, redacts: bool) -> str:
    """What is shown of a text that comes in in pieces of any size."""
    pieces: list[str] = []
    guards = [SentenceGuard(look, VAULT.hide if redacts else None) for look in LOOKS]
    stream = GuardedStream(guards, lambda delta: pieces.append(delta.text))
    at = 0
    while at < len(text):
        size = chance.choice((1, 2, 3, 7, 20, 200))
        stream.take(Delta("text", text[at : at + size]))
        at += size
    return "".join(pieces)


def whole(text: str) -> str:
    """The text as it is told in the end."""
    for look in LOOKS:
        text = Hiding(look, VAULT.hide).change(text, "")
    return text


@pytest.mark.parametrize("seed", range(40))
def test_what_is_shown_begins_what_is_told(seed: int) -> None:
    chance = random.Random(seed)
    known = texts()
    text = " ".join(chance.choice(known) + chance.choice(("", ".", "!\n\n")) for _ in range(12))
    told = shown(text, chance, redacts=True)
    assert whole(text).startswith(told)
    values = [text[one.start : one.end] for look in LOOKS for one in found_in(text, look)]
    assert not [value for value in values if value in told and value not in whole(text)]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_shown_from_a_finding_on_that_is_not_redacted(seed: int) -> None:
    chance = random.Random(seed)
    text = " ".join(chance.choice(texts()) + chance.choice((".", "\n\n")) for _ in range(12))
    told = shown(text, chance, redacts=False)
    first = min((one.start for look in LOOKS for one in found_in(text, look)), default=len(text))
    assert text.startswith(told)
    assert len(told) <= first


def test_an_answer_without_findings_is_shown_but_for_its_end() -> None:
    text = "One is here. Two follows it. Three comes then. Four is last."
    assert shown(text, random.Random(0), redacts=True) == "One is here. Two follows it. "


def test_what_is_no_text_is_not_shown() -> None:
    pieces: list[Delta] = []
    stream = GuardedStream([], pieces.append)
    for kind in ("reasoning", "tool_call"):
        stream.take(Delta(kind, "One is here. Two follows it. Three comes then. "))
    assert pieces == []
