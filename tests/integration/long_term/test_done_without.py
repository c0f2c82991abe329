"""What is done beside an answer takes nothing away from it, however it goes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sostenuto import Agent, App, Collection, LongTerm, MemoryRecalled, MemoryWritten, Status, tool
from sostenuto.contracts.collection import patience
from sostenuto.contracts.memory.long_term import MemoryKind
from sostenuto.contracts.wire.memory.record import MOST_WRITTEN
from tests.fakes.cast import Cast
from tests.integration.long_term.conftest import FlakyStore, Served
from tests.integration.long_term.test_turns import assistant, ended, events

NUMBERS = [f"The user has {number} stamps." for number in range(60)]


def finding(*memories: dict[str, Any]) -> dict[str, Any]:
    """What a model answers that is to extract."""
    usual = {"kind": "fact", "about": "", "importance": 0.5, "replaces": []}
    return {"output": {"memories": [usual | one for one in memories]}}


@tool(effect="read")
async def stamps() -> str:
    """Count the stamps."""
    return "sixty"


async def test_as_much_is_written_as_one_turn_may(serving: Served, people: Collection) -> None:
    agent = assistant(people, extract="scripted/e", with_tools=[stamps])
    script = {"m": [{"tool_calls": [{"name": "stamps"}]}, "Sixty."], "e": finding(*({"text": one} for one in NUMBERS))}
    async with serving(App(agent), script) as client:
        _, result = await ended(client, agent, "How many stamps have I?")
        assert (result.status, result.output) == (Status.COMPLETED, "Sixty.")
        written = await client.memory(people, "user:anna").list()
    assert len(written) == MOST_WRITTEN
    assert [one.kind for one in written].count(MemoryKind.EPISODE) == 1


async def test_a_number_that_is_none_is_left_out(serving: Served, people: Collection) -> None:
    agent = assistant(people, extract="scripted/e")
    found = finding({"text": "The user lives in Bonn.", "importance": 10**400}, {"text": "The user has a cat."})
    async with serving(App(agent), {"m": "Ok.", "e": found}) as client:
        _, result = await ended(client, agent, "I live in Bonn, with a cat.")
        assert result.status is Status.COMPLETED
        assert [one.text for one in await client.memory(people, "user:anna").list()] == ["The user has a cat."]


async def test_a_model_that_is_away_is_not_waited_for_and_that_is_told(serving: Served, people: Collection) -> None:
    agent, cast = assistant(people, extract="scripted/e"), Cast({"m": "Ok.", "e": {"error": "ProviderUnavailable"}})
    async with serving(App(agent), cast) as client:
        run, result = await ended(client, agent, "Ich wohne in Bonn.")
        assert (result.status, result.output) == (Status.COMPLETED, "Ok.")
        [written] = await events(run, MemoryWritten)
        assert (written.memories, written.problem) == ((), "")
        assert "scripted/e was asked in vain (ProviderUnavailable: " in written.note
        assert await client.memory(people, "user:anna").list() == ()
    assert len(cast.asked("e")) == 4


async def test_a_store_that_hangs_is_not_waited_for(
    serving: Served, people: Collection, store: FlakyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "MEMORY_RECALL", replace(patience.MEMORY_RECALL, attempt=timedelta(milliseconds=200)))
    looked = 0

    async def hangs(*_: Any, **__: Any) -> None:
        nonlocal looked
        looked += 1
        await asyncio.Event().wait()

    agent = Agent(name="a", model="scripted/m", long_term=LongTerm(people, extract="none"))
    async with serving(App(agent), {"m": "Ok."}) as client:
        monkeypatch.setattr(store, "_call", hangs)
        run, result = await ended(client, agent, "Hello!")
        assert result.status is Status.COMPLETED
        [recalled] = await events(run, MemoryRecalled)
        assert recalled.problem
    assert looked == 1
