"""Tools of an MCP server anywhere in a tree: asked for once per run, told apart by name, called like any other tool."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.contrib.pydantic import pydantic_data_converter

from sostenuto import App, Parallel, Status, Team, tool
from sostenuto.contracts import names
from sostenuto.contracts.specs.runnable import Runnable
from sostenuto.contracts.wire.mcp_call import McpCatalogue
from sostenuto.workers.mcp import mcp_sessions
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import replayer
from tests.fakes.cast import Cast, turn
from tests.integration.agent.listener import contents
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import Stage, calls
from tests.integration.mcp.conftest import fake_server
from tests.integration.patterns import flows
from tests.integration.patterns.conftest import agent
from tests.integration.patterns.nested import children

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Serve

ServeMcp = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def serve_mcp(serve: Serve, tmp_path: Path) -> ServeMcp:
    """Serves runnables with a server of tools, called `fake`."""

    @asynccontextmanager
    async def serving(*runnables: Runnable, cast: Any, workflows: Any = (), **options: Any) -> AsyncIterator[Stage]:
        app = App(*runnables, mcp={"fake": fake_server(tmp_path / "journal")}, workflows=workflows)
        async with (
            mcp_sessions(app.mcp) as sessions,
            serve(app, cast, services=Services(mcp=sessions), **options) as stage,
        ):
            yield stage

    return serving


def _says(*wanted: tuple[str, dict[str, Any]]) -> Any:
    return lambda request: calls(*wanted) if turn(request) == 0 else " ".join(contents(request.messages))


async def test_every_run_of_a_tree_asks_once_for_itself(serve_mcp: ServeMcp, temporal: TemporalClient) -> None:
    members = [agent("a", tools=["mcp:fake/echo"]), agent("b", tools=["mcp:fake"])]
    team = Team(name="t", members=members, model="scripted/lead")
    echo = _says(("echo", {"text": "hi"}))
    cast = Cast({"lead": _says(("a", {"task": "1"}), ("b", {"task": "2"})), "a": echo, "b": echo})
    async with serve_mcp(team, cast=cast) as stage:
        outcome = await stage.ask(team)
        asked = [(await Recorded.of(temporal, name)).scheduled for name in await children(temporal, outcome.run.id)]
        history = await Recorded.of(temporal, f"{outcome.run.id}/b")
    assert outcome.result.output == "hi hi"
    each = [names.MCP_CATALOGUE_ACTIVITY, names.MODEL_ACTIVITY, names.MCP_TOOL_ACTIVITY, names.MODEL_ACTIVITY]
    assert asked == [each, each]
    assert [tool.name for tool in cast.asked("a")[0].tools] == ["echo"]
    assert len(cast.asked("b")[0].tools) > 10
    payload = history.attributes("activity_task_completed")[0].result.payloads[0]
    catalogue = pydantic_data_converter.payload_converter.from_payload(payload, McpCatalogue)
    written = json.dumps([tool.model_dump(mode="json") for tool in catalogue.tools], sort_keys=True)
    assert catalogue.digest == hashlib.sha256(written.encode()).hexdigest()


@tool
async def echo(text: str) -> str:
    """Has the name of a tool of the server."""
    return text


async def test_two_tools_of_one_name_cost_nothing(serve_mcp: ServeMcp) -> None:
    branches = Parallel(name="p", branches=[agent("a", tools=[echo, "mcp:fake"]), agent("b")])
    cast = Cast()
    async with serve_mcp(branches, cast=cast) as stage:
        outcome = await stage.ask(branches)
    assert outcome.result.steps["a"].status is Status.FAILED
    assert outcome.result.steps["a"].reason == (
        "tools: 'mcp:fake/echo' has the name 'echo' of tool 'echo': names must differ; "
        "name the tools that you want one by one, or set McpServer(prefix=)"
    )
    assert (outcome.result.output, len(cast.requests)) == ({"b": "b<Go.>"}, 1)


async def test_the_catalogue_goes_along_where_a_run_continues_as_new(
    serve_mcp: ServeMcp, impatient: TemporalClient
) -> None:
    def talks(request: Any) -> Any:
        return calls(("echo", {"text": str(turn(request))})) if turn(request) < 7 else "done"

    one = agent("a", tools=["mcp:fake/echo"])
    async with serve_mcp(one, cast={"a": talks}, temporal=impatient) as stage:
        outcome = await stage.ask(one)
    assert outcome.result.output == "done"
    started = outcome.history.first("workflow_execution_started").workflow_execution_started_event_attributes
    assert started.continued_execution_run_id
    assert names.MCP_CATALOGUE_ACTIVITY not in outcome.history.scheduled


async def test_in_a_workflow_of_ones_own(serve_mcp: ServeMcp, temporal: TemporalClient, task_queue: str) -> None:
    async with serve_mcp(cast={}, workflows=[flows.Echoes]):
        heard = await temporal.execute_workflow(flows.Echoes.run, id=task_queue, task_queue=task_queue)
        recorded = await Recorded.of(temporal, task_queue)
    assert heard[:2] == ["a", "b"]
    assert heard[2].startswith("ToolFailed: Error executing tool fail: no luck: rain")
    assert heard[3].startswith(f"{task_queue}:")
    assert recorded.scheduled == [names.MCP_CATALOGUE_ACTIVITY, *[names.MCP_TOOL_ACTIVITY] * 4]
    replayed = await replayer([flows.Echoes]).replay_workflow(recorded.history)
    assert replayed.replay_failure is None
