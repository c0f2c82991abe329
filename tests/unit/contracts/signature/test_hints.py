"""Every type works as a parameter and as a result, or an error says what to write in its place."""

from __future__ import annotations

import datetime as dt
import enum
import re
import sys
import typing
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypeVar,
    Union,
)
from uuid import UUID

import pytest
import typing_extensions
from pydantic import Base64Bytes, BaseModel, Field, HttpUrl
from typing_extensions import Doc, TypeAliasType

from sostenuto import SpecError, Tool, ToolContext, tool
from sostenuto.contracts.signature.tool_signature import ToolArgumentsError

if TYPE_CHECKING:
    from collections import OrderedDict as OnlyForTypes

T = TypeVar("T")


class Colour(enum.StrEnum):
    RED = "red"


class Mixed(str, enum.Enum):  # noqa: UP042 - as people had to before 3.11
    DONE = "done"


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Kind(enum.Enum):
    TEXT = "text"
    NUMBER = 2
    PAIR = [1, 2]


class Tree(BaseModel):
    """A tree."""

    name: str
    children: list[Tree] = []


class Page(BaseModel, Generic[T]):
    items: list[T]


@dataclass
class Chain:
    link: int
    rest: Chain | None = None
    at: dt.datetime | None = None


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Options(typing.TypedDict, total=False):
    """Options."""

    size: Required[int]
    name: Annotated[str, Field(description="What it is called.")]


class MoreOptions(Options):
    place: Options
    again: NotRequired[list[MoreOptions]]


class OwnOptions(typing_extensions.TypedDict):
    size: int
    name: NotRequired[str]


Number = NewType("Number", int)
Numbers = TypeAliasType("Numbers", list[int])
Nested = TypeAliasType("Nested", "dict[str, Nested] | int")
OptionsAlias = TypeAliasType("OptionsAlias", list[Options])
NAMES: Any = Literal["a", 1, None]
ID = UUID("12345678123456781234567812345678")

