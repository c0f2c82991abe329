"""Workers of random trees with budgets die at random moments: nothing is spent beyond a limit, and every run ends.

`make test` tries a few trees; more:
`CHAOS_TREES=60 CHAOS_SEED=100 python -m pytest tests/chaos/test_budget_trees_killed.py`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client, Ledger, Result
from tests.chaos.spender import BILL, spending_worker
from tests.chaos.victim import recorded
from tests.fakes.budget_trees import Trees
from tests.fakes.ledgers import nothing_held
from tests.patience import PATIENCE_SECONDS

TREES = int(os.environ.get("CHAOS_TREES", "12"))
"""How many trees are at work at once."""
SEED = int(os.environ.get("CHAOS_SEED", "1"))
"""The first of their numbers, and of those by which workers die."""
DEATHS = 3
LIMIT = 0.5
"""US dollars of the ledger that they share."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


@pytest.mark.parametrize("have_ledger", [False, True], ids=["alone", "of a ledger"])
async def test_no_death_lets_a_tree_spend_more_than_it_may(
    temporal: TemporalClient, task_queue: str, tmp_path: Path, *, have_ledger: bool
) -> None:
    """By the bill of the provider, of killed attempts too; and what was held for them holds up nobody."""
    client = Client(temporal, task_queue=task_queue)
    ledgers = [Ledger(task_queue, usd=LIMIT), Ledger(f"{task_queue}/month", usd=LIMIT / 4)] if have_ledger else []
    trees = [Trees(number, ledgers) for number in range(SEED, SEED + TREES)]
    runs = [await client.start(one.tree(2), "Go. " * 20, budget=one.whole()) for one in trees]
    ended = asyncio.gather(*(run.result() for run in runs))
    for seed in range(SEED, SEED + DEATHS):
        await _until_it_dies(temporal, task_queue, tmp_path, seed, ended)
    async with spending_worker(temporal, task_queue, tmp_path, None), asyncio.timeout(PATIENCE_SECONDS):
        results: Sequence[Result] = await ended
        states = [await client.ledgers.get(one.name) for one in ledgers if one.name in await _begun(client)]
    bills: Counter[str] = Counter()
    for line in recorded(tmp_path, BILL):
        bills[line["run"]] += line["usd"]
    told = [one.problem(bills[one.run], result) for one, result in zip(trees, results, strict=True)]
    assert not [*filter(None, told)], f"CHAOS_SEED={SEED}: " + "\n".join(filter(None, told))
    charged = sum(one.cost_usd + (one.unsettled.usd if one.unsettled else 0.0) for one in results)
    for state, ledger in zip(states, ledgers, strict=False):
        assert nothing_held(state)
        assert state.spent.usd <= (ledger.usd or 0.0) + 1e-9
    assert not ledgers or states[0].spent.usd == pytest.approx(charged)
    assert recorded(tmp_path, "deaths")
    assert sum(bills.values()) > 0


async def _begun(client: Client) -> list[str]:
    return [one.name for one in await client.ledgers.list()]


async def _until_it_dies(
    temporal: TemporalClient, task_queue: str, directory: Path, seed: int, ended: asyncio.Future[Any]
) -> None:
    """Serve the runs by a process until it kills itself, or all of them have ended."""
    address = temporal.service_client.config.target_host
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.spender", address, task_queue, str(directory), str(seed)
    )
    dying = asyncio.create_task(victim.wait())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait([dying, ended], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if victim.returncode is None:
            victim.kill()
            await dying
