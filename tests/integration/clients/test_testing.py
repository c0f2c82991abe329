"""Tests of one's own: one call runs an app with a script in place of its models, on a server that all tests share."""

from __future__ import annotations

import asyncio
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel
from temporalio import workflow
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Chain, Model, Prompt, SpecError, Status, tool
from sostenuto.testing import Script, run_scripted, serve_scripted
from sostenuto.workflows import ask, call_tool
from tests.integration.agent.stage import calls

PROJECT = """
from sostenuto import Agent, App, tool

@tool(effect="read")
async def order_status(order_id: str) -> str:
    \"""Where an order is now.\"""
    return f"{order_id} is on its way"

app = App(Agent(name="support", model="anthropic/claude-sonnet-5-5", tools=[order_status]))
"""
TESTS = """
import asyncio

from shop import app
from sostenuto.testing import run_scripted

LOOKS = {"tool_calls": [{"name": "order_status", "arguments": {"order_id": "7"}}]}


def test_it_looks_the_order_up(sostenuto_server):
    result = asyncio.run(run_scripted(app, "support", "Where is 7?", [LOOKS, "Soon."], address=sostenuto_server))
    assert result.output == "Soon."
    assert [part.content for message in result.messages for part in message.parts if part.kind == "tool_result"] == [
        "7 is on its way"
    ]


def test_it_says_so_where_nothing_was_found(sostenuto_server):
    result = asyncio.run(run_scripted(app, "support", "Where is 8?", ["Nowhere."], address=sostenuto_server))
    assert (result.status, result.turns) == ("completed", 1)
"""


EVERYTHING = """
import os, random, subprocess, uuid
from datetime import date, datetime
from pathlib import Path

import httpx, numpy, openai
from pydantic import BaseModel
from temporalio import workflow

from sostenuto import App, tool

STARTED, NOISE, KEY = datetime.now(), random.random(), uuid.uuid4()
TEXT = (Path(__file__).resolve().parent / "everything.py").read_text()
HOME, SAID = os.environ.get("HOME"), subprocess.run(["echo"], capture_output=True).stdout
CLIENT = httpx.Client()


class Seen(BaseModel):
    at: datetime
    day: date = date(1970, 1, 1)


@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> str:
        try:
            return str(datetime.now())
        except workflow.NondeterminismError:
            return f"refused, and {numpy.array([1, 2]).sum()} on {Seen(at=workflow.now()).day}"


app = App(workflows=[Flow])
"""
BUT_ONCE = """
from pathlib import Path
from temporalio import workflow
from sostenuto import App
if Path(__file__ + ".seen").exists(): raise ValueError("registered before")
Path(__file__ + ".seen").touch()

@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> str:
        return "never"

app = App(workflows=[Flow])
"""


class Verdict(BaseModel):
    """What is to be done."""

    refund: bool


@tool(effect="read")
async def look(at: str) -> str:
    """Look."""
    return f"{at} is fine"


@tool(effect="read")
def broken(at: str) -> str:
    """Break."""
    raise KeyError(at)


JUDGE = Agent(name="judge", model=Model("acme/large", fallbacks=["openai/gpt-5.5"]), tools=[look], output=Verdict)
FLOW = Chain(name="flow", steps=[Prompt(name="one", template="Say {input}", model="anthropic/small"), JUDGE])


@workflow.defn
class Desk:
    """Looks, and asks."""

    @workflow.run
    async def run(self, at: str) -> str:
        seen = await call_tool(look, at=at)
        return (await ask("openai/gpt-5.5", seen)).output


def _address(temporal: TemporalClient) -> str:
    return temporal.service_client.config.target_host


async def test_the_script_answers_for_every_model(temporal: TemporalClient) -> None:
    script: Script = {"small": ["hi"], "large": [calls(("look", {"at": "7"})), {"output": {"refund": True}}]}
    result = await run_scripted(App(FLOW), "flow", "Hello", script, address=_address(temporal), price=lambda *_: 0.5)
    assert (result.status, result.output, result.cost_usd) == (Status.COMPLETED, Verdict(refund=True), 1.5)
    # What was given stays as it was.
    assert JUDGE.model.name == "acme/large"


async def test_a_code_first_workflow(temporal: TemporalClient) -> None:
    app = App(tools=[look], workflows=[Desk])
    result = await run_scripted(app, Desk, "7", ["So it is."], address=_address(temporal))
    assert result.output == "So it is."


async def test_a_file_with_a_workflow_may_load_what_others_do(
    temporal: TemporalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "everything.py").write_text(EVERYTHING)
    (tmp_path / "but_once.py").write_text(BUT_ONCE)
    monkeypatch.syspath_prepend(tmp_path)
    app = import_module("everything").app
    result = await run_scripted(app, app.workflows[0], None, [], address=_address(temporal))
    assert result.output == "refused, and 3 on 1970-01-01"
    where = re.escape(f"({tmp_path / 'but_once.py'}, line 5)")
    once = import_module("but_once").app
    with pytest.raises(SpecError, match=f"workflow Flow: .*: ValueError: registered before {where}; put what may run"):
        await run_scripted(once, once.workflows[0], None, [], address=_address(temporal))


async def test_a_tool_that_breaks_is_logged_from_its_own_code_on(
    temporal: TemporalClient, caplog: pytest.LogCaptureFixture
) -> None:
    app = App(Agent(name="clerk", model="acme/large", tools=[broken]))
    script: Script = [calls(("broken", {"at": "7"})), "No."]
    await run_scripted(app, "clerk", "7", script, address=_address(temporal))
    (record,) = [record for record in caplog.records if record.name == "temporalio.activity"]
    assert record.getMessage().endswith(": broken (clerk:call_1_0) failed: KeyError: '7'")
    assert [line.split("in ")[-1] for line in (record.exc_text or "").splitlines() if line.startswith("  File")] == [
        "broken"
    ]


async def test_what_the_app_lacks_is_told(temporal: TemporalClient) -> None:
    with pytest.raises(SpecError, match="the app has no runnable named 'flaw'; it has: flow"):
        await run_scripted(App(FLOW), "flaw", "Hello", ["hi"], address=_address(temporal))
    for wrong in ("hi", None, 5):
        with pytest.raises(SpecError, match=r"script: .* is not a list of steps"):
            await run_scripted(App(FLOW), "flow", "Hello", wrong, address=_address(temporal))  # type: ignore[arg-type]


@workflow.defn
class Approved:
    def __init__(self) -> None:
        self._by = ""

    @workflow.run
    async def run(self, order: str) -> str:
        mood = await ask("openai/gpt-5.4", order, output=Literal["happy", "angry"])
        await workflow.wait_condition(lambda: bool(self._by))
        return f"{mood.output}, {self._by}"

    @workflow.signal
    def approve(self, by: str) -> None:
        self._by = by


async def test_a_workflow_that_waits_for_a_signal(temporal: TemporalClient) -> None:
    app, address = App(workflows=[Approved]), _address(temporal)
    async with serve_scripted(app, [{"output": "happy"}], address=address) as client:
        run = await client.start(Approved, "order 7")
        await run.signal(Approved.approve, "anna")
        assert (await run.result()).output == "happy, anna"
    with pytest.raises(TimeoutError, match="has not ended within"):
        await run_scripted(app, "Approved", "order 8", [{"output": "angry"}], address=address, timeout=1)


async def test_the_fixture_of_a_project_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(PROJECT)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["sostenuto.testing"]\n')
    (tmp_path / "test_shop.py").write_text(TESTS)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:valkey", "-p", "no:cacheprovider", "--rootdir", "."),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert "2 passed" in out.decode()