CASES: dict[str, tuple[Any, Any, Any, str]] = {
    # The type, what a model sends, what the function gets, what the model is told of it as a result.
    "str": (str, "é", "é", "é"),
    "int": (int, 3, 3, "3"),
    "float": (float, 1.5, 1.5, "1.5"),
    "bool": (bool, True, True, "true"),
    "tuple": (tuple[int, str], [1, "a"], (1, "a"), '[1,"a"]'),
    "tuple of any length": (tuple[int, ...], [1, 2], (1, 2), "[1,2]"),
    "empty tuple": (tuple[()], [], (), "[]"),
    "bare tuple": (tuple, [1, "a"], (1, "a"), '[1,"a"]'),
    "set": (set[int], [1, 1], {1}, "[1]"),
    "frozenset": (frozenset[str], ["a"], frozenset({"a"}), '["a"]'),
    "named tuple": (Pair, [1, "x"], Pair(1, "x"), '[1,"x"]'),
    "sequence": (Sequence[int], [1], [1], "[1]"),
    "iterable": (Iterable[int], [1, "2"], [1, 2], "[1,2]"),
    "bare iterable": (Iterable, [1], [1], "[1]"),
    "typing's iterable": (typing.Iterable[int], [1], [1], "[1]"),
    "mapping": (Mapping[str, int], {"a": 1}, {"a": 1}, '{"a":1}'),
    "dict of numbers": (dict[int, str], {"1": "a"}, {1: "a"}, '{"1":"a"}'),
    "dict of dates": (dict[dt.date, int], {"2026-11-22": 1}, {dt.date(2026, 11, 22): 1}, '{"2026-11-22":1}'),
    "str enum": (Colour, "red", Colour.RED, "red"),
    "mixed enum": (Mixed, "done", Mixed.DONE, "done"),
    "int enum": (Level, 1, Level.LOW, "1"),
    "flag": (Access, 2, Access.WRITE, "2"),
    "flags": (Access, 3, Access.READ | Access.WRITE, "3"),
    "enum by text": (Kind, "text", Kind.TEXT, '"text"'),
    "enum by number": (Kind, 2, Kind.NUMBER, "2"),
    "enum by list": (Kind, [1, 2], Kind.PAIR, "[1,2]"),
    "union": (int | list[str], ["a"], ["a"], '["a"]'),
    "typing's union": (
        Union[int, Chain],  # noqa: UP007
        {"link": 1},
        Chain(1),
        '{"link":1,"rest":null,"at":null}',
    ),
    "optional": (Optional[int], 3, 3, "3"),  # noqa: UP045
    "optional, none": (int | None, None, None, "done"),
    "literal": (NAMES, "a", "a", "a"),
    "literal of a number": (NAMES, 1, 1, "1"),
    "literal of an enum": (Literal[Colour.RED], "red", Colour.RED, "red"),
    "recursive model": (
        Tree,
        {"name": "a", "children": [{"name": "b"}]},
        Tree(name="a", children=[Tree(name="b")]),
        '{"name":"a","children":[{"name":"b","children":[]}]}',
    ),
    "recursive dataclass": (
        Chain,
        {"link": 1, "rest": {"link": 2}},
        Chain(1, Chain(2)),
        '{"link":1,"rest":{"link":2,"rest":null,"at":null},"at":null}',
    ),
    "generic model": (Page[int], {"items": [1]}, Page[int](items=[1]), '{"items":[1]}'),
    "generic model of a model": (
        Page[Pair],
        {"items": [[1, "x"]]},
        Page[Pair](items=[Pair(1, "x")]),
        '{"items":[[1,"x"]]}',
    ),
    "type variable": (list[T], ["a"], ["a"], '["a"]'),  # type: ignore[valid-type]
    "new type": (Number, 3, 3, "3"),
    "alias": (Numbers, [1], [1], "[1]"),
    "recursive alias": (Nested, {"a": {"b": 1}}, {"a": {"b": 1}}, '{"a":{"b":1}}'),
    "decimal": (Decimal, "1.10", Decimal("1.10"), '"1.10"'),
    "decimal from a number": (Decimal, 1.1, Decimal("1.1"), '"1.1"'),
    "date": (dt.date, "2026-11-22", dt.date(2026, 11, 22), '"2026-11-22"'),
    "time": (dt.time, "10:30:00", dt.time(10, 30), '"10:30:00"'),
    "datetime": (
        dt.datetime,
        "2026-11-22T10:30:00Z",
        dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC),
        '"2026-11-22T10:30:00Z"',
    ),
    "timedelta": (dt.timedelta, "PT90S", dt.timedelta(seconds=90), '"PT1M30S"'),
    "uuid": (UUID, str(ID), ID, f'"{ID}"'),
    "path": (Path, "a/b", Path("a/b"), '"a/b"'),
    "address": (IPv4Address, "10.0.0.1", IPv4Address("10.0.0.1"), '"10.0.0.1"'),
    "url": (HttpUrl, "https://a.org/", HttpUrl("https://a.org/"), '"https://a.org/"'),
    "pattern": (re.Pattern[str], "a+", re.compile("a+"), '"a+"'),
    "bytes": (bytes, "é", "é".encode(), '"é"'),
    "base64": (Base64Bytes, "/w==", b"\xff", '"/w=="'),
    "complex": (complex, "1+2j", 1 + 2j, '"1+2j"'),
    "fraction": (Fraction, "1/3", Fraction(1, 3), '"1/3"'),
    "typing's typed dict": (Options, {"size": 1}, {"size": 1}, '{"size":1}'),
    "typed dicts in a list": (list[Options], [{"size": 1}], [{"size": 1}], '[{"size":1}]'),
    "optional typed dict": (Options | None, {"size": 1}, {"size": 1}, '{"size":1}'),
    "typed dict in a union": (
        Union[list[int], dict[str, Options]],  # noqa: UP007
        {"a": {"size": 1}},
        {"a": {"size": 1}},
        '{"a":{"size":1}}',
    ),
    "annotated typed dict": (Annotated[Options, Field(title="Of it")], {"size": 1}, {"size": 1}, '{"size":1}'),
    "alias of typed dicts": (OptionsAlias, [{"size": 1}], [{"size": 1}], '[{"size":1}]'),
    "recursive typed dict": (
        MoreOptions,
        {"size": 1, "place": {"size": 2}, "again": [{"size": 3, "place": {"size": 4}}]},
        {"size": 1, "place": {"size": 2}, "again": [{"size": 3, "place": {"size": 4}}]},
        '{"size":1,"place":{"size":2},"again":[{"size":3,"place":{"size":4}}]}',
    ),
    "own typed dict": (OwnOptions, {"size": 1}, {"size": 1}, '{"size":1}'),
    "anything": (Any, {"a": [1]}, {"a": [1]}, '{"a":[1]}'),
    "none": (None, None, None, "done"),
}


