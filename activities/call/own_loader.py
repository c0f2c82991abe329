"""Runs a loader of somebody's own on a document.

Whatever it does, the ingest goes on.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ...contracts.collection.document import Loader
from ...contracts.errors import DocumentError
from ...contracts.text import cut, encodable, file_name
from .failure import told, ungrouped
from .user_code import UserCode, is_cancelled

LOADER_SECONDS: Final = 120.0
"""Longest that it may take."""

_LONGEST_CHARS: Final = 2_000


async def load_by(loader: Loader, data: bytes, uri: str, user: UserCode) -> object:
    """Return what a loader gives back.

    A sync one runs in a thread, an async one on the loop of users' functions.

    Args:
        loader: The function.
        data: The document.
        uri: Its address.
        user: Runs it.

    Raises:
        DocumentError: It raised, or did not end in time; says which.
    """
    name = loader.__name__
    try:
        async with asyncio.timeout(LOADER_SECONDS):
            if inspect.iscoroutinefunction(loader):
                return await user.on_loop(name, lambda: _awaited(lambda: loader(data, uri), name, uri))
            said, is_awaitable = await user.in_thread(lambda: _called(loader, data, uri))
            if is_awaitable:
                return await user.on_loop(name, lambda: _awaited(lambda: said, name, uri))
            return said
    except asyncio.CancelledError as error:
        if is_cancelled(error):
            raise
        raise _failed(uri, name, "cancels itself") from None
    except TimeoutError:
        held = f", as {user.culprit} holds up all async functions of its worker" if user.culprit else ""
        raise _failed(uri, name, f"did not end within {LOADER_SECONDS:g} s{held}") from None


async def _awaited(start: Callable[[], Awaitable[object]], name: str, uri: str) -> object:
    try:
        return await start()
    except BaseException as error:
        if is_cancelled(error):
            raise
        raise _failed(uri, name, f"says: {told(ungrouped(error))}") from None


def _called(loader: Loader, data: bytes, uri: str) -> tuple[Any, bool]:
    """Return what it gives back, and whether that is to be awaited.

    To ask for that may run code of it, too.
    """
    try:
        said = loader(data, uri)
        return said, inspect.isawaitable(said)
    except BaseException as error:  # noqa: BLE001 - whatever it raises ends this document alone
        raise _failed(uri, loader.__name__, f"says: {told(ungrouped(error))}") from None


def _failed(uri: str, name: str, what: str) -> DocumentError:
    return DocumentError(cut(encodable(f"{file_name(uri)}: its loader {name} {what}"), _LONGEST_CHARS))
