"""Everything that can be called is a tool, or an error says what to write in its place."""

from __future__ import annotations

import asyncio
import functools
import inspect
import operator
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, partialmethod
from typing import Any, Generic, TypeVar

import pytest

from sostenuto import SpecError, Tool, ToolContext, tool

T = TypeVar("T")


def look(at: str, times: int = 1) -> str:
    """Look at a thing.

    Args:
        at: The thing.
        times: How often.
    """
    return f"{at} x{times}"


async def gaze(at: str, times: int = 1) -> str:
    """Look at a thing.

    Args:
        at: The thing.
        times: How often.
    """
    await asyncio.sleep(0)
    return f"{at} x{times}"


def logged(function: Callable[..., T]) -> Callable[..., T]:
    """A sync decorator, as people write them."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> T:
        return function(*args, **kwargs)

    return wrapper


class Decorated:
    """A decorator that is a class."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


class Shop(Generic[T]):
    """A shop."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix

    def look(self, at: str, times: int = 1) -> str:
        """Look at a thing.

        Args:
            at: The thing.
            times: How often.
        """
        return f"{self.prefix}{at} x{times}"

    async def gaze(self, at: str, times: int = 1) -> str:
        """Look at a thing."""
        return f"{self.prefix}{at} x{times}"

    @classmethod
    def of_class(cls, at: str, times: int = 1) -> str:
        """Look at a thing."""
        return f"{at} x{times}"

    @staticmethod
    def static(at: str, times: int = 1) -> str:
        """Look at a thing."""
        return f"{at} x{times}"

    @tool(effect="read")
    @staticmethod
    def decorated(at: str, times: int = 1) -> str:
        """Look at a thing."""
        return f"{at} x{times}"

    @logged
    def wrapped(self, at: str, times: int = 1) -> str:
        """Look at a thing."""
        return f"{at} x{times}"

    twice = partialmethod(look, times=2)


class LookAtIt:
    """Look at a thing."""

    def __call__(self, at: str, times: int = 1) -> str:
        return f"{at} x{times}"


class HTTPGaze:
    """Not told."""

    async def __call__(self, at: str, times: int = 1) -> str:
        """Look at a thing.

        Args:
            at: The thing.
            times: How often.
        """
        return f"{at} x{times}"


@dataclass
class Looker:
    times: int

    def __call__(self, at: str) -> str:
        return f"{at} x{self.times}"


class Named(LookAtIt):
    """Look at a thing."""

    __name__ = "named"


class Inherited(Shop[int]):
    def look(self, at: str, times: int = 1) -> str:
        return super().look(at, times)


async def call(made: Tool[..., Any], arguments: dict[str, Any]) -> Any:
    """What the tool makes of a model's arguments."""
    value = made.function(**made.signature.bind(arguments))
    return await value if inspect.isawaitable(value) else value


CASES: dict[str, tuple[Any, str, bool, str]] = {
    # What is called, its name, whether it is seen to be async, what its description is.
    "function": (look, "look", False, "Look at a thing."),
    "async function": (gaze, "gaze", True, "Look at a thing."),
    "bound method": (Shop().look, "look", False, "Look at a thing."),
    "async bound method": (Shop().gaze, "gaze", True, "Look at a thing."),
    "inherited doc": (Inherited().look, "look", False, "Look at a thing."),
    "class method": (Shop.of_class, "of_class", False, "Look at a thing."),
    "static method": (Shop.static, "static", False, "Look at a thing."),
    "static method's object": (Shop.__dict__["static"], "static", False, "Look at a thing."),
    "decorated static method": (Shop.decorated, "decorated", False, "Look at a thing."),
    "decorated method": (Shop().wrapped, "wrapped", False, "Look at a thing."),
    "partial": (partial(look), "look", False, "Look at a thing."),
    "async partial": (partial(gaze), "gaze", True, "Look at a thing."),
    "partial of a partial": (partial(partial(look)), "look", False, "Look at a thing."),
    "partial of a method": (partial(Shop().gaze), "gaze", True, "Look at a thing."),
    "partial of an object": (partial(HTTPGaze()), "http_gaze", True, "Look at a thing."),
    "partial of a tool": (partial(tool(look)), "look", False, "Look at a thing."),
    "partial of an async tool": (partial(tool(gaze)), "gaze", False, "Look at a thing."),
    "object": (LookAtIt(), "look_at_it", False, "Look at a thing."),
    "async object": (HTTPGaze(), "http_gaze", True, "Look at a thing."),
    "object with a name": (Named(), "named", False, "Look at a thing."),
    "object without a doc": (Looker(2), "looker", False, ""),
    "sync decorator": (logged(look), "look", False, "Look at a thing."),
    "sync decorator of an async function": (logged(gaze), "gaze", False, "Look at a thing."),
    "two decorators": (logged(logged(gaze)), "gaze", False, "Look at a thing."),
    "decorator that is a class": (Decorated(gaze), "gaze", False, "Look at a thing."),
    "cached": (functools.lru_cache(look), "look", False, "Look at a thing."),
    "tool": (tool(look), "look", False, "Look at a thing."),
}