def taking(kind: Any, **defaults: Any) -> Tool[..., Any]:
    """A tool with a parameter and a result of that type."""

    def take(x: Any) -> Any:
        return x

    take.__annotations__ = {"x": kind, "return": kind}
    take.__defaults__ = tuple(defaults.values())
    return tool(take)


def schema_of(kind: Any, **defaults: Any) -> dict[str, Any]:
    """The schema of a parameter of that type."""
    found: dict[str, Any] = taking(kind, **defaults).spec.parameters["properties"]["x"]
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_type_is_taken_and_told(name: str) -> None:
    kind, sent, value, told = CASES[name]
    made = taking(kind)
    assert made.spec.parameters["required"] == ["x"]
    bound = made.signature.bind({"x": sent})["x"]
    assert (bound, type(bound)) == (value, type(value))
    assert made.signature.render(value) == told
    assert type(made.signature.render(value)) is str


@pytest.mark.parametrize("name", sorted(set(CASES) - {"anything", "iterable of any"}))
def test_a_result_comes_back_from_what_was_told(name: str) -> None:
    kind, _, value, told = CASES[name]
    back = taking(kind).signature.parse(told)
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (tuple[int, str], {"minItems": 2, "maxItems": 2}),
        (set[int], {"type": "array", "uniqueItems": True}),
        (dt.timedelta, {"type": "string", "format": "duration"}),
        (Path, {"type": "string", "format": "path"}),
        (bytes, {"type": "string", "format": "binary"}),
        (Base64Bytes, {"type": "string", "format": "base64"}),
        (Options, {"$ref": "#/$defs/Options"}),
        (Iterable[int], {"type": "array", "items": {"type": "integer"}}),
    ],
)
def test_the_schema_says_what_to_send(kind: Any, schema: dict[str, Any]) -> None:
    found = schema_of(kind)
    assert {key: found[key] for key in schema} == schema


def test_a_typed_dict_of_typing_keeps_what_it_says() -> None:
    made = taking(dict[str, MoreOptions])
    definitions = made.spec.parameters["$defs"]
    assert definitions["MoreOptions"]["required"] == ["size", "place"]
    assert definitions["Options"] == {
        "additionalProperties": False,
        "description": "Options.",
        "properties": {
            "size": {"title": "Size", "type": "integer"},
            "name": {"title": "Name", "type": "string", "description": "What it is called."},
        },
        "required": ["size"],
        "title": "Options",
        "type": "object",
    }
    with pytest.raises(ToolArgumentsError, match=r"x\.a\.size: Field required"):
        made.signature.bind({"x": {"a": {"place": {"size": 1}}}})


@pytest.mark.parametrize(
    ("kind", "description"),
    [
        (Annotated[str, "Where."], "Where."),
        (Annotated[str, "  Where,\n    to the letter."], "Where,\nto the letter."),
        (Annotated[str, Doc("Where.")], "Where."),
        ("Annotated[str, 'Where.']", "Where."),
        (Annotated[int, Field(ge=1), "Where."], "Where."),
        (Annotated[str, "Where.", Field(description="Here.")], "Here."),
        (Annotated[str, 3], None),
    ],
)
def test_words_in_annotated_describe_a_parameter(kind: Any, description: str | None) -> None:
    assert schema_of(kind).get("description") == description


def test_a_field_and_a_docstring_win_over_words() -> None:
    @tool
    def look(a: Annotated[str, "Words."] = Field("", description="Field."), b: Annotated[str, "Words."] = "") -> None:
        """Look.

        Args:
            b: Docstring.
        """

    properties = look.spec.parameters["properties"]
    assert (properties["a"]["description"], properties["b"]["description"]) == ("Field.", "Docstring.")


