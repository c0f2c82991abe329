"""Code-first workflows as people write them. Loaded into the sandbox, so imports little."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from pydantic import BaseModel
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from sostenuto import Agent, Budget, Chain, Degrade, Prompt, SpecError, Status, ToolError, tool
from sostenuto.workflows import ask, call_tool, run


class Stock(BaseModel):
    """What there is of something."""

    item: str
    left: int


class Strict(BaseModel, strict=True):
    """A type that takes less from Python than from JSON."""

    days: tuple[int, ...]


@tool(effect="read")
async def stock(item: str) -> Stock:
    """How many are left."""
    return Stock(item=item, left=3)


@tool(effect="read", fast=True)
async def shelves() -> list[str]:
    """Where to look."""
    return ["a", "b"]


@tool(effect="once")
async def order(item: Stock) -> int:
    """Order what is short."""
    if item.left > 3:
        raise ToolError("there is enough")
    return item.left * 2


@tool(effect="read", fast=True)
async def broken() -> str:
    """Fails."""
    raise ToolError("out of order")


def not_bad(text: str) -> str | None:
    """An objection to one word."""
    return "it is bad" if text == "bad" else None


A = Agent(name="a", model="scripted/a")
B = Chain(name="b", steps=[Prompt(name="p", template="{input}", model="scripted/p"), A])
TYPED = Agent(name="typed", model="scripted/typed", output=Strict)
WAITS = Agent(name="waits", model="scripted/waits")


@workflow.defn
class Pipeline:
    """If, while and gather over everything that there is."""

    @workflow.run
    async def run(self, question: str) -> dict[str, Any]:
        """What came of it."""
        kind = await ask("scripted/kind", question, output=Literal["yes", "no"], name="kind")
        left = await call_tool(stock, item="x")
        found = await call_tool(shelves) if kind.output == "yes" else []
        one, two = await asyncio.gather(run(A, question), run(B, question))
        tries = 0
        while (again := await ask("scripted/again", "q", validators=[not_bad])).output != "good" and tries < 3:
            tries += 1
        ordered = await call_tool(order, item=left)
        typed = await run(TYPED, "when?")
        assert isinstance(typed.output, Strict), typed
        return {
            "kind": kind.output,
            "left": left.left,
            "shelves": found,
            "runs": [one.output, two.output],
            "steps": {name: step.output for name, step in two.steps.items()},
            "again": [again.output, [rejected.text for rejected in again.rejected], tries],
            "ordered": ordered,
            "days": typed.output.days,
        }


@workflow.defn
class Echoes:
    """Calls tools of an MCP server, at once and again."""

    @workflow.run
    async def run(self) -> list[str]:
        """What it heard."""
        heard = await asyncio.gather(*(call_tool("mcp:fake/echo", text=text) for text in "ab"))
        try:
            await call_tool("mcp:fake/fail", reason="rain")
        except ApplicationError as error:
            heard.append(f"{error.type}: {error.message}")
        return [*heard, await call_tool("mcp:fake/key")]


@workflow.defn
class Mistaken:
    """Does something that cannot be done."""

    @workflow.run
    async def run(self, mistake: str) -> str:
        """Unless it fails, as it should."""
        match mistake:
            case "no such tool":
                await call_tool("stock")
            case "a whole server":
                await call_tool("mcp:shop")
            case "no such server":
                await call_tool("mcp:shop/buy")
            case "a bad name":
                await run(Agent(name="not a name", model="scripted/a"), "hello")
            case "a missing field":
                await run(Prompt(name="p", template="{x}", model="scripted/p"), "hello")
            case "an unknown price":
                await run(Agent(name="a", model="scripted/a"), "hello", budget=Budget(usd=1))
            case "nothing asked":
                await ask("scripted/a", "")
            case "a tool that fails":
                await call_tool(order, item=Stock(item="x", left=9))
            case "a fast tool that fails":
                await call_tool(broken)
        return "nothing happened"


@workflow.defn
class Thrifty:
    """Runs what may cost so much, of models that say no price."""

    @workflow.run
    async def run(self) -> list[float]:
        """What each run has cost."""
        one = Agent(
            name="one", model="openai/gpt-5-mini", budget=Budget(usd=1, on_exhausted=Degrade("openai/gpt-5-nano"))
        )
        two = Prompt(name="two", model="openai/gpt-5-mini", template="{input}")
        first, second = await asyncio.gather(run(one, "hello"), run(two, "hello", budget=Budget(usd=1)))
        third = await run(Chain(name="three", steps=[two, one]), "hello")
        return [result.cost_usd for result in (first, second, third)]


@workflow.defn
class Careful:
    """Goes on after mistakes and failures."""

    @workflow.run
    async def run(self) -> list[str]:
        """What it was told of each."""
        told = []
        try:
            await call_tool("stock")
        except SpecError as error:
            told.append(str(error))
        for quick in (False, True):
            try:
                await (call_tool(broken) if quick else call_tool(order, item=Stock(item="x", left=9)))
            except ApplicationError as error:
                told.append(f"{error.type}: {error.message}")
        failed = await run(Agent(name="fails", model="scripted/fails"), "hello")
        assert failed.status is Status.FAILED
        return [*told, failed.reason]


@workflow.defn
class Tidy:
    """Tidies up when it is cancelled, with a run, a question and a tool."""

    @workflow.run
    async def run(self) -> str:
        """What the tidying came to."""
        try:
            await asyncio.gather(run(WAITS, "w"), ask("scripted/waits", "w"))
        except asyncio.CancelledError:
            done = await run(A, "tidy")
            said = await ask("scripted/a", "and?")
            return f"{done.output} {said.output} {(await call_tool(stock, item='y')).left}"
        return "not cancelled"


@workflow.defn
class Hasty:
    """Waits for so long and no longer."""

    @workflow.run
    async def run(self) -> str:
        """What it does instead."""
        try:
            async with asyncio.timeout(0.05):
                await run(WAITS, "w")
        except TimeoutError:
            return str((await run(A, "instead")).output)
        return "not late"


@workflow.defn
class Waiting:
    """Is cancelled, and does nothing about it."""

    @workflow.run
    async def run(self) -> str:
        """Nothing: it never gets that far."""
        return str((await run(WAITS, "w")).output)