@pytest.mark.parametrize("kind", CASES)
async def test_what_can_be_called_is_a_tool(kind: str) -> None:
    called, name, is_async, description = CASES[kind]
    made = tool(called)
    assert (made.spec.name, made.is_async, made.spec.description) == (name, is_async, description)
    properties = made.spec.parameters["properties"]
    assert properties["at"]["type"] == "string"
    if "times" in properties:
        assert properties["times"] == {**properties["times"], "type": "integer", "default": 1}
        assert await call(made, {"at": "sea", "times": 2}) == "sea x2"
        assert await call(made, {"at": "sea"}) == "sea x1"
    else:
        assert await call(made, {"at": "sea"}) == "sea x2"


@pytest.mark.parametrize("kind", ["function", "bound method", "partial", "async object", "sync decorator", "cached"])
def test_what_the_docstring_says_of_parameters_is_told(kind: str) -> None:
    made = tool(CASES[kind][0])
    told = {name: schema["description"] for name, schema in made.spec.parameters["properties"].items()}
    assert told == {"at": "The thing.", "times": "How often."}
    assert (made.__doc__ or "").startswith("Look at a thing.\n\nArgs:")


def _renamed() -> Any:
    made = partial(look, times=3)
    functools.update_wrapper(made, look)
    made.__name__ = "look_thrice"  # type: ignore[attr-defined]
    made.__doc__ = "Look three times."
    return made


def charge(ctx: object, account: str, amount: float, /, *rest: int, currency: str = "EUR", **more: str) -> str:
    """Charge an account."""
    return f"{account} {amount} {currency} {rest} {more} {ctx}"


class Account:
    def pay(self, to: str, amount: float) -> str:
        """Pay.

        Args:
            to: Whom.
            amount: How much.
        """
        return f"{to} {amount}"

    pay_ada = partialmethod(pay, "Ada")
    pay_one = partialmethod(pay, amount=1.0)


@pytest.mark.parametrize(
    ("bound", "shown", "arguments", "result"),
    [
        (partial(look, "sea"), ["times"], {"times": 2}, "sea x2"),
        (partial(look, times=2), ["at"], {"at": "sea"}, "sea x2"),
        (partial(look, at="sea"), ["times"], {}, "sea x1"),
        (partial(look, "sea", 2), [], {}, "sea x2"),
        (partial(partial(look, times=2), "sea"), [], {}, "sea x2"),
        (partial(logged(look), times=2), ["at"], {"at": "sea"}, "sea x2"),
        (partial(logged(partial(look, times=2))), ["at"], {"at": "sea"}, "sea x2"),
        (logged(partial(look, times=2)), ["at"], {"at": "sea"}, "sea x2"),
        (partial(tool(look), times=2), ["at"], {"at": "sea"}, "sea x2"),
        (partial(Shop("a ").look, times=2), ["at"], {"at": "sea"}, "a sea x2"),
        (partial(Shop.look, Shop("a ")), ["at", "times"], {"at": "sea"}, "a sea x1"),
        (Shop[int]("a ").twice, ["at"], {"at": "sea"}, "a sea x2"),
        (Account().pay_ada, ["amount"], {"amount": 2}, "Ada 2.0"),
        (Account().pay_one, ["to"], {"to": "Bob"}, "Bob 1.0"),
        (_renamed(), ["at"], {"at": "sea"}, "sea x3"),
        (partial(charge, "ctx", "acct", 1.0, 2, more="x"), ["currency"], {}, "acct 1.0 EUR (2,) {'more': 'x'} ctx"),
    ],
)
async def test_what_is_bound_is_not_shown(bound: Any, shown: list[str], arguments: Any, result: str) -> None:
    made = tool(bound)
    assert list(made.spec.parameters["properties"]) == shown
    assert await call(made, arguments) == result
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        made.signature.bind({**arguments, "at" if "at" not in shown else "more": "x", "currency_": 1})


def test_a_partial_may_have_a_name_and_a_doc_of_its_own() -> None:
    made = tool(_renamed())
    assert (made.spec.name, made.spec.description) == ("look_thrice", "Look three times.")


def test_a_name_and_a_description_win() -> None:
    made = tool(effect="read", name="peek", description="Peek.")(partial(look, times=2))
    assert (made.spec.name, made.spec.description) == ("peek", "Peek.")


def test_a_context_of_a_bound_method_is_filled_in() -> None:
    class Desk:
        def note(self, text: str, ctx: ToolContext) -> None: ...

    made = tool(Desk().note)
    assert (list(made.spec.parameters["properties"]), made.signature.hidden) == (["text"], "ctx")


def test_a_signature_of_its_own_is_taken() -> None:
    def anything(**arguments: Any) -> Any:
        return arguments

    parameter = inspect.Parameter("at", inspect.Parameter.KEYWORD_ONLY, annotation="str")
    anything.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
    assert list(tool(anything).spec.parameters["properties"]) == ["at"]


