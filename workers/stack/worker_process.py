"""A worker in a child process: neither its crash nor a tool's ends anything else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from ...contracts.errors import SetupError
from .process import ChildProcess, ProcessGroup

_READY_SECONDS: Final = 60.0


async def start_worker_process(
    group: ProcessGroup,
    app: str,
    client: Client,
    task_queue: str,
    *,
    log: Path,
    env: Mapping[str, str],
    reload: bool = False,
) -> ChildProcess:
    """Start `sostenuto worker APP` and return once it takes tasks.

    Args:
        group: Ends the worker when its own context ends.
        app: `module:app`, or a path in place of the module.
        client: Connected to the server and namespace that `env` names.
        task_queue: What `env` makes the worker poll.
        log: File for what the worker writes.
        env: The worker's whole environment.
        reload: Whether it begins anew when a file of its project changes.

    Raises:
        SetupError: It ended, or took no task in time; with the end of what it wrote.
    """
    command = [sys.executable, "-m", "sostenuto", "worker", app, *(["--reload"] if reload else [])]
    child = await group.start("the worker", command, log=log, env=env)
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                if child.status is not None:
                    # Not the status: what the worker says is meant for the person, and it says it in one line.
                    raise SetupError(f"the worker ended while starting: {child.last_words() or f'see {log}'}")
                if await _polls(client, task_queue, child.pid):
                    return child
                await asyncio.sleep(0.05)
    except TimeoutError:
        await child.stop()
        raise SetupError(f"the worker took no task within {_READY_SECONDS:.0f} s: see {log}") from None


async def _polls(client: Client, task_queue: str, pid: int) -> bool:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        described = await client.workflow_service.describe_task_queue(request)
    except RPCError:
        return False
    return any(poller.identity.startswith(f"{pid}@") for poller in described.pollers)
