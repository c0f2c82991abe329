"""Turns annotations into types that pydantic takes.

Must not know parameters: whoever asks says in errors which one it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from typing_extensions import TypeAliasType, TypedDict

from ..errors import SpecError
from ..text import shorten
from .argument_schema import NotFromJsonError
from .callee import Callee

_LIST: Any = list
_UNION: Any = Union
_ANNOTATED: Any = Annotated
_TYPED_DICT: Any = TypedDict
_MOST_CHARS = 200


class Names:
    """Resolves annotations of one function in the names that it was written in."""

    def __init__(self, callee: Callee) -> None:
        self._globals, self.local = callee.names()
        self._type_params = getattr(callee.function, "__type_params__", ())
        self._typed_dicts: dict[Any, Any] = {}
        self._aliases: list[Any] = []

    def resolved(self, annotation: Any) -> Any:
        """Return the type that an annotation stands for.

        Raises:
            Exception: Whatever its own text raises: `NameError` where a name is not known.
        """
        holder = SimpleNamespace(__annotations__={"x": annotation}, __type_params__=self._type_params)
        hints = get_type_hints(holder, self._globals, self.local, include_extras=True)
        return hints["x"]

    def adapter(self, annotation: Any) -> TypeAdapter[Any]:
        """Return what pydantic makes of a type.

        The type's own annotations may name what is local to the function.
        """
        made = TypeAdapter[Any](annotation)
        made.rebuild(_types_namespace=self.local)
        return made

    def with_own_typed_dicts(self, annotation: Any) -> Any:
        """Return the type with each TypedDict of `typing` as one of `typing_extensions`.

        Pydantic takes no other before Python 3.12. Those within classes stay: they cannot be replaced.
        """
        if is_typeddict(annotation) and type(annotation).__module__ == "typing":
            return self._own_typed_dict(annotation)
        if isinstance(annotation, TypeAliasType):
            return self._inside_alias(annotation)
        origin, given = get_origin(annotation), get_args(annotation)
        if origin is None or origin is Literal or origin is Callable or not given:
            return annotation
        if origin is Annotated:
            inner = self.with_own_typed_dicts(given[0])
            return annotation if inner is given[0] else _ANNOTATED[(inner, *annotation.__metadata__)]
        replaced = tuple(map(self.with_own_typed_dicts, given))
        if all(new is old for new, old in zip(replaced, given, strict=True)):
            return annotation
        return _UNION[replaced] if origin is UnionType else origin[replaced if len(replaced) > 1 else replaced[0]]

    def _own_typed_dict(self, given: Any) -> Any:
        if given not in self._typed_dicts:
            # Known before its fields are read: they may name it.
            made = self._typed_dicts[given] = _TYPED_DICT(given.__name__, {})
            hints = get_type_hints(given, localns=self.local, include_extras=True)
            made.__annotations__ = {name: self.with_own_typed_dicts(hint) for name, hint in hints.items()}
            made.__required_keys__, made.__optional_keys__ = given.__required_keys__, given.__optional_keys__
            made.__module__, made.__qualname__, made.__doc__ = given.__module__, given.__qualname__, given.__doc__
            if config := getattr(given, "__pydantic_config__", None):
                made.__pydantic_config__ = config
        return self._typed_dicts[given]

    def _inside_alias(self, alias: Any) -> Any:
        # One that names itself stays as it is.
        if alias in self._aliases:
            return alias
        self._aliases.append(alias)
        try:
            inner = self.with_own_typed_dicts(alias.__value__)
        finally:
            self._aliases.remove(alias)
        return alias if inner is alias.__value__ else inner


def words(annotation: Any) -> str:
    """Return what `Annotated` says of a type, as text or as `Doc`.

    Empty where a `Field` describes it.
    """
    metadata = getattr(annotation, "__metadata__", ())
    if any(isinstance(item, FieldInfo) and item.description for item in metadata):
        return ""
    said = (item if isinstance(item, str) else getattr(item, "documentation", None) for item in metadata)
    return next((inspect.cleandoc(text) for text in said if isinstance(text, str)), "")


def bare(annotation: Any) -> Any:
    """Return the type without what `Annotated` says of it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def type_of_parameter(called: Any, label: str, name: str = "") -> Any:
    """Return the type of a parameter of what is to be called; None where it has none.

    Args:
        called: Anything that can be called.
        label: What errors call it.
        name: Of the parameter. Default: the first.

    Raises:
        SpecError: It has no such parameter, or one whose type is not known.
    """
    callee = Callee.of(called, label)
    found = next((one for one in callee.parameters if name in ("", one.name)), None)
    if found is None:
        raise SpecError(f"tool {label}: it takes nothing: give it a parameter")
    if found.annotation is inspect.Parameter.empty:
        return None
    try:
        kind = bare(Names(callee).resolved(found.annotation))
    except Exception as error:
        raise SpecError(f"tool {label}: parameter {found.name!r} has a type that cannot be read: {error}") from error
    return None if kind is Any else kind


def as_list(annotation: Any, kinds: Collection[type] = (Iterable,)) -> Any:
    """Return a list in place of an iterable.

    Pydantic looks at the items of an iterable only when they are taken.

    Args:
        annotation: The type; any other is returned as it is.
        kinds: What to take for iterables.
    """
    if annotation not in kinds and get_origin(annotation) not in kinds:
        return annotation
    given = get_args(annotation)
    return _LIST[given[0]] if given else list


def awaited(annotation: Any) -> Any:
    """Return what awaiting an awaitable gives; any other type as it is."""
    origin, given = get_origin(annotation), get_args(annotation)
    return given[-1] if isinstance(origin, type) and issubclass(origin, Awaitable) and given else annotation


def type_name(annotation: Any) -> str:
    """Return a type as an error shows it."""
    return annotation.__qualname__ if isinstance(annotation, type) else shorten(str(annotation), _MOST_CHARS)


def unknown_name(name: object) -> str:
    """Say what to write where a name in an annotation is not known."""
    return (
        f"define {name} at module level, or import it there: what stands under `if TYPE_CHECKING:`, or in a function "
        "that has returned, is not there when the program runs"
    )


def unfit(annotation: Any, error: Exception, *, lack: str, otherwise: str) -> str:
    """Say why pydantic does not take a type, and what to write.

    Args:
        annotation: The type.
        error: What pydantic raised.
        lack: What is wrong with the type, where pydantic does not know it.
        otherwise: What to write then.
    """
    name = type_name(annotation)
    match error:
        case NotFromJsonError():
            return f"{name}: {error.message}"
        case NameError() if f"ForwardRef({error.name!r})" in name:
            return f"{name}, which names itself: make it a pydantic model, a dataclass or a TypeAliasType"
        case NameError():
            return f"{name}, in which {error.name!r} cannot be resolved: {unknown_name(error.name)}"
        case PydanticUserError(code="typed-dict-version"):
            return f"{name}, which holds a TypedDict of typing: import TypedDict from typing_extensions"
    return f"{name}{lack}{_because(annotation, error)}: {otherwise}"


def _because(annotation: Any, error: Exception) -> str:
    first = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")
    what = first.removeprefix("Unable to generate pydantic-core schema for ")
    if what == str(annotation):
        return ""
    return f" ({shorten(first, _MOST_CHARS)})" if what == first else f" because of {shorten(what, _MOST_CHARS)}"
