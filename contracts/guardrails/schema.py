"""The JSON schema that a text has to fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import JsonValue, field_validator

from ..contract import arguments, as_tuple, brief
from ..limits import MAX_DEPTH, MAX_SCHEMA_BYTES, is_too_deep, why_too_large
from ..signature.type_schema import type_schema
from .guardrail import Guardrail, GuardStage, OnError, OnFailure

_REFERENCES: Final = ("$ref", "$dynamicRef")
_ELSEWHERE: Final = dict.fromkeys(("json_schema", "model", "output", "type"), "write schema=, a type or a JSON schema")


class Schema(Guardrail):
    """The JSON schema that a text has to fit.

    `Schema(at=["output"], on_failure="retry", schema=Order)`, of a type or of a JSON schema. What is no text, such as
    the arguments of a call, has to fit it as it is.
    """

    kind: Literal["schema"] = "schema"
    at: tuple[GuardStage, ...] = ("output",)
    on_failure: OnFailure = "retry"
    json_schema: dict[str, JsonValue]
    """JSON Schema (2020-12), at most 100,000 bytes of it. It refers to nothing outside itself: nothing is fetched."""

    _elsewhere = _ELSEWHERE

    def __init__(
        self,
        *,
        schema: Any,
        at: GuardStage | Iterable[GuardStage] = ("output",),
        on_failure: OnFailure = "retry",
        on_error: OnError | None = None,
        name: str = "",
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        del given["schema"]
        given["at"] = (at,) if isinstance(at, str) else as_tuple(at, "Schema: at")
        # Said here by another name than in the constructor, which is that of a method of pydantic's.
        made = dict(schema) if isinstance(schema, Mapping) else type_schema(schema, "Schema: schema")
        self._construct({**given, "json_schema": made})

    @classmethod
    def _meant_by(cls, unnamed: object) -> str:
        return "schema" if isinstance(unnamed, type | Mapping) else super()._meant_by(unnamed)

    @field_validator("json_schema")
    @classmethod
    def _stands_alone(cls, schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if is_too_deep(schema):
            raise ValueError(f"its lists and objects are nested deeper than {MAX_DEPTH} levels")
        if reason := why_too_large(schema, "the schema", MAX_SCHEMA_BYTES):
            raise ValueError(reason)
        for reference in references_of(schema):
            if not reference.startswith("#"):
                raise ValueError(
                    f"it refers to {brief(reference)}, and nothing is fetched: put that under '$defs', "
                    "and refer to it as '#/$defs/...'"
                )
        return schema


def references_of(schema: JsonValue) -> Iterator[str]:
    """Yield what a JSON schema refers to, itself or anything else."""
    for part in parts_of(schema):
        yield from (where for name in _REFERENCES if isinstance(where := part.get(name), str))


def parts_of(schema: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """Yield each object in a JSON schema."""
    left = [schema]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left += one.values()
        elif isinstance(one, list):
            left += one
