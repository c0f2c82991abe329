"""Runs people's validators on an answer.

Whatever one does, the answer was paid for and is not lost by it.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from datetime import timedelta
from itertools import islice
from typing import Any

from pydantic import ValidationError

from ..contracts.specs.output import Validator
from ..contracts.text import cut, encodable

_LONGEST_CHARS = 2_000
_MOST_REASONS = 20


async def objections(
    validators: Mapping[str, Validator], answer: Any, *, limit: timedelta, threads: Executor | None = None
) -> tuple[str, ...]:
    """Run the validators at once and return what they object to, in order.

    Empty where the answer passes.

    Args:
        validators: Functions by name. Sync ones run in a thread.
        answer: What each of them gets.
        limit: Longest each may take.
        threads: Where sync ones run. Default: the event loop's own.
    """
    said = await asyncio.gather(*(_said(name, v, answer, limit, threads) for name, v in validators.items()))
    return tuple(reason for found in said for reason in sendable(found))


def reasons(error: ValidationError, *above: str) -> tuple[str, ...]:
    """Return what does not fit a type, a sentence each with its place."""
    return tuple(f"{'.'.join(map(str, (*above, *e['loc']))) or 'answer'}: {e['msg']}" for e in error.errors())


async def _said(
    name: str, validator: Validator, answer: Any, limit: timedelta, threads: Executor | None
) -> tuple[str, ...]:
    bound = asyncio.timeout(limit.total_seconds())
    try:
        async with bound:
            return await _called(name, validator, answer, threads)
    except ValidationError as error:
        return reasons(error)
    except (ValueError, AssertionError) as error:
        return (str(error) or f"answer: it does not pass {name}",)
    except (Exception, SystemExit, asyncio.CancelledError) as error:  # a faulty one would have it paid for again
        if _is_cancelled(error):
            raise
        if bound.expired():
            return (f"answer: its validator {name} did not end within {limit.total_seconds():g} s",)
        return (f"answer: its validator {name} ended by {type(error).__name__}: {error}",)


def _is_cancelled(error: BaseException) -> bool:
    """Return whether this call is to end, not something that the validator awaited."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


async def _called(name: str, validator: Validator, answer: Any, threads: Executor | None) -> tuple[str, ...]:
    if inspect.iscoroutinefunction(validator):
        return _returned(name, await validator(answer))
    context = contextvars.copy_context()

    def call() -> Any:
        try:
            said = context.run(validator, answer)
            # Here, for a generator does its work only now.
            return said if inspect.isawaitable(said) else _returned(name, said)
        except StopIteration as error:
            # No future takes one: the call would hang.
            raise RuntimeError("it raised StopIteration") from error

    said = await asyncio.get_running_loop().run_in_executor(threads, call)
    return _returned(name, await said) if inspect.isawaitable(said) else said


def _returned(name: str, said: Any) -> tuple[str, ...]:
    if said is None or isinstance(said, str):
        return (said,) if said else ()
    is_list = isinstance(said, Iterable) and not isinstance(said, Mapping | bytes)
    several = tuple(islice(said, _MOST_REASONS)) if is_list else (None,)
    if all(isinstance(reason, str) for reason in several):
        return tuple(reason for reason in several if reason)
    kind = type(said).__name__
    return (f"answer: its validator {name} returned a {kind}, in place of None, a text or several texts",)


def sendable(found: Iterable[str]) -> tuple[str, ...]:
    """Keep as many reasons as a model can use, each short enough to be sent.

    So the answer can be sent along with them.
    """
    return tuple(cut(encodable(reason), _LONGEST_CHARS) for reason in islice(found, _MOST_REASONS))
