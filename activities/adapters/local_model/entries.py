"""Writes lists of choices, such as a plan's tasks, by meaning; invents nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import JsonValue

from ....contracts.model import OutputSchema
from ..embeddings.minilm import MiniLmEmbedder
from .choice import meaning
from .schema import is_choice, properties, resolved
from .tool_choice import RELEVANT

_HELD: Final = frozenset({"enum", "const", "pattern", "format", "minLength"})


async def choose_entries(
    output: OutputSchema, instructions: str, asked: str, embedder: MiniLmEmbedder
) -> dict[str, JsonValue]:
    """Return the fields that are lists of choices.

    Such a list has an entry for each value that the question is about.

    Texts of an entry are the question, its lists are empty, and so is every text beside the list: the model would make
    them up. Empty for a schema without such a list.
    """
    fields = {name: resolved(field, output.json_schema) for name, field in properties(output.json_schema).items()}
    known: dict[str, JsonValue] = {}
    for name, field in fields.items():
        entry = resolved(field.get("items"), output.json_schema) if field.get("type") == "array" else {}
        inner = {key: resolved(value, output.json_schema) for key, value in properties(entry).items()}
        choices = [key for key, value in inner.items() if is_choice(value)]
        if len(choices) == 1 and all(key in choices or _is_open(value) for key, value in inner.items()):
            values = await _about(inner[choices[0]]["enum"], instructions, asked, embedder)
            known[name] = [_entry(inner, choices[0], value, asked) for value in values[: field.get("maxItems")]]
    if known:
        known |= {name: "" for name, field in fields.items() if name not in known and _is_text(field)}
    return {name: known[name] for name in fields if name in known}


async def _about(values: list[str], instructions: str, asked: str, embedder: MiniLmEmbedder) -> list[str]:
    """Return the values that the question is about; the closest one if none is."""
    text, *vectors = await embedder.embed([asked, *(meaning(value, instructions) for value in values)])
    scores = [float(text @ vector) for vector in vectors]
    enough = min(RELEVANT, max(scores))
    return [
        value
        for value, score in zip(values, scores, strict=True)
        if score >= enough or re.search(rf"\b{re.escape(value)}\b", asked, re.IGNORECASE)
    ]


def _entry(fields: Mapping[str, dict[str, Any]], choice: str, value: str, asked: str) -> JsonValue:
    return {
        name: value if name == choice else asked[: field.get("maxLength")] if _is_text(field) else []
        for name, field in fields.items()
    }


def _is_open(field: dict[str, Any]) -> bool:
    return _is_text(field) or (field.get("type") == "array" and not field.get("minItems"))


def _is_text(field: dict[str, Any]) -> bool:
    return field.get("type") == "string" and not _HELD & field.keys()
