"""A trace explains runs of every kind, over and under way, from their histories alone."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Chain, Client, Model, Prompt, SpecError, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.history.trace.difference import first_difference
from sostenuto.history.trace.step import Trace
from sostenuto.workers.worker import build_worker
from tests.integration.agent.stage import calls, eventually

if TYPE_CHECKING:
    from sostenuto.activities.adapters.providers.scripted import Script


@tool(effect="read")
async def look(at: str) -> str:
    """Look."""
    if at == "the sea":
        await asyncio.Event().wait()
    return f"{at} is fine"


CLERK = Agent(name="clerk", model=Model("scripted/away", fallbacks=["scripted/clerk"]), tools=[look])
FLOW = Chain(name="flow", steps=[Prompt(name="one", template="Say {input}", model="scripted/one"), CLERK])
SCRIPT: Script = {
    "one": ["hi"],
    "away": [{"error": "QuotaExceeded"}],
    "clerk": [calls(("look", {"at": "the house"})), "Fine."],
    "stares": [calls(("look", {"at": "the sea"})), "Never."],
}
STARES = Agent(name="stares", model="scripted/stares", tools=[look])


async def test_a_tree_with_a_fallback(temporal: TemporalClient, task_queue: str) -> None:
    client = Client(temporal, task_queue=task_queue, redis_url="")
    async with build_worker(
        temporal, App(FLOW, STARES), {"scripted": ScriptedAdapter(SCRIPT)}, lambda *_: 0.001, task_queue=task_queue
    ):
        run = await client.start(FLOW, "Hello")
        result = await run.result()
        trace = await run.trace()
        root = trace.run
        assert (root.name, root.status, root.answered, root.turns) == ("flow", "completed", "Fine.", result.turns)
        assert (root.usage, root.cost_usd) == (result.usage, result.cost_usd)
        one, clerk = root.steps
        assert (one.kind, one.path, one.asked, one.answered) == ("model", "flow/one", None, "hi")
        assert [message.text for message in one.told] == ["Say Hello"]
        assert (clerk.kind, clerk.run_id) == ("run", f"{run.id}/clerk")
        away, asked, looked, fine = clerk.steps
        assert (away.kind, away.status, away.name) == ("model", "failed", "scripted/away")
        assert "QuotaExceeded" in away.reason
        assert (asked.name, asked.proven, asked.messages) == ("scripted/clerk", True, 1)
        assert (looked.kind, looked.asked, looked.answered) == ("tool", {"at": "the house"}, "the house is fine")
        assert (fine.answered, fine.proven, fine.messages, len(fine.told)) == ("Fine.", True, 3, 2)
        assert {share.what for share in trace.shares} >= {"between", "model"}
        with pytest.raises(SpecError, match="there is no such run"):
            await (await client.get(f"{run.id}-nobody")).trace()

        await _commands(temporal, run.id)
        await _under_way(client)


async def _commands(temporal: TemporalClient, run_id: str) -> None:
    async def printed(*options: str) -> str:
        environ = {**os.environ, "TEMPORAL_ADDRESS": temporal.service_client.config.target_host}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sostenuto", "trace", run_id, *options), env=environ, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out.decode()

    shown = await printed()
    assert "✗ 1  scripted/away  failed" in shown
    assert "3 prompts rebuilt from the history and proven by their hashes" in shown
    assert Trace.model_validate_json(await printed("--json")).run.run_id == run_id
    assert json.loads(await printed("--json"))["run"]["steps"][1]["steps"][2]["answered"] == "the house is fine"


async def test_where_two_runs_part(temporal: TemporalClient, task_queue: str) -> None:
    client = Client(temporal, task_queue=task_queue, redis_url="")
    async with build_worker(
        temporal, App(FLOW, STARES), {"scripted": ScriptedAdapter(SCRIPT)}, lambda *_: 0.001, task_queue=task_queue
    ):
        runs = [await client.start(FLOW, asked) for asked in ("Hello", "Hello", "Hallo")]
        traces = [(await run.result(), await run.trace())[1] for run in runs]
    assert first_difference(traces[0], traces[1]) is None
    found = first_difference(traces[0], traces[2])
    assert found is not None
    assert (found.same, found.what) == (0, ("asked",))
    environ = {**os.environ, "TEMPORAL_ADDRESS": temporal.service_client.config.target_host}
    for other, status, words in (
        (1, 0, "they decided the same in all 7 steps"),
        (2, 1, "the same for 0 steps, then at"),
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sostenuto", "diff", runs[0].id, runs[other].id),
            env=environ,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == status
        assert words in out.decode()
        assert (" │ " in out.decode()) == bool(status)


async def _under_way(client: Client) -> None:
    run = await client.start(STARES, "Look.")

    async def at_work() -> bool:
        return any(step.kind == "tool" for step in (await run.trace()).run.walk())

    await eventually(at_work)
    trace = await run.trace()
    assert (trace.run.seconds, trace.run.status) == (None, "")
    assert [(step.kind, step.seconds is None) for step in trace.run.steps] == [("model", False), ("tool", True)]
    await run.cancel()
    await run.result()


async def test_a_chat(temporal: TemporalClient, task_queue: str) -> None:
    client = Client(temporal, task_queue=task_queue, redis_url="")
    talker = Agent(name="talker", model="scripted/m")
    async with build_worker(
        temporal, App(talker), {"scripted": ScriptedAdapter(["One.", "Two."])}, lambda *_: 0.001, task_queue=task_queue
    ):
        chat = await client.chat(talker, id=task_queue)
        await chat.send("First?")
        await chat.send("Second?")
        trace = await (await client.get(chat.id)).trace()
    assert [(turn.kind, turn.asked, turn.answered) for turn in trace.run.steps] == [
        ("turn", "First?", "One."),
        ("turn", "Second?", "Two."),
    ]
    [second] = trace.run.steps[1].steps
    assert (second.kind, second.messages, second.proven) == ("model", 3, True)
