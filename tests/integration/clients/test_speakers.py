"""Whose words are the answer of a chat, seen where every kind of runnable is at work."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, App, Chain, Prompt, Route, Router, Rule, Status, Team
from sostenuto.clients.cli.chat.speakers import speaks_for
from sostenuto.contracts.specs.runnable import Runnable
from sostenuto.contracts.wire.chats.chat_event import TurnFinished
from sostenuto.contracts.wire.event import ModelResponded
from tests.integration.clients.conftest import Serve


def agent(name: str, **options: Any) -> Agent:
    return Agent(name=name, model=f"scripted/{name}", description="Does.", **options)


TITLE = Prompt(name="title", template="{input}", model="scripted/title")
PIPE = Chain(name="pipe", steps=[TITLE, agent("anna")])
DESK = Router(name="desk", routes=[Route(PIPE, name="work", when=Rule(min_chars=1))], strategy="rules")
LEAD = Team(name="lead", members=[agent("anna")], model="scripted/lead")
HANDS = Team(name="hands", members=[agent("first"), agent("anna")], style="handoff")
JUDGED = Team(name="judged", members=[agent("anna"), agent("bob")], style="debate", judge=TITLE, max_rounds=1)
PLANS = Team(name="plans", members=[agent("anna")], style="plan", model="scripted/plans", writer=TITLE, max_rounds=1)
SCRIPT = {
    "anna": ["said by anna"] * 9,
    "bob": ["said by bob"] * 9,
    "title": ["said by title"] * 9,
    "lead": [
        {"text": "one moment", "tool_calls": [{"name": "anna", "arguments": {"message": "Look."}}]},
        "said by lead",
        "said by lead again",
    ],
    "first": [{"text": "anna knows", "tool_calls": [{"name": "transfer_to_anna"}]}],
    "plans": [{"output": {"tasks": [{"member": "anna", "task": "Look.", "needs": []}], "answer": ""}}] * 9,
}


@pytest.mark.parametrize("runnable", [TITLE, PIPE, DESK, LEAD, HANDS, JUDGED, PLANS], ids=lambda one: str(one.name))
async def test_the_last_of_these_words_are_the_answer(serve: Serve, runnable: Runnable) -> None:
    async with serve(App(runnable), SCRIPT) as client:
        chat = await client.chat(runnable)
        for _ in range(2):
            items = [item async for item in chat.send("How is 7?")]
            finished = items[-1]
            assert isinstance(finished, TurnFinished)
            assert finished.status is Status.COMPLETED, finished.reason
            said = [i.message.text for i in items if isinstance(i, ModelResponded) and speaks_for(runnable, i.path)]
            assert said[-1] == finished.output
