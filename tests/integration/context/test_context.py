"""A run's own values reach everything that may have them, and stand in the history once."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Literal
from uuid import uuid4

import pytest
from pydantic import BaseModel
from temporalio import workflow
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowHistory

from sostenuto import (
    Agent,
    App,
    Chain,
    Client,
    McpServer,
    Prompt,
    Route,
    Router,
    Rule,
    SpecError,
    Status,
    Step,
    Team,
    ToolContext,
    tool,
)
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.workers.mcp import mcp_sessions
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import call_tool, context, run
from tests.integration.agent.listener import Listener, contents
from tests.integration.agent.stage import calls
from tests.integration.mcp.conftest import FAKE


class Ctx(BaseModel):
    """For whom a run works."""

    user: str
    plan: Literal["free", "pro"] = "free"
    tenant: str = ""


class JustUser(BaseModel):
    """What one tool wants of it."""

    user: str


@tool(effect="read")
async def whoami(ctx: ToolContext[Ctx]) -> str:
    """Whom it is for."""
    return f"{ctx.context.user}, {ctx.context.plan}, {ctx.tenant}, {type(ctx.context).__name__}"


@tool(effect="read", fast=True)
async def quick(ctx: ToolContext[JustUser]) -> str:
    """The same, in a local activity."""
    return f"{ctx.context.user}, {type(ctx.context).__name__}"


@tool(effect="once")
def untyped(ctx: ToolContext) -> str:
    """The same, in a thread, by the app's type."""
    return f"{type(ctx.context).__name__}"


@tool(effect="read", when=lambda ctx: ctx.plan == "pro")
async def export() -> str:
    """For those who pay."""
    return "exported"


def fits(answer: str, context: Ctx) -> str | None:
    """A validator that knows whom the answer is for."""
    return None if context.user in answer else f"say {context.user}"


LOOKER = Agent(
    name="looker",
    model="scripted/looker",
    instructions='You work for {context.user}. Write {{name}} and {"a": 1}.',
    tools=[whoami, quick, untyped, export],
    validators=[fits],
)
GREETING = Prompt(name="greeting", template="Greet {context.user} on {input}", model="scripted/greeting")
TEAM = Team(name="team", model="scripted/lead", members=[LOOKER])
DESK = Router(
    name="desk",
    strategy="rules",
    routes=[Route(GREETING, when=Rule(context={"plan": "free"})), Route(TEAM, when=Rule(context={"plan": "pro"}))],
)
FLOW = Chain(name="flow", steps=[GREETING, Step(DESK, name="asked", input="{greeting} for {context.plan}")])


@workflow.defn
class Own:
    """A code-first workflow of one's own."""

    @workflow.run
    async def run(self, question: str) -> str:
        """Ask."""
        told = await call_tool(whoami)
        result = await run(LOOKER, question)
        return f"{context(Ctx).user}: {told}: {result.output}"


APP = App(FLOW, LOOKER, workflows=[Own], context=Ctx)
ASKS = calls(("whoami", {}), ("quick", {}), ("untyped", {}))
SCRIPT: Mapping[str, Any] = {
    "greeting": ["Hello."],
    "lead": [calls(("looker", {"task": "look"})), "Fine."],
    "looker": [ASKS, "Done.", "Done, anna."],
}


async def _history(temporal: TemporalClient, run_id: str) -> WorkflowHistory:
    return await temporal.get_workflow_handle(run_id).fetch_history()


async def test_all_that_may_have_it_has_it(temporal: TemporalClient, task_queue: str, cached_runs: int) -> None:
    """Templates, rules, instructions, tools of every kind and validators, of nested runs too."""
    adapter = Listener(SCRIPT)
    worker = build_worker(
        temporal,
        APP,
        {"scripted": adapter},
        lambda *_: 0.0,
        task_queue=task_queue,
        max_cached_runs=cached_runs,
    )
    async with worker:
        client = Client(temporal, task_queue=task_queue, redis_url="")
        run_id = f"run-{uuid4().hex[:10]}"
        given = Ctx(user="anna", plan="pro", tenant="acme")
        started = await client.start(FLOW, "Monday", id=run_id, context=given)
        result = await started.result()
        assert (result.status, result.output) == (Status.COMPLETED, "Fine."), result.reason
        assert await started.context() == {"user": "anna", "plan": "pro", "tenant": "acme"}
        assert (await started.describe()).tenant == "acme"
        again = await client.start(FLOW, "Monday", id=run_id, context=given)
        assert again.id == run_id
        [looker] = [one for one in await started.nested() if one.endswith("looker")]
        messages = await (await client.get(looker)).transcript()
        told = contents(messages)
        for other in (None, Ctx(user="bert", plan="pro", tenant="acme")):
            with pytest.raises(SpecError, match=r"tenant|context"):
                await client.start(FLOW, "Monday", id=run_id, context=other)
    assert told == ["anna, pro, acme, Ctx", "anna, JustUser", "Ctx"]
    assert {request.instructions for request in adapter.requests} >= {'You work for anna. Write {name} and {"a": 1}.'}
    asked = [request.messages[-1].text for request in adapter.requests if request.messages[-1].role.value == "user"]
    assert asked[:2] == ["Greet anna on Monday", "Hello. for pro"]
    assert "say anna" in asked[-1], "its validator sent it back"
    offered = {tool.name for request in adapter.requests for tool in request.tools}
    assert offered == {"looker", "whoami", "quick", "untyped", "export"}


