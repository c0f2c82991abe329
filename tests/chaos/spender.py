"""A worker of random trees with budgets that kills itself with SIGKILL at a random moment.

Run as `python -m tests.chaos.spender ADDRESS TASK_QUEUE DIRECTORY SEED`. What its provider billed stands in the
directory afterwards, written before the answer is out.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

from temporalio import worker, workflow
from temporalio.client import Client

from sostenuto import App
from sostenuto.connection.connect import connect
from sostenuto.workers.worker import build_worker
from tests.chaos.victim import die, record
from tests.fakes.budget_trees import Provider, look

BILL = "bill"
MOMENTS = ("asked", "billed", "answered", "commanded")
"""When it may die: a request has reached the provider; it is billed; an activity has its answer in hand; a workflow
task is about to issue a command."""
_MOST = 12
"""It dies when such a moment has come so often at most."""


class Fate:
    """When a worker dies.

    Args:
        directory: Where its death is recorded.
        seed: Decides. None: it never does.
    """

    def __init__(self, directory: Path, seed: int | None) -> None:
        chance = random.Random(seed)
        self._directory = directory
        self._moment = "" if seed is None else chance.choice(MOMENTS)
        self._left = chance.randint(1, _MOST)

    def at(self, moment: str) -> None:
        """Die, if this is the time."""
        if moment == self._moment:
            self._left -= 1
            if self._left == 0:
                die(self._directory)


class Mortal(worker.Interceptor):
    """Lets a fate know of answers and commands."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Answers(next, self._fate)

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        fate = self._fate

        class Inbound(worker.WorkflowInboundInterceptor):
            def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
                super().init(_Commands(outbound, fate))

        return Inbound


class _Answers(worker.ActivityInboundInterceptor):
    def __init__(self, inner: worker.ActivityInboundInterceptor, fate: Fate) -> None:
        super().__init__(inner)
        self._fate = fate

    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        answer = await super().execute_activity(input)
        self._fate.at("answered")
        return answer


class _Commands(worker.WorkflowOutboundInterceptor):
    def __init__(self, inner: worker.WorkflowOutboundInterceptor, fate: Fate) -> None:
        super().__init__(inner)
        self._fate = fate

    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        self._fate.at("commanded")
        return super().start_activity(input)

    async def start_child_workflow(
        self, input: worker.StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        self._fate.at("commanded")
        return await super().start_child_workflow(input)

    async def signal_external_workflow(self, input: worker.SignalExternalWorkflowInput) -> None:
        self._fate.at("commanded")
        await super().signal_external_workflow(input)

    def continue_as_new(self, input: worker.ContinueAsNewInput) -> Any:
        self._fate.at("commanded")
        return super().continue_as_new(input)


def spending_worker(client: Client, task_queue: str, directory: Path, seed: int | None) -> worker.Worker:
    """A worker that dies as its seed says, or never."""
    fate = Fate(directory, seed)
    provider = Provider(lambda run, usd: record(directory, BILL, run=run, usd=usd), fate.at, seed or 0)
    return build_worker(
        client,
        App(tools=[look]),
        {"scripted": provider},
        lambda *_: 0.0,
        task_queue=task_queue,
        interceptors=[Mortal(fate)],
    )


async def main(address: str, task_queue: str, directory: Path, seed: int) -> None:
    """Serve until killed."""
    await spending_worker(await connect(address), task_queue, directory, seed).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))
