"""Random trees that spend from ledgers: never more together, by the provider's own bill."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sostenuto import App, Client, Ledger, Result
from sostenuto.workflows import policy
from tests.fakes.budget_trees import Provider, Trees, look
from tests.fakes.ledgers import nothing_held

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve
    from tests.integration.ledgers.conftest import ReadLedger

RUNS = 16
LIMIT = 0.5


async def test_no_trees_spend_more_together_than_their_ledgers_allow(
    serve: Serve, read: ReadLedger, ledger_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "pause_after", lambda _: timedelta(seconds=0.1))
    bills: Counter[str] = Counter()
    whole, part = Ledger(ledger_name, usd=LIMIT), Ledger(f"{ledger_name}/hour", usd=LIMIT / 4, tokens=10**6)

    def bill(run: str, usd: float) -> None:
        bills[run] += usd  # type: ignore[assignment]

    async with serve(App(tools=[look]), Provider(bill)) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue)

        async def come_to(trees: Trees) -> Result:
            run = await client.start(trees.tree(2), "Go. " * 20, budget=trees.whole())
            return await run.result()

        trees = [Trees(number, [whole, part]) for number in range(RUNS)]
        results = await asyncio.gather(*map(come_to, trees))
        of_all, of_part = await read(whole.name), await read(part.name)
    told = [one.problem(bills[one.run], result) for one, result in zip(trees, results, strict=True)]
    assert not [*filter(None, told)], "\n".join(filter(None, told))
    charged = sum(one.cost_usd + (one.unsettled.usd if one.unsettled else 0.0) for one in results)
    assert of_all.spent.usd == pytest.approx(charged)
    assert sum(bills.values()) <= charged + 1e-9
    assert 0 < of_all.spent.usd <= LIMIT + 1e-9
    assert 0 < of_part.spent.usd <= LIMIT / 4 + 1e-9
    assert nothing_held(of_all)
    assert nothing_held(of_part)
