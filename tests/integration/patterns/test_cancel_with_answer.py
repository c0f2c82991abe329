"""A cancel that reaches a run together with a model's answer does not lose the answer, which was paid for.

How often the two come together depends on the machine, so runs are cancelled until that was seen a few times. The SDK
itself drops an activity's end that comes together with a cancel.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from temporalio.service import RPCError

from sostenuto import App, Status
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import PRICE_USD
from tests.integration.patterns.conftest import agent

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Serve

_MOST_RUNS = 80
_WANTED = 2


async def test_a_cancel_together_with_an_answer(serve: Serve) -> None:
    seen = 0
    runnable = agent("a")
    async with serve(App(runnable), {"a": "answered"}) as stage:
        for attempt in range(_MOST_RUNS):
            run = await stage.start(runnable)
            await asyncio.sleep(0.001 * (attempt % 16))
            with suppress(RPCError):  # it may be over
                await stage.temporal.get_workflow_handle(run.id).cancel()
            outcome = await stage.outcome(run)
            answers = outcome.history.counts["activity_task_completed"]
            assert (outcome.result.turns, outcome.result.cost_usd) == (answers, answers * PRICE_USD)
            assert outcome.result.output == ("answered" if answers else None)
            seen += _came_together(outcome.history) and outcome.result.status is Status.CANCELLED
            if seen == _WANTED:
                return
    raise AssertionError(f"in {_MOST_RUNS} runs a cancel came together with an answer {seen} times: try other moments")


def _came_together(history: Recorded) -> bool:
    return bool(history.counts["activity_task_completed"] and history.counts["workflow_execution_cancel_requested"])
