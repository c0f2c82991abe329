"""Chats whose histories are recorded: every kind of update, an interrupt at work, several executions."""

from __future__ import annotations

import asyncio

from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Chat, Client, Collection, LongTerm, Prompt, Team, tool
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import build_worker
from tests.fakes.knowledge import WORDS
from tests.replay.shortened import CONTINUED, TALKER, talking_model


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    if at == "the sea":
        await asyncio.Event().wait()
    return f"{at} is fine"


AGENT = Agent(name="talker", model="scripted/m", tools=[look])
PROMPT = Prompt(name="writer", template="{history}\n{input}", model="scripted/w")
TEAM = Team(
    name="crew", model="scripted/lead", members=[Agent(name="helper", model="scripted/h", description="Helps.")]
)
KEEPER = Agent(name="keeper", model="scripted/k", long_term=LongTerm(Collection("people", embedding=WORDS)))
CHATTED: dict[str, Agent | Prompt | Team] = {
    "chatted": AGENT,
    "chatted_prompt": PROMPT,
    "chatted_team": TEAM,
    "chatted_memory": KEEPER,
    CONTINUED: TALKER,
}
"""Who answers in each recorded chat, by its id."""

_LOOKS = {"tool_calls": [{"name": "look", "arguments": {"at": "the house"}}]}
_STARES = {"tool_calls": [{"name": "look", "arguments": {"at": at}} for at in ("the house", "the sea")]}
_ASKS = {"tool_calls": [{"name": "helper", "arguments": {"task": "Help."}}]}
SCRIPT: Script = {
    "m": [_LOOKS, "It is fine.", _STARES, "As you like.", *(f"Answer {number}." for number in range(20))],
    "lead": [_ASKS, "It helped.", *(f"Answer {number}." for number in range(20))],
    "h": ["I help."],
    "k": [f"Answer {number}." for number in range(20)],
    "w": [{"text": "An answer.", "delay_seconds": 0.3}],
}


async def hold(temporal: TemporalClient, name: str, services: Services) -> None:
    """Chat on a server that suggests to continue as new after 30 events."""
    runnable = CHATTED[name]
    adapter = talking_model() if name == CONTINUED else ScriptedAdapter(SCRIPT)
    worker = build_worker(
        temporal,
        App(runnable),
        {"scripted": adapter},
        lambda *_: 0.001,
        task_queue="recording",
        services=services,
    )
    async with worker:
        chat = await Client(temporal, task_queue="recording", redis_url="").chat(
            runnable,
            id=name,
            when_busy="interrupt" if runnable is AGENT else "queue",
            context={"user": "anna"} if runnable is KEEPER else None,
        )
        if runnable is AGENT:
            await _interrupted(temporal, chat)
        else:
            asked = "My box{0} is number {0}." if runnable is KEEPER else "Question {}."
            turns = [chat.send(asked.format(number), id=f"m{number}") for number in range(3)]
            await asyncio.gather(*turns)
        await chat.rename("Small talk")
        for number in range(4):
            await chat.send(f"And {number}?", id=f"n{number}")
        await chat.send("And 0?", id="n0")
        await chat.end()
        async for _ in chat.events():
            pass


async def _interrupted(temporal: TemporalClient, chat: Chat) -> None:
    await chat.send("How is the house?", id="m1")
    first = chat.send("Look at everything.", id="m2")
    await first.accepted()
    handle = temporal.get_workflow_handle(chat.id)
    while True:
        pending = (await handle.describe()).raw_description.pending_activities
        if [activity.activity_type.name for activity in pending] == ["look"]:
            break
        await asyncio.sleep(0.05)
    await chat.send("Never mind.", id="m3")
    await first
