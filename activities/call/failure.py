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
