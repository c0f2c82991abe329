"""Types of every kind that people ask for, as arguments of tools and as answers, each with a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, Optional, TypeVar, Union
from uuid import UUID

from annotated_types import Len
from pydantic import (
    AnyUrl,
    AwareDatetime,
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    JsonValue,
    NaiveDatetime,
    PositiveInt,
    RootModel,
    SecretStr,
    StrictBool,
    StringConstraints,
    computed_field,
    conlist,
    create_model,
)
from pydantic.networks import IPvAnyAddress
from typing_extensions import TypedDict

T = TypeVar("T")


class Street(BaseModel):
    """Where somebody lives."""

    name: str = Field(description="Of the street", min_length=1, max_length=80)
    number: int | None = Field(None, ge=1)


class Place(BaseModel):
    streets: list[Street] = []
    size: Literal["small", "large"] = "small"
    main: Street = Field(Street(name="High Street"), description="The first one")
    either: int | Street


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Link(BaseModel):
    value: int
    next: Optional[Link] = None  # noqa: UP045 - as people write it


class Even(BaseModel):
    odd: Optional[Odd] = None  # noqa: UP045


class Odd(BaseModel):
    even: Even


class Page(BaseModel, Generic[T]):
    items: list[T]
    cursor: str | None = None


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    YES = "yes"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: Annotated[int, Field(ge=0, le=9)] = 9


class Dog(BaseModel):
    kind: Literal["dog", "puppy"] = "dog"
    name: str


class Owner(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    others: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = []


class Film(TypedDict):
    """A film."""

    title: str
    year: NotRequired[int]


class Point(NamedTuple):
    x: float
    y: float


@dataclass
class Order:
    number: int
    lines: list[tuple[str, int]] = field(default_factory=list)
    note: str = "none"


class Odata(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    top: int = Field(10, alias="$top")
    by: str = Field("", alias="filter[id]")
    kind: Literal["a"] = Field("a", alias="@type")
    inner: list[Odata] = Field([], alias="ключ")


class Bounded(BaseModel):
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}\d{3}$")]
    share: Annotated[float, Field(gt=0, lt=1)]
    price: Annotated[Decimal, Field(max_digits=8, decimal_places=2)]
    step: Annotated[int, Field(multiple_of=5)]
    few: Annotated[list[str], Len(1, 3)]
    pairs: conlist(int, min_length=2, max_length=2)  # type: ignore[valid-type]


class Strange(BaseModel):
    model_config = ConfigDict(extra="allow")

    schema_: str = Field("x", alias="schema")
    secret: SecretStr = SecretStr("s")
    raw: bytes = b""
    size: ByteSize = ByteSize(0)
    text: Json[list[int]] = Field("[1]", validate_default=True)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def length(self) -> int:
        return len(self.schema_)


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", title="A Closed One")

    when: date
    at: time
    sure: StrictBool


class Names(RootModel[dict[str, list[str]]]):
    """Names by letter."""


class Numbers(RootModel[list[PositiveInt]]):
    pass


Large = create_model("Large", **{f"field_{number}": (str | None, None) for number in range(60)})  # type: ignore[call-overload]
Wide = create_model("Wide", **{f"field_{number}": (int, ...) for number in range(60)})  # type: ignore[call-overload]
NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)  # noqa: UP017

TYPES: dict[str, tuple[Any, Any]] = {
    "model": (Street, {"name": "High Street", "number": 1}),
    "nested models": (Place, {"streets": [], "size": "large", "main": {"name": "A"}, "either": 3}),
    "recursive model": (Tree, {"name": "a", "children": [{"name": "b", "children": []}]}),
    "linked list": (Link, {"value": 1, "next": {"value": 2, "next": None}}),
    "two that contain each other": (Even, {"odd": {"even": {"odd": None}}}),
    "generic": (Page[Street], {"items": [{"name": "a", "number": None}], "cursor": None}),
    "generic of a union": (Page[int | str], {"items": [1, "a"]}),
    "enum": (Colour, "red"),
    "enum of numbers": (Level, 2),
    "enum of one": (Word, "yes"),
    "literals of every type": (Literal["a", 1, True, None], 1),
    "union": (int | str | list[Street], [{"name": "a"}]),
    "union of models": (Union[Cat, Street], {"name": "a"}),  # noqa: UP007
    "discriminated union": (Annotated[Cat | Dog, Field(discriminator="kind")], {"kind": "dog", "name": "a"}),
    "field of a discriminated union": (Owner, {"pet": {"kind": "cat", "lives": 3}, "others": []}),
    "optional model": (Street | None, None),
    "decimal": (Decimal, "1.5"),
    "date and time": (datetime, NOON.isoformat()),
    "aware and naive": (tuple[AwareDatetime, NaiveDatetime], [NOON.isoformat(), "2026-01-02T12:00:00"]),
    "timedelta": (timedelta, "PT1H"),
    "uuid": (UUID, "12345678-1234-5678-1234-567812345678"),
    "path": (Path, "/tmp"),
    "bytes": (bytes, "abc"),
    "fixed tuple": (tuple[int, str], [1, "a"]),
    "fixed tuple of one type": (tuple[float, float, float], [1.0, 2.0, 3.0]),
    "open tuple": (tuple[int, ...], [1, 2, 3]),
    "empty tuple": (tuple[()], []),
    "named tuple": (Point, [1.0, 2.0]),
    "set": (set[str], ["a", "b"]),
    "frozen set of enums": (frozenset[Colour], ["blue"]),
    "dict": (dict[str, int], {"a": 1}),
    "dict of models": (dict[Colour, Street], {"red": {"name": "a"}}),
    "dict by pattern": (dict[Annotated[str, StringConstraints(pattern="^x")], int], {"x": 1}),
    "typed dict": (Film, {"title": "a"}),
    "dataclass": (Order, {"number": 1, "lines": [["a", 2]], "note": "b"}),
    "constraints": (
        Bounded,
        {"code": "AB123", "share": 0.5, "price": "1.25", "step": 10, "few": ["a"], "pairs": [1, 2]},
    ),
    "names that nobody takes": (
        Odata,
        {"$top": 1, "filter[id]": "x", "@type": "a", "ключ": [{"$top": 2, "filter[id]": "", "@type": "a", "ключ": []}]},
    ),
    "secrets, bytes, JSON, extras": (
        Strange,
        {"schema": "y", "secret": "s", "raw": "", "size": 1, "text": "[2]", "more": 1},
    ),
    "closed model": (Closed, {"when": "2026-01-02", "at": "12:00:00", "sure": True}),
    "root model of a dict": (Names, {"a": ["b"]}),
    "root model of a list": (Numbers, [1]),
    "address of the web": (HttpUrl | AnyUrl, "https://example.com/"),
    "addresses of machines": (list[IPv4Address | IPv6Network | IPvAnyAddress], ["127.0.0.1"]),
    "anything JSON": (JsonValue, {"a": [None, 1.5, "x"]}),
    "anything": (Any, "x"),
    "list of anything": (list[Any], [1, "a", None]),
    "object": (dict[str, Any], {"a": {"b": 1}}),
    "sixty optional fields": (Large, {"field_1": "a"}),
    "sixty fields": (Wide, {f"field_{number}": number for number in range(60)}),
}
