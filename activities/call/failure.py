"""How any exception of a tool or a model becomes a failure that the server takes."""

from __future__ import annotations

from datetime import timedelta

from temporalio.exceptions import ApplicationError

from ...contracts import limits
from ...contracts.text import cut, encodable


def failure(
    error: BaseException,
    message: str,
    *,
    kind: str,
    retryable: bool,
    delay: timedelta | None = None,
) -> ApplicationError:
    """Return a failure of this durable type, to be raised `from None`.

    It has the stack trace of the error.

    The error itself is not to be its cause: a text that is too long, or no valid Unicode, could not be sent, and the
    call would look like one whose worker died.
    """
    told = cut(encodable(message), limits.MAX_REASON_CHARS)
    made = ApplicationError(told, type=kind, non_retryable=not retryable, next_retry_delay=delay)
    return made.with_traceback(error.__traceback__)


def text_of(error: BaseException) -> str:
    """Return the text of an error of anybody's, even if it raises one itself."""
    try:
        return str(error)
    except BaseException as raised:  # noqa: BLE001 - what it raises is no better than what it is
        return f"(its text cannot be read: {type(raised).__name__})"


def told(error: BaseException) -> str:
    """Return the class and the text of an error of anybody's."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
