"""How any exception of a tool or a model becomes a failure that the server takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError

from ...contracts import limits
from ...contracts.errors import SostenutoError
from ...contracts.text import cut, encodable


class CallFailure(ApplicationError):  # noqa: N818 - named like the SDK's failures
    """A failure that remembers what nobody had foreseen, for the log of its worker."""

    unforeseen: BaseException | None = None
    hide: Callable[[str], str] | None = None
    """Takes out of what is logged of it what nobody is to see."""


def failure(
    error: BaseException,
    message: str,
    *,
    kind: str,
    retryable: bool,
    delay: timedelta | None = None,
    details: Sequence[Any] = (),
    foreseen: bool | None = None,
) -> ApplicationError:
    """Return a failure of this durable type, to be raised `from None`.

    It has the stack trace of the error.

    The error itself is not to be its cause: a text that is too long, or no valid Unicode, could not be sent, and the
    call would look like one whose worker died.

    Args:
        error: What was raised.
        message: What is told of it.
        kind: The durable type.
        retryable: Whether another attempt may help.
        delay: How long that one is to wait.
        details: What goes along.
        foreseen: Whether its message says all about it, and where it was raised is of no use. Default: whether it is
            one of `contracts.errors`.
    """
    told = cut(encodable(message), limits.MAX_REASON_CHARS)
    made = CallFailure(told, *details, type=kind, non_retryable=not retryable, next_retry_delay=delay)
    if not (isinstance(error, SostenutoError) if foreseen is None else foreseen):
        made.unforeseen = error
    return made.with_traceback(error.__traceback__)


_TOLD = 5
"""Most errors of a group that are told."""


def text_of(error: BaseException) -> str:
    """Return the text of an error of anybody's, even if it raises one itself."""
    try:
        return str(error)
    except BaseException as raised:  # noqa: BLE001 - what it raises is no better than what it is
        return f"(its text cannot be read: {type(raised).__name__})"


def leaves(error: BaseException) -> list[BaseException]:
    """Return the errors that a group holds, at any depth; of any other error itself."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for one in error.exceptions for leaf in leaves(one)]


def ungrouped(error: BaseException) -> BaseException:
    """Return the one error of a group that has no other, as a task group raises it."""
    found = leaves(error)
    return found[0] if len(found) == 1 else error


def told(error: BaseException) -> str:
    """Return the class and the text of an error of anybody's.

    Of a group those of the errors in it.
    """
    if isinstance(error, BaseExceptionGroup):
        found = leaves(error)
        more = [f"and {len(found) - _TOLD} more"] if len(found) > _TOLD else []
        return "; ".join([*map(told, found[:_TOLD]), *more])
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
