"""Has the workflow of a scope make a change, or tell something.

It is started where it does not run.

Must not know what is asked.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from temporalio.api.enums.v1 import PendingWorkflowTaskState
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from ...contracts import names
from ...contracts.contract import Contract
from ...contracts.memory.long_term import memory_workflow_id
from ...contracts.text import shorten
from ...contracts.wire.memory.record import MemoryPlace
from ..dropped_update import is_dropped

SaidOfT = TypeVar("SaidOfT", bound=Contract)

_OVER: Final = ("already completed", "closing", "completed before")
"""In what the server says of a workflow that has ended, or ends just now: the next one takes it."""
_AT_WORK: Final = "the workflow of these memories is at work on others"
_FIRST_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 1.0

_LONGEST_LIFE: Final = timedelta(hours=1)
"""After so long the workflow of a scope is ended, which has taken nothing more for most of it: one that was started
where no worker is must not keep others waiting for ever."""

_UNSERVED: Final = timedelta(seconds=5)
"""A step of it that no worker has taken for so long waits for one."""


async def ask_scope(
    temporal: Client,
    place: MemoryPlace,
    update: str,
    said: Contract,
    came: type[SaidOfT],
    *,
    task_queue: str,
    task_timeout: timedelta,
    update_id: str,
) -> SaidOfT:
    """Return what the workflow of a scope comes to with an update, once it is done.

    A server lets ten updates of a workflow be under way; more of them wait here. Sent again under the same id it is
    done once.

    Raises:
        WorkflowUpdateFailedError: It cannot be done; its cause says why.
        WorkflowUpdateRPCTimeoutOrCancelledError: There is no answer.
        RPCError: What the server says.
    """

    async def send() -> SaidOfT:
        starting = _starting(place, task_queue, task_timeout)
        # The SDK tells whoever asks for the workflow why it was not started; where nobody does, Python logs it.
        started = asyncio.ensure_future(starting.workflow_handle())
        try:
            sent = await temporal.start_update_with_start_workflow(
                update,
                said,
                start_workflow_operation=starting,
                wait_for_stage=WorkflowUpdateStage.COMPLETED,
                id=update_id,
                result_type=came,
            )
            found: SaidOfT = await sent.result()
            return found
        finally:
            started.cancel()
            await asyncio.wait([started])

    return await _repeated(send)


def _starting(place: MemoryPlace, task_queue: str, task_timeout: timedelta) -> WithStartWorkflowOperation[Any, Any]:
    return WithStartWorkflowOperation(
        names.MEMORY_WORKFLOW,
        place,
        id=memory_workflow_id(place.collection, place.scope),
        task_queue=task_queue,
        task_timeout=task_timeout,
        execution_timeout=_LONGEST_LIFE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        static_summary=shorten(f"memories of {place.scope} in {place.collection}", 200),
    )


async def why_silent(temporal: Client, place: MemoryPlace) -> str:
    """Return why the workflow of a scope has not answered yet."""
    workflow_id = memory_workflow_id(place.collection, place.scope)
    try:
        described = await temporal.get_workflow_handle(workflow_id).describe(rpc_timeout=_UNSERVED)
    except RPCError:
        return _AT_WORK
    step = described.raw_description.pending_workflow_task
    is_taken = step.state != PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
    if is_taken or datetime.now(UTC) - step.scheduled_time.ToDatetime(UTC) < _UNSERVED:
        return _AT_WORK
    return f"the workflow of these memories, {workflow_id}, waits for a worker of task queue {described.task_queue!r}"


async def _repeated(send: Callable[[], Awaitable[SaidOfT]]) -> SaidOfT:
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await send()
        except WorkflowUpdateFailedError as error:
            if not _comes_late(error):
                raise
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            if isinstance(error.__cause__, asyncio.CancelledError):
                # The SDK tells a cancel of ours, and the end of our patience, as an error of its own.
                raise error.__cause__ from None
            raise
        except RPCError as error:
            if not is_dropped(error) and not any(words in error.message for words in _OVER):
                raise
        # Those that were refused together do not come again together.
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _comes_late(error: WorkflowUpdateFailedError) -> bool:
    """Return whether a workflow took no more updates, or ended before it was done."""
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        return False
    return cause.type == names.MEMORY_CLOSES or any(words in (cause.message or "") for words in _OVER)
