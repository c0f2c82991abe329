"""The decorator: a typed function becomes a schema for the model, and the model's arguments become typed values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from sostenuto import Effect, SpecError, Tool, ToolContext, tool
from sostenuto.contracts.signature.tool_signature import ToolArgumentsError


class Colour(StrEnum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Place(BaseModel):
    """Where."""

    city: str
    zip: str | None = None


@dataclass
class Size:
    """How large."""

    width: int
    height: int = 1


def properties(made: Tool[..., Any]) -> dict[str, Any]:
    """The schema of each parameter."""
    found: dict[str, Any] = made.spec.parameters["properties"]
    return found


def test_the_plain_decorator() -> None:
    @tool
    async def look(at: str) -> str:
        """Look at a thing.

        Args:
            at: The thing.
        """
        return at

    assert (look.spec.name, look.spec.effect, look.spec.fast, look.spec.retries) == ("look", Effect.ONCE, False, 0)
    assert look.spec.description == "Look at a thing."
    assert look.spec.timeout == timedelta(minutes=1)
    assert look.spec.parameters == {
        "type": "object",
        "properties": {"at": {"type": "string", "title": "At", "description": "The thing."}},
        "required": ["at"],
        "additionalProperties": False,
    }


async def test_the_function_stays_callable() -> None:
    @tool
    async def double(n: int) -> int:
        return 2 * n

    @tool(effect="read")
    def triple(n: int) -> int:
        return 3 * n

    assert (await double(2), triple(2)) == (4, 6)
    assert repr(triple) == "<tool triple (read)>"


def test_options() -> None:
    @tool(
        effect="read", fast=True, timeout=timedelta(seconds=2), retries=3, name="gaze", description="  Gaze.\n    On."
    )
    def look(at: str) -> None:
        """Not this."""

    spec = look.spec
    assert (spec.name, spec.description) == ("gaze", "Gaze.\nOn.")
    assert (spec.effect, spec.fast, spec.timeout, spec.retries) == (Effect.READ, True, timedelta(seconds=2), 3)


def test_types_and_defaults() -> None:
    @tool
    def order(
        n: Annotated[int, Field(ge=1, le=9, description="How many.")],
        colour: Colour,
        place: Place,
        size: Size,
        tags: list[str],
        day: date | None = None,
        price: float = 1.5,
        limit: int = Field(5, ge=1),
    ) -> None: ...

    found = properties(order)
    assert order.spec.parameters["required"] == ["n", "colour", "place", "size", "tags"]
    assert (found["n"]["minimum"], found["n"]["maximum"], found["n"]["description"]) == (1, 9, "How many.")
    assert order.spec.parameters["$defs"]["Colour"]["enum"] == ["red", "blue"]
    assert order.spec.parameters["$defs"]["Place"]["required"] == ["city"]
    assert order.spec.parameters["$defs"]["Size"]["required"] == ["width"]
    assert found["tags"] == {"type": "array", "items": {"type": "string"}, "title": "Tags"}
    assert found["day"]["default"] is None
    assert (found["price"]["default"], found["limit"]["default"], found["limit"]["minimum"]) == (1.5, 5, 1)


def test_arguments_become_typed_values() -> None:
    @tool
    def order(n: int, colour: Colour, place: Place, size: Size, day: date, limit: int = Field(5, ge=1)) -> None: ...

    bound = order.signature.bind(
        {"n": 2, "colour": "red", "place": {"city": "Oslo"}, "size": {"width": 3}, "day": "2026-11-22"}
    )
    assert bound == {
        "n": 2,
        "colour": Colour.RED,
        "place": Place(city="Oslo"),
        "size": Size(3),
        "day": date(2026, 11, 22),
        "limit": 5,
    }


def test_every_name_that_python_allows() -> None:
    @tool
    def odd(schema: str, json: str, copy: int, model_config: str, _id: str, self_: str = "s") -> None: ...

    assert list(properties(odd)) == ["schema", "json", "copy", "model_config", "_id", "self_"]
    given = {"schema": "a", "json": "b", "copy": 1, "model_config": "c", "_id": "d"}
    assert odd.signature.bind(given) == {**given, "self_": "s"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "n: Field required"),
        ({"n": "many"}, "n: Input should be a valid integer"),
        ({"n": 1, "m": 2}, "m: Extra inputs are not permitted"),
        ({"n": 1, "place": {"zip": "x"}}, "place.city: Field required"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], words: str) -> None:
    @tool
    def order(n: int, place: Place | None = None) -> None: ...

    with pytest.raises(ToolArgumentsError) as caught:
        order.signature.bind(arguments)
    assert words in str(caught.value)
    assert '"required":["n"]' in str(caught.value)


def test_the_context_is_hidden() -> None:
    @tool
    def note(text: str, ctx: ToolContext) -> None: ...

    assert list(properties(note)) == ["text"]
    assert note.signature.hidden == "ctx"


def test_docstring_sections() -> None:
    @tool
    def note(text: str, day: int = 1) -> str:
        """Write a note.

        On paper.

        Args:
            text (str): What to write,
                in full.
            day: When: a number.

        Returns:
            text: not a parameter.

        Raises:
            ValueError: never.
        """
        return text

    assert note.spec.description == "Write a note.\n\nOn paper."
    assert properties(note)["text"]["description"] == "What to write, in full."
    assert properties(note)["day"]["description"] == "When: a number."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (None, "done"),
        (3, "3"),
        (Place(city="Oslo"), '{"city":"Oslo","zip":null}'),
        ([1, "ä"], '[1,"ä"]'),
    ],
)
def test_results_are_text(value: Any, text: str) -> None:
    @tool
    def give() -> Any:
        return value

    assert give.signature.render(value) == text


class Opaque:
    """Has no JSON schema."""


def _untyped(x) -> None: ...  # type: ignore[no-untyped-def]


def _opaque(x: Opaque) -> None: ...


def _unknown(x: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


def _variadic(x: int, *rest: int) -> None: ...


def _keywords(**rest: int) -> None: ...


def _positional(x: int, /) -> None: ...


def _returns_opaque() -> Opaque:
    return Opaque()


def _two_contexts(a: ToolContext, b: ToolContext) -> None: ...


def _maybe_context(ctx: ToolContext | None = None) -> None: ...


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (_untyped, "tool _untyped: parameter 'x' has no type: annotate it, such as x: str"),
        (_opaque, "tool _opaque: parameter 'x' has the type Opaque, which has no JSON schema"),
        (_unknown, "tool _unknown: the annotation 'Nowhere' cannot be resolved"),
        (_variadic, "tool _variadic: parameter 'rest' is variadic positional"),
        (_keywords, "tool _keywords: parameter 'rest' is variadic keyword"),
        (_positional, "tool _positional: parameter 'x' is positional-only"),
        (_returns_opaque, "tool _returns_opaque: the return type Opaque cannot be written as JSON"),
        (_two_contexts, "tool _two_contexts: both 'a' and 'b' are ToolContexts"),
        (_maybe_context, "tool _maybe_context: parameter 'ctx' has the type"),
    ],
)
def test_a_signature_that_cannot_be_described(function: Any, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        tool(function)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"effect": "reed"}, "tool look: effect is 'reed', not one of 'read', 'idempotent', 'once'"),
        ({"fast": True}, "tool look: fast=True needs effect='read', not 'once'"),
        ({"effect": "idempotent", "fast": True}, "tool look: fast=True needs effect='read', not 'idempotent'"),
        ({"retries": 2}, "tool look: retries=2 needs effect='read' or 'idempotent', not 'once'"),
        ({"effect": "read", "retries": -1}, "tool look: retries: Input should be greater than or equal to 0"),
        ({"effect": "read", "retries": 21}, "tool look: retries: Input should be less than or equal to 20"),
        ({"timeout": timedelta(0)}, "tool look: timeout: Input should be greater than 0 seconds"),
        ({"name": "a.b"}, "tool 'a.b': a name has up to 64 letters, digits, '_' and '-'"),
        ({"name": "x" * 65}, "a name has up to 64 letters"),
        ({"name": "1st"}, "starts with a letter or '_'"),
    ],
)
def test_options_that_contradict(options: dict[str, Any], words: str) -> None:
    def look(at: str) -> None: ...

    with pytest.raises(SpecError) as caught:
        tool(**options)(look)
    assert words in str(caught.value)


def test_something_else_than_a_function() -> None:
    with pytest.raises(SpecError, match="@tool: 'look' is not a function"):
        tool("look")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (float, math.nan, '"NaN"'),
        (dict, {"k": math.inf, "n": None}, '{"k":"Infinity","n":null}'),
        (list[float], [1.5, -math.inf], '[1.5,"-Infinity"]'),
        (Any, [math.nan, {"q": None}], '["NaN",{"q":null}]'),
        (dict[str, float | None], {"a": None, "b": 1.5}, '{"a":null,"b":1.5}'),
        (bytes, b"abc", '"abc"'),
    ],
)
def test_numbers_that_json_does_not_have_are_told(kind: Any, value: Any, told: str) -> None:
    def give() -> Any: ...

    give.__annotations__["return"] = kind
    assert tool(give).signature.render(value) == told


def test_bytes_that_are_no_text_are_an_error() -> None:
    def give() -> bytes:
        return b""

    with pytest.raises(ValueError, match="invalid utf-8"):
        tool(give).signature.render(b"\xff")


def test_an_iterator_that_never_ends_is_refused() -> None:
    @tool
    def give() -> Iterator[int]:
        return itertools.count()

    with pytest.raises(ValueError, match="an iterator of more than 100,000 items"):
        give.signature.render(give())


def test_an_option_that_there_is_not() -> None:
    with pytest.raises(SpecError, match=r"@tool has no field 'efect': did you mean 'effect'\?"):
        tool(efect="read")  # type: ignore[call-overload]
