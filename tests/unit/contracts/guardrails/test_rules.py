"""What people may write of rules and schemas, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from sostenuto import SpecError
from sostenuto.contracts.guardrails.rules import Rules
from sostenuto.contracts.guardrails.schema import Schema

# What type checkers refuse too.
ANY_RULES: Any = Rules
ANY_SCHEMA: Any = Schema


def rules(**given: Any) -> Rules:
    made: Rules = ANY_RULES(**{"at": "output", "on_failure": "block", **given})
    return made


def schema(given: Any) -> Schema:
    return Schema(at="output", on_failure="block", schema=given)


class Node(BaseModel):
    name: str
    children: list[Node] = []


def test_one_of_a_list_may_be_written_alone() -> None:
    made = rules(deny="a", allow="b", languages="en", urls="ok.example")
    assert (made.at, made.deny, made.allow, made.languages) == (("output",), ("a",), ("b",), ("en",))
    assert made.urls == ("ok.example",)


@pytest.mark.parametrize(
    "url", ["a.example", "*.a.example", "a.example/b/c", "localhost", "bücher.example", "127.0.0.1"]
)
def test_hosts(url: str) -> None:
    assert rules(urls=[url]).urls == (url,)


def test_a_schema_may_be_a_type_or_json() -> None:
    assert schema(int).json_schema == {"type": "integer"}
    assert schema({"type": "integer"}).json_schema == {"type": "integer"}
    assert schema(Node).json_schema["$ref"] == "#/$defs/Node"
    assert schema(Node) == Schema.model_validate_json(schema(Node).model_dump_json())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (rules, "Rules: every text passes: give deny=, allow=, max_chars="),
        (lambda: rules(deny=[""]), r"Rules: deny\[0\]: an empty pattern is in every text: leave it out"),
        (lambda: rules(deny=7), r"Rules: deny: 7 is not a list: write \[...\]"),
        (lambda: rules(max_chars=0), "Rules: max_chars: Input should be greater than or equal to 1"),
        (lambda: rules(max_chars=3, min_chars=4), "min_chars: it is 4, more than max_chars=3: no text passes"),
        (lambda: rules(languages=["EN"]), "languages: 'EN' is no code of ISO 639-1: write two small letters"),
        (
            lambda: rules(urls=["https://a.example"]),
            "urls: 'https://a.example' is no host: write a host as 'example.com'",
        ),
        (lambda: rules(urls=["a.example?x"]), "'a.example[?]x' is no host"),
        (lambda: rules(urls=["*"]), r"'\*' is no host"),
        (lambda: rules(urls=["a@b.example"]), "'a@b.example' is no host"),
        (lambda: rules(urls=["a.example:80"]), "'a.example:80' is no host"),
        (lambda: rules(domains=["a.example"]), r"Rules has no field 'domains': write urls=\[...\]"),
        (lambda: rules(deny="a", at="outptu"), r"at\[0\]: 'outptu' is none of"),
        (lambda: rules(deny="a", on_failure="blok"), "on_failure: 'blok' is none of"),
        (lambda: ANY_RULES("a"), "Rules: the argument 'a' has no name: write name='a'"),
        (lambda: schema({"$ref": "https://a.example/b"}), "it refers to 'https://a.example/b', and nothing is fetched"),
        (lambda: schema({"anyOf": [{"$dynamicRef": "b.json"}]}), "it refers to 'b.json', and nothing is fetched"),
        (lambda: schema("Order"), "Schema: schema: 'Order' is not a type: pass one, or a JSON schema as a dict"),
        (lambda: schema(lambda: 1), "Schema: schema: a lambda is not a type"),
        (lambda: schema({"description": "x" * 100_001}), "the schema has 100,019 bytes and the limit is 100,000"),
        (lambda: ANY_SCHEMA({"type": "object"}), "the argument {'type': 'object'} has no name: write schema=..."),
    ],
)
def test_what_may_not_be_written(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make()


def test_schemas_that_are_nested_too_deep_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(101):
        deep = {"items": deep}
    with pytest.raises(SpecError, match="nested deeper than 100 levels"):
        schema(deep)
