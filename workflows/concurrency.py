"""Runs several things at once, deterministically, up to a limit.

A cancel loses nothing: it is handed on, and what each comes to is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as ActivityTimeoutError

from ..contracts import names
from ..contracts.errors import SpecError
from ..contracts.wire.model_call import CallEnd
from ..contracts.wire.run import THE_RUN_WAS_CANCELLED, Result, Status
from ..contracts.wire.totals import SPENT, Totals

T = TypeVar("T")

Job = Callable[[], Awaitable[Result]]

_MOMENTS = 5
"""Turns of the event loop to wait before cancelling, so that a result that came with the cancel is kept."""

CANCELLED = Result(status=Status.CANCELLED, reason="not started: the run was cancelled")
"""Result of what was cancelled before it started."""


def own_workflow() -> Callable[[], bool]:
    """Return what says whether the workflow that calls this is at work.

    What waits in one that its worker forgets is taken apart whenever Python likes, also while another one is at work:
    nothing that comes after a wait may be sent then.
    """
    run_id = workflow.info().run_id if workflow.in_workflow() else ""

    def is_at_work() -> bool:
        try:
            return workflow.in_workflow() and workflow.info().run_id == run_id
        except AttributeError:
            # What is dropped may be swept up while the SDK makes another workflow, which tells nothing yet.
            return False

    return is_at_work


def being_cancelled() -> bool:
    """Return whether this task is to stop, even if what it awaited has ended."""
    task = asyncio.current_task()
    return bool(task and task.cancelling())


async def outcome_of(operation: asyncio.Task[T], reason: Callable[[], str] = str) -> T:
    """Wait for a model call or a nested run; hand a cancel on and wait for its end.

    Args:
        operation: The call, or the run.
        reason: Returns why a nested run is cancelled.
    """
    while not operation.done():
        try:
            await workflow.wait([operation])
        except asyncio.CancelledError:
            cancel(operation, reason())
    return operation.result()


def cancel(operation: asyncio.Task[T], reason: str = "", moments: int = _MOMENTS) -> None:
    """Cancel a model call or a nested run, unless its end came with the cancel.

    The SDK would drop an end that is already there. A nested run is told the reason.
    """
    if moments and not operation.done():
        asyncio.get_running_loop().call_soon(cancel, operation, reason, moments - 1)
    elif not operation.done():
        operation.cancel(reason or None)


def cause_of(error: BaseException) -> BaseException | None:
    """Return what failed in an activity: a local one's failure comes as it is."""
    return error.cause if isinstance(error, ActivityError) else error


def told_by(error: BaseException) -> str:
    """Return in words what failed in an activity.

    Without the type that the SDK puts before it.
    """
    cause = cause_of(error)
    return cause.message if isinstance(cause, ApplicationError) else str(cause)


def spent_by(error: BaseException) -> Totals:
    """Return what an activity has spent that failed, as far as it says so.

    One whose worker died or that took too long has said so in its last heartbeat.
    """
    cause = cause_of(error)
    details: Sequence[Any] = cause.details if isinstance(cause, ApplicationError) else ()
    if isinstance(cause, ActivityTimeoutError):
        details = [beat.get(SPENT) for beat in cause.last_heartbeat_details[:1] if isinstance(beat, dict)]
    try:
        return Totals.model_validate(details[0]) if details and details[0] else Totals()
    except ValueError:  # what another one tells
        return Totals()


def was_cut_off(error: BaseException) -> bool:
    """Return whether an attempt ended with its worker, or for want of time.

    Nobody knows what it cost.
    """
    cause = cause_of(error)
    stopped = isinstance(cause, ApplicationError) and cause.type == names.WORKER_SHUTDOWN
    return stopped or isinstance(cause, ActivityTimeoutError)


