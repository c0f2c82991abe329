"""What is wrong with a schema that was fitted to rules, in the words of those who take it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.fakes.wire.anthropic.schema import format_faults, input_schema_faults
from tests.fakes.wire.dialect_rules import DIALECTS
from tests.fakes.wire.openai.schema import schema_faults

JsonSchema = dict[str, Any]


def faults(rules: str, schema: JsonSchema) -> list[str]:
    """Find what those refuse for whom a schema was fitted."""
    return list(_BOOKS[rules](schema))


def _plain(schema: JsonSchema) -> Iterator[str]:
    yield from schema_faults(schema, strict=False)
    yield from input_schema_faults(schema)
    yield from _of_tools("mistral", schema)


def _closed(schema: JsonSchema) -> Iterator[str]:
    yield from schema_faults(schema, strict=True)


def _fine_tuned(schema: JsonSchema) -> Iterator[str]:
    yield from schema_faults(schema, strict=True, fine_tuned=True)


def _local(schema: JsonSchema) -> Iterator[str]:
    yield from (fault for fault in schema_faults(schema, strict=True) if "is not a valid format" not in fault)


def _of_tools(dialect: str, schema: JsonSchema) -> Iterator[str]:
    function = {"name": "look_up", "description": "Looks.", **({"parameters": schema} if schema else {})}
    yield from _refused(dialect, {"tools": [{"type": "function", "function": function}]})


def _of_answers(*dialects: str, strict: bool = False) -> Callable[[JsonSchema], Iterator[str]]:
    def find(schema: JsonSchema) -> Iterator[str]:
        form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": strict}}
        for dialect in dialects:
            yield from _refused(dialect, {"response_format": form})

    return find


def _refused(dialect: str, more: JsonSchema) -> Iterator[str]:
    body = {"model": "test-model", "messages": [{"role": "user", "content": "Hello?"}], **more}
    yield from (refusal.complaint.message for refusal in DIALECTS[dialect].refusals(body))


def _grammar(schema: JsonSchema) -> Iterator[str]:
    yield from _of_answers("vllm", "ollama", "llama_cpp", "lm_studio")(schema)
    yield from _of_tools("llama_cpp", schema)


_BOOKS: dict[str, Callable[[JsonSchema], Iterator[str]]] = {
    "plain": _plain,
    "closed": _closed,
    "closed-fine-tuned": _fine_tuned,
    "closed-anthropic": format_faults,
    "closed-xai": _of_answers("xai", strict=True),
    "open-xai": _of_answers("xai"),
    "gemini": lambda schema: _of_tools("gemini", schema),
    "closed-grammar": _local,
    "grammar": _grammar,
    "grammar-fireworks": _of_answers("fireworks"),
}
