"""Several things at once, deterministically, with a limit, and with everything that they came to when cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

from ..contracts.errors import SpecError
from ..contracts.wire.run import Result, Status

T = TypeVar("T")

Job = Callable[[], Awaitable[Result]]

_MOMENTS = 5
"""Turns of the event loop that an end which is there takes to end its handle."""

CANCELLED = Result(status=Status.CANCELLED, reason="not started: the run was cancelled")
"""What becomes of something that a cancel came before."""


def being_cancelled() -> bool:
    """Whether somebody wants the current task to stop, also where what it waited for came to an end all the same."""
    task = asyncio.current_task()
    return bool(task and task.cancelling())


async def came_to(operation: asyncio.Task[T]) -> T:
    """What a model call or a nested run comes to. A cancel is handed on to it, and its end is waited for."""
    while not operation.done():
        try:
            await workflow.wait([operation])
        except asyncio.CancelledError:
            cancel(operation)
    return operation.result()


def cancel(operation: asyncio.Task[T], moments: int = _MOMENTS) -> None:
    """Cancel a model call or a nested run, unless its end came together with the cancel: the SDK would drop it."""
    if moments and not operation.done():
        asyncio.get_running_loop().call_soon(cancel, operation, moments - 1)
    elif not operation.done():
        operation.cancel()


def ended_by(error: BaseException) -> Result:
    """What becomes of something that raised.

    Raises:
        BaseException: The error, where it is none, such as the wish to continue as new.
    """
    if isinstance(error, SpecError):
        return Result(status=Status.FAILED, reason=str(error))
    if is_cancelled_exception(error):
        return Result(status=Status.CANCELLED, reason="the run was cancelled")
    if isinstance(error, Exception):
        return Result(status=Status.FAILED, reason=f"internal error: {type(error).__name__}: {error}")
    raise error


async def together(jobs: Iterable[Job], limit: int | None = None) -> list[Result]:
    """The results of all jobs, in their order.

    A cancel cancels each of them and waits for what they come to, so nothing that was done is lost.

    Args:
        jobs: What to do. A job that is cancelled comes to a result of its own.
        limit: Most jobs at once. None: all.
    """
    tasks = start(jobs, limit)
    await settled(tasks)
    return [_result(task) for task in tasks]


async def first_completed(jobs: Iterable[Job], limit: int | None = None) -> tuple[int | None, list[Result]]:
    """The index of the first job that completes, and what all came to; the others are cancelled as soon as one has."""
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
    for task in waiting:
        task.cancel()
    await settled(tasks)
    return winner, [_result(task) for task in tasks]


def start(jobs: Iterable[Job], limit: int | None) -> list[asyncio.Task[Result]]:
    """Tasks of the jobs, of which so many run at once."""
    gate = asyncio.Semaphore(limit) if limit else None
    return [asyncio.create_task(_gated(job, gate)) for job in jobs]


async def settled(tasks: list[asyncio.Task[Result]]) -> None:
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
        return ended_by(error)


def _result(task: asyncio.Task[Result]) -> Result:
    # A task that is cancelled before its first step never gets as far as a result of its own.
    return CANCELLED if task.cancelled() else task.result()


def _completed(task: asyncio.Task[Result]) -> bool:
    return _result(task).status is Status.COMPLETED