class Opaque:
    """Has no JSON schema."""

    def __eq__(self, other: object) -> bool:
        raise TypeError("cannot be compared")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("kind", "default", "told"),
    [
        (dt.datetime, dt.datetime(2026, 1, 1), "2026-01-01T00:00:00"),
        (dt.timedelta, dt.timedelta(seconds=1), "PT1S"),
        (Level, Level.LOW, 1),
        (Tree, Tree(name="a"), {"name": "a", "children": []}),
        (Chain, Chain(1), {"link": 1, "rest": None, "at": None}),
        (Path, Path("a"), "a"),
        (list[int], [1], [1]),
        (set[int], {1}, [1]),
        (dict[str, int], {}, {}),
        (Decimal, Decimal("1.5"), "1.5"),
        (int | None, None, None),
    ],
)
def test_a_default_is_told_as_json(kind: Any, default: Any, told: Any) -> None:
    made = taking(kind, x=default)
    assert made.spec.parameters["properties"]["x"]["default"] == told
    assert "required" not in made.spec.parameters
    assert made.signature.bind({})["x"] == default


@pytest.mark.parametrize(
    ("kind", "default"), [(Any, object()), (Any, Opaque()), (bytes, b"\xff"), (float, float("inf")), (Any, print)]
)
def test_a_default_that_json_does_not_have_is_left_out(kind: Any, default: Any) -> None:
    made = taking(kind, x=default)
    assert "default" not in made.spec.parameters["properties"]["x"]
    assert "required" not in made.spec.parameters
    assert type(made.signature.bind({})["x"]) is type(default)


def test_a_default_that_can_change_is_new_for_every_call() -> None:
    @tool
    def look(
        a: list[int] = [],  # noqa: B006
        b: list[int] = Field(default_factory=list),  # noqa: B008
        c: dict[str, list[int]] = {"a": []},  # noqa: B006
    ) -> None: ...

    first = look.signature.bind({})
    first["a"].append(1)
    first["b"].append(1)
    first["c"]["a"].append(1)
    assert look.signature.bind({}) == {"a": [], "b": [], "c": {"a": []}}


def test_a_field_without_a_default_is_required() -> None:
    @tool
    def look(a: int = Field(..., ge=1), b: int = Field(ge=2)) -> None: ...

    assert look.spec.parameters["required"] == ["a", "b"]
    with pytest.raises(ToolArgumentsError, match="a: Input should be greater than or equal to 1"):
        look.signature.bind({"a": 0, "b": 2})


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({1}, "[1]"),
        (Decimal("1.5"), '"1.5"'),
        (dt.date(2026, 1, 1), '"2026-01-01"'),
        (Path("a"), '"a"'),
        (Level.LOW, "1"),
        (Mixed.DONE, "done"),
        (Chain(1), '{"link":1,"rest":null,"at":null}'),
        (Tree(name="a"), '{"name":"a","children":[]}'),
        ((n for n in [1, 2]), "[1,2]"),
        (map(str, [1]), '["1"]'),
        (ID, f'"{ID}"'),
        (b"a", '"a"'),
        (None, "done"),
    ],
)
def test_a_result_without_a_type_is_told(value: Any, told: str) -> None:
    @tool
    def give():  # type: ignore[no-untyped-def]
        ...

    assert give.signature.render(value) == told


@pytest.mark.parametrize("kind", [Iterable[int], Iterator[int], Generator[int, None, None], list[int]])
@pytest.mark.parametrize("made", [list, iter, tuple])
def test_what_iterates_is_told_as_a_list(kind: Any, made: Callable[[list[int]], Any]) -> None:
    def give() -> Any: ...

    give.__annotations__["return"] = kind
    signature = tool(give).signature
    if made is not tuple:
        assert signature.render(made([1, 2])) == "[1,2]"
    assert signature.parse("[1,2]") == [1, 2]


def test_what_is_neither_json_nor_of_the_type_does_not_come_back() -> None:
    with pytest.raises(ValueError, match="valid integer"):
        taking(int).signature.parse('"many"')
    with pytest.raises(ValueError, match="Invalid JSON"):
        taking(Decimal).signature.parse("many")
    assert taking(Path | None).signature.parse("done") is None


