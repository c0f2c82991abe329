"""Writes the JSON schema of arguments.

Refuses what no JSON can be validated into.

Must not know parameters: whoever asks says in errors which one it is.
"""

from __future__ import annotations

import math
from typing import Any

from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonRef, JsonSchemaValue
from pydantic_core import PydanticSerializationError, core_schema, to_jsonable_python


class NotFromJsonError(PydanticInvalidForJsonSchema):
    """No JSON becomes a value of the type.

    The message says why, and what to write.
    """


class ArgumentSchema(GenerateJsonSchema):
    """Pydantic's schema, where pydantic has one.

    A default that JSON does not have is left out: the parameter is optional all the same.
    """

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

    def encode_default(self, dft: Any) -> Any:
        """Return a default as JSON."""
        encoded = super().encode_default(dft)
        if isinstance(encoded, float) and not math.isfinite(encoded):
            raise PydanticSerializationError("JSON does not have it")
        return encoded

    def is_subclass_schema(self, schema: core_schema.IsSubclassSchema) -> JsonSchemaValue:  # noqa: ARG002 - a hook
        """Refuse a class: of pydantic it may be anything, but nothing that comes as JSON."""
        raise NotFromJsonError("no class comes as JSON: take its name, as a Literal or an enum")

    def callable_schema(self, schema: core_schema.CallableSchema) -> JsonSchemaValue:  # noqa: ARG002 - a hook
        """Refuse a function."""
        raise NotFromJsonError("no function comes as JSON: take its name, as a Literal or an enum")

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        """Refuse an enum with a value that does not come back from JSON as it was."""
        for member in schema["members"]:
            try:
                returns = "missing" in schema or to_jsonable_python(member.value) == member.value
            except PydanticSerializationError:
                returns = False
            if not returns:
                name = f"{type(member).__name__}.{member.name}"
                raise NotFromJsonError(f"the value of {name} does not come as JSON: give the members texts or numbers")
        return super().enum_schema(schema)

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Refuse a dict with keys that are not texts in JSON."""
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        if "$ref" in keys:
            keys = self.get_schema_from_definitions(JsonRef(keys["$ref"])) or {}
        if keys.get("type") in ("array", "object"):
            raise NotFromJsonError("the keys of a JSON object are texts: use a list of pairs, or dict[str, ...]")
        return super().dict_schema(schema)
