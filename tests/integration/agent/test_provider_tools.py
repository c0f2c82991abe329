"""Tools that a provider runs itself, in a run: what they found is in the transcript, and no key is in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sostenuto import (
    Agent,
    App,
    McpConnector,
    McpServer,
    ModelResponded,
    SpecError,
    Status,
    WebSearch,
    tool,
)
from sostenuto.activities.adapters.providers.anthropic.adapter import AnthropicAdapter
from sostenuto.activities.adapters.providers.profiles.known import Profiles
from tests.conformance.wire_rules.bodies import CLAIM, FOUND, SEARCH
from tests.fakes.wire.server import provider_server
from tests.fakes.wire.streams import WireStep
from tests.integration.agent.stage import calls

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

TRACKER = McpServer(url="https://example.com/mcp", headers={"Authorization": "Bearer tracker-token"})
OSLO = CLAIM | {"url": "https://example.com/oslo", "title": "Oslo", "cited_text": "Oslo has 700,000 people."}
CITED = {"type": "text", "text": "Oslo has 700,000 people.", "citations": [OSLO]}


@tool(effect="read")
async def count(city: str) -> int:
    """Counts the people of a city."""
    return len(city)


async def test_what_a_provider_ran_is_kept_and_goes_back(serve: Serve) -> None:
    connector = McpConnector("tracker", tools=["find"])
    agent = Agent(name="tester", model="scripted/claude-opus-5", tools=[count, WebSearch(max_uses=2), connector])
    script = [
        WireStep.model_validate(calls(("count", {"city": "Oslo"})) | {"blocks": [SEARCH, FOUND]}),
        WireStep(blocks=(CITED,)),
    ]
    async with provider_server(*script) as server:
        adapter = AnthropicAdapter(
            provider="scripted", api_key="a-key-of-the-worker", base_url=server.url, profiles=Profiles("anthropic")
        )
        async with serve(App(agent, mcp={"tracker": TRACKER}), adapter) as stage:
            outcome = await stage.ask(agent)
            responded = [event async for event in outcome.run.events() if isinstance(event, ModelResponded)]
        await adapter.close()
        bodies: list[dict[str, Any]] = [received.body for received in server.requests]
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Oslo has 700,000 people.")
    assert [event.message.provider_tools for event in responded] == [("web_search",), ()]
    assert bodies[1]["messages"][1]["content"][:2] == [SEARCH, FOUND]
    assert [server["authorization_token"] for server in bodies[0]["mcp_servers"]] == ["tracker-token"]
    answer = (await outcome.run.result()).messages[-1]
    assert [(one.url, one.title, one.quote) for one in answer.citations] == [
        ("https://example.com/oslo", "Oslo", "Oslo has 700,000 people.")
    ]
    written = str(outcome.history.events)
    assert "example.com/oslo" in written
    assert "tracker-token" not in written
    assert "a-key-of-the-worker" not in written


def test_a_connector_needs_a_server_that_a_provider_can_reach() -> None:
    agent = Agent(name="tester", model="scripted/claude-opus-5", tools=[McpConnector("tracker")])
    with pytest.raises(SpecError, match=r"tools: McpConnector\('tracker'\): the app has no MCP server 'tracker'"):
        App(agent)
    with pytest.raises(SpecError, match="a provider cannot start a command: give the server an https:// address"):
        App(agent, mcp={"tracker": McpServer(command="tracker")})
