"""A code-first workflow, whose recorded histories have to replay: it may never change."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow

from sostenuto import Agent, Budget, Degrade, SpecError, tool
from sostenuto.workflows import ask, call_tool, run

MEMBER = Agent(name="member", model="scripted/member")


@tool(effect="read")
async def count(of: str) -> int:
    """How many there are."""
    return len(of)


@tool(effect="once")
async def spend(amount: int) -> str:
    """Spend."""
    return f"spent {amount}"


@workflow.defn(name="RecordedWorkflow")
class RecordedWorkflow:
    """Asks, branches, loops, and does two things at once."""

    @workflow.run
    async def run(self, question: str) -> dict[str, Any]:
        """What came of it."""
        kind = await ask("scripted/kind", question, name="kind")
        counted = 0
        while counted < 8:
            counted += await call_tool(count, of=question)
        first, second = await asyncio.gather(run(MEMBER, question), run(MEMBER, f"{question} again"))
        paid = await call_tool(spend, amount=counted) if kind.output == "urgent" else ""
        return {"kind": kind.output, "counted": counted, "said": [first.output, second.output], "paid": paid}


@workflow.defn(name="RacingWorkflow")
class RacingWorkflow:
    """Takes names at once, and one that a cancel comes before."""

    @workflow.run
    async def run(self, question: str) -> list[str]:
        """What was said."""
        ran, asked = await asyncio.gather(run(MEMBER, question), ask("scripted/one", question, name="member"))
        dropped = asyncio.create_task(ask("scripted/one", question))
        await asyncio.sleep(0)
        dropped.cancel()
        await asyncio.gather(dropped, return_exceptions=True)
        last = await ask("scripted/one", question)
        return [str(ran.output), str(asked.output), str(last.output)]


@workflow.defn(name="PricedWorkflow")
class PricedWorkflow:
    """Runs what may cost so much, by prices that its worker looks up: one is not known."""

    @workflow.run
    async def run(self, question: str) -> list[str]:
        """What was said."""
        budget = Budget(usd=1, on_exhausted=Degrade("local/none"))
        try:
            first = await run(MEMBER, question, budget=budget)
        except SpecError as error:
            first = await run(MEMBER, str(error), budget=Budget(tokens=10_000, on_exhausted=Degrade("local/none")))
        return [str(first.output)]
