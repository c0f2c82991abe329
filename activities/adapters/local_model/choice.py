"""Chooses among listed values by the closeness of meanings.

The local model would mostly name the first one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import JsonValue

from ....contracts.message import ASKED_AGAIN, Message, Role
from ....contracts.model import OutputSchema
from ...routing.embedding import probabilities
from ..embeddings.minilm import MiniLmEmbedder
from .schema import is_choice, properties, resolved

_REASON: Final = re.compile(r"reason|reasoning|why|rationale|explanation|justification")
_CONFIDENCE: Final = re.compile(r"confidence|certainty|probability")
_LONGEST_REASON: Final = 160
_SENTENCE: Final = re.compile(r"(?<=[.!?:])\s+|\n+")
# How an answer of the wrong form, or that a validator objects to, is asked for again.
_REJECTION: Final = re.compile(rf"{ASKED_AGAIN}\b")


@dataclass(frozen=True, slots=True)
class _Choice:
    value: str
    meaning: str
    """What the value stands for, in the prompt's words where it has some."""
    confidence: float


async def choose_values(
    output: OutputSchema, instructions: str, messages: Sequence[Message], embedder: MiniLmEmbedder
) -> dict[str, JsonValue]:
    """Return the fields of an answer that need no model.

    They are those with listed values, their confidence and the reason.

    What a value means is read from a line `value: …` of the prompt, where there is one. Empty for a schema in which no
    field has two or more texts to choose from.
    """
    fields = {name: resolved(field, output.json_schema) for name, field in properties(output.json_schema).items()}
    asked, rejected = _asked(messages)
    chosen = {}
    for name, field in fields.items():
        if is_choice(field):
            left = [value for value in field["enum"] if value not in [answer.get(name) for answer in rejected]]
            chosen[name] = await _chosen(left or field["enum"], f"{instructions}\n{asked}", asked, embedder)
    known: dict[str, JsonValue] = {name: choice.value for name, choice in chosen.items()}
    if len(chosen) == 1:
        (choice,) = chosen.values()
        known |= {name: said for name, field in fields.items() if (said := _explained(choice, name, field)) is not None}
    # In the order of the schema, as a model would write them.
    return {name: known[name] for name in fields if name in known}


async def _chosen(values: Sequence[str], prompt: str, asked: str, embedder: MiniLmEmbedder) -> _Choice:
    meanings = [meaning(value, prompt) for value in values]
    text, *vectors = await embedder.embed([_subject(asked, values), *meanings])
    scores = [float(text @ vector) for vector in vectors]
    best = max(range(len(scores)), key=lambda index: scores[index])
    return _Choice(values[best], meanings[best], round(probabilities(scores)[best], 2))


def _asked(messages: Sequence[Message]) -> tuple[str, list[dict[str, JsonValue]]]:
    """Return the last question, and the answers to it that were rejected."""
    rejected: list[dict[str, JsonValue]] = []
    for message in reversed(messages):
        if message.role is Role.ASSISTANT:
            rejected.append(_fields(message.text))
        elif not _REJECTION.match(message.text):
            return message.text, rejected
    return "", rejected


def _fields(text: str) -> dict[str, JsonValue]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def meaning(value: str, prompt: str) -> str:
    """Return what a value stands for, by a line `value: …` of the prompt.

    Where no line explains it, a sentence that names the value.
    """
    line = rf"^[^\w\n]{{0,8}}{re.escape(value)}[^\w\n]{{0,8}}?[:\u2013\u2014-][ \t]+(.+)$"
    described = re.search(line, prompt, re.MULTILINE | re.IGNORECASE)
    return f"{value}: {described[1]}" if described else f"This is {value}."


def _subject(asked: str, values: Sequence[str]) -> str:
    """Return what is to be judged.

    It is the last paragraph, without the sentences that speak of the choice itself.
    """
    paragraph = [part for part in re.split(r"\n\s*\n", asked) if part.strip()][-1:]
    sentences = [sentence for part in paragraph for sentence in _SENTENCE.split(part) if sentence.strip()]
    kept = [sentence for sentence in sentences if sum(_names(sentence, value) for value in values) < 2]
    return " ".join(kept or sentences)


def _names(sentence: str, value: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", sentence, re.IGNORECASE))


def _explained(choice: _Choice, name: str, field: dict[str, Any]) -> JsonValue:
    """Return the choice's confidence or its reason, where a field asks for it.

    None for any other field.
    """
    if field.get("type") == "number" and _CONFIDENCE.fullmatch(name) and field.get("maximum") == 1:
        return choice.confidence
    if field.get("type") == "string" and _REASON.fullmatch(name) and not {"pattern", "format", "enum"} & field.keys():
        return f"closest in meaning to {choice.meaning}"[: field.get("maxLength", _LONGEST_REASON)]
    return None
