"""A ledger continues as new whatever it does at that moment."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.worker import Worker

from sostenuto import Client
from sostenuto.activities.control.ledgers import LedgerActivities
from sostenuto.contracts import names
from sostenuto.contracts.wire.control.ledger import LedgerBlock, LedgerInput
from sostenuto.contracts.wire.control.share import LedgerLimits, OfLedger, Portion, ShareAsked
from sostenuto.contracts.wire.control.spent import Spent
from sostenuto.workflows.ledger import ledger_workflow
from sostenuto.workflows.ledger.ledger_workflow import LedgerWorkflow
from tests.integration.agent.stage import eventually

ONE = Portion(turns=1)


async def _ended_run(client: TemporalClient, run_id: str) -> str:
    """Start a workflow that nobody serves, and end it; return the id of its execution."""
    handle = await client.start_workflow("Nothing", id=run_id, task_queue=f"{run_id}-nowhere")
    await handle.terminate()
    return str(handle.first_execution_run_id)


async def test_it_does_while_it_looks_which_runs_go_on(
    impatient: TemporalClient, task_queue: str, ledger_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_workflow, "_FIRST_LOOK", timedelta(milliseconds=10))
    looks, go = asyncio.Event(), asyncio.Event()

    async def slowly(_client: TemporalClient, _run_id: str) -> Spent:
        looks.set()
        await go.wait()
        return Spent(turns=1)

    holder, asker = f"holder-{task_queue}", f"asker-{task_queue}"
    held = LedgerBlock(run_id=holder, execution=await _ended_run(impatient, holder), held=ONE, recalled=True)
    of = OfLedger(execution=await _ended_run(impatient, asker))
    asks = ShareAsked(run_id=asker, number=7, need=ONE, what="a turn", of=of)
    begun = LedgerInput(name=ledger_name, limits=LedgerLimits(turns=1), blocks=(held,), waiting=(asks,))
    async with Worker(
        impatient,
        task_queue=task_queue,
        workflows=[LedgerWorkflow],
        activities=[LedgerActivities(slowly, timedelta(seconds=10)).holders],
    ):
        ledger = await impatient.start_workflow(
            names.LEDGER_WORKFLOW, begun, id=f"{names.LEDGER_ID}{ledger_name}", task_queue=task_queue
        )
        await looks.wait()
        for _ in range(60):
            await ledger.signal(names.SHARE_ASKED_SIGNAL, {"run_id": "", "number": 0, "need": {}, "what": ""})

        async def has_continued() -> bool:
            newest = await impatient.get_workflow_handle(ledger.id).describe()
            return newest.run_id != ledger.first_execution_run_id

        await eventually(has_continued)
        go.set()
        ledgers = Client(impatient, redis_url="").ledgers

        async def is_charged() -> bool:
            return (await ledgers.get(ledger_name)).spent == ONE

        await eventually(is_charged)

        async def has_let_go() -> bool:
            state = await ledgers.get(ledger_name)
            return (state.runs, state.waiting) == (0, 0)

        await eventually(has_let_go)  # the asker, which ended as well, is looked at after the holder
        await impatient.get_workflow_handle(ledger.id).terminate()
