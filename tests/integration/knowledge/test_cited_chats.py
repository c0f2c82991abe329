"""A chat cites what earlier turns found, over continue-as-new and in its forks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Cited, Collection, Status
from tests.integration.agent.stage import calls
from tests.integration.knowledge.test_retrieve import cited, filled, pump_in

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Served

__all__ = ["filled"]


async def test_what_was_found_may_be_cited_in_every_later_turn(
    serving: Served, impatient: TemporalClient, handbook: Collection, filled: Path
) -> None:
    pump = pump_in(filled)
    agent = Agent(name="clerk", model="scripted/clerk", tools=[handbook.search(name="find")], output=Cited)
    script = {"clerk": [calls(("find", {"query": "pump upright"})), *([cited([pump])] * 20)]}
    async with serving(App(agent), script, temporal=impatient) as client:
        await (await client.ingest(handbook, filled)).result()
        chat = await client.chat(agent)
        results = [await chat.send(f"Question {number}?", id=f"m{number}") for number in range(6)]
        again = await chat.send("Question 0?", id="m0")
        fork = await chat.fork(at="m0")
        forked = await fork.send("And in a fork?")
        await chat.end()
    for result in (*results, again, forked):
        assert (result.status, [one.passage for one in result.citations]) == (Status.COMPLETED, [pump])
        assert isinstance(result.output, Cited)
    assert again == results[0]
