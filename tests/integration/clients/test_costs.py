"""What runs have used so far, as the list of runs tells it while they go on."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType

from sostenuto import Agent, App, Chain, Client, Prompt, tool
from sostenuto.clients.summary import RunSummary
from sostenuto.workflows import ask, run, search_attributes
from tests.integration.clients.conftest import Serve
from tests.integration.clients.shell import Shell
from tests.integration.clients.waiting import eventually
from tests.patience import PATIENCE_SECONDS

HELD = threading.Event()


@tool(effect="read")
def hold() -> str:
    """Wait until the test goes on."""
    HELD.wait(PATIENCE_SECONDS)
    return "held"


HOLDER = Agent(name="holder", model="scripted/holder", tools=[hold])
CHAIN = Chain(name="chain", steps=[Prompt(name="first", model="scripted/m", template="{input}"), HOLDER])
SCRIPT: dict[str, Any] = {"m": ["a title"], "holder": [{"tool_calls": [{"name": "hold", "arguments": {}}]}, "done"]}


@workflow.defn(sandboxed=False)
class Twice:
    """Asks, continues as new, asks, and runs an agent."""

    @workflow.run
    async def run(self, left: int) -> str:
        await ask("scripted/m", "A title?")
        if left:
            workflow.continue_as_new(left - 1)
        return str((await run(HOLDER, "Go.")).output)


async def _upserts(client: Client, run_id: str) -> int:
    history = await client.history(run_id)
    return sum(one.event_type == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES for one in history.events)


async def test_what_a_run_used_is_told_while_it_goes_on(
    serve: Serve, shell: Shell, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the run itself, of its nested runs, and of both in the order by cost."""
    HELD.clear()

    async def listed(*, nested: bool = False) -> dict[str, RunSummary]:
        rows = await client.list(f"TaskQueue = '{task_queue}'", nested=nested, order="cost")
        return {row.id: row for row in rows}

    async def told(**tokens: int) -> dict[str, RunSummary]:
        wanted = {chain.id: tokens["chain"], own.id: tokens["own"]}
        return await eventually(listed, lambda rows: {id_: row.tokens for id_, row in rows.items()} == wanted)

    async with serve(App(CHAIN, HOLDER, tools=[hold], workflows=[Twice]), SCRIPT) as client:
        with monkeypatch.context() as patch:
            patch.setattr(search_attributes, "SECONDS_BETWEEN", timedelta(0))
            chain, own = await client.start(CHAIN, "Go."), await client.start(Twice, 1)
            found = await told(chain=30, own=45)
            assert [found[one.id].is_whole for one in (chain, own)] == [False, False]
            assert [*found] == [own.id, chain.id]
            assert {row.tokens for row in (await listed(nested=True)).values()} == {15, 30}
            shown = (await shell.run("ls", "--cost", "--query", f"TaskQueue = '{task_queue}'")).out.splitlines()
            nested = (await shell.run("ls", "--cost", "--nested", "--query", f"TaskQueue = '{task_queue}'")).out
            HELD.set()
            await asyncio.gather(chain.result(), own.result())
        found = await told(chain=45, own=60)
        assert [(row.cost_usd, row.is_whole) for row in found.values()] == [(0.004, True), (0.003, True)]
        assert [line.split()[3] for line in shown[1:-1]] == ["$0.0030+", "$0.0020+"]
        assert shown[-1].split() == ["2", "runs", "$0.0050+", "75"]
        assert nested.splitlines()[-1].split() == ["4", "runs", "$0.0050+", "75"]

        # One that is over soon has no event of it but that of its end.
        await (quick := await client.start(CHAIN, "Go.")).result()
        assert await _upserts(client, quick.id) == 1
        assert await _upserts(client, chain.id) > 1
