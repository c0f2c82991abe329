"""A run that waits for what others have of a ledger says so, wherever somebody looks."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.testing import WorkflowEnvironment

from sostenuto import Agent, App, Budget, Client, Model, Price, Stop
from sostenuto.clients import waiting
from sostenuto.contracts import names
from sostenuto.contracts.wire.control.ledger import LedgerInput
from tests.integration.agent.stage import calls, eventually
from tests.integration.clients.shell import Shell

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve
    from tests.integration.ledgers.conftest import ReadLedger, SetLedger

HANGS = {"text": "Never.", "hangs": True}
DONE = {"text": "Done.", "usage": {"input_tokens": 1_000, "output_tokens": 500}}


@pytest.fixture
def shell(environment: WorkflowEnvironment, tmp_path: Path, task_queue: str) -> Shell:
    return Shell(tmp_path, environment.client.service_client.config.target_host, task_queue)


def _agent(name: str, *tools: Agent, ledger: str = "") -> Agent:
    model = Model(f"scripted/{name}", price=Price(input=1, output=10), max_output_tokens=1_000)
    return Agent(
        name=name, model=model, tools=tools, budget=Budget(ledger=ledger, on_exhausted=Stop()) if ledger else None
    )


@pytest.mark.parametrize("is_nested", [False, True], ids=["itself", "nested"])
async def test_what_it_waits_for_is_told(
    serve: Serve,
    limit: SetLedger,
    read: ReadLedger,
    shell: Shell,
    ledger_name: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_nested: bool,
) -> None:
    monkeypatch.setattr(waiting, "_SILENCE_SECONDS", 0.5)
    holder, eager = _agent("holder", ledger=ledger_name), _agent("eager", ledger=ledger_name)
    lead = _agent("lead", _agent("eager"), ledger=ledger_name)
    script = {"holder": [HANGS], "eager": [DONE], "lead": [calls(("eager", {"task": "go"})), DONE]}
    async with serve(App(holder, eager, lead), script) as stage:
        turns = 2 if is_nested else 1
        await limit(ledger_name, turns=turns)
        first = await stage.start(holder)

        async def is_held() -> bool:
            return (await read(ledger_name)).held.turns == 1

        await eventually(is_held)
        run = await stage.start(lead if is_nested else eager)

        async def waits() -> bool:
            # Not while the first of its turns is given, which may take a while on a busy machine.
            of = await read(ledger_name)
            return of.waiting == 1 and of.held.turns + of.spent.turns == turns and bool(await run.hindrances())

        await eventually(waits)
        (held,) = await run.hindrances()
        told = f"{run.id} waits for what other runs have of the ledger {ledger_name!r}: `sostenuto ledger show "
        assert (held.run_id, held.ledger, held.is_unserved, str(held)) == (
            run.id,
            ledger_name,
            False,
            f"{told}{ledger_name}`",
        )
        with caplog.at_level(logging.WARNING, "sostenuto.clients"), pytest.raises(TimeoutError, match=told):
            await run.result(timeout=3)
        assert told in caplog.text
        top = await shell.run("top", "--once", "--json")
        assert f'{{"kind":"ledger","name":"{ledger_name}"}}' in top.out
        watched = await shell.start("watch", run.id)
        assert watched.stdout
        async for line in watched.stdout:
            if told in line.decode():
                break
        watched.kill()
        await watched.wait()
        for one in (run, first):
            await one.cancel()
            await asyncio.wait_for(stage.outcome(one), 30)


async def test_a_ledger_that_no_worker_serves_is_told(serve: Serve, temporal: TemporalClient, ledger_name: str) -> None:
    nowhere = f"{ledger_name}-nowhere"
    id_ = names.LEDGER_ID + ledger_name
    ledger = await temporal.start_workflow(
        names.LEDGER_WORKFLOW, LedgerInput(name=ledger_name), id=id_, task_queue=nowhere
    )
    async with serve(App(), [DONE]) as stage:
        client = Client(temporal, task_queue=stage.task_queue, redis_url="")
        run = await client.start(_agent("eager", ledger=ledger_name), "Go.")

        async def waits() -> bool:
            return bool(await run.hindrances())

        await eventually(waits)
        (held,) = await run.hindrances()
        assert (held.is_unserved, held.task_queue) == (True, nowhere)
        assert f"{run.id} waits for the ledger {ledger_name!r}, which no worker serves: start one by " in str(held)
        await ledger.terminate()
        await run.cancel()
