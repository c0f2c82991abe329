"""Every kind of model gets through whole conversations, over the wire, before its own strict endpoint.

With parallel calls, a structured answer at the end, another model in the middle, and sixty turns.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count, pairwise

import pytest

from sostenuto.activities.adapters.providers.compatible.adapter import CompatibleAdapter
from sostenuto.activities.adapters.providers.profiles.known import UNKNOWN, Profiles
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.contracts.message import Message, Role, ToolCallPart, ToolResultPart
from tests.conformance.every_profile import MODELS
from tests.conformance.subject import ANSWER, KEY, request, wire_adapter
from tests.fakes.wire.server import ProviderServer
from tests.fakes.wire.streams import WireStep

CALLS = [{"name": "look_up", "arguments": {"what": city}} for city in ("Oslo", "Bergen")]
ONE_OF_EACH = list({model.partition("/")[0]: model for model in reversed(MODELS)}.values())


class Player:
    """One model at its endpoint, in a conversation that others may take part in."""

    def __init__(self, model: str, adapter: ModelAdapter, server: ProviderServer) -> None:
        self.model = model
        self.server = server
        self._adapter = adapter

    async def answer(self, messages: list[Message]) -> Message:
        """The next thing that the model says."""
        asked = request(self.model.partition("/")[0], *messages, output=ANSWER)
        asked = replace(asked, model=asked.model.model_copy(update={"name": self.model}))
        return (await self._adapter.complete(asked)).message


@asynccontextmanager
async def player(model: str, script: list[WireStep]) -> AsyncIterator[Player]:
    """A model whose endpoint says what the script says."""
    provider = model.partition("/")[0]
    protocol = provider if provider in ("anthropic", "openai") else "compatible"
    async with ProviderServer(script, dialect=provider if protocol == "compatible" else "chat") as server:
        adapter = wire_adapter(protocol, server.base_url(protocol), dialect=provider)
        if provider == "chat":
            adapter = CompatibleAdapter(
                provider=provider, base_url=server.base_url(protocol), api_key=KEY, profiles=Profiles(UNKNOWN)
            )
        try:
            yield Player(model, adapter, server)
        finally:
            await adapter.close()


def script(turns: int) -> list[WireStep]:
    """Two calls at each turn, with thoughts in every third; then an answer."""
    thinking = [WireStep(tool_calls=CALLS, reasoning="" if turn % 3 else "Hm.") for turn in range(turns)]
    return [*thinking, WireStep(text='{"city": "Oslo", "people": 700000}')]


async def play(players: list[Player], turns: int) -> Message:
    """The last answer of a conversation in which the players take turns."""
    messages = [Message.user("Compare Oslo and Bergen.")]
    ids = count()
    for turn in range(turns + 1):
        said = await players[turn % len(players)].answer(messages)
        parts = [
            part.model_copy(update={"id": f"call_{next(ids)}"}) if isinstance(part, ToolCallPart) else part
            for part in said.parts
        ]
        said = Message(role=Role.ASSISTANT, parts=tuple(parts))
        messages.append(said)
        for call in said.tool_calls:
            result = ToolResultPart(call_id=call.id, name=call.name, content=f"{call.arguments['what']}: many")
            messages.append(Message(role=Role.TOOL, parts=(result,)))
    return messages[-1]


@pytest.mark.parametrize("model", MODELS)
async def test_calls_at_once_and_an_answer_of_a_form(model: str) -> None:
    async with player(model, script(3)) as one:
        last = await play([one], 3)
        assert [len(received.body) > 0 for received in one.server.requests] == [True] * 4
    assert '"Oslo"' in last.text


@pytest.mark.parametrize(("model", "other"), list(zip(MODELS, (*MODELS[1:], MODELS[0]), strict=True)))
async def test_another_model_takes_over_in_the_middle_and_gives_back(model: str, other: str) -> None:
    async with player(model, script(5)) as one, player(other, script(5)) as two:
        last = await play([one, two], 5)
        assert len(one.server.requests) == len(two.server.requests) == 3
    assert '"Oslo"' in last.text


@pytest.mark.parametrize("model", ONE_OF_EACH)
async def test_sixty_turns(model: str) -> None:
    async with player(model, script(60)) as one:
        last = await play([one], 60)
        bodies = [received.body for received in one.server.requests]
    assert '"Oslo"' in last.text
    assert len(bodies) == 61
    if model.startswith("anthropic/"):
        # What one request ends with is marked in the next one, too, however many blocks came in between.
        for before, after in pairwise(bodies):
            ended = len(before["messages"]) - 1
            assert "cache_control" in after["messages"][ended]["content"][-1]
