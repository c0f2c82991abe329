"""What public MCP servers describe their tools by reaches every model, and is refused by none.

Kept is the shape alone: names, texts and values are replaced.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sostenuto.activities.adapters.providers.schema.fitted import fit_schema
from sostenuto.activities.adapters.providers.schema.rules import RULES, InexpressibleError
from sostenuto.contracts.model import OutputSchema
from sostenuto.contracts.specs.output import output_schema
from sostenuto.contracts.tool import ToolDefinition
from tests.conformance.every_profile import ASKED, MODELS, refused, unmatched
from tests.unit.activities.adapters.schema.rule_books import faults

SERVERS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("mcp_schemas").joinpath("servers.json").read_text())
TOOLS = tuple(
    ToolDefinition(name=f"tool_{number}", description="Does it.", parameters=schema)
    for number, schema in enumerate(schema for server in SERVERS for schema in server["tools"])
)
ANSWERS = [schema for server in SERVERS for schema in server["answers"]]


def _output(schema: dict[str, Any]) -> OutputSchema:
    output = output_schema(json.loads(json.dumps(schema)), "test")
    assert output is not None
    return output


def test_there_are_enough_of_them() -> None:
    assert len(SERVERS) >= 12
    assert len(TOOLS) >= 30


def test_every_profile_has_a_model() -> None:
    assert unmatched() == []


@pytest.mark.parametrize("model", MODELS)
def test_the_tools_of_all_servers_reach_every_model(model: str) -> None:
    assert refused(model, TOOLS) == []


@pytest.mark.parametrize("model", ASKED)
def test_what_they_answer_can_be_asked_of_every_model(model: str) -> None:
    asked = {json.dumps(schema)[:200]: refused(model, output=_output(schema)) for schema in (*ANSWERS, *_parameters())}
    assert {schema: words for schema, words in asked.items() if words} == {}


@pytest.mark.parametrize("rules", RULES)
def test_all_rules_take_them(rules: str) -> None:
    strict = 0
    for schema in (*ANSWERS, *_parameters()):
        try:
            sent = fit_schema(schema, RULES[rules]).schema
        except InexpressibleError:
            assert RULES[rules].strict
            continue
        strict += 1
        assert faults(rules, sent) == []
    assert strict > 40


def _parameters() -> list[dict[str, Any]]:
    return [tool.parameters for tool in TOOLS]
