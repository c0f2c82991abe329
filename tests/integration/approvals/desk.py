"""An app whose tools wait for people, and code-first work that does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow

from sostenuto import Agent, App, Approval, AskPerson, Chain, Prompt, Team, ToolContext, tool
from sostenuto.workflows import ask_person, call_tool

PAID: list[tuple[str, dict[str, Any]]] = []
"""What ran: in which run, and with which arguments."""

SOON = timedelta(milliseconds=200)


async def _pay(order: str, amount: float, ctx: ToolContext) -> str:
    PAID.append((ctx.run_id.partition("/")[0], {"order": order, "amount": amount}))
    return f"refunded {amount:g} of {order}"


@tool(effect="once", approval=Approval(when=lambda amount: amount > 10, group="finance", grants=True))
async def refund(ctx: ToolContext, order: str, amount: float) -> str:
    """Refund an order."""
    return await _pay(order, amount, ctx)


@tool(effect="once", approval="large")
async def large(order: str, amount: float, ctx: ToolContext) -> str:
    """Refund a large order."""
    return await _pay(order, amount, ctx)


@tool(effect="once", approval=Approval(expires=SOON))
async def hasty(order: str, amount: float, ctx: ToolContext) -> str:
    """Refund at once or never."""
    return await _pay(order, amount, ctx)


@tool(effect="once", approval=Approval(expires=SOON, escalate_to="board", group="finance"))
async def escalated(order: str, amount: float, ctx: ToolContext) -> str:
    """Refund soon, or ask others."""
    return await _pay(order, amount, ctx)


def _failing(amount: float) -> bool:
    raise KeyError("rules")


@tool(effect="read", fast=True, approval=Approval(when=_failing))
async def peek(amount: float) -> str:
    """Look."""
    return f"saw {amount:g}"


TOOLS: list[Any] = [refund, large, hasty, escalated, peek, AskPerson(group="support")]
DESK = Agent(name="desk", model="scripted/desk", tools=TOOLS, max_repeats=99)
CREW = Team(name="crew", model="scripted/crew", members=[Agent(name="desk", model="scripted/desk", tools=TOOLS)])
STEPS = Chain(name="steps", steps=[Prompt(name="first", model="scripted/first", template="{input}"), DESK])


@workflow.defn
class Settling:
    """Calls tools and asks a person, without a model."""

    @workflow.run
    async def run(self, order: str) -> list[str]:
        """What came of it."""
        paid = asyncio.create_task(call_tool(refund, order=order, amount=50))
        denied = asyncio.create_task(call_tool(refund, order=order, amount=60))
        answered = asyncio.create_task(ask_person("Which one?", options=["a", "b"]))
        small = await call_tool(refund, order=order, amount=5)
        told = await asyncio.gather(paid, denied, answered, return_exceptions=True)
        late = asyncio.create_task(call_tool(refund, order=order, amount=70))
        await workflow.sleep(SOON * 4)
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)
        return [small, *(str(getattr(one, "message", one)) for one in told)]


@workflow.defn
class Wordy:
    """Asks about what is too large, at once."""

    @workflow.run
    async def run(self, sizes: list[int]) -> list[str]:
        """What came of it."""
        calls = [call_tool(refund, order="x" * size, amount=50) for size in sizes]
        told = await asyncio.gather(*calls, ask_person("?" * sizes[0]), return_exceptions=True)
        return [str(getattr(one, "message", one)) for one in told]


APP = App(
    DESK,
    CREW,
    STEPS,
    workflows=[Settling, Wordy],
    approvals={"large": Approval(quorum=2, four_eyes=True, group="finance")},
)
