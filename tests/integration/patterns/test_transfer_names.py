"""An MCP server cannot offer a tool under the name by which a member hands over: no model could tell them apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sostenuto import App, Team
from sostenuto.workers.mcp import mcp_sessions
from sostenuto.workers.served.activities import Services
from tests.integration.mcp.conftest import fake_server
from tests.integration.patterns.conftest import agent

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Serve


async def test_a_tool_named_as_a_transfer(serve: Serve, tmp_path: Path) -> None:
    team = Team(name="desk", members=[agent("first", tools=["mcp:fake"]), agent("echo")], style="handoff")
    app = App(team, mcp={"fake": fake_server(tmp_path / "journal", prefix="transfer_to_")})
    async with mcp_sessions(app.mcp) as sessions, serve(app, {}, services=Services(mcp=sessions)) as stage:
        outcome = await stage.ask(team)
    assert (outcome.failed, outcome.result.turns) == (True, 0)
    assert "'mcp:fake/echo' has the name 'transfer_to_echo'" in outcome.result.reason
