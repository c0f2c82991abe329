"""A worker of an agent that remembers, which kills itself with SIGKILL at one exact point of a turn.

Run as `python -m tests.chaos.remembering ADDRESS TASK_QUEUE DIRECTORY POINT`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import worker, workflow
from temporalio.client import Client

from sostenuto import Agent, App, Collection, LongTerm
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.knowledge.store.vector_store import Point, Where
from sostenuto.connection.connect import connect
from sostenuto.contracts import names
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from tests.chaos.victim import die
from tests.fakes.knowledge import WORDS, knowledge
from tests.patience import VICTIM_HEARTBEAT_SECONDS

PEOPLE = Collection("people", embedding=WORDS)
AGENT = Agent(name="assistant", model="scripted/m", long_term=LongTerm(PEOPLE))
SAID = "I moved to Berlin and I like tea"
BEFORE = "I live in Rome"

STEPS = (
    names.MEMORY_RECALL_ACTIVITY,
    names.MODEL_ACTIVITY,
    names.MEMORY_WRITE_ACTIVITY,
    names.MEMORY_APPLY_ACTIVITY,
)
POINTS = (
    *(f"{moment}:{step}" for step in STEPS for moment in ("before", "after")),
    *(f"{moment}:upsert-{number}" for number in (1, 2) for moment in ("before", "after")),
    *(f"{moment}:set_payload-1" for moment in ("before", "after")),
    *(f"task:{number}" for number in range(1, 5)),
)
"""Every point at which it can die: around each activity of the turn and of the workflow of its scope, around each write
to the store, and in a workflow task, about to issue its n-th command."""


class DeadlyMemory(EdgeStore):
    """A store whose process dies around one of its writes."""

    def __init__(self, directory: Path, point: str) -> None:
        super().__init__(directory / "store")
        self._records = directory
        self._point = point
        self._writes: dict[str, int] = {}

    async def upsert(self, name: str, points: Sequence[Point]) -> None:
        """Store points, and die where it is time to."""
        number = self._reached("upsert")
        await super().upsert(name, points)
        self._left("upsert", number)

    async def set_payload(self, name: str, where: Sequence[Where], values: Mapping[str, Any]) -> None:
        """Set values, and die where it is time to."""
        number = self._reached("set_payload")
        await super().set_payload(name, where, values)
        self._left("set_payload", number)

    def _reached(self, method: str) -> int:
        self._writes[method] = self._writes.get(method, 0) + 1
        if self._point == f"before:{method}-{self._writes[method]}":
            die(self._records)
        return self._writes[method]

    def _left(self, method: str, number: int) -> None:
        if self._point == f"after:{method}-{number}":
            die(self._records)


class DeadlySteps(worker.Interceptor):
    """Kills the worker around an activity, or in a workflow task."""

    def __init__(self, directory: Path, point: str) -> None:
        self._directory = directory
        self._point = point
        _Outbound.directory = directory
        _Outbound.deadly = int(point.removeprefix("task:")) if point.startswith("task:") else 0

    def intercept_activity(
        self,
        next: worker.ActivityInboundInterceptor,  # noqa: A002 - as the SDK calls it
    ) -> worker.ActivityInboundInterceptor:
        return _Activities(next, self._directory, self._point)

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        return _Inbound


class _Activities(worker.ActivityInboundInterceptor):
    def __init__(self, inner: worker.ActivityInboundInterceptor, directory: Path, point: str) -> None:
        super().__init__(inner)
        self._directory = directory
        self._point = point

    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        name = getattr(input.fn, "__temporal_activity_definition").name
        if self._point == f"before:{name}":
            die(self._directory)
        result = await super().execute_activity(input)
        if self._point == f"after:{name}":
            die(self._directory)
        return result


class _Outbound(worker.WorkflowOutboundInterceptor):
    commands = 0
    deadly = 0
    directory = Path()

    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        _Outbound.commands += 1
        if _Outbound.commands == _Outbound.deadly:
            die(_Outbound.directory)
        return super().start_activity(input)


class _Inbound(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


async def start_victim(temporal: Client, task_queue: str, directory: Path, point: str) -> asyncio.subprocess.Process:
    """A process that serves the agent and dies at the point."""
    address = temporal.service_client.config.target_host
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.remembering", address, task_queue, str(directory), point
    )


async def main(address: str, task_queue: str, directory: Path, point: str) -> None:
    """Serve the agent until killed."""
    policy.HEARTBEAT_TIMEOUT = timedelta(seconds=VICTIM_HEARTBEAT_SECONDS)  # type: ignore[misc]
    client = await connect(address)
    store = DeadlyMemory(directory, point)
    async with knowledge(directory / "store", store=store) as services:
        victim = build_worker(
            client,
            App(AGENT),
            {"scripted": ScriptedAdapter([{"text": "Noted."}])},
            lambda *_: 0.0,
            task_queue=task_queue,
            services=services,
            interceptors=[DeadlySteps(directory, point)],
        )
        await victim.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
