"""How an exception of a tool or a model becomes a failure that the server takes, whatever its text is."""

from __future__ import annotations

from datetime import timedelta

from temporalio.exceptions import ApplicationError

_LONGEST_MESSAGE_CHARS = 10_000


def failure(
    error: BaseException,
    message: str,
    *,
    kind: str,
    retryable: bool,
    delay: timedelta | None = None,
) -> ApplicationError:
    """A failure of that kind, its durable type, with the stack trace of the error, to be raised `from None`.

    The error itself is not to be its cause: a text that is too long, or no valid Unicode, could not be sent, and the
    call would look like one whose worker died.
    """
    text = message.encode(errors="replace").decode()
    if len(text) > _LONGEST_MESSAGE_CHARS:
        text = text[:_LONGEST_MESSAGE_CHARS] + "… (cut)"
    made = ApplicationError(text, type=kind, non_retryable=not retryable, next_retry_delay=delay)
    return made.with_traceback(error.__traceback__)
