"""Runs the function of a guardrail."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from functools import partial
from typing import Any, Final

from ...contracts.guardrails.custom import Check
from ...contracts.text import cut, encodable
from ..call.user_code import UserCode

_LONGEST_SECONDS: Final = 10.0
_LONGEST_REASON: Final = 500
_NO_REASON: Final = "it does not pass"


async def objection(name: str, check: Check, text: str, user: UserCode) -> str:
    """Return why a text does not pass a function; empty where it does.

    Args:
        name: Of the function.
        check: The function. A sync one runs in a thread.
        text: What it takes.
        user: Runs it.

    Raises:
        TimeoutError: It did not end in time.
        TypeError: It returned something else than it may.
        Exception: Whatever it raises.
    """
    async with asyncio.timeout(_LONGEST_SECONDS):
        if inspect.iscoroutinefunction(check):
            said = await user.on_loop(name, lambda: check(text))
        else:
            said = await user.in_thread(lambda: check(text))
            if inspect.isawaitable(said):
                said = await user.on_loop(name, partial(_awaited, said))
    return _reason(name, said)


async def _awaited(said: Awaitable[Any]) -> Any:
    return await said


def _reason(name: str, said: Any) -> str:
    if said is None or said is True or said == "":
        return ""
    if said is False:
        return _NO_REASON
    if isinstance(said, str):
        return cut(encodable(said), _LONGEST_REASON)
    raise TypeError(f"{name} returned a {type(said).__name__}, in place of None, a bool or a text")
