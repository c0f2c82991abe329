"""`sostenuto ledger`, as somebody types it at night."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.testing import WorkflowEnvironment

from sostenuto import Agent, App, Ask, Budget, Client, Ledger, LedgerState, Model, Price, Status
from sostenuto.contracts import names
from tests.integration.agent.stage import eventually
from tests.integration.clients.shell import Shell

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

DONE = {"text": "Done.", "usage": {"input_tokens": 1_000, "output_tokens": 500}}
MODEL = Model("scripted/m", price=Price(input=1, output=10), max_output_tokens=1_000)


@pytest.fixture
def shell(environment: WorkflowEnvironment, tmp_path: Path, task_queue: str) -> Shell:
    return Shell(tmp_path, environment.client.service_client.config.target_host, task_queue)


def agent(budget: Budget) -> Agent:
    return Agent(name="one", model=MODEL, budget=budget)


async def test_what_is_left_and_when_it_begins_anew(serve: Serve, shell: Shell, ledger_name: str) -> None:
    name = f"{ledger_name}/month"
    one = agent(Budget(ledger=Ledger(name, usd=0.5)))
    async with serve(App(one), [DONE]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        missing = await shell.run("ledger", "show", name)
        assert (missing.status, missing.out) == (2, "")
        assert f"there is no ledger '{name}'" in missing.err

        assert (await (await client.start(one, "Go.")).result()).status is Status.COMPLETED
        shown = await shell.run("ledger", "show", name)
        assert "its limits are those of the budget of a run: nobody set others" in shown.out

        said = await shell.run("ledger", "set", name, "--usd", "5", "--turns", "200", "--by", "ada", "--note", "a plan")
        assert (said.status, said.out) == (0, "")
        assert said.err == f"the ledger {name} may spend $5, 200 turns per month from now on\n"
        more = await shell.run("ledger", "top-up", name, "0.25", "--id", "once", "--by", "bob")
        assert re.search(r"is topped up by \$0.25; it begins anew at \d{4}-\d\d-01 00:00 UTC, in ", more.err)
        again = await shell.run("ledger", "top-up", name, "0.25", "--id", "once", "--by", "bob", "--json")
        assert LedgerState.model_validate_json(again.out).topped_up.usd == 0.25
        again = await shell.run("ledger", "top-up", name, "0.25", "--id", "once", "--by", "eve")
        assert "was topped up by the id 'once' before, and is not again: topped up by $0.25, by bob, at " in again.err

        shown = await shell.run("ledger", "show", name)
        lines = [line.split() for line in shown.out.splitlines()]
        assert lines[:5] == [
            [name],
            ["SPENT", "HELD", "LIMIT", "LEFT"],
            ["usd", "$0.0060", "$0.0000", "$5.2500", "$5.2440"],
            ["tokens", "1,500", "0", "none"],
            ["turns", "1", "0", "200", "199"],
        ]
        assert "  held by 0 runs\n  topped up by $0.25 in this period: it is in the limits above\n" in shown.out
        assert "  its limits were set by ada: a plan\n  begins anew at " in shown.out
        assert re.search(
            r" UTC  topped up by \$0.25, by bob\n.* UTC  set to \$5, 200 turns, by ada: a plan\n", shown.out
        )
        told = await shell.run("ledger", "show", name, "--json")
        assert LedgerState.model_validate_json(told.out) == await client.ledgers.get(name)

        less = await shell.run("ledger", "set", name, "--usd", "3", "--by", "ada")
        assert less.err == (
            f"the ledger {name} may spend $3 per month from now on; turns are not limited any more; "
            "the $0.25 that it was topped up by in this period are taken back\n"
        )
        for words in ("set {} --usd 3", "top-up {} 3", "show {}"):
            refused = await shell.run("ledger", *words.format(f"{ledger_name}:{{context.tenant}}/day").split())
            assert refused.status == 2
            assert "{context.tenant} stands for a value of a run's context: write the value" in refused.err

        wrong = await shell.run("ledger", "top-up", name, "seconds=5")
        assert (wrong.status, wrong.err) == (
            2,
            "sostenuto: seconds: a ledger limits usd, tokens and turns: give of those\n",
        )
        none = await shell.run("ledger", "set", name)
        assert (none.status, none.err) == (2, "sostenuto: ledgers.set: it limits nothing: give usd, tokens or turns\n")


async def test_those_that_there_are(serve: Serve, shell: Shell, temporal: TemporalClient, ledger_name: str) -> None:
    silent = f"{ledger_name}:silent"
    await temporal.start_workflow(
        names.LEDGER_WORKFLOW, {"name": silent}, id=names.LEDGER_ID + silent, task_queue=f"{shell.queue}-nobody"
    )
    one = agent(Budget(ledger=f"{ledger_name}:none"))
    async with serve(App(one), [DONE]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        await client.ledgers.set(f"{ledger_name}:a/day", usd=5, turns=2, by="ada")
        assert (await (await client.start(one, "Go.")).result()).status is Status.EXHAUSTED

        async def listed() -> bool:
            return len(await client.ledgers.list(ledger_name)) == 3

        await eventually(listed)
        shown = await shell.run("ledger", "ls", ledger_name)
        found: list[Any] = [
            json.loads(line) for line in (await shell.run("ledger", "ls", ledger_name, "--json")).out.splitlines()
        ]
    await temporal.get_workflow_handle(names.LEDGER_ID + silent).terminate()
    head, first, second, third = shown.out.splitlines()
    assert head.split() == ["LEDGER", "SPENT", "HELD", "LIMIT", "LEFT", "RUNS", "NOTES"]
    assert re.match(
        rf"{ledger_name}:a/day +\$0.0000 +\$0.0000 +\$5.0000 +\$5.0000 +0 +begins anew at .* UTC, in ", first
    )
    assert "none" in second
    assert "has no limits, and gives nothing; never begins anew" in second
    assert "no worker answers: start one, of any app" in third
    assert [one["name"] for one in found] == [f"{ledger_name}:a/day", f"{ledger_name}:none", silent]
    assert [bool(one.get("state")) for one in found] == [True, True, False]
    empty = await shell.run("ledger", "ls", "nothing-begins-so")
    assert (empty.status, empty.out, empty.err) == (
        0,
        "",
        "there is no ledger whose name begins with 'nothing-begins-so'\n",
    )


async def test_a_run_that_waits_says_which_ledger_to_top_up(serve: Serve, shell: Shell, ledger_name: str) -> None:
    one = agent(Budget(ledger=ledger_name, on_exhausted=Ask()))
    async with serve(App(one), [DONE]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        await client.ledgers.set(ledger_name, usd=0.000_001, by="ada")
        run = await client.start(one, "Go.")

        async def waits() -> bool:
            return bool(await run.top_ups())

        await eventually(waits)
        waiting = await shell.run("approvals", run.id)
        command = re.search(rf"sostenuto (ledger top-up {ledger_name} [\d.]+)   \(or more\)", waiting.out)
        assert command
        shown = await shell.run("ledger", "show", ledger_name)
        assert f"held by 0 runs\n  1 call waits for more\n    {run.id}  $0.011" in shown.out
        little = await shell.run("ledger", "top-up", ledger_name, "0.000001")
        assert f"1 call waits for more all the same: `sostenuto ledger show {ledger_name}`" in little.err
        refused = await shell.run("top-up", run.id, "5")
        assert f"`sostenuto ledger top-up {ledger_name} AMOUNT`" in refused.err
        assert (await shell.run(*command[1].split())).status == 0
        assert (await run.result()).status is Status.COMPLETED


async def test_a_ledger_is_no_run(serve: Serve, shell: Shell, ledger_name: str) -> None:
    one = agent(Budget(ledger=Ledger(ledger_name, usd=5)))
    id_ = names.LEDGER_ID + ledger_name
    async with serve(App(one), [DONE]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        assert (await (await client.start(one, "Go.")).result()).status is Status.COMPLETED
        for command in ("trace", "watch", "approvals", "cancel"):
            told = await shell.run(command, id_)
            assert (told.status, told.out) == (2, "")
            assert f"'{id_}' is no run but a ledger, which `sostenuto ledger show {ledger_name}` shows" in told.err
        assert (await shell.run("export", id_, "-o", "ledger.json")).status == 0
        told = await shell.run("trace", "ledger.json")
        assert "ledger.json is the history of a ledger, and of no run or chat" in told.err
        top = await shell.run("top", "--once")
        assert (top.status, id_ in top.out) == (0, False)
        assert id_ not in (await shell.run("ls", "--nested", "--limit", "500")).out
