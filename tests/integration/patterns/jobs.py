"""A workflow of jobs that end in every way. Loaded into the sandbox, so imports little."""

from __future__ import annotations

import asyncio

from temporalio import workflow

from sostenuto import Result, SpecError, Status
from sostenuto.workflows.concurrency import Job, first_completed, run_together


def _done(output: str) -> Job:
    async def work() -> Result:
        return Result(status=Status.COMPLETED, output=output)

    return work


def _raises(error: BaseException) -> Job:
    async def work() -> Result:
        raise error

    return work


async def _waits() -> Result:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


@workflow.defn
class Jobs:
    """Jobs at once, of which some break."""

    @workflow.run
    async def run(self) -> list[str]:
        """How each ended, first all and then the first."""
        broken = [_raises(KeyError("k")), _raises(SpecError("wrong")), _raises(asyncio.CancelledError())]
        ended = await run_together([*broken, _done("a")], limit=2)
        winner, raced = await first_completed([*broken, _waits, _done("b")], None, lambda: None)
        return [*(f"{one.status}: {one.reason or one.output}" for one in (*ended, *raced)), str(winner)]
