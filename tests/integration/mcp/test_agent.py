"""An agent's run with MCP tools, on a real server of Temporal: what its model is told, and what its history says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sostenuto import Status
from sostenuto.activities.adapters.providers.scripted import Script
from sostenuto.contracts import names
from sostenuto.contracts.mcp import McpServer
from sostenuto.contracts.wire.tool_call import outcome_unknown
from sostenuto.workers.worker import replayer
from tests.integration.agent.stage import calls
from tests.integration.mcp.conftest import SECRET, Play

Fake = Callable[..., McpServer]


async def test_a_run_with_every_kind_of_end(play: Play, fake: Fake) -> None:
    """Parallel calls, an error, a crash in a call that is not repeated, and the server that is there again."""
    script: Script = [
        calls(("f_echo", {"text": "one"}), ("f_pid", {}), ("f_fail", {"reason": "rain"})),
        calls(("f_crash_once", {})),
        calls(("f_pid", {})),
        {"text": "Done."},
    ]
    done = await play(fake(prefix="f_"), script, "mcp:fake")
    assert done.result.status is Status.COMPLETED
    one, first, rain, crash, second = done.tool_results
    assert one == ("one", False)
    assert rain == ("Error executing tool fail: no luck: rain [redacted]", True)
    assert crash[1]
    assert crash[0].startswith(outcome_unknown("f_crash_once"))
    assert first[0] != second[0]
    assert done.history.scheduled == [
        names.MCP_CATALOGUE_ACTIVITY,
        names.MODEL_ACTIVITY,
        *[names.MCP_TOOL_ACTIVITY] * 3,
        names.MODEL_ACTIVITY,
        names.MCP_TOOL_ACTIVITY,
        names.MODEL_ACTIVITY,
        names.MCP_TOOL_ACTIVITY,
        names.MODEL_ACTIVITY,
    ]
    assert SECRET not in done.history.history.to_json()
    replayed = await replayer().replay_workflow(done.history.history)
    assert replayed.replay_failure is None


async def test_a_hung_server_is_cut_off_and_the_run_goes_on(play: Play, fake: Fake) -> None:
    script: Script = [calls(("hang", {})), calls(("echo", {"text": "still here"})), {"text": "Done."}]
    done = await play(fake(seconds=5), script, "mcp:fake/hang", "mcp:fake/echo")
    assert done.result.output == "Done."
    assert "did not answer within 5 s and was told to stop" in done.tool_results[0][0]
    assert done.tool_results[1] == ("still here", False)


@pytest.mark.parametrize(
    ("server", "tool", "reason"),
    [
        (McpServer(command="no-such-program"), "mcp:fake", "command 'no-such-program' cannot be started"),
        (None, "mcp:fake/nope", "the MCP server 'fake' has no such tool; it has: crash, "),
    ],
)
async def test_a_run_that_cannot_have_its_tools_costs_nothing(
    play: Play, fake: Fake, server: McpServer | None, tool: str, reason: str
) -> None:
    done = await play(server or fake(), [{"text": "never"}], tool)
    assert done.failed
    assert reason in (done.result.reason or "")
    assert done.result.cost_usd == 0
    assert done.history.scheduled == [names.MCP_CATALOGUE_ACTIVITY]
