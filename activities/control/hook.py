"""Asks what stands beside a tool: its `when=`, or its `reconcile=`.

Must not know what it is asked for.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from ..call.failure import told, ungrouped
from ..call.user_code import UserCode, is_cancelled


class HookError(Exception):
    """Why a hook has said nothing; says it in words."""


async def hook_says(
    user: UserCode, tool: str, what: str, ask: Callable[[], Any], *, is_async: bool, seconds: float
) -> Any:
    """Return what a hook says.

    An async one runs on the loop of users' functions. A sync one runs in a thread, and what it returns is awaited on
    that loop where it has to be.

    Args:
        user: Runs it.
        tool: Name of its tool, for the log.
        what: What errors call it, such as `when=`.
        ask: Calls it.
        is_async: Whether it is an async function.
        seconds: Longest it may take.

    Raises:
        HookError: It raised, or did not end in time; says which.
    """
    try:
        async with asyncio.timeout(seconds):
            if is_async:
                return await user.on_loop(tool, lambda: _awaited(what, ask))
            said, is_awaitable = await user.in_thread(lambda: _called(what, ask))
            return await user.on_loop(tool, lambda: _awaited(what, lambda: said)) if is_awaitable else said
    except TimeoutError:
        raise HookError(f"its {what} did not end within {seconds:g} s") from None


def _called(what: str, ask: Callable[[], Any]) -> tuple[Any, bool]:
    """Return what it gives back, and whether that is to be awaited.

    To ask for that may run code of it, too.
    """
    try:
        said = ask()
        return said, inspect.isawaitable(said)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it has said nothing
        # In words here: the texts of its errors are its own code, too.
        raise _raised(what, error) from None


async def _awaited(what: str, ask: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await ask()
    except BaseException as error:
        if is_cancelled(error):
            raise
        raise _raised(what, error) from None


def _raised(what: str, error: BaseException) -> HookError:
    return HookError(f"its {what} raised {told(ungrouped(error))}")
