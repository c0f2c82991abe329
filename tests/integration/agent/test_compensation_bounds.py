"""What a nested run did and cannot hand on is told by its number, and the rest of it is undone."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, App, Chain, EffectOutcome, Status, tool
from sostenuto.contracts import limits
from sostenuto.workers.worker import replayer
from tests.integration.agent.conftest import Serve
from tests.integration.agent.stage import calls

TORN: list[int] = []
MANY = 60


@tool(effect="idempotent")
async def tear(number: int) -> str:
    """Undo it."""
    TORN.append(number)
    return "torn"


@tool(effect="idempotent", compensate=tear)
async def write(number: int, text: str) -> str:
    """Write something."""
    return f"{number}: {len(text)} letters"


WRITER = Agent(name="writer", model="scripted/writer", tools=[write])
FAILS = Agent(name="fails", model="scripted/fails")
BOOK = Chain(name="book", steps=[WRITER, FAILS], compensate=True)


async def test_what_cannot_be_handed_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    TORN.clear()
    # Of what is left beside a result's other parts, a few calls can be undone and a few more be named.
    monkeypatch.setattr(limits, "MAX_PAYLOAD_BYTES", 150_000)
    batches = [range(begin, begin + 20) for begin in range(0, MANY, 20)]
    wanted: list[Any] = [calls(*(("write", {"number": n, "text": "x" * 3_000}) for n in batch)) for batch in batches]
    script = {"writer": [*wanted, "ok"], "fails": [{"error": "InvalidRequest"}]}
    async with serve(App(BOOK), script) as stage:
        run = await stage.start(BOOK)
        result = await run.result()
        history = await stage.temporal.get_workflow_handle(run.id).fetch_history()
    assert result.status is Status.FAILED
    assert result.compensated
    assert not result.compensated.is_complete
    undone, failed = (result.compensated.of(outcome) for outcome in (EffectOutcome.UNDONE, EffectOutcome.FAILED))
    assert len(undone) == len(TORN) > 5
    assert min(TORN) >= MANY - 20, "the last ones"
    assert sum(1 + one.more for one in failed) == MANY - len(undone) > len(failed) > 5
    assert {one.reason for one in failed} == {
        "the run that did it could not hand on what undoing takes: it did too much, or was given too much"
    }
    await replayer().replay_workflow(history)
