"""What is written can be read back: JSON nested too deeply gets an answer that says so, wherever it comes from."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import pytest
from temporalio import workflow

from sostenuto import Agent, App, Chain, Client, Parallel, Prompt, SpecError, Status, tool
from sostenuto.contracts.message import Message, Role, ToolCallPart, ToolResultPart
from sostenuto.workflows import ask, call_tool
from tests.integration.agent.conftest import Serve
from tests.integration.agent.stage import calls

ANYTHING: dict[str, Any] = {"type": "object"}
DEPTHS = [101, 150, 198, 230, 254, 600]


def nested(depth: int) -> Any:
    value: Any = "end"
    for _ in range(depth):
        value = {"a": value}
    return value


def deep_text(depth: int) -> str:
    return '{"a":' * depth + '"end"' + "}" * depth


@tool(effect="read")
async def look(at: Any) -> str:
    """Look at something."""
    return "seen"


@tool(effect="once")
async def dig(levels: int) -> Any:
    """Dig."""
    return json.loads(deep_text(levels)) if levels < 900 else "[" * levels


@pytest.mark.parametrize("depth", DEPTHS)
async def test_arguments_of_a_model(serve: Serve, depth: int) -> None:
    agent = Agent(name="a", model="scripted/m", tools=[look])
    async with serve(App(agent), [calls(("look", {"at": nested(min(depth, 240))})), "Well."]) as stage:
        outcome = await stage.ask(agent)
    assert outcome.result.status is Status.COMPLETED
    content, is_error = outcome.tool_results[0]
    assert is_error
    assert "not a JSON object that can be taken" in content


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", [Agent, Prompt])
async def test_a_structured_answer(serve: Serve, depth: int, kind: type) -> None:
    about = {"template": "{input}"} if kind is Prompt else {}
    runnable = kind(name="a", model="scripted/m", output=ANYTHING, max_repairs=1, **about)
    async with serve(App(runnable), [deep_text(depth), '{"a": 1}']) as stage:
        outcome = await stage.ask(runnable)
    assert outcome.result.output == {"a": 1}
    assert len(outcome.result.rejected) == 1


@pytest.mark.parametrize("depth", DEPTHS)
async def test_a_result_of_a_tool(serve: Serve, depth: int) -> None:
    agent = Agent(name="a", model="scripted/m", tools=[dig])
    async with serve(App(agent), [calls(("dig", {"levels": depth})), "Well."]) as stage:
        outcome = await stage.ask(agent)
    assert outcome.result.status is Status.COMPLETED
    content, _ = outcome.tool_results[0]
    assert content.startswith(('{"a":', "dig has run: do not call it again"))


async def test_outputs_of_parallel_work_in_parallel_work(serve: Serve) -> None:
    work: Any = Prompt(name="p", template="{input}", model="scripted/m", output=ANYTHING)
    for level in range(60):
        work = Parallel(name=f"l{level}", branches=[work])
    async with serve(App(work), [deep_text(99)]) as stage:
        try:
            outcome = await stage.ask(work)
        except SpecError as error:
            assert "nested too deeply" in str(error)  # noqa: PT017 - as good an answer, before anything runs
            return
    assert outcome.result.status is Status.FAILED
    assert "nested" in outcome.result.reason


async def test_a_tree_of_runnables_that_no_reader_would_take(serve: Serve) -> None:
    work: Any = Prompt(name="p", template="{input}", model="scripted/m")
    for level in range(80):
        work = Chain(name=f"l{level}", steps=[work])
    async with serve(App(work), ["Done."]) as stage:
        with pytest.raises(SpecError, match="nested too deeply"):
            await stage.ask(work)


@pytest.mark.parametrize("depth", DEPTHS)
async def test_an_input(serve: Serve, depth: int) -> None:
    agent = Agent(name="a", model="scripted/m")
    async with serve(App(agent), ["Done."]) as stage:
        with pytest.raises(SpecError, match=r"nested deeper|is not JSON"):
            await stage.ask(agent, nested(depth))
        assert (await stage.ask(agent, deep_text(depth))).result.output == "Done."
        call = ToolCallPart(id="c", name="n", arguments=nested(min(depth, 240)))
        asked = Message(role=Role.ASSISTANT, parts=(call,))
        told = Message(role=Role.TOOL, parts=(ToolResultPart(call_id="c", name="n"),))
        with (
            pytest.raises(SpecError, match=r"could not be read again|cannot be written")
            if depth > 195
            else nullcontext()
        ):
            await stage.start(agent, [asked, told, Message.user("Go.")])


@workflow.defn
class DeepFirst:
    @workflow.run
    async def run(self, depth: int) -> Any:
        told = []
        asked = await ask("scripted/m", "Go.", output=ANYTHING, max_repairs=0)
        told.append(asked.status.value)
        try:
            await call_tool(look, at=nested(depth))
        except SpecError as error:
            told.append(str(error))
        try:
            told.append(str(await call_tool(dig, levels=depth))[:5])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            told.append(f"{type(error).__name__}: {error}")
        return told if depth < 230 else nested(depth)


@pytest.mark.parametrize("depth", [150, 198, 230])
async def test_a_code_first_workflow(serve: Serve, depth: int) -> None:
    agent = Agent(name="a", model="scripted/m")
    app = App(agent, tools=[look, dig], workflows=[DeepFirst])
    async with serve(app, [deep_text(depth)]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue)
        run = await client.start(DeepFirst, depth)
        result = await run.result()
    if depth < 230:
        assert result.status is Status.COMPLETED
        assert result.output[0] == "failed"
        assert "nested deeper than 100 levels" in result.output[1]
    else:
        assert result.status is Status.FAILED
        assert "could not be read again" in result.reason
