"""Walks the JSON schemas of tools and of answers, as the providers name the places in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.fakes.wire.openai.chat_messages import tools_of
from tests.fakes.wire.rule import Json

FORMS = ("json_object", "json_schema")
"""Types of `response_format` that ask for JSON."""


def schema_nodes(schema: Any, path: str) -> Iterator[tuple[str, Json]]:
    """Yield a schema and all below it, with their places."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for name, sub in (schema.get("properties") or {}).items():
        yield from schema_nodes(sub, f"{path}.properties[{name}]")
    yield from schema_nodes(schema.get("items"), f"{path}.items")
    for index, sub in enumerate(schema.get("anyOf") or ()):
        yield from schema_nodes(sub, f"{path}.any_of[{index}]")


def tool_nodes(body: Json) -> Iterator[tuple[str, Json]]:
    """Yield the schemas of all tools and what is below them, with their places as Gemini has them."""
    for index, tool in enumerate(tools_of(body)):
        yield from schema_nodes(tool.get("parameters"), f"tools[0].function_declarations[{index}].parameters")


def answer_nodes(body: Json) -> Iterator[tuple[str, Json]]:
    """Yield the schema of the answer and what is below it, with their places."""
    form = (body.get("response_format") or {}).get("json_schema") or {}
    yield from schema_nodes(form.get("schema"), "schema")


def form_of(body: Json) -> str | None:
    """Return the type of the response format."""
    form: str | None = (body.get("response_format") or {}).get("type")
    return form
