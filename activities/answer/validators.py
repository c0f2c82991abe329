"""Runs people's validators on an answer.

Whatever one does, the answer was paid for and is not lost by it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any

from pydantic import ValidationError

from ...contracts.specs.output import Validator
from ...contracts.text import cut, encodable
from ..call.failure import text_of, told, ungrouped
from ..call.user_code import UserCode, is_cancelled

_LONGEST_CHARS = 2_000
_MOST_REASONS = 20

Found = tuple[str, ...]
"""What is wrong with an answer, a sentence each."""


async def objections(validators: Mapping[str, Validator], answer: Any, *, limit: timedelta, user: UserCode) -> Found:
    """Run the validators at once and return what they object to, in order.

    Empty where the answer passes.

    Args:
        validators: Functions by name. Sync ones run in a thread.
        answer: What each of them gets.
        limit: Longest each may take.
        user: Runs them.
    """
    said = await asyncio.gather(*(_said(name, v, answer, limit, user) for name, v in validators.items()))
    return tuple(reason for found in said for reason in sendable(found))


def reasons(error: ValidationError, *above: str) -> Found:
    """Return what does not fit a type, a sentence each with its place."""
    return tuple(f"{'.'.join(map(str, (*above, *e['loc']))) or 'answer'}: {e['msg']}" for e in error.errors())


async def _said(name: str, validator: Validator, answer: Any, limit: timedelta, user: UserCode) -> Found:
    try:
        async with asyncio.timeout(limit.total_seconds()):
            if inspect.iscoroutinefunction(validator):
                return await user.on_loop(name, lambda: _awaited(name, lambda: validator(answer)))
            said = await user.in_thread(lambda: _called(name, validator, answer))
            # A sync function may return what has to be awaited, such as a partial of an async one.
            return said if isinstance(said, tuple) else await user.on_loop(name, lambda: _awaited(name, lambda: said))
    except TimeoutError:
        held = f", as {user.culprit} holds up all async functions of its worker" if user.culprit else ""
        return (f"answer: its validator {name} did not end within {limit.total_seconds():g} s{held}",)


async def _awaited(name: str, ask: Callable[[], Awaitable[Any]]) -> Found:
    try:
        return _returned(name, await ask())
    except BaseException as error:
        if is_cancelled(error):
            raise
        return _raised(name, error)


def _called(name: str, validator: Validator, answer: Any) -> Found | Awaitable[Any]:
    try:
        said = validator(answer)
        # Here, for a generator does its work only now.
        return said if inspect.isawaitable(said) else _returned(name, said)
    except BaseException as error:  # noqa: BLE001 - a faulty one would have the answer paid for again
        return _raised(name, error)


def _raised(name: str, error: BaseException) -> Found:
    """Put into words what a validator raised.

    To be called where it ran: the texts of its errors are its own code, too.
    """
    error = ungrouped(error)
    if isinstance(error, ValidationError):
        return reasons(error)
    if isinstance(error, ValueError | AssertionError):
        return (text_of(error) or f"answer: it does not pass {name}",)
    return (f"answer: its validator {name} ended by {told(error)}",)


def _returned(name: str, said: Any) -> Found:
    if said is None or isinstance(said, str):
        return (said,) if said else ()
    is_list = isinstance(said, Iterable) and not isinstance(said, Mapping | bytes)
    several = tuple(islice(said, _MOST_REASONS)) if is_list else (None,)
    if all(isinstance(reason, str) for reason in several):
        return tuple(reason for reason in several if reason)
    kind = type(said).__name__
    return (f"answer: its validator {name} returned a {kind}, in place of None, a text or several texts",)


def sendable(found: Iterable[str]) -> Found:
    """Keep as many reasons as a model can use, each short enough to be sent.

    So the answer can be sent along with them.
    """
    return tuple(cut(encodable(reason), _LONGEST_CHARS) for reason in islice(found, _MOST_REASONS))
