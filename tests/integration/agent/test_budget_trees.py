"""Random trees, prices, budgets and faults: nothing is spent beyond a limit, by the provider's own bill."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Client
from sostenuto.workflows import policy
from tests.fakes.budget_trees import Provider, Trees, look

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

RUNS = 16


@pytest.mark.parametrize("goes_on", [False, True], ids=["whole", "continued"])
async def test_no_tree_spends_more_than_it_may(
    serve: Serve, impatient: TemporalClient, monkeypatch: pytest.MonkeyPatch, *, goes_on: bool
) -> None:
    """Nor where its agents continue as new after a few turns."""
    monkeypatch.setattr(policy, "pause_after", lambda _: timedelta(seconds=0.1))
    bills: Counter[str] = Counter()
    requests, ends = 0, Counter[str]()

    def bill(run: str, usd: float) -> None:
        bills[run] += usd  # type: ignore[assignment]

    def count(moment: str) -> None:
        nonlocal requests
        requests += moment == "asked"

    async with serve(App(tools=[look]), Provider(bill, count), **({"temporal": impatient} if goes_on else {})) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue)

        async def check(number: int) -> str:
            trees = Trees(number)
            run = await client.start(trees.tree(2), "Go. " * 20, budget=trees.whole())
            result = await run.result()
            ends[result.status] += 1
            return trees.problem(bills[trees.run], result)

        problems = [*filter(None, await asyncio.gather(*map(check, range(RUNS))))]
    assert not problems, "\n".join(problems)
    assert requests > RUNS
    assert ends["exhausted"] > 0
    assert ends["completed"] > 0
