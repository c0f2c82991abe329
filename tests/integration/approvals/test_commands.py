"""The commands that list and decide what waits, as somebody types them."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.testing import WorkflowEnvironment

from sostenuto import Client, SpecError
from tests.integration.agent.stage import eventually
from tests.integration.clients.shell import Shell, ended, until

APP = """
from sostenuto import Agent, App, Approval, AskPerson, tool

@tool(effect="once", approval=Approval(when=lambda amount: amount > 10, group="finance", grants=True))
async def refund(order: str, amount: float) -> str:
    '''Refund.'''
    return f"refunded {amount:g} of {order}"

support = Agent(name="support", model="scripted/m", tools=[refund, AskPerson()])
app = App(support)
"""


@pytest.fixture
def shell(environment: WorkflowEnvironment, tmp_path: Path, task_queue: str) -> Shell:
    return Shell(tmp_path, environment.client.service_client.config.target_host, task_queue)


async def test_a_run_is_decided_from_another_terminal(shell: Shell, temporal: TemporalClient, task_queue: str) -> None:
    (shell.directory / "shop.py").write_text(APP)
    calls = [{"name": "refund", "arguments": {"order": f"{n}\x1b[2J", "amount": 50 + n}} for n in range(3)]
    asks = [{"name": "ask_person", "arguments": {"question": "Which?"}}]
    shell.script({"tool_calls": calls}, {"tool_calls": asks}, {"text": "all done"})
    run = await shell.start("run", "shop:app", "support", "Go.", "--id", task_queue)

    known = Client(temporal, redis_url="")

    async def waiting(count: int) -> list[str]:
        found: list[str] = []

        async def there() -> bool:
            with suppress(SpecError):
                found[:] = sorted(call.call_id for call in await (await known.get(task_queue)).approvals())
            return len(found) == count

        await eventually(there)
        return found

    one, two, three = await waiting(3)
    shown = await shell.run("approvals", task_queue, "--group", "finance")
    assert f"sostenuto approve {task_queue} {one}" in shown.out
    assert "\x1b" not in shown.out
    watches = [await shell.start("watch", task_queue), await shell.start("watch", task_queue, "--json")]
    for watch, on_stdout in zip(watches, (True, False), strict=True):
        await until(watch, f"to decide: sostenuto approve {task_queue} call_", on_stdout=on_stdout)
    traced = await shell.run("trace", task_queue)
    assert "waits for a yes of finance" in traced.out
    assert f"refund at 'support' waits for a yes of finance: `sostenuto approve {task_queue} {one}`" in traced.out
    page = await shell.run("trace", task_queue, "--html", "-")
    assert page.out.count('"awaits":"a yes of finance"') == 3

    async def listed() -> bool:
        return "running, awaits approval" in (await shell.run("ls", "--query", f"WorkflowId = '{task_queue}'")).out

    await eventually(listed)
    edit = json.dumps({"order": "7", "amount": 1})
    decided = await asyncio.gather(
        shell.run("approve", task_queue, one, "--by", "ann", "--note", "fine"),
        shell.run("deny", task_queue, two, "--note", "not that one"),
        shell.run("edit", task_queue, three, edit, "--by", "bob", "--json"),
        shell.run("approve", task_queue, "call_9"),
    )
    assert [end.status for end in decided] == [0, 0, 0, 2]
    assert decided[0].err == f"{one} of {task_queue} is approved\n"
    assert "no call 'call_9' waits for a person" in decided[3].err
    told = json.loads(decided[2].out)
    assert len(told.pop("hash")) == 64
    assert told == {"id": task_queue, "call_id": three, "decision": "edit", "by": "bob", "missing": 0}
    (question,) = await waiting(1)
    nowhere = await shell.run("answer", task_queue, question, "that one", "--path", "nope")
    assert f"no call '{question}' at 'nope' waits for a person; those that do: '{question}' (ask_person" in nowhere.err
    assert (await shell.run("answer", task_queue, question, "that one")).status == 0
    end = await ended(run)
    assert [(await ended(watch)).status for watch in watches] == [0, 0]
    assert (end.status, end.out) == (0, "all done\n")
    assert f"to decide: sostenuto answer {task_queue} " in end.err
    assert "✗ refund: deny by " in end.err
    assert "✓ refund: edit to order=" in end.err


async def test_a_budget_is_topped_up_from_another_terminal(shell: Shell, task_queue: str) -> None:
    (shell.directory / "shop.py").write_text(
        "from sostenuto import Agent, App, Ask, Budget\n"
        "thrifty = Agent(name='thrifty', model='scripted/m', budget=Budget(tokens=300, on_exhausted=Ask()))\n"
        "app = App(thrifty)\n"
    )
    shell.script({"text": "all done"})
    run = await shell.start("run", "shop:app", "thrifty", "Go.", "--id", task_queue)

    async def asks() -> bool:
        return "top-up" in (await shell.run("approvals", task_queue)).out

    await eventually(asks)
    shown = await shell.run("approvals", task_queue)
    assert f"    sostenuto top-up {task_queue} tokens=" in shown.out
    (told,) = map(
        json.loads, (await shell.run("approvals", "--json", "--query", f"WorkflowId='{task_queue}'")).out.splitlines()
    )
    assert (told["limit"], told["path"]) == ("tokens", "thrifty")
    wrong = await shell.run("top-up", task_queue, "0.50")
    assert (wrong.status, "limits tokens, and is given none of that" in wrong.err) == (2, True)
    nowhere = await shell.run("top-up", task_queue, "tokens=1", "--path", "nope")
    assert "there is no budget at 'nope': those there are at 'thrifty'" in nowhere.err
    little = json.loads((await shell.run("top-up", task_queue, "tokens=1", "--by", "ada", "--json")).out)
    assert "the next call" in little.pop("still")
    assert little == {"id": task_queue, "by": "ada", "tokens": 1, "path": "thrifty"}
    given = await shell.run("top-up", task_queue, f"tokens={told['missing']['tokens']}", "--by", "ada")
    assert (given.status, given.err.startswith(f"the budget at thrifty of {task_queue} is topped up by ")) == (0, True)
    end = await ended(run)
    assert (end.status, end.out) == (0, "all done\n")
    assert "✓ ada topped the budget up by" in end.err
