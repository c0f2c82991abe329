"""Python types reach every model, as arguments of tools and as answers, and values of them come back whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sostenuto import tool
from sostenuto.activities.adapters.providers.schema.fitted import fit_schema
from sostenuto.activities.adapters.providers.schema.restoring import FittedSchema
from sostenuto.activities.adapters.providers.schema.rules import RULES, InexpressibleError
from sostenuto.contracts.model import OutputSchema
from sostenuto.contracts.specs.output import output_schema
from sostenuto.contracts.tool import ToolDefinition
from tests.conformance.every_profile import ASKED, MODELS, refused
from tests.conformance.pydantic_types import TYPES
from tests.unit.activities.adapters.schema.rule_books import faults

NEVER_STRICT = {
    *("dict", "dict of models", "dict by pattern", "root model of a dict", "object", "secrets, bytes, JSON, extras"),
    *("anything JSON", "anything", "list of anything", "empty tuple"),
}
"""What has keys or values of any kind."""


def _tool(number: int, wanted: Any) -> ToolDefinition:
    def look_up(value: Any) -> str:
        return str(value)

    look_up.__annotations__["value"] = wanted
    made: Callable[..., Any] = tool(name=f"tool_{number}")(look_up)
    definition: ToolDefinition = made.spec.definition  # type: ignore[attr-defined]
    return definition


def _output(kind: str) -> OutputSchema:
    output = output_schema(TYPES[kind][0], "test")
    assert output is not None
    return output


TOOLS = tuple(_tool(number, wanted) for number, (wanted, _) in enumerate(TYPES.values()))


@pytest.mark.parametrize("model", MODELS)
def test_tools_that_take_them_reach_every_model(model: str) -> None:
    assert refused(model, TOOLS) == []


@pytest.mark.parametrize("model", ASKED)
def test_answers_of_them_can_be_asked_of_every_model(model: str) -> None:
    asked = {kind: refused(model, output=_output(kind)) for kind in TYPES}
    assert {kind: words for kind, words in asked.items() if words} == {}


def _fitted(kind: str, rules: str) -> FittedSchema | None:
    try:
        return fit_schema(_output(kind).json_schema, RULES[rules])
    except InexpressibleError:
        return None


@pytest.mark.parametrize("rules", RULES)
def test_values_of_them_go_there_and_come_back(rules: str) -> None:
    for kind, (_, value) in TYPES.items():
        fitted = _fitted(kind, rules)
        own = {"value": value} if _output(kind).wrapped else value
        if fitted:
            assert faults(rules, fitted.schema) == []
            assert fitted.restored(fitted.renamed(own)) == own, kind


@pytest.mark.parametrize("rules", ["closed", "closed-xai"])
def test_what_can_be_strict_is(rules: str) -> None:
    assert {kind for kind in TYPES if _fitted(kind, rules) is None} == NEVER_STRICT


def test_what_contains_itself_or_has_many_unions_is_asked_of_anthropic_in_words() -> None:
    loose = {kind for kind in TYPES if _fitted(kind, "closed-anthropic") is None}
    recursive = {"recursive model", "linked list", "two that contain each other", "names that nobody takes"}
    assert loose == NEVER_STRICT | recursive | {"sixty optional fields"}


@pytest.mark.parametrize("kind", sorted(TYPES.keys() - NEVER_STRICT))
def test_what_is_written_for_a_strict_schema_fits_the_type(kind: str) -> None:
    fitted = _fitted(kind, "closed")
    assert fitted
    value = TYPES[kind][1]
    written = fitted.renamed({"value": value} if _output(kind).wrapped else value)
    if Draft202012Validator(fitted.schema).is_valid(written):
        restored = fitted.restored(written)
        assert Draft202012Validator(_output(kind).json_schema).is_valid(restored)
