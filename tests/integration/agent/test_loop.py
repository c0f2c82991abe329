"""The loop itself: what it asks, in which order, and how much of it stands in the history."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sostenuto import Agent, App, Status, ToolContext, Usage, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts import names
from sostenuto.contracts.message import Role, ToolCallPart
from tests.integration.agent.stage import PRICE_USD, Outcome, calls

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Play, Serve


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    return f"a {at}"


@tool(effect="read", fast=True)
async def peek(at: str) -> str:
    """Look at a thing, quickly."""
    return f"a {at}"


async def test_a_plain_answer_is_one_activity(play: Play) -> None:
    outcome = await play(["Hello."], instructions="Be kind.")
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Hello.")
    assert outcome.history.scheduled == [names.MODEL_ACTIVITY]
    assert outcome.history.activity_ids == ["tester:turn-1"]


async def test_usage_cost_and_turns_add_up(play: Play) -> None:
    outcome = await play([calls(("look", {"at": "cat"})), "Seen."], tools=[look])
    assert (outcome.result.turns, outcome.result.unpriced_calls) == (2, 0)
    assert outcome.result.usage == Usage(input_tokens=20, output_tokens=10)
    assert outcome.result.cost_usd == pytest.approx(2 * PRICE_USD)


async def test_a_tool_is_an_activity_of_its_own_name(play: Play) -> None:
    outcome = await play([calls(("look", {"at": "cat"})), "Seen."], tools=[look])
    assert outcome.history.scheduled == [names.MODEL_ACTIVITY, "look", names.MODEL_ACTIVITY]
    assert outcome.history.activity_ids == ["tester:turn-1", "tester:call_1_0", "tester:turn-2"]
    assert outcome.tool_results == [("a cat", False)]


async def test_only_what_is_new_is_sent(play: Play) -> None:
    script = [calls(("look", {"at": "cat"})), calls(("look", {"at": "dog"})), "Both."]
    history = (await play(script, tools=[look], instructions="Look twice.")).history
    sent, replies = history.model_calls, history.replies
    assert [call.head.instructions if call.head else None for call in sent] == ["Look twice.", None, None]
    assert [call.base for call in sent] == [0, 2, 4]
    assert [[m.role for m in call.tail] for call in sent] == [[Role.USER], [Role.TOOL], [Role.TOOL]]
    assert [call.after for call in sent] == ["", replies[0].id, replies[1].id]


async def test_calls_of_one_turn_run_at_once(play: Play) -> None:
    """Each call waits for the others: one after the other they would never end."""
    together = asyncio.Barrier(3)

    @tool(effect="read")
    async def meet(who: str) -> str:
        await together.wait()
        return who

    outcome = await play([calls(*(("meet", {"who": w}) for w in "abc")), "Met."], tools=[meet])
    assert outcome.tool_results == [("a", False), ("b", False), ("c", False)]
    assert outcome.history.activity_ids[1:4] == [f"tester:call_1_{n}" for n in range(3)]


async def test_sync_calls_of_one_turn_run_at_once_in_threads(play: Play) -> None:
    """More of them than the default executor of two cores has threads."""
    together = threading.Barrier(20)
    main = threading.get_ident()

    @tool(effect="read")
    def meet(who: int) -> bool:
        together.wait(timeout=20)
        return threading.get_ident() != main

    outcome = await play([calls(*(("meet", {"who": n}) for n in range(20))), "Met."], tools=[meet])
    assert outcome.tool_results == [("true", False)] * 20


def _events_per_turn(short: Outcome, long: Outcome) -> float:
    return (len(long.history.events) - len(short.history.events)) / (long.result.turns - short.result.turns)


async def test_a_turn_with_a_plain_tool_is_at_most_12_events(play: Play) -> None:
    turns = [calls(("look", {"at": str(n)})) for n in range(8)]
    short, long = await play([*turns[:2], "So."], tools=[look]), await play([*turns, "So."], tools=[look])
    assert _events_per_turn(short, long) <= 12


async def test_a_turn_with_a_fast_tool_is_at_most_7_events(play: Play) -> None:
    turns = [calls(("peek", {"at": str(n)})) for n in range(8)]
    short, long = await play([*turns[:2], "So."], tools=[peek]), await play([*turns, "So."], tools=[peek])
    assert _events_per_turn(short, long) <= 7
    assert long.history.scheduled == [names.MODEL_ACTIVITY] * 9
    assert long.history.markers == ["core_local_activity"] * 8
    assert long.tool_results == [(f"a {n}", False) for n in range(8)]


async def test_the_context_of_a_tool(play: Play) -> None:
    seen: list[ToolContext] = []

    @tool(effect="idempotent")
    async def note(text: str, ctx: ToolContext) -> None:
        seen.append(ctx)

    outcome = await play([calls(("note", {"text": "a"}), ("note", {"text": "a"})), "Noted."], tools=[note])
    assert {ctx.run_id for ctx in seen} == {outcome.run.id}
    assert sorted(ctx.call_id for ctx in seen) == ["call_1_0", "call_1_1"]
    assert len({ctx.idempotency_key for ctx in seen}) == 2
    assert outcome.tool_results == [("done", False), ("done", False)]


class HalfEmoji(ScriptedAdapter):
    """Writes half of an emoji into the arguments of its tool calls, as models do."""

    asked = 0

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        self.asked += 1
        completion = await super().complete(request, on_delta)
        parts = [
            part.model_copy(update={"arguments": {"at": "\ud83d"}}) if isinstance(part, ToolCallPart) else part
            for part in completion.message.parts
        ]
        return replace(completion, message=completion.message.model_copy(update={"parts": tuple(parts)}))


async def test_half_an_emoji_is_paid_for_once(serve: Serve) -> None:
    """What is not Unicode cannot be written to the history: it is replaced, not asked for again."""
    model = HalfEmoji([calls(("look", {"at": ""})), "Seen."])
    agent = Agent(name="tester", model="scripted/model", tools=[look])
    async with serve(App(agent), model) as stage:
        outcome = await stage.ask(agent)
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Seen.")
    assert outcome.tool_results == [("a ?", False)]
    assert model.asked == 2
