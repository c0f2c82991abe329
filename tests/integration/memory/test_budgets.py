"""However prompts are shortened, nothing is spent beyond a limit, by the provider's own bill."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Budget, Client, Finish, Shorten, Stop
from sostenuto.workflows import policy
from tests.fakes.budget_trees import Provider, Trees, look
from tests.integration.memory.steps import compactions, prove, told

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

RUNS = 8
LAST: list[list[Any]] = [[Shorten(), Finish()], [Stop()]]


@pytest.mark.parametrize(("goes_on", "cached_runs"), [(False, 0), (True, 100)], ids=["whole", "continued"])
async def test_no_conversation_spends_more_than_it_may(
    serve: Serve, impatient: TemporalClient, monkeypatch: pytest.MonkeyPatch, *, goes_on: bool
) -> None:
    """Nor where its agent continues as new after a few turns, or its provider breaks off time and again."""
    monkeypatch.setattr(policy, "pause_after", lambda _: timedelta(seconds=0.1))
    bills: Counter[str] = Counter()
    ends, strategies, proven = Counter[str](), Counter[str](), Counter[str]()

    def bill(run: str, usd: float) -> None:
        bills[run] += usd  # type: ignore[assignment]

    provider = Provider(bill, seed=5, calls=0.97)
    async with serve(App(tools=[look]), provider, **({"temporal": impatient} if goes_on else {})) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue)

        async def check(number: int) -> str:
            trees = Trees(number)
            trees.limit = (0.02, 0.2, 4.0)[number % 3]
            budget = Budget(usd=trees.limit, on_exhausted=LAST[number % 2])
            run = await client.start(trees.walker(), "Go. " * 20, budget=budget)
            result = await run.result()
            ends[result.status] += 1
            strategies.update(step.strategy for step in compactions(await told(run)))
            proven[run.id] = await prove(run)
            return trees.problem(bills[trees.run], result)

        problems = [*filter(None, await asyncio.gather(*map(check, range(RUNS))))]
    assert not problems, "\n".join(problems)
    assert ends["exhausted"] > 0
    assert sum(proven.values()) > 4 * RUNS, "every prompt is proven"
    assert strategies["summary"] > 0
    assert strategies["window"] > 0
