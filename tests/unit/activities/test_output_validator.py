"""Answers held to an agent's output type: by the type itself where the worker knows it, else by its schema."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import BaseModel, Field, field_validator

from sostenuto import Agent
from sostenuto.activities.output import OutputValidator
from sostenuto.contracts.model import OutputSchema


class City(BaseModel):
    """A city."""

    name: str
    people: int = Field(ge=0)

    @field_validator("name")
    @classmethod
    def _is_written_large(cls, name: str) -> str:
        if not name.istitle():
            raise ValueError("write it large")
        return name


@dataclass
class Pair:
    """Two numbers."""

    a: int
    b: int


def agent(output: type) -> Agent:
    """An agent with that output."""
    return Agent(name="a", model="a/b", output=output)


def schema(output: type) -> OutputSchema:
    """The schema that such an agent sends."""
    found = agent(output).output
    assert found is not None
    return found


KNOWN = OutputValidator([agent(City), agent(Pair), Agent(name="plain", model="a/b")])
UNKNOWN = OutputValidator()


@pytest.mark.parametrize("validator", [KNOWN, UNKNOWN], ids=["type", "schema"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"name": "Oslo", "people": 7}', []),
        ('{"name": "Oslo", "people": -1}', ["people"]),
        ('{"name": "Oslo"}', ["people"]),
        ('{"name": 1, "people": "x"}', ["name", "people"]),
        ("Oslo", ["JSON"]),
        ("", ["JSON"]),
        ("[" * 100_000, ["answer"]),
        ('```json\n{"name": "Oslo", "people": 7}\n```', ["JSON"]),
    ],
)
def test_both_find_the_same(validator: OutputValidator, text: str, words: list[str]) -> None:
    problems = validator.problems("a", schema(City), text)
    assert len(problems) == len(words)
    assert all(word in problem for word, problem in zip(words, sorted(problems), strict=True))


def test_only_the_type_has_its_validators() -> None:
    text = '{"name": "oslo", "people": 7}'
    assert KNOWN.problems("a", schema(City), text) == ("name: Value error, write it large",)
    assert UNKNOWN.problems("a", schema(City), text) == ()


def test_a_dataclass() -> None:
    assert KNOWN.problems("a", schema(Pair), '{"a": 1, "b": 2}') == ()
    assert "b" in KNOWN.problems("a", schema(Pair), '{"a": 1}')[0]


def test_another_schema_of_the_same_name_is_another_type() -> None:
    other = OutputSchema(name="City", json_schema={"type": "object", "required": ["mayor"]})
    assert KNOWN.problems("a", other, '{"mayor": "x"}') == ()
    assert "mayor" in KNOWN.problems("a", other, '{"name": "Oslo", "people": 7}')[0]


def test_agents_of_one_schema_keep_their_own_validators() -> None:
    class Town(BaseModel):
        """A city."""

        name: str
        people: int = Field(ge=0)

    Town.__name__ = "City"
    lax, strict = Agent(name="lax", model="a/b", output=Town), agent(City)
    assert lax.output is not None
    both = OutputValidator([strict, lax])
    small = '{"name": "oslo", "people": 7}'
    assert both.problems("a", schema(City), small) == ("name: Value error, write it large",)
    assert both.problems("lax", lax.output, small) == ()
