"""Structured output: from a Python type to the schema that a model is held to."""

from __future__ import annotations

import re
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError

from .errors import SpecError
from .model import OutputSchema


def output_schema(output: Any, where: str) -> OutputSchema | None:
    """The schema of a type; None and schemas pass as they are.

    Raises:
        SpecError: The type has no JSON schema, or is not an object, which providers require.
    """
    if output is None or isinstance(output, OutputSchema):
        return output
    name = re.sub(r"[^A-Za-z0-9_-]", "_", getattr(output, "__name__", str(output)))[:64]
    try:
        schema = TypeAdapter(output).json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError) as error:
        raise SpecError(f"{where}: {name} has no JSON schema: use a pydantic model or a dataclass") from error
    if schema.get("type") != "object":
        raise SpecError(f"{where}: {name} is not a JSON object: wrap it in a pydantic model")
    return OutputSchema(name=name, json_schema=schema)
