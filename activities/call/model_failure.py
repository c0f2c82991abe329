"""Says of a model call that failed whether it is tried again, and when."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ...contracts.errors import ModelError, Overloaded, RateLimited
from ...contracts.model import Model
from ...contracts.wire.model_call import CallEnd
from .failure import failure

_LONGEST_DELAY = timedelta(minutes=1)
_MOST_PAID = 3
"""So many attempts may break off in the middle of an answer, each of which is paid for."""


def model_failure(
    error: ModelError, model: Model, took: timedelta, paid: int, *, fallback_left: bool
) -> ApplicationError:
    """Return the failure of a model call.

    It says whether and when another attempt is made.

    Args:
        error: What went wrong.
        model: Who was called.
        took: How long this attempt took.
        paid: How many attempts broke off in the middle of an answer.
        fallback_left: Whether another model can be asked.
    """
    attempt = activity.info().attempt
    delay = error.retry_after
    is_busy = isinstance(error, RateLimited | Overloaded)
    # Where nobody else can be asked, who is busy is left alone for longer.
    power = attempt if is_busy and not fallback_left else attempt - 1
    pause = delay or min(timedelta(seconds=2.0 ** min(power, 10)), _LONGEST_DELAY)
    delay = pause if is_busy else delay
    final = error.most_attempts is not None and attempt >= error.most_attempts
    final = final or (error.paid and paid >= _MOST_PAID)
    used_up = model.retries is not None and attempt > model.retries
    too_long = fallback_left and _waited() + took + pause > model.fallback_after
    return failure(
        error,
        f"{model.name}: {error}",
        kind=type(error).__name__,
        retryable=error.retryable and not (too_long or final or used_up),
        delay=delay,
    )


def after_answer(error: ModelError) -> ModelError:
    """Return an error of a call that was answered, and so is paid for."""
    error.answered = True
    return error


def under_budget(error: ModelError, failed: ApplicationError) -> ApplicationError:
    """Return the failure of a call whose cost is limited.

    It is the last of its activity, unless it certainly cost nothing: the workflow charges it, and makes the next one.
    """
    again = not failed.non_retryable
    told = CallEnd(free=error.is_free, again=again).model_dump(mode="json")
    return failure(
        error,
        failed.message,
        kind=failed.type or type(error).__name__,
        retryable=again and error.is_free,
        delay=failed.next_retry_delay,
        details=(told,),
    )


def _waited() -> timedelta:
    """Return the time from the first attempt to this one, by the server's clock alone."""
    info = activity.info()
    return info.current_attempt_scheduled_time - info.scheduled_time
