"""An agent goes on from messages that whoever starts it has."""

from __future__ import annotations

import pytest
from temporalio import workflow

from sostenuto import Agent, App, Client, Message, Prompt, Role, SpecError, Status, Team, TextPart, tool
from sostenuto.contracts.message import ToolCallPart, ToolResultPart
from sostenuto.workflows import run
from tests.integration.agent.conftest import Serve
from tests.integration.agent.listener import Listener, said
from tests.integration.agent.stage import calls


@tool(effect="read")
async def look() -> str:
    """Look."""
    return "seen"


ASKER = Agent(name="asker", model="scripted/asker", tools=[look])
BEFORE = [
    Message.user("Look."),
    Message(role=Role.ASSISTANT, parts=(ToolCallPart(id="toolu_1", name="look", arguments={}),)),
    Message(role=Role.TOOL, parts=(ToolResultPart(call_id="toolu_1", name="look", content="nothing"),)),
    Message(role=Role.ASSISTANT, parts=(TextPart(text="Nothing."),)),
]


@workflow.defn
class Own:
    """Hands messages on."""

    @workflow.run
    async def run(self) -> str:
        """Ask."""
        return str((await run(ASKER, [*BEFORE, Message.user("Again.")])).output)


async def test_it_goes_on(serve: Serve) -> None:
    team = Team(name="team", model="scripted/asker", members=[ASKER])
    # Two answers stand before the question: its script goes on with the third.
    listener = Listener(["-", "-", calls(("look", {})), "Seen."])
    async with serve(App(ASKER, team, workflows=[Own]), listener) as stage:
        outcome = await stage.ask(ASKER, [*BEFORE, Message.user("Again.")])
        assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Seen.")
        result = await outcome.run.result()
        expected = [
            "user Look.",
            "assistant call_1_0=look",
            "tool call_1_0:nothing",
            "assistant Nothing.",
            "user Again.",
            "assistant call_5_0=look",
            "tool call_5_0:seen",
            "assistant Seen.",
        ]
        assert said(result.messages) == expected
        assert said(listener.prompts[1]) == expected[:-1]
        trace = await outcome.run.trace()
        assert all(step.proven for step in trace.run.steps if step.kind == "model"), "the prompts are those sent"
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        own = await (await client.start(Own)).result()
        assert own.output == "Seen.", own.reason


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (BEFORE, "the last message is of role 'assistant': end with what it is asked"),
        (
            [*BEFORE[:1], *BEFORE[2:], Message.user("?")],
            "it is the result of 'toolu_1', and no open call before it has that",
        ),
        ([*BEFORE[:2], Message.user("?")], "the tool call 'toolu_1' has no result"),
        ([*BEFORE[:2], BEFORE[0], Message.user("?")], "message 2: the tool call 'toolu_1' before it has no result"),
        ([BEFORE[0], "text"], "item 1 is 'text' beside messages"),
    ],
)
async def test_what_no_conversation_goes_on_from(serve: Serve, messages: list[Message], words: str) -> None:
    async with serve(App(ASKER), []) as stage:
        with pytest.raises(SpecError) as caught:
            await stage.start(ASKER, messages)
    assert words in str(caught.value)


async def test_only_agents_go_on(serve: Serve) -> None:
    prompt = Prompt(name="prompt", model="scripted/m", template="{input}")
    async with serve(App(prompt), []) as stage:
        with pytest.raises(SpecError, match="Prompt 'prompt': only an agent"):
            await stage.start(prompt, [*BEFORE, Message.user("?")])