def test_a_local_class_is_found() -> None:
    class Here(BaseModel):
        n: int

    @dataclass
    class There:
        n: int
        more: list[There] = field(default_factory=list)
        here: Here | None = None

    class Where(enum.Enum):
        UP = "up"

    class Local(typing.TypedDict):
        n: int
        next: NotRequired[There]

    @tool
    def go(a: Here, b: list[There], c: Where | None = None, d: Local | None = None) -> list[There]:
        return b

    bound = go.signature.bind({"a": {"n": 1}, "b": [{"n": 2}], "c": "up", "d": {"n": 1, "next": {"n": 2}}})
    assert bound == {"a": Here(n=1), "b": [There(2)], "c": Where.UP, "d": {"n": 1, "next": There(2)}}
    assert go.signature.render([There(1, here=Here(n=2))]) == '[{"n":1,"more":[],"here":{"n":2}}]'
    assert go.signature.parse('[{"n":1,"more":[],"here":{"n":2}}]') == [There(1, here=Here(n=2))]


async def test_a_local_class_of_an_async_function_is_found() -> None:
    class Here(BaseModel):
        n: int

    class Desk:
        class Inner(BaseModel):
            n: int

        def go(self, a: Here) -> None: ...

        @tool
        @staticmethod
        def stay(a: Inner) -> None: ...

    assert tool(Desk().go).signature.bind({"a": {"n": 1}}) == {"a": Here(n=1)}
    assert Desk.stay.signature.bind({"a": {"n": 1}}) == {"a": Desk.Inner(n=1)}


def _maker(*, use: bool) -> Callable[..., Any]:
    class Here(BaseModel):
        n: int

    def used(a: Here) -> Here:
        return Here(n=a.n)

    def unused(a: Here) -> None: ...

    return used if use else unused


def test_a_local_class_that_the_function_uses_is_found_for_ever() -> None:
    assert tool(_maker(use=True)).signature.bind({"a": {"n": 1}})["a"].n == 1
    with pytest.raises(SpecError) as caught:
        tool(_maker(use=False))
    assert str(caught.value) == (
        "tool unused: the annotation 'Here' cannot be resolved, in parameter 'a': define Here at module level, or "
        "import it there: what stands under `if TYPE_CHECKING:`, or in a function that has returned, is not there when "
        "the program runs"
    )


def test_a_local_name_hides_one_of_the_module() -> None:
    class Tree(BaseModel):
        n: int

    @tool
    def go(a: Tree) -> None: ...

    assert go.signature.bind({"a": {"n": 1}}) == {"a": Tree(n=1)}


def _only_for_types(x: OnlyForTypes[str, int]) -> None: ...


@dataclass
class Incomplete:
    x: Nowhere  # type: ignore[name-defined]  # noqa: F821


class IncompleteModel(BaseModel):
    x: Nowhere  # type: ignore[name-defined]  # noqa: F821


@dataclass
class Holder:
    options: Options


@dataclass
class OfOpaque:
    x: Opaque


class Odd(enum.Enum):
    TEXT = "a"
    PAIR = (1, 2)


class OddObject(enum.Enum):
    THING = object()


class GenericOptions(typing.TypedDict, Generic[T]):
    x: T


class Raising:
    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        raise KeyError("its own fault")


