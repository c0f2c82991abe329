"""Fields of documents: what is known of each besides its text.

And the conditions that a search sets on them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

from ..contract import Contract, brief
from ..errors import SpecError

FieldKind = Literal["text", "integer", "number", "boolean", "date"]

Scalar = str | int | float | bool

_KINDS: Final[Mapping[type, FieldKind]] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    dt.date: "date",
    dt.datetime: "date",
}
_ORDERED: Final = frozenset({"integer", "number", "date"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BOUNDS: Final = {"from": "at_least", "to": "at_most"}
_MOST_VALUES: Final = 100
_LONGEST_TEXT: Final = 1_000
_LARGEST_INTEGER: Final = 2**53


class Field(Contract):
    """What values a field has."""

    kind: FieldKind
    choices: tuple[str, ...] = ()
    """The only values that it takes; empty for any."""

    @property
    def is_ordered(self) -> bool:
        """Whether a condition may say from where to where."""
        return self.kind in _ORDERED

    @property
    def json_schema(self) -> dict[str, Any]:
        """JSON schema of one value."""
        if self.kind == "date":
            return {"type": "string", "description": "A date as YYYY-MM-DD."}
        schema: dict[str, Any] = {"type": "string" if self.kind == "text" else self.kind}
        return schema | ({"enum": list(self.choices)} if self.choices else {})

    def checked(self, value: Any) -> Scalar:
        """Return a value as it is stored.

        Raises:
            ValueError: It is none of this field's; says what was expected.
        """
        if isinstance(value, Enum):
            value = value.value
        match self.kind:
            case "text":
                return self._text(value)
            case "boolean" if isinstance(value, bool):
                return value
            case "integer" if isinstance(value, int) and not isinstance(value, bool):
                if abs(value) <= _LARGEST_INTEGER:
                    return value
            case "number" if isinstance(value, int | float) and not isinstance(value, bool):
                if abs(value) < float("inf"):
                    return float(value)
            case "date":
                return _date(value)
            case _:
                pass
        article = "an" if self.kind == "integer" else "a"
        raise ValueError(f"{brief(value)} is not {article} {self.kind}")

    def parsed(self, text: str) -> Scalar:
        """Return the value that a text on a command line stands for.

        Raises:
            ValueError: It stands for none of this field's; says what was expected.
        """
        try:
            match self.kind:
                case "integer":
                    return self.checked(int(text))
                case "number":
                    return self.checked(float(text))
                case "boolean":
                    return {"true": True, "false": False}[text.lower()]
                case _:
                    return self.checked(text)
        except (ValueError, KeyError) as error:
            if self.kind in ("text", "date"):
                raise
            expected = "true or false" if self.kind == "boolean" else f"of kind {self.kind}"
            raise ValueError(f"{text!r} is not {expected}") from error

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{brief(value)} is not a text")  # noqa: TRY004 - as every other wrong value
        if self.choices and value not in self.choices:
            raise ValueError(f"{value!r} is not one of {', '.join(map(repr, self.choices))}")
        if len(value) > _LONGEST_TEXT:
            raise ValueError(f"the text has {len(value):,} characters and the limit is {_LONGEST_TEXT:,}")
        return value


class Condition(Contract):
    """What a field has to be.

    One of some values, or between two bounds that are included.
    """

    field: str
    any_of: tuple[Scalar, ...] = ()
    at_least: Scalar | None = None
    at_most: Scalar | None = None


def fields_from(given: Mapping[str, Any] | None, where: str) -> dict[str, Field]:
    """Return fields by their types.

    Those are `str`, `int`, `float`, `bool`, `date`, an enum, or a `Literal` of texts.

    Raises:
        SpecError: A name or a type is not one; names it.
    """
    if not isinstance(given, Mapping | None):
        raise SpecError(f"{where}: {brief(given)} is not a dict of types by name: write {{'team': str}}")
    fields: dict[str, Field] = {}
    for name, kind in ({} if given is None else given).items():
        if not _NAME.fullmatch(str(name)):
            raise SpecError(
                f"{where}: {name!r} is not the name of a field: use up to 40 lower-case letters, digits and '_', and "
                "begin with a letter"
            )
        fields[name] = _field(kind, f"{where}[{name!r}]")
    return fields


def conditions_from(fields: Mapping[str, Field], given: Mapping[str, Any], where: str) -> tuple[Condition, ...]:
    """Return the conditions that filters stand for.

    A filter is a value, a list of values of which any will do, or `{"from": …, "to": …}`, in which either may be left
    out. None is no condition.

    Args:
        fields: What the collection knows of its documents.
        given: Filters by field.
        where: What the error calls them.

    Raises:
        SpecError: There is no such field, or a value is none of it; names both.
    """
    if not isinstance(given, Mapping):
        raise SpecError(f"{where}: {brief(given)} is not a dict of values by field")
    conditions = []
    for name, value in given.items():
        if name not in fields:
            known = ", ".join(fields) or "none"
            raise SpecError(f"{where}: there is no field {name!r}; there are: {known}")
        if value is None:
            continue
        try:
            conditions.append(_condition(name, fields[name], value))
        except ValueError as error:
            raise SpecError(f"{where}: {name}: {error}") from None
    return tuple(conditions)


def parsed_texts(fields: Mapping[str, Field], texts: Mapping[str, str], where: str) -> dict[str, Scalar]:
    """Return the values that texts on a command line stand for, by field.

    Raises:
        SpecError: There is no such field, or a text stands for none of its values; names both.
    """
    values = {}
    for name, text in texts.items():
        if name not in fields:
            known = ", ".join(fields) or "none"
            raise SpecError(f"{where}: there is no field {name!r}; there are: {known}")
        try:
            values[name] = fields[name].parsed(text)
        except ValueError as error:
            raise SpecError(f"{where}: {name}: {error}") from None
    return values


def values_from(fields: Mapping[str, Field], given: Mapping[str, Any], where: str) -> dict[str, Scalar]:
    """Return the values of a document's fields as they are stored.

    Raises:
        SpecError: There is no such field, or a value is none of it; names both.
    """
    values = {}
    for condition in conditions_from(fields, given, where):
        if len(condition.any_of) != 1:
            raise SpecError(f"{where}: {condition.field}: a document has one value of it")
        values[condition.field] = condition.any_of[0]
    return values


def _field(kind: Any, where: str) -> Field:
    if isinstance(kind, Field):
        return kind
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Field(kind="text", choices=_choices([member.value for member in kind], where))
    if get_origin(kind) is Literal:
        return Field(kind="text", choices=_choices(get_args(kind), where))
    if kind in _KINDS:
        return Field(kind=_KINDS[kind])
    raise SpecError(
        f"{where}: {getattr(kind, '__name__', brief(kind))} is not a type of fields: use str, int, float, bool, date, "
        "an Enum or a Literal of texts"
    )


def _choices(values: Sequence[Any], where: str) -> tuple[str, ...]:
    if not values or not all(isinstance(value, str) for value in values):
        raise SpecError(f"{where}: its choices are to be texts, at least one")
    return tuple(values)


def _condition(name: str, field: Field, value: Any) -> Condition:
    if isinstance(value, Mapping):
        return _bounds(name, field, value)
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    if not 0 < len(values) <= _MOST_VALUES:
        raise ValueError(f"give one value, or a list of 1 to {_MOST_VALUES}")
    return Condition(field=name, any_of=tuple(field.checked(one) for one in values))


def _bounds(name: str, field: Field, value: Mapping[str, Any]) -> Condition:
    if not field.is_ordered:
        raise ValueError(f"a {field.kind} has no order: give a value, or a list")
    if not value or not value.keys() <= _BOUNDS.keys():
        raise ValueError(f"{brief(value)} is not {{'from': …, 'to': …}}")
    return Condition(field=name, **{_BOUNDS[key]: field.checked(bound) for key, bound in value.items()})


def _date(value: Any) -> str:
    try:
        if not isinstance(value, dt.date):
            value = (dt.datetime if "T" in value else dt.date).fromisoformat(value)
        offset = value.utcoffset() if isinstance(value, dt.datetime) else None
        if offset is not None and offset % dt.timedelta(minutes=1):
            # No store knows offsets of seconds.
            value = value.replace(tzinfo=dt.UTC) - offset
        return str(value.isoformat())
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{brief(value)} is not a date, such as 2026-01-31") from None
