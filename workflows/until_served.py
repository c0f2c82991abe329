"""Hands a call that its worker could not begin to another one.

During a deploy, old and new workers share a queue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from ..contracts import names
from ..contracts.text import first_line
from . import policy
from .concurrency import being_cancelled, cause_of
from .payload_limits import why_full

T = TypeVar("T")


async def until_served(start: Callable[[int], Awaitable[T]], patience: timedelta | None = None) -> T:
    """Make a call, again while the worker that got it cannot; return its result.

    A call that has not begun may be made by any worker, whatever it does when it is repeated.

    Args:
        start: Makes the call; it is told how many workers could not.
        patience: After pauses of so long together nobody serves it. Default: after all of them.

    Raises:
        FailureError: Of the call; after `policy.NOT_SERVED_PAUSES` also that no worker could make it.
    """
    waited = timedelta(0)
    for refused, pause in enumerate(policy.NOT_SERVED_PAUSES):
        try:
            return await start(refused)
        except FailureError as error:
            # A cancel may have come meanwhile, which calls that are waited for swallow.
            if not is_not_served(error) or being_cancelled() or why_full():
                raise
        waited += pause
        if patience is not None and waited > patience:
            break
        if pause:
            await workflow.sleep(pause)
    return await start(len(policy.NOT_SERVED_PAUSES))


async def served(
    activity: Callable[..., Awaitable[T]],
    *arguments: Any,
    summary: str,
    options: policy.ActivityPolicy,
    activity_id: str | None = None,
) -> T:
    """Do a repeatable activity, by whichever worker can; return its result.

    Args:
        activity: A method of a class of activities.
        arguments: Of the activity.
        summary: For the Temporal UI, which shows its first 80 characters.
        options: Its timeouts and retries.
        activity_id: Its durable identity. Default: the SDK's.

    Raises:
        FailureError: As `until_served`.
    """

    async def start(refused: int) -> T:  # noqa: ARG001 - each try is the same
        return await workflow.start_activity_method(
            activity, args=arguments, activity_id=activity_id, summary=first_line(summary, 80), **options
        )

    return await until_served(start)


def is_not_served(error: BaseException) -> bool:
    """Return whether a call has not begun, as its worker lacks what it takes."""
    cause = cause_of(error)
    return isinstance(cause, ApplicationError) and cause.type == names.NOT_SERVED
