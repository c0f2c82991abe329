"""Chooses among listed values by the closeness of meanings, for a model that mostly says the first one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import JsonValue

from ...contracts.message import Message, Role, TextPart
from ...contracts.model import OutputSchema, StopReason
from ...contracts.usage import Usage
from ..provider import Completion, Delta, ModelAdapter, ModelRequest, OnDelta
from ..routing_embedding import probabilities
from .embedder import Embedder

_REASON: Final = re.compile(r"reason|reasoning|why|rationale|explanation|justification")
_CONFIDENCE: Final = re.compile(r"confidence|certainty|probability")
_LONGEST_REASON: Final = 160
_SENTENCE: Final = re.compile(r"(?<=[.!?:])\s+|\n+")
# How an answer of the wrong form, or that a validator objects to, is asked for again.
_REJECTION: Final = re.compile(r"That answer does not fit\b")


@dataclass(frozen=True, slots=True)
class _Choice:
    value: str
    meaning: str
    """What the value stands for, in the prompt's words where it has some."""
    confidence: float


class ChoiceWriter:
    """Writes answers of which some fields are a choice.

    Args:
        server: Adapter of the server that the model runs on.
        embedder: Chooses among values.
    """

    def __init__(self, server: ModelAdapter, embedder: Embedder) -> None:
        self._server = server
        self._embedder = embedder

    async def answer(self, request: ModelRequest, output: OutputSchema, on_delta: OnDelta | None) -> Completion:
        """The answer, its choices made by meaning, and by the model what is left then.

        Raises:
            ModelError: The server failed.
        """
        known = await choose_values(output, request.instructions, request.messages, self._embedder)
        fields = _properties(output)
        if not known or known.keys() != fields.keys():
            fixed = fields | {name: {"const": value} for name, value in known.items()}
            narrowed = output.model_copy(update={"json_schema": output.json_schema | {"properties": fixed}})
            return await self._server.complete(replace(request, output=narrowed), on_delta)
        text = json.dumps(known, ensure_ascii=False)
        if on_delta:
            on_delta(Delta("text", text))
        message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
        return Completion(message, request.model.model, StopReason.END, Usage())


async def choose_values(
    output: OutputSchema, instructions: str, messages: Sequence[Message], embedder: Embedder
) -> dict[str, JsonValue]:
    """The fields of an answer that need no model: those with listed values, their confidence and the reason.

    What a value means is read from a line `value: …` of the prompt, where there is one. Empty for a schema in which no
    field has two or more texts to choose from.
    """
    fields = {name: _resolved(field, output.json_schema) for name, field in _properties(output).items()}
    asked, rejected = _asked(messages)
    chosen = {}
    for name, field in fields.items():
        if _is_choice(field):
            left = [value for value in field["enum"] if value not in [answer.get(name) for answer in rejected]]
            chosen[name] = await _chosen(left or field["enum"], f"{instructions}\n{asked}", asked, embedder)
    known: dict[str, JsonValue] = {name: choice.value for name, choice in chosen.items()}
    if len(chosen) == 1:
        (choice,) = chosen.values()
        known |= {name: said for name, field in fields.items() if (said := _explained(choice, name, field)) is not None}
    # In the order of the schema, as a model would write them.
    return {name: known[name] for name in fields if name in known}


async def _chosen(values: Sequence[str], prompt: str, asked: str, embedder: Embedder) -> _Choice:
    meanings = [_meaning(value, prompt) for value in values]
    text, *vectors = await embedder.embed([_subject(asked, values), *meanings])
    scores = [float(text @ vector) for vector in vectors]
    best = max(range(len(scores)), key=lambda index: scores[index])
    return _Choice(values[best], meanings[best], round(probabilities(scores)[best], 2))


def _properties(output: OutputSchema) -> dict[str, Any]:
    properties: dict[str, Any] = output.json_schema.get("properties", {})
    return properties


def _resolved(field: Any, root: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(field, dict):
        return {}
    name = str(field.get("$ref", "")).rpartition("/")[2]
    return _resolved(root.get("$defs", {}).get(name), root) if name else field


def _is_choice(field: dict[str, Any]) -> bool:
    values = field.get("enum", ())
    return len(values) > 1 and all(isinstance(value, str) for value in values)


def _asked(messages: Sequence[Message]) -> tuple[str, list[dict[str, JsonValue]]]:
    """The last question, and the answers to it that were rejected."""
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


def _meaning(value: str, prompt: str) -> str:
    line = rf"^[^\w\n]{{0,8}}{re.escape(value)}[^\w\n]{{0,8}}?[:\u2013\u2014-][ \t]+(.+)$"
    described = re.search(line, prompt, re.MULTILINE | re.IGNORECASE)
    return f"{value}: {described[1]}" if described else f"This is {value}."


def _subject(asked: str, values: Sequence[str]) -> str:
    """What is to be judged: the last paragraph, without the sentences that speak of the choice itself."""
    paragraph = [part for part in re.split(r"\n\s*\n", asked) if part.strip()][-1:]
    sentences = [sentence for part in paragraph for sentence in _SENTENCE.split(part) if sentence.strip()]
    kept = [sentence for sentence in sentences if sum(_names(sentence, value) for value in values) < 2]
    return " ".join(kept or sentences)


def _names(sentence: str, value: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", sentence, re.IGNORECASE))


def _explained(choice: _Choice, name: str, field: dict[str, Any]) -> JsonValue:
    """How sure the choice is or what it rests on, where the field asks for that; else None."""
    if field.get("type") == "number" and _CONFIDENCE.fullmatch(name) and field.get("maximum") == 1:
        return choice.confidence
    if field.get("type") == "string" and _REASON.fullmatch(name) and not {"pattern", "format", "enum"} & field.keys():
        return f"closest in meaning to {choice.meaning}"[: field.get("maxLength", _LONGEST_REASON)]
    return None
