"""Searches under a budget: what embeds and judges is held before, and charged after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sostenuto import Agent, App, Budget, Model, Price, Retrieve, SpecError, Status, ToolResponded
from tests.fakes.vector_server import VectorServer
from tests.integration.knowledge.test_embedding_models import SCRIPT, embedded, filled, settings

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Served

__all__ = ["filled"]

PRICES = {"acme/bge-m3": Price(input=10, output=0), "scripted/judge": Price(input=1, output=10)}
MODEL = Model("scripted/m", price=Price(input=1, output=10), max_output_tokens=100)


async def test_a_search_is_held_for_before_and_charged_after(serving: Served, task_queue: str, filled: Path) -> None:
    collection = embedded(task_queue, rerank="model:scripted/judge", prices=PRICES)
    judgement = {
        "output": {"passages": [{"id": 2, "score": 0.75}]},
        "usage": {"input_tokens": 1_000, "output_tokens": 500},
    }
    script = {"m": SCRIPT, "judge": [judgement]}
    agent = Agent(name="ask", model=MODEL, tools=[collection.search(name="find")], budget=Budget(usd=1))
    small = Retrieve("small", collection, budget=Budget(usd=0.1))
    async with VectorServer() as server, serving(App(agent, small), script, settings=settings(server)) as client:
        await (await client.ingest(collection, filled)).result()
        run = await client.start(agent, "How is the probe stored?")
        result = await run.result()
        events = [event async for event in run.events()]

        refused = await (await client.start(small, "How is the probe stored?")).result()
        tight = agent.model_copy(update={"budget": Budget(usd=0.1)})
        run = await client.start(tight, "How is the probe stored?")
        told = [event.content async for event in run.events() if isinstance(event, ToolResponded)]
        judged = await client.search(collection, "the pump upright")
    assert result.status is Status.COMPLETED
    # Two answers of the model, five tokens embedded, one judgement: by the prices of the collection.
    assert result.cost_usd == pytest.approx(2 * (10 * 1 + 5 * 10) / 1e6 + 5 * 10 / 1e6 + (1_000 + 500 * 10) / 1e6)
    assert (result.unsettled, result.unpriced_calls) == (None, 0)
    assert any(event.type == "retrieval.responded" for event in events)
    assert (refused.status, refused.exhausted) == (Status.EXHAUSTED, "usd")
    assert f"a search of {task_queue} may cost up to $0.1" in refused.reason
    assert "$0.0001 of $0.1000 is spent, $0.0100 is kept for a last answer, and a search of" in told[0]
    assert judged.cost_usd == pytest.approx(3 * 10 / 1e6 + 0.006)


async def test_what_has_no_known_price_is_refused_where_dollars_are_limited(serving: Served, task_queue: str) -> None:
    agent = Agent(name="ask", model=MODEL, tools=[embedded(task_queue).search(name="find")], budget=Budget(usd=1))
    async with VectorServer() as server, serving(App(agent), SCRIPT, settings=settings(server)) as client:
        with pytest.raises(SpecError, match=r"the price of acme/bge-m3 is not known: write Collection\(…, prices="):
            await client.start(agent, "Go.")