def end_of(error: BaseException) -> CallEnd:
    """Return how a model call under a budget ended that failed.

    Of one whose worker died or that took too long nobody knows what it cost, and another attempt may help.
    """
    cause = cause_of(error)
    if was_cut_off(error):
        return CallEnd(again=True)
    if not isinstance(cause, ApplicationError):
        return CallEnd()
    if cause.type == names.NOT_SERVED:
        return CallEnd(free=True)
    try:
        return CallEnd.model_validate(cause.details[0]) if cause.details else CallEnd()
    except ValueError:  # of another version
        return CallEnd()


def result_of_error(error: BaseException) -> Result:
    """Return the result of something that raised.

    Raises:
        BaseException: The error itself, where it ends nothing, such as the wish to continue as new.
    """
    if isinstance(error, SpecError):
        return Result(status=Status.FAILED, reason=str(error))
    if is_cancelled_exception(error):
        return Result(status=Status.CANCELLED, reason=THE_RUN_WAS_CANCELLED)
    if isinstance(error, Exception):
        return Result(status=Status.FAILED, reason=f"internal error: {type(error).__name__}: {error}")
    raise error


async def run_together(jobs: Iterable[Job], limit: int | None = None) -> list[Result]:
    """Do all jobs and return their results, in their order.

    A cancel cancels each of them and waits for what they come to, so nothing that was done is lost.

    Args:
        jobs: What to do. A job that is cancelled comes to a result of its own.
        limit: Most jobs at once. None: all.
    """
    tasks = start(jobs, limit)
    await settle(tasks)
    return [_result(task) for task in tasks]


async def first_completed(
    jobs: Iterable[Job], limit: int | None, decided: Callable[[], None]
) -> tuple[int | None, list[Result]]:
    """Do jobs until one completes, then cancel the others.

    Returns the index of the first that completed, if any, and what all of them came to.

    Args:
        jobs: As for `run_together`.
        limit: As for `run_together`.
        decided: Called once one has completed, before the others are cancelled.
    """
    tasks = start(jobs, limit)
    winner: int | None = None
    waiting = list(tasks)
    while waiting and winner is None and not being_cancelled():
        try:
            await workflow.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            break
        completed = (index for index, task in enumerate(tasks) if task.done() and _completed(task))
        winner = next(completed, None)
        waiting = [task for task in waiting if not task.done()]
    if winner is not None:
        decided()
    for task in waiting:
        task.cancel()
    await settle(tasks)
    return winner, [_result(task) for task in tasks]


def start(jobs: Iterable[Job], limit: int | None) -> list[asyncio.Task[Result]]:
    """Start the jobs as tasks, of which so many run at once."""
    gate = asyncio.Semaphore(limit) if limit else None
    return [asyncio.create_task(_gated(job, gate)) for job in jobs]


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Do work to its end, whatever cancel comes meanwhile: that is taken in after it."""
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await workflow.wait([task])
        except asyncio.CancelledError:
            continue
    return task.result()


async def settle(tasks: list[asyncio.Task[Result]]) -> None:
    """Wait until all tasks are done; a cancel is handed on to them."""
    waiting = list(tasks)
    while waiting:
        try:
            await workflow.wait(waiting)
        except asyncio.CancelledError:
            for task in waiting:
                task.cancel()
        waiting = [task for task in waiting if not task.done()]


async def _gated(job: Job, gate: asyncio.Semaphore | None) -> Result:
    if gate is None:
        return await _started(job)
    try:
        await gate.acquire()
    except asyncio.CancelledError:
        return CANCELLED
    try:
        return await _started(job)
    finally:
        gate.release()


async def _started(job: Job) -> Result:
    if being_cancelled():
        return CANCELLED
    try:
        return await job()
    except Exception as error:  # noqa: BLE001 - a bug of ours must not lose what the others come to
        return result_of_error(error)


def _result(task: asyncio.Task[Result]) -> Result:
    # A task that is cancelled before its first step never gets as far as a result of its own.
    return CANCELLED if task.cancelled() else task.result()


def _completed(task: asyncio.Task[Result]) -> bool:
    return _result(task).status is Status.COMPLETED
