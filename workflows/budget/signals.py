"""Sends signals from one workflow to another, and does what nothing waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from temporalio import workflow

from ...contracts.contract import Contract


async def send_signal(workflow_id: str, signal: str, message: Contract) -> None:
    """Send a signal, and return once it is taken.

    A cancel that comes meanwhile is raised: the SDK would swallow it.

    Raises:
        temporalio.exceptions.FailureError: There is no such workflow, or it has ended.
    """
    sending = asyncio.create_task(workflow.get_external_workflow_handle(workflow_id).signal(signal, message))
    await workflow.wait([sending])
    sending.result()


def in_background(work: Coroutine[Any, Any, None]) -> None:
    """Do work that nothing waits for, and that may end with the workflow."""
    # The event loop of a workflow keeps its tasks, unlike Python's own.
    asyncio.create_task(work).add_done_callback(_ended)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        workflow.logger.error("what nothing waits for failed: %s", error, exc_info=error)
