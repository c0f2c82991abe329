"""The two base models of everything that crosses a boundary.

And the words for what is wrong with one.

Must not import anything of ours but `errors` and `text`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, Generic, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticUndefined, to_jsonable_python
from typing_extensions import TypeVar

from .errors import SpecError
from .text import one_line, shorten

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


OutT_co = TypeVar("OutT_co", default=Any, covariant=True)
"""Type of an output."""

if TYPE_CHECKING:

    class Typed(Generic[OutT_co]):
        """Has a type of output, for type checkers alone."""

else:

    class Typed:
        """Has a type of output, for type checkers alone."""

        def __class_getitem__(cls, _: object) -> type:
            # Pydantic would make another class of it.
            return cls


# Discriminators are written even where they equal their default: a reader cannot do without them.
_ALWAYS_WRITTEN = frozenset({"kind", "type", "role"})


class Contract(BaseModel):
    """A frozen value that writes only what differs from its defaults.

    It tolerates unknown fields.

    Histories are read by older and newer workers alike, so unknown fields are ignored and every new field
    needs a default. Defaults are left out of the JSON because every byte stays in the history for ever.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    _defaults: ClassVar[dict[str, Any]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls._defaults = {
            name: field.default
            for name, field in cls.model_fields.items()
            if field.default is not PydanticUndefined and name not in _ALWAYS_WRITTEN
        }

    @model_serializer(mode="wrap")
    def _compact(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        for name, default in self._defaults.items():
            if name in written and getattr(self, name) == default:
                del written[name]
        return written


class Spec(Contract):
    """A contract that people write in Python.

    An unknown field is an error that says what was meant.

    Read from JSON (a history, a request of another version) it stays as tolerant as any contract.
    """

    _elsewhere: ClassVar[Mapping[str, str]] = {}
    """What to write in place of words that other libraries have for fields."""
    fills: ClassVar[Mapping[str, bool]] = {}
    """Its fields in which names of the run's context may stand, and whether each is a template: else a text with
    braces of its own."""
    _is_named_only: ClassVar[bool] = True
    """Whether each argument of its constructor is given by its name."""

    if not TYPE_CHECKING:

        def __new__(cls, *unnamed: Any, **_: Any) -> Spec:
            """Check that what has a name is given by its name.

            Raises:
                SpecError: It is not; says what to write.
            """
            if unnamed and cls._is_named_only:
                raise SpecError(unnamed_argument(cls.__name__, unnamed[0], cls._meant_by(unnamed[0])))
            return super().__new__(cls)

    @classmethod
    def _meant_by(cls, unnamed: object) -> str:
        """Return the field that an unnamed argument is meant for; empty if none."""
        return "name" if isinstance(unnamed, str) and "name" in cls.model_fields else ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Keep pydantic from calling the constructor of a spec that it reads from JSON."""
        super().__init_subclass__(**kwargs)
        cls._is_named_only = not _takes_unnamed(cls)
        # Pydantic looks for this on the constructor as soon as the class exists, and has no public name for it.
        cls.__init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def _construct(self, data: dict[str, Any]) -> None:
        """Validate the arguments of a constructor into this instance.

        Raises:
            SpecError: A field is wrong; names each by its path, and says what was expected there.
        """
        name = data.get("name")
        label = f"{type(self).__name__} {name!r}" if name and isinstance(name, str) else type(self).__name__
        for field, value in data.items():
            # Pydantic takes it for a list of its fields.
            if isinstance(value, Spec) and _is_list(type(self), field):
                raise SpecError(f"{label}: {field}: {brief(value)} is not a list: write [...]")
        try:
            self.__pydantic_validator__.validate_python(data, self_instance=self)
        except ValidationError as error:
            raise SpecError("; ".join(f"{label}: {problem}" for problem in _problems(error))) from None

    @model_validator(mode="before")
    @classmethod
    def _reject_unknown_fields(cls, data: Any, info: ValidationInfo) -> Any:
        if info.mode != "python" or not isinstance(data, dict):
            return data
        for name in data:
            if name not in cls.model_fields:
                told = cls._elsewhere.get(str(name), "")
                raise ValueError(unknown_field(cls.__name__, str(name), list(cls.model_fields), told))
        return data


def arguments(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a constructor was given, by the names of its parameters.

    A constructor lists its parameters once, in its signature, and calls this before it has variables of its own.

    Args:
        scope: The `locals()` of the constructor: `self`, its parameters, and in `unknown` what it has none for.
    """
    given = {name: value for name, value in scope.items() if name not in ("self", "unknown")}
    return {**given, **scope["unknown"]}


def as_tuple(items: Any, where: str) -> tuple[Any, ...]:
    """Return the items of a list.

    Raises:
        SpecError: `items` is not a list; often it is the one item that was meant to be in it.
    """
    # A class may make lists, and is none.
    if isinstance(items, Iterable) and not isinstance(items, str | bytes | Mapping | BaseModel | type):
        return tuple(items)
    raise SpecError(f"{where}: {brief(items)} is not a list: write [...]")


def to_plain(value: Any) -> Any:
    """Return a value as JSON, with each set in an order that no process changes.

    Raises:
        ValueError: It is not JSON.
    """
    return in_one_order(to_jsonable_python(value), value)


def in_one_order(plain: Any, given: Any) -> Any:
    """Return JSON with the lists in order that were sets in what it was made of.

    Args:
        plain: The JSON.
        given: What it, or another JSON that is to be the same, was made of.
    """
    if isinstance(plain, dict):
        return {name: in_one_order(item, _item(given, name)) for name, item in plain.items()}
    if not isinstance(plain, list):
        return plain
    if isinstance(given, Set):
        return sorted(plain, key=lambda item: json.dumps(item, sort_keys=True))
    items = given if isinstance(given, list | tuple) and len(given) == len(plain) else [None] * len(plain)
    return [in_one_order(item, was) for item, was in zip(plain, items, strict=True)]


def _item(holder: Any, name: str) -> Any:
    """Return what has a name in the JSON of an object.

    None where that is not known.
    """
    if isinstance(holder, Mapping):
        return holder.get(name)
    known = type(holder).model_fields if isinstance(holder, BaseModel) else {}
    found = next((field for field, of in known.items() if name in (of.serialization_alias, of.alias)), name)
    return getattr(holder, found, None)


def brief(value: object) -> str:
    """Return a value as an error shows it: its kind and name, or its repr cut short."""
    if isinstance(value, Spec):
        name = getattr(value, "name", None)
        return f"{type(value).__name__}(...)" if name is None else f"{type(value).__name__} {name!r}"
    if isinstance(value, type) and not get_origin(value):
        return f"the class {value.__name__}"
    if inspect.isfunction(value):
        return "a lambda" if value.__name__ == "<lambda>" else f"the function {value.__name__}"
    return shorten(repr(value), 80)


def unnamed_argument(owner: str, value: object, field: str) -> str:
    """Return what is wrong with an argument that was given without its name.

    Args:
        owner: What it was given to.
        value: The argument.
        field: What it is meant for; empty where that is not known.
    """
    shown = repr(value) if isinstance(value, str | int | float) else "..."
    told = f"write {field}={shorten(shown, 80)}" if field else "give each by its name"
    return f"{owner}: the argument {brief(value)} has no name: {told}"


def _takes_unnamed(owner: type) -> bool:
    kinds = [one.kind for one in inspect.signature(owner.__init__).parameters.values()]  # type: ignore[misc]
    return len(kinds) > 1 and kinds[1] is not inspect.Parameter.KEYWORD_ONLY


def _is_list(owner: type[BaseModel], field: str) -> bool:
    return field in owner.model_fields and get_origin(owner.model_fields[field].annotation) is tuple


def _problems(error: ValidationError) -> list[str]:
    found = error.errors()
    # A list whose items are wrong is also called too short.
    inside = {problem["loc"][:depth] for problem in found for depth in range(len(problem["loc"]))}
    return [
        problem_text(problem) for problem in found if problem["type"] != "too_short" or problem["loc"] not in inside
    ]


def problem_text(problem: ErrorDetails) -> str:
    """Return what is wrong with a value, after its place."""
    place = place_text(problem["loc"])
    message = _message(problem)
    return f"{place}: {message}" if place else message


def place_text(steps: Iterable[int | str]) -> str:
    """Return a place inside a value: `.name` of an object, `[0]` of a list."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


_TOLD_PROBLEMS = 5


def problems_of(error: ValueError) -> str:
    """Return in one line what is wrong with a value, and nothing of the value.

    Args:
        error: What pydantic raised, or another one that says it in its own words.
    """
    if not isinstance(error, ValidationError):
        return one_line(str(error), 500)
    found = error.errors(include_url=False, include_input=False)
    told = [": ".join(filter(None, (place_text(e["loc"]), e["msg"].removeprefix("Value error, ")))) for e in found]
    more = f"; and {len(told) - _TOLD_PROBLEMS:,} more problems" if len(told) > _TOLD_PROBLEMS else ""
    return one_line("; ".join(told[:_TOLD_PROBLEMS]), 1_000) + more


def _message(problem: ErrorDetails) -> str:
    match problem["type"]:
        case "enum" | "literal_error":
            return f"{brief(problem['input'])} is none of {problem['ctx']['expected']}"
        case "tuple_type":
            return f"{brief(problem['input'])} is not a list: write [...]"
        case "too_short":
            return "give at least one"
        case "model_type":
            wanted = problem["ctx"]["class_name"]
            return f"{brief(problem['input'])} is not a {wanted}: write {wanted}(...)"
        case _:
            return problem["msg"].removeprefix("Value error, ")


def option_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the parameters of a function that are given by name."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY)


def unknown_field(owner: str, name: str, known: Sequence[str], told: str = "") -> str:
    """Return what is wrong with a field that there is not.

    Args:
        owner: What has no such field.
        name: How it was written.
        known: Those that there are.
        told: What to write in its place, where that is known.
    """
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it takes {', '.join(n for n in known if n != 'kind')}"
    hint = told or hint
    return f"{owner} has no field {name!r}: {hint}"
