"""Whatever can be called is served as a tool: its sync code runs in a thread, its async code on the users' loop."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import typing
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pytest

from sostenuto import Status, ToolContext, ToolError, tool
from tests.integration.agent.conftest import Play
from tests.integration.agent.stage import calls, eventually
from tests.patience import PATIENCE_SECONDS

T = TypeVar("T")


def _where() -> str:
    """On which side the code runs: the one loop of async functions, or a thread."""
    name = threading.current_thread().name
    return "loop" if name == "user-loop" else "thread" if name.startswith("user_") else name


class Line(typing.TypedDict):
    """A line of an order."""

    product: str
    count: int


class Shop:
    """Has tools that share a state."""

    def __init__(self, name: str) -> None:
        self.name = name

    def order(self, lines: list[Line], on: date, ctx: ToolContext) -> str:
        """Order.

        Args:
            lines: What.
            on: When.
            ctx: Filled in.
        """
        return f"{self.name}: {sum(line['count'] for line in lines)} on {on:%d.%m.} ({_where()}, {ctx.attempt})"

    async def stock(self, product: Annotated[str, "Which."]) -> str:
        """Count."""
        await asyncio.sleep(0)
        return f"{self.name} has {product} ({_where()})"


class FileSize:
    """How large a file is."""

    async def __call__(self, path: Path) -> str:
        await asyncio.sleep(0)
        return f"{path.name} ({_where()})"


def logged(function: Callable[..., T]) -> Callable[..., T]:
    """A sync decorator, as people write them."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> T:
        return function(*args, **kwargs)

    return wrapper


async def _convert(amount: float, to: str, fee: float) -> str:
    await asyncio.sleep(0)
    return f"{amount - fee:g} {to} ({_where()})"


@tool(effect="read")
@logged
async def weather(city: str) -> str:
    """Weather."""
    await asyncio.sleep(0)
    return f"{city}: sun ({_where()})"


@tool(effect="read")
def later(city: str) -> Awaitable[str]:
    """Weather, by a sync function that returns what is to be awaited."""
    called = _where()

    async def answer() -> str:
        return f"{city}: rain ({called}, {_where()})"

    return answer()


async def test_whatever_can_be_called_is_served(play: Play) -> None:
    shop = Shop("Corner")
    tools = [
        tool(effect="once")(shop.order),
        tool(effect="read")(shop.stock),
        tool(effect="read")(functools.partial(_convert, to="EUR", fee=1)),
        tool(effect="read")(FileSize()),
        weather,
        later,
    ]
    wanted = calls(
        ("order", {"lines": [{"product": "tea", "count": 2}], "on": "2026-11-22"}),
        ("stock", {"product": "tea"}),
        ("_convert", {"amount": 5}),
        ("file_size", {"path": "a/b.txt"}),
        ("weather", {"city": "Oslo"}),
        ("later", {"city": "Oslo"}),
        ("_convert", {"amount": 5, "fee": 0}),
    )
    outcome = await play([wanted, "Done."], tools=tools)
    assert outcome.result.status is Status.COMPLETED, outcome.result.reason
    assert outcome.tool_results[:6] == [
        ("Corner: 2 on 22.11. (thread, 1)", False),
        ("Corner has tea (loop)", False),
        ("4 EUR (loop)", False),
        ("b.txt (loop)", False),
        ("Oslo: sun (loop)", False),
        ("Oslo: rain (thread, loop)", False),
    ]
    refused, is_error = outcome.tool_results[6]
    assert is_error
    assert "fee: Extra inputs are not permitted" in refused
    assert set(outcome.history.attempts.values()) == {1}


@pytest.mark.parametrize("effect", ["read", "once"])
async def test_what_is_awaited_late_fails_and_ends_as_async_functions_do(play: Play, effect: str) -> None:
    @tool(effect=effect)
    @logged
    async def fail() -> str:
        """Fail."""
        raise ToolError("No weather today.")

    @tool(effect=effect, timeout=timedelta(seconds=0.5))
    @logged
    async def wait() -> str:
        """Wait for longer than it may take."""
        await asyncio.sleep(60)
        return "never seen"

    outcome = await play([calls(("fail", {}), ("wait", {})), "Well."], tools=[fail, wait])
    assert outcome.tool_results[0] == ("No weather today.", True)
    told, is_error = outcome.tool_results[1]
    assert is_error
    assert told.startswith("wait took longer than 0.5 s and was stopped.")
    assert ("Whether it took effect is unknown." in told) == (effect == "once")


@pytest.mark.parametrize("effect", ["read", "once"])
async def test_a_coroutine_that_comes_too_late_is_closed(play: Play, effect: str) -> None:
    go_on = threading.Event()
    made: list[Coroutine[Any, Any, None]] = []

    async def never() -> None:
        raise AssertionError("it was awaited")

    @tool(effect=effect, timeout=timedelta(seconds=0.3))
    def slow() -> Awaitable[None]:
        """Hold a thread up, then return what is to be awaited."""
        go_on.wait(PATIENCE_SECONDS)
        made.append(never())
        return made[0]

    outcome = await play([calls(("slow", {})), "Well."], tools=[slow])
    assert outcome.tool_results[0][0].startswith("slow took longer than 0.3 s and was stopped.")
    go_on.set()

    async def closed() -> bool:
        return bool(made) and inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED

    await eventually(closed)
