"""Several things at once: what one of them does, were it to break, loses nothing of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.client import Client as TemporalClient

from sostenuto import App
from tests.integration.patterns.jobs import Jobs

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Serve


async def test_jobs_that_break(serve: Serve, temporal: TemporalClient, task_queue: str) -> None:
    async with serve(App(workflows=[Jobs]), {}):
        ended = await temporal.execute_workflow(Jobs.run, id=task_queue, task_queue=task_queue)
    broken = ["failed: internal error: KeyError: 'k'", "failed: wrong", "cancelled: not started: the run was cancelled"]
    never = "cancelled: not started: the run was cancelled"
    assert ended == [*broken, "completed: a", *broken, never, "completed: b", "4"]