Endless = list["Endless"]
USE = "use a pydantic model, a dataclass, or a JSON type"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Opaque, f"has the type Opaque, which has no JSON schema: {USE}"),
        (list[Opaque], "because of <class '"),
        (OfOpaque, f"test_hints.Opaque'>: {USE}"),
        (Iterator[int], f"has the type collections.abc.Iterator[int], which has no JSON schema: {USE}"),
        (bytearray, f"has the type bytearray, which has no JSON schema: {USE}"),
        (3, f"has the type 3, which has no JSON schema: {USE}"),
        (Raising, f"has the type Raising, which has no JSON schema ('its own fault'): {USE}"),
        (type[int], "has the type type[int]: no class comes as JSON: take its name, as a Literal or an enum"),
        (Callable[[int], str], "no function comes as JSON: take its name, as a Literal or an enum"),
        (Odd, "has the type Odd: the value of Odd.PAIR does not come as JSON: give the members texts or numbers"),
        (OddObject, "the value of OddObject.THING does not come as JSON: give the members texts or numbers"),
        (dict[tuple[int, int], str], "the keys of a JSON object are texts: use a list of pairs, or dict[str, ...]"),
        (dict[Pair, str], "the keys of a JSON object are texts"),
        (Incomplete, "has the type Incomplete, in which 'Nowhere' cannot be resolved: define Nowhere at module level"),
        (IncompleteModel, "has the type IncompleteModel, in which 'Nowhere' cannot be resolved: define Nowhere at"),
        (Endless, "ForwardRef('Endless')]], which names itself: make it a pydantic model, a dataclass or a TypeAlias"),
        (
            _only_for_types.__annotations__["x"],
            "the annotation 'OnlyForTypes' cannot be resolved, in parameter 'x': define OnlyForTypes at",
        ),
        ("OnlyForTypes", "what stands under `if TYPE_CHECKING:`"),
        ("list[OnlyForTypes]", "the annotation 'OnlyForTypes' cannot be resolved, in parameter 'x'"),
        ("int or", "parameter 'x' has the annotation 'int or', which cannot be read (SyntaxError: "),
        ("dt.datum", "which cannot be read (AttributeError: module 'datetime' has no attribute 'datum'): write a type"),
        (ToolContext | None, "has the type sostenuto.contracts.tool.ToolContext | None: write x: ToolContext, it is"),
    ],
)
def test_a_type_that_no_json_becomes_says_what_to_write(kind: Any, words: str) -> None:
    def take(x: Any) -> None: ...

    take.__annotations__["x"] = kind
    with pytest.raises(SpecError) as caught:
        tool(take)
    assert str(caught.value).startswith("tool take: ")
    assert "'x'" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Opaque, "the return type Opaque cannot be written as JSON: return a pydantic model, a dataclass, or a JSON"),
        (Awaitable[Opaque], "the return type Opaque cannot be written as JSON: "),
        (Incomplete, "the return type Incomplete, in which 'Nowhere' cannot be resolved: define Nowhere at module"),
        ("Nowhere", "the annotation 'Nowhere' cannot be resolved, in the return type: define Nowhere at module level"),
        ("int or", "the return type has the annotation 'int or', which cannot be read (SyntaxError: "),
    ],
)
def test_a_return_type_that_is_not_json_says_what_to_write(kind: Any, words: str) -> None:
    def give() -> Any: ...

    give.__annotations__["return"] = kind
    with pytest.raises(SpecError) as caught:
        tool(give)
    assert f"tool give: {words}" in str(caught.value)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic takes every TypedDict from Python 3.12 on")
@pytest.mark.parametrize("kind", [Holder, GenericOptions[int]])
def test_a_typed_dict_that_cannot_be_replaced_says_what_to_import(kind: Any) -> None:
    def take(x: Any) -> None: ...

    def give() -> Any: ...

    take.__annotations__["x"] = give.__annotations__["return"] = kind
    name = "Holder" if kind is Holder else str(kind)
    problem = f"type {name}, which holds a TypedDict of typing: import TypedDict from typing_extensions"
    with pytest.raises(SpecError) as caught:
        tool(take)
    assert str(caught.value) == f"tool take: parameter 'x' has the {problem}"
    with pytest.raises(SpecError) as caught:
        tool(give)
    assert str(caught.value) == f"tool give: the return {problem}"


def test_a_missing_type_is_guessed_from_the_default() -> None:
    def take(x=3):  # type: ignore[no-untyped-def]
        ...

    with pytest.raises(SpecError, match="parameter 'x' has no type: annotate it, such as x: int"):
        tool(take)


@pytest.mark.parametrize("name", ["größe", "x" * 65])
def test_a_name_that_some_providers_do_not_take_says_so(name: str) -> None:
    made: dict[str, Any] = {}
    exec(f"def take({name}: int) -> None: ...", made)
    with pytest.raises(SpecError, match="providers take names of up to 64 letters a to z, digits and '_': rename it"):
        tool(made["take"])


def test_a_field_that_does_not_go_with_its_type_says_so() -> None:
    @tool
    def fine(x: int = Field(3, ge=1)) -> None: ...

    with pytest.raises(SpecError, match="parameter 'x' has the type int, which has no JSON schema"):

        @tool
        def look(x: int = Field(discriminator="kind")) -> None: ...


def test_two_parameters_may_share_a_typed_dict() -> None:
    @tool
    def look(a: Options, b: list[Options]) -> Options:
        return a

    assert list(look.spec.parameters["$defs"]) == ["Options"]
