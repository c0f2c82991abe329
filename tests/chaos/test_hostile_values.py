"""Whatever models, tools and people say, a run ends, and its result, transcript and cost can be read.

`make test` takes some seeds; more: `HOSTILE_SEEDS=2000 python -m pytest -s tests/chaos/test_hostile_values.py`.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client as TemporalClient

from sostenuto import (
    Agent,
    App,
    Chain,
    Client,
    Parallel,
    Prompt,
    Result,
    Route,
    Router,
    Run,
    SpecError,
    Status,
    Step,
    Team,
    ToolError,
    tool,
)
from sostenuto.activities.adapters.providers.tool_exchange import tool_call_part
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.clients.cli.trace.lines import TraceLines
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.errors import InvalidRequest, UnreadableAnswer
from sostenuto.contracts.message import Message, OpaquePart, Part, ReasoningPart, Role, TextPart
from sostenuto.contracts.wire.model_call import StopReason
from sostenuto.history.trace.page.document import trace_page
from sostenuto.history.trace.step import Trace
from sostenuto.workflows import ask, call_tool, policy, run
from tests.fakes.otlp_receiver import attributes, otlp_receiver
from tests.integration.telemetry.watched import assert_spans_of, received, watched
from tests.patience import PATIENCE_SECONDS

SEEDS = int(os.environ.get("HOSTILE_SEEDS", "48"))
AT_ONCE = 12

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600 if SEEDS < 100 else 3_600)]

SIGNS = ["a", "ё", "\x00", "\x1b[31m", "\ud83d", "👩‍🔬", '"', "\\", "{", "}", "\n", "\u2028", "{input}", "NaN"]


def hostile_text(chance: random.Random) -> str:
    return chance.choice(
        [
            "",
            " ",
            "fine",
            "null",
            "true",
            "[]",
            "{}",
            '{"value": NaN}',
            '{"a": 1, "a": 2}',
            '{"city": "Paris"}',
            "1e999",
            "9" * 5_000,
            "x" * chance.choice([1_000, 60_000, 300_000]),
            '{"a":' * (depth := chance.choice([90, 150, 199, 230, 600, 20_000])) + "1" + "}" * depth,
            "".join(chance.choices(SIGNS, k=chance.randrange(1, 40))),
        ]
    )


def hostile_value(chance: random.Random, depth: int = 0) -> Any:
    if depth < 3 and chance.random() < 0.5:
        if chance.random() < 0.5:
            return [hostile_value(chance, depth + 1) for _ in range(chance.randrange(4))]
        return {hostile_text(chance)[:20]: hostile_value(chance, depth + 1) for _ in range(chance.randrange(4))}
    deep: Any = 1
    for _ in range(chance.choice([3, 120, 230, 400])):
        deep = [deep]
    return chance.choice(
        [None, True, -1, 10**40, 1.5, math.nan, math.inf, deep, b"\xff", object(), hostile_text(chance)]
    )


class Hostile:
    """A model that says anything."""

    provider = "scripted"

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        last = request.messages[-1].text if request.messages else ""
        chance = random.Random(f"{request.model.model}:{len(request.messages)}:{last[:200]!r}")
        if chance.random() < 0.05:
            raise chance.choice([InvalidRequest("no"), UnreadableAnswer("what?"), ValueError("a bug")])
        parts: list[Part] = []
        if chance.random() < 0.2:
            parts.append(ReasoningPart(provider="scripted", text=hostile_text(chance)))
        if chance.random() < 0.1:
            parts.append(OpaquePart(provider="scripted", data={"a": {"b": hostile_text(chance)}}))
        if chance.random() < 0.8:
            parts.append(TextPart(text=hostile_text(chance)))
        if request.tools and chance.random() < 0.6:
            names = [*(one.name for one in request.tools), "", "none", "x" * 300, "\x1b[31m"]
            for _ in range(chance.randrange(1, 4)):
                raw = chance.choice([hostile_text(chance), '{"at": "x"}', '{"task": "go on"}', "{}"])
                parts.append(tool_call_part("id", chance.choice(names), raw))
        return Completion(
            message=Message(role=Role.ASSISTANT, parts=tuple(parts)),
            model=hostile_text(chance)[:40] or "m",
            stop=chance.choice(list(StopReason)),
            usage=Usage(input_tokens=chance.choice([0, 10, 10**9]), output_tokens=5),
            usage_known=chance.random() < 0.8,
            note=hostile_text(chance)[:200] if chance.random() < 0.1 else "",
        )

    async def close(self) -> None:
        """Nothing."""


def _return(at: str) -> Any:
    chance = random.Random(repr(at)[:200])
    if chance.random() < 0.2:
        raise chance.choice(
            [ToolError(hostile_text(chance)), KeyError(hostile_text(chance)), asyncio.CancelledError(), SystemExit(3)]
        )
    return hostile_value(chance)


@tool(effect="read", timeout=timedelta(seconds=5))
async def look(at: Any = "") -> Any:
    """Look at something."""
    return _return(str(type(at)) + repr(at)[:50])


@tool(effect="once")
def pay(at: Any = "") -> Any:
    """Pay for something."""
    return _return("pay" + repr(at)[:50])


@tool(effect="read", fast=True)
async def peek(at: Any = "") -> Any:
    """Peek at something."""
    return _return("peek" + repr(at)[:50])


def check(answer: Any) -> Any:
    """Say anything."""
    return _return(repr(answer)[:100])


ANY_OBJECT: dict[str, Any] = {"type": "object"}


def agent(name: str, **fields: Any) -> Agent:
    return Agent(name=name, model=f"scripted/{name}", tools=[look, pay, peek], max_turns=6, **fields)


def prompt(name: str, template: str = "{input}", **fields: Any) -> Prompt:
    return Prompt(name=name, template=template, model=f"scripted/{name}", **fields)


KINDS: dict[str, Any] = {
    "agent": agent("agent"),
    "typed": agent("typed", output=ANY_OBJECT, validators=[check]),
    "prompt": prompt("prompt", output=list[int]),
    "chain": Chain(name="chain", steps=[prompt("first"), Step(agent("second"), input="{first}"), prompt("third")]),
    "router": Router(
        name="router", model="scripted/router", routes=[Route(agent("left")), Route(prompt("right"))], default="left"
    ),
    "all": Parallel(name="all", branches=[agent("one"), prompt("two", output=ANY_OBJECT)], min_completed=1),
    "first": Parallel(name="first", branches=[agent("one"), prompt("two")], join="first"),
    "vote": Parallel(name="vote", branches=[prompt("one"), prompt("two"), prompt("three")], join="vote"),
    "each": Parallel(name="each", each=prompt("item"), min_completed=1),
    "delegate": Team(name="delegate", model="scripted/lead", members=[agent("a"), prompt("b")], max_rounds=4),
    "plan": Team(name="plan", model="scripted/plan", style="plan", members=[agent("a"), prompt("b")], max_rounds=2),
    "debate": Team(name="debate", model="scripted/judge", style="debate", members=[agent("a"), agent("b")]),
    "handoff": Team(name="handoff", style="handoff", members=[agent("a"), agent("b")], max_rounds=3),
}


@workflow.defn
class Anything:
    @workflow.run
    async def run(self, text: str) -> Any:
        asked = await ask("scripted/asked", text or "?", output=ANY_OBJECT, max_repairs=1)
        ran = await run(KINDS["agent"], text or "?")
        said: list[Any] = [asked.output, ran.output]
        for one in (look, pay, peek):
            try:
                said.append(await call_tool(one, at=text))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                said.append(f"{type(error).__name__}: {error}")
        return said


async def explained(run: Run, result: Result) -> Trace:
    """The trace of a run: every prompt in it is proven, it adds up to the result, and any page can show it."""
    trace = await run.trace()
    models = [step for step in trace.run.walk() if step.kind == "model" and step.status == "completed"]
    assert [step for step in models if not step.proven] == []
    assert trace.run.usage == result.usage
    assert trace.run.cost_usd == result.cost_usd
    assert all(step.status for step in trace.run.walk() if step.kind != "notice")
    page = trace_page(trace, datetime.now(UTC))
    assert page.isascii()
    assert [*TraceLines(trace, datetime.now(UTC), whole=True).lines()]
    return trace


async def test_a_run_ends_and_can_be_read(
    temporal: TemporalClient, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "NOT_SERVED_PAUSES", ())
    app = App(*KINDS.values(), workflows=[Anything], tools=[look, pay, peek], validators=[check])
    client = Client(temporal, task_queue=task_queue)
    ends: Counter[str] = Counter()
    traces: list[tuple[str, Trace]] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(seed: int) -> None:
        chance = random.Random(seed)
        name = chance.choice([*KINDS, "code-first"])
        asked: Any = [hostile_text(chance) for _ in range(3)] if name == "each" else hostile_text(chance)
        if chance.random() < 0.2:
            asked = hostile_value(chance)
        async with gate:
            try:
                run = await client.start(Anything if name == "code-first" else KINDS[name], asked)
            except SpecError:
                ends["refused at the start"] += 1
                return
            where = f"seed {seed}: {name}"
            async with asyncio.timeout(PATIENCE_SECONDS):
                result = await run.result()
            assert result.status in Status, where
            assert result.cost_usd >= 0, where
            assert json.loads(result.model_dump_json()), where
            events = [event async for event in run.events()]
            assert events[-1].type == "run.finished", where
            stalls = [event.reason for event in events if event.type == "run.stalled"]
            # A busy machine may let a workflow stand still for the two seconds that the SDK grants.
            assert not [reason for reason in stalls if "TMPRL1101" not in reason], where
            asked_models = [event for event in events if event.type == "model.responded"]
            assert result.turns >= len({(event.path, event.turn) for event in asked_models if event.path == name}), (
                where
            )
            for path in {event.path for event in asked_models}:
                assert await run.transcript(path), f"{where}: {path}"
            traces.append((where, await explained(run, result)))
            ends[f"{name}: {result.status}"] += 1

    with otlp_receiver() as receiver:
        received(receiver, monkeypatch)
        async with watched(temporal, app, Hostile(), task_queue):
            first = int(os.environ.get("HOSTILE_FIRST", "0"))
            await asyncio.gather(*(one(seed) for seed in range(first, first + SEEDS)))
    for where, trace in traces:
        of_it = [span for span in receiver.spans if attributes(span)["session.id"] == trace.run.run_id]
        try:
            assert_spans_of(of_it, trace)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from error
    sys.stdout.write(f"{dict(ends)}\n")
    assert sum(ends.values()) == SEEDS