@pytest.mark.parametrize("returns", [Awaitable[int], "asyncio.Future[int]", "Awaitable[int]"])
def test_a_sync_function_may_return_an_awaitable(returns: Any) -> None:
    def later() -> Any: ...

    later.__annotations__["return"] = returns
    assert tool(later).signature.parse("3") == 3


class Model:
    """A class."""

    def __init__(self, at: str) -> None: ...


def _one_by_one() -> Iterator[int]:
    yield 1


async def _one_by_one_later() -> AsyncIterator[int]:
    yield 1


def _variadic(*args: Any, **kwargs: Any) -> Any: ...


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


@contextmanager
def _managed(at: str) -> Iterator[str]:
    yield at


@functools.singledispatch
def _dispatched(at: object) -> str:
    return str(at)


def _nothing() -> None: ...


class Pages:
    def __call__(self) -> Iterator[int]:
        yield 1

    @functools.singledispatchmethod
    def dispatched(self, at: object) -> str:
        return str(at)

    def untyped(self, at) -> None: ...  # type: ignore[no-untyped-def]


ANY_LOOK: Any = look
METHOD = (
    "parameter 'self' has no type: a method is a tool only when it is bound to its object: take @tool off it, and "
    "write tool(effect=...)(shop.look) where there is an object, such as shop"
)
NO_TYPES = "is not written in Python and has no types: write a function that calls it, with a type for each parameter"


@pytest.mark.parametrize(
    ("called", "words"),
    [
        (Shop.look, f"tool look: {METHOD}"),
        (Shop.__dict__["of_class"], "@tool: the classmethod of_class is not bound: take @tool off it, and write"),
        (Shop.__dict__["of_class"], "tool(effect=...)(Shop.of_class) below its class, such as Shop"),
        (Shop.__dict__["twice"], "@tool: the partialmethod look is not bound: take @tool off it"),
        (property(lambda _: 3), "is not a function"),
        (Pages().untyped, "tool untyped: parameter 'at' has no type: annotate it, such as at: str"),
        (types.MethodType(_nothing, 3), "tool _nothing: what it takes cannot be read (as a method it takes no self)"),
        (Model, "tool Model: Model is a class: write a function that returns one, or pass an object that has __call__"),
        (partial(Model, "sea"), "tool Model: Model is a class: write a function that returns one"),
        (int, "tool int: int is a class"),
        (lambda: 3, "@tool: a lambda has no name: give it one by name=, or write a function with def"),
        (len, f"tool len: len {NO_TYPES}"),
        (print, NO_TYPES),
        ([].append, f"tool append: append {NO_TYPES}"),
        (str.upper, NO_TYPES),
        (operator.itemgetter(1), NO_TYPES),
        (partial(max, 1), NO_TYPES),
        (_one_by_one, "tool _one_by_one: it yields, but a model is told one result: return a list"),
        (_one_by_one_later, "tool _one_by_one_later: it yields"),
        (partial(_one_by_one), "tool _one_by_one: it yields"),
        (Pages(), "tool pages: it yields"),
        (_dispatched, "tool _dispatched: it chooses by the type of its first argument, by singledispatch: write a"),
        (Pages().dispatched, "tool dispatched: it chooses by the type of its first argument"),
        (_variadic, "tool _variadic: parameter 'args' is variadic positional: give every parameter a name and a type,"),
        (_unwrapped(look), "and put functools.wraps on the inner function of a decorator that hides them"),
        (
            partial(ANY_LOOK, 1, 2, 3),
            "tool look: what it takes cannot be read (too many positional arguments): ",
        ),
        (partial(ANY_LOOK, on=1), "tool look: what it takes cannot be read (got an unexpected keyword argument 'on')"),
    ],
)
def test_what_cannot_be_a_tool_says_what_to_write(called: Any, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        tool(called)
    assert words in str(caught.value)


def test_a_lambda_with_a_name_has_no_place_for_types() -> None:
    assert tool(name="three")(lambda: 3).spec.parameters["properties"] == {}
    with pytest.raises(SpecError, match="parameter 'x' has no type: a lambda has no place for one: write a function"):
        tool(name="same")(lambda x: x)


def test_a_method_decorated_in_its_class_says_what_to_write() -> None:
    with pytest.raises(SpecError) as caught:

        class Desk:
            @tool(effect="read")
            def look(self, at: str) -> str:
                return at

    assert str(caught.value) == f"tool look: {METHOD}"


def test_a_context_manager_is_not_a_generator_but_returns_no_json() -> None:
    made = tool(_managed)
    with pytest.raises(ValueError, match="_GeneratorContextManager"):
        made.signature.render(_managed("sea"))


class Endless:
    """Answers to every name, as proxies do."""

    def __getattr__(self, name: str) -> Endless:
        return Endless()


def test_what_only_looks_as_if_it_can_be_called() -> None:
    with pytest.raises(SpecError, match="is not a function"):
        tool(Endless())  # type: ignore[call-overload]

    class Caller(Endless):
        def __call__(self, at: str) -> str:
            return at

    made = tool(name="caller")(Caller())
    assert list(made.spec.parameters["properties"]) == ["at"]