async def test_it_stands_in_each_history_once(temporal: TemporalClient, task_queue: str) -> None:
    script: dict[str, list[Any]] = {
        "looker": [calls(*[("whoami", {})] * 6), calls(("quick", {})), "Done, anna-of-the-long-name."]
    }
    async with build_worker(
        temporal, APP, {"scripted": ScriptedAdapter(script)}, lambda *_: 0.0, task_queue=task_queue
    ):
        client = Client(temporal, task_queue=task_queue, redis_url="")
        run = await client.start(LOOKER, "Go.", context={"user": "anna-of-the-long-name", "tenant": "t-4711"})
        result = await run.result()
    assert result.status is Status.COMPLETED
    events = (await _history(temporal, run.id)).events
    memo = events[0].workflow_execution_started_event_attributes.memo.fields["sostenuto_context"].data
    assert json.loads(memo) == {"user": "anna-of-the-long-name", "plan": "free", "tenant": "t-4711"}
    assert contents(result.messages)[0] == "anna-of-the-long-name, free, t-4711, Ctx"
    inputs = [
        event.activity_task_scheduled_event_attributes.input.payloads[0].data
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "whoami"
    ]
    assert len(inputs) == 6
    assert not [one for one in inputs if b"4711" in one or b"anna" in one], "no call has the context"


async def test_a_workflow_of_ones_own(temporal: TemporalClient, task_queue: str, cached_runs: int) -> None:
    worker = build_worker(
        temporal,
        APP,
        {"scripted": ScriptedAdapter([ASKS, "Done, anna."])},
        lambda *_: 0.0,
        task_queue=task_queue,
        max_cached_runs=cached_runs,
    )
    async with worker:
        client = Client(temporal, task_queue=task_queue, redis_url="")
        run = await client.start(Own.run, "Go.", context=Ctx(user="anna", tenant="acme"))
        result = await run.result()
        nested = await client.get((await run.nested())[0])
        assert await nested.context() == {"user": "anna", "plan": "free", "tenant": "acme"}
        messages = await nested.transcript()
    assert result.output == "anna: anna, free, acme, Ctx: Done, anna."
    assert contents(messages) == ["anna, free, acme, Ctx", "anna, JustUser", "Ctx"]


async def test_a_chat_and_its_fork(temporal: TemporalClient, task_queue: str) -> None:
    script: list[Any] = [ASKS, "Done, anna.", calls(("whoami", {})), "Yes, anna."]
    async with build_worker(
        temporal, APP, {"scripted": ScriptedAdapter(script)}, lambda *_: 0.0, task_queue=task_queue
    ):
        client = Client(temporal, task_queue=task_queue, redis_url="")
        chat = await client.chat(LOOKER, id=f"chat-{uuid4().hex[:8]}", context=Ctx(user="anna"))
        await chat.send("First?")
        fork = await chat.fork(LOOKER)
        result = await fork.send("Second?")
        with pytest.raises(SpecError, match="another context"):
            await client.chat(LOOKER, id=chat.id, context=Ctx(user="bert"))
        assert (await client.chat(LOOKER, id=chat.id)).id == chat.id, "it keeps its own"
        with pytest.raises(SpecError, match="is a chat with 'looker' already"):
            await client.chat(GREETING, id=chat.id)
        with pytest.raises(SpecError, match=r"works for a Ctx: pass context=Ctx"):
            await client.chat(LOOKER, id=f"{chat.id}-other")
    assert result.output == "Yes, anna."


async def test_servers_are_reached_as_the_run_says(temporal: TemporalClient, task_queue: str) -> None:
    """Each context has a process of its own, and what it lacks is said before anything is called."""
    server = McpServer(
        command=sys.executable,
        args=[str(FAKE), "stdio"],
        env={"PLAN_OF": "{context.user}"},
        effects={"environment": "read"},
    )
    asker = Agent(name="asker", model="scripted/asker", tools=["mcp:fake/environment"])
    app = App(asker, mcp={"fake": server})
    adapter = ScriptedAdapter([calls(("environment", {"name": "PLAN_OF"})), "Done."] * 3)
    async with mcp_sessions(app.mcp) as sessions:
        worker = build_worker(
            temporal,
            app,
            {"scripted": adapter},
            lambda *_: 0.0,
            task_queue=task_queue,
            services=Services(mcp=sessions),
        )
        async with worker:
            client = Client(temporal, task_queue=task_queue, redis_url="")
            said = []
            for user in ("anna", "bert"):
                result = await (await client.start(asker, "Go.", context={"user": user})).result()
                said += contents(result.messages)
            lacking = await (await client.start(asker, "Go.")).result()
    assert said == ["anna", "bert"]
    assert lacking.status is Status.FAILED
    assert "MCP server 'fake': env['PLAN_OF']: {context.user}: the run has no context" in lacking.reason
