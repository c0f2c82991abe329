"""Random trees of runnables with budgets, and a provider that keeps its own bill of what it was asked."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

from sostenuto import (
    Agent,
    Budget,
    Chain,
    Degrade,
    Finish,
    Ledger,
    Memory,
    Model,
    Parallel,
    Price,
    Prompt,
    Result,
    Router,
    Shorten,
    Stop,
    Team,
    tool,
)
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.errors import Overloaded, ProviderUnavailable, RateLimited, UnreadableAnswer
from sostenuto.contracts.memory.conversation import MemoryStrategy
from sostenuto.contracts.message import Message, Role, TextPart, ToolCallPart
from sostenuto.contracts.specs.node import Node
from sostenuto.contracts.wire.model_call import StopReason

Moment = Literal["asked", "billed"]
"""Of a request: it has reached the provider, and it is on its bill."""

PRICES = [Price(input=1, output=10, cache_write=1.25), Price(input=3, output=15, cached=0.3, request=2)]


_LEFT = ("[Write a summary", "[The conversation before", "[1 message", "[2 message", "[3 message")
_AROUND_SUMMARY = 200
"""Bytes that are told around a summary."""


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    return f"a {at} " * 40


class Provider:
    """A provider that bills every request that it took, of killed attempts too.

    Args:
        bill: Takes the run that a request is of, and US dollars.
        at: Told of each moment of a request.
        seed: What it answers.
        calls: How often it asks for a tool, where it has one.
    """

    provider = "scripted"

    def __init__(
        self,
        bill: Callable[[str, float], None],
        at: Callable[[Moment], None] = lambda _: None,
        seed: int = 7,
        calls: float = 0.7,
    ) -> None:
        self._bill, self._at = bill, at
        self._seed, self._calls = seed, calls
        self._chances: dict[str, random.Random] = {}
        self.shortened = 0
        """How many requests have a prompt that something has left, or ask for a summary."""

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        name, price = request.model.model, request.model.price
        # Each run has its own luck, whatever other runs ask for meanwhile.
        run = name.partition("-")[0]
        chance = self._chances.setdefault(run, random.Random(f"{self._seed} {run}"))
        assert price is not None
        assert request.output_tokens is not None
        self._at("asked")
        self.shortened += any(message.text.startswith(_LEFT) for message in request.messages)
        if chance.random() < 0.15:
            raise chance.choice([RateLimited, Overloaded])("busy", retry_after=timedelta(seconds=0.1))
        usage = Usage(
            input_tokens=_tokens(request),
            output_tokens=int(request.output_tokens * chance.choice([0.1, 0.5, 1.0])),
        )
        if chance.random() < 0.5:
            usage = usage.model_copy(update={"cache_write_tokens": usage.input_tokens // 2})
        self._bill(run, price.of(usage))
        self._at("billed")
        if chance.random() < 0.15:
            error = chance.choice([ProviderUnavailable, UnreadableAnswer])("it broke off")
            error.answered = True
            raise error
        calls = bool(request.tools) and chance.random() < self._calls
        said = f"{name}:{usage.output_tokens}"
        part = _call(request, chance, said) if calls else TextPart(text="Well. " * chance.randint(1, 30) + said)
        message = Message(role=Role.ASSISTANT, parts=(part,))
        return Completion(message, name, StopReason.TOOL_CALLS if calls else StopReason.END, usage)

    async def close(self) -> None:
        """It holds nothing."""


def _tokens(request: ModelRequest) -> int:
    """How many tokens a prompt has: of what the model itself has said, as many as it was billed for then."""
    name = request.model.model
    written = request.instructions + "".join(json.dumps(one.parameters) + one.description for one in request.tools)
    said, others = 0, len(written)
    for message in request.messages:
        text = message.model_dump_json()
        is_summary = "<summary>" in text
        billed = re.search(f"{name}:([0-9]+)", text) if message.role is Role.ASSISTANT or is_summary else None
        around = _AROUND_SUMMARY if is_summary else 0
        said, others = (said + int(billed[1]), others + around) if billed else (said, others + len(text))
    # A token has more than a byte as a rule, and each model's tokenizer always the same.
    return said + int(others * random.Random(name).uniform(0.2, 1.0))


def _call(request: ModelRequest, chance: random.Random, said: str) -> ToolCallPart:
    wanted = chance.choice(request.tools)
    return ToolCallPart(id="", name=wanted.name, arguments=dict.fromkeys(wanted.parameters["properties"], said))


class Trees:
    """Random runnables of one run, each with a budget or none.

    Args:
        run: Which run: its number is the seed.
        ledgers: From which some of its budgets spend; the whole of it from the first.
    """

    def __init__(self, run: int, ledgers: Sequence[Ledger] = ()) -> None:
        self._chance = random.Random(run)
        self._ledgers = ledgers
        self._names = 0
        self.run = f"r{run}"
        """What the provider bills it as."""
        self.limit = self._chance.choice([0.004, 0.05, 0.4])
        """US dollars that the whole of it may cost."""

    def name(self, kind: str) -> str:
        """A name of its own."""
        self._names += 1
        return f"{kind}{self._names}"

    def model(self) -> Model:
        """A model of this run."""
        most = self._chance.choice([None, 50, 50, 400])
        return Model(f"scripted/{self.run}-{self.name('m')}", price=self._chance.choice(PRICES), max_output_tokens=most)

    def budget(self, usd: float) -> Budget:
        """A budget of so many US dollars, at most, or of less."""
        steps: list[Any] = [Degrade(self.model())] if self._chance.random() < 0.4 else []
        steps += [Shorten()] if self._chance.random() < 0.4 else []
        steps.append(Finish(keep=self._chance.choice([0.1, 0.4])) if self._chance.random() < 0.6 else Stop())
        share = self._chance.choice([None, None, 0.5])
        turns = self._chance.choice([None, None, 4])
        ledger = self._chance.choice([None, *self._ledgers]) if self._ledgers else None
        return Budget(usd=usd, share=share, turns=turns, ledger=ledger, on_exhausted=steps)

    def whole(self) -> Budget:
        """The budget of all of it."""
        budget = self.budget(self.limit)
        return budget.model_copy(update={"ledger": self._ledgers[0]}) if self._ledgers else budget

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
        memory = self.memory() if self._chance.random() < 0.5 else None
        return Agent(
            name=self.name("a"),
            model=self.model(),
            tools=[look, *below],
            max_turns=8,
            budget=budget,
            memory=memory,
        )

    def walker(self) -> Agent:
        """An agent that looks at many things, and forgets most of them."""
        model = self.model().model_copy(update={"max_output_tokens": 400})
        memory = self.memory().model_copy(update={"window": self._chance.choice([3_000, 6_000])})
        return Agent(name=self.name("w"), model=model, tools=[look], max_turns=60, max_repeats=90, memory=memory)

    def memory(self) -> Memory:
        """A memory whose window is soon full."""
        strategies: list[tuple[MemoryStrategy, ...]] = [("summary",), ("window",), ("clear_tools", "summary")]
        strategy = self._chance.choice(strategies)
        writer = self.model() if "summary" in strategy and self._chance.random() < 0.3 else None
        return Memory(window=self._chance.choice([700, 2_000]), strategy=strategy, model=writer)

    def problem(self, bill: float, result: Result) -> str:
        """What is wrong with what its run was charged; empty where nothing is."""
        charged = result.cost_usd + (result.unsettled.usd if result.unsettled else 0.0)
        if bill <= charged + 1e-9 and charged <= self.limit + 1e-9:
            return ""
        return f"{self.run}: the bill is {bill}, {charged} is charged, and the limit {self.limit}: {result}"
