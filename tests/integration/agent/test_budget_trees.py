"""Random trees, prices, budgets and faults: nothing is spent beyond a limit, by the provider's own bill."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import (
    Agent,
    App,
    Budget,
    Chain,
    Client,
    Degrade,
    Finish,
    Model,
    Parallel,
    Price,
    Prompt,
    Router,
    Stop,
    Team,
    tool,
)
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts.errors import Overloaded, ProviderUnavailable, RateLimited, UnreadableAnswer
from sostenuto.contracts.message import Message, Role, TextPart, ToolCallPart
from sostenuto.contracts.specs.node import Node
from sostenuto.contracts.usage import Usage
from sostenuto.contracts.wire.model_call import StopReason

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

RUNS = 24
PRICES = [Price(input=1, output=10, cache_write=1.25), Price(input=3, output=15, cached=0.3, request=2)]


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    return f"a {at} " * 40


class Provider:
    """A provider that keeps its own bill of every request that it took, by the name of the model."""

    provider = "scripted"

    def __init__(self) -> None:
        self.bill: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self._chance = random.Random(7)

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        chance, name, price = self._chance, request.model.model, request.model.price
        assert price is not None
        assert request.output_tokens is not None
        self.requests[name] += 1
        if chance.random() < 0.15:
            raise chance.choice([RateLimited, Overloaded])("busy")
        usage = Usage(
            # A token has more than a byte as a rule, and each model's tokenizer always the same.
            input_tokens=int(_bytes(request) * random.Random(name).uniform(0.2, 1.0)),
            output_tokens=int(request.output_tokens * chance.choice([0.1, 0.5, 1.0])),
        )
        if chance.random() < 0.5:
            usage = usage.model_copy(update={"cache_write_tokens": usage.input_tokens // 2})
        self.bill[name.partition("-")[0]] += price.of(usage)  # type: ignore[assignment]
        if chance.random() < 0.15:
            error = chance.choice([ProviderUnavailable, UnreadableAnswer])("it broke off")
            error.answered = True
            raise error
        calls = bool(request.tools) and chance.random() < 0.7
        part = _call(request, chance) if calls else TextPart(text="Well. " * chance.randint(1, 30))
        message = Message(role=Role.ASSISTANT, parts=(part,))
        return Completion(message, name, StopReason.TOOL_CALLS if calls else StopReason.END, usage)

    async def close(self) -> None:
        """It holds nothing."""


def _bytes(request: ModelRequest) -> int:
    written = [request.instructions, *(message.model_dump_json() for message in request.messages)]
    return sum(map(len, written)) + sum(len(json.dumps(one.parameters)) + len(one.description) for one in request.tools)


def _call(request: ModelRequest, chance: random.Random) -> ToolCallPart:
    wanted = chance.choice(request.tools)
    return ToolCallPart(id="", name=wanted.name, arguments=dict.fromkeys(wanted.parameters["properties"], "x"))


class Trees:
    """Random runnables of one run, each with a budget or none."""

    def __init__(self, run: int) -> None:
        self._chance = random.Random(run)
        self._run = run
        self._names = 0

    def name(self, kind: str) -> str:
        """A name of its own."""
        self._names += 1
        return f"{kind}{self._names}"

    def model(self) -> Model:
        """A model of this run."""
        most = self._chance.choice([None, 50, 400])
        return Model(
            f"scripted/r{self._run}-{self.name('m')}", price=self._chance.choice(PRICES), max_output_tokens=most
        )

    def budget(self, usd: float) -> Budget:
        """A budget of so many US dollars, at most, or of less."""
        steps: list[Any] = [Degrade(self.model())] if self._chance.random() < 0.4 else []
        steps.append(Finish(keep=self._chance.choice([0.1, 0.4])) if self._chance.random() < 0.6 else Stop())
        share = self._chance.choice([None, None, 0.5])
        turns = self._chance.choice([None, None, 4])
        return Budget(usd=usd, share=share, turns=turns, on_exhausted=steps)

    def tree(self, depth: int) -> Node:
        """A runnable of at most so many levels."""
        budget = self.budget(self._chance.choice([0.002, 0.02, 0.2])) if self._chance.random() < 0.4 else None
        kind = self._chance.choice(
            ["agent", "prompt"] if depth == 0 else ["agent", "chain", "parallel", "router", "team"]
        )
        below = [self.tree(depth - 1) for _ in range(self._chance.randint(2, 3))] if depth else []
        match kind:
            case "prompt":
                return Prompt(name=self.name("p"), model=self.model(), template="{input}", budget=budget)
            case "chain":
                return Chain(name=self.name("c"), steps=below, budget=budget)
            case "parallel":
                return Parallel(name=self.name("l"), branches=below, min_completed=0, budget=budget)
            case "router":
                return Router(name=self.name("r"), routes=below, model=self.model(), budget=budget)
            case "team":
                return Team(name=self.name("t"), members=below, model=self.model(), budget=budget)
        return Agent(name=self.name("a"), model=self.model(), tools=[look, *below], max_turns=6, budget=budget)


@pytest.mark.parametrize("goes_on", [False, True], ids=["whole", "continued"])
async def test_no_tree_spends_more_than_it_may(serve: Serve, impatient: TemporalClient, *, goes_on: bool) -> None:
    """Nor where its agents continue as new after a few turns."""
    provider = Provider()
    app = App(tools=[look])
    ends: Counter[str] = Counter()

    async with serve(app, provider, **({"temporal": impatient} if goes_on else {})) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue)

        async def check(number: int) -> str:
            trees = Trees(number)
            limit = trees._chance.choice([0.004, 0.02, 0.1])
            run = await client.start(trees.tree(2), "Go. " * 20, budget=trees.budget(limit))
            result = await run.result()
            bill, lost = provider.bill[f"r{number}"], result.unsettled.usd if result.unsettled else 0.0
            ends[result.status] += 1
            charged = result.cost_usd + lost
            fits = bill <= charged + 1e-9 and charged <= limit + 1e-9
            return (
                "" if fits else f"r{number}: the bill is {bill}, {charged} is charged, and the limit {limit}: {result}"
            )

        problems = [*filter(None, await asyncio.gather(*map(check, range(RUNS))))]
    assert not problems, "\n".join(problems)
    assert sum(provider.requests.values()) > RUNS
    assert ends["exhausted"] > 0
    assert ends["completed"] > 0
