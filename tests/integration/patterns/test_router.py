"""Routers: every strategy, and what happens to an input that belongs nowhere, not clearly, or cannot be decided on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sostenuto import App, Result, Route, Router, Rule, Status
from sostenuto.workers.served.activities import Services
from tests.fakes.cast import Cast
from tests.integration.patterns.conftest import agent, prompt

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Play, Serve


def _said(route: Any, confidence: float = 0.9) -> str:
    return json.dumps({"reason": "it is", "route": route, "confidence": confidence})


def _desk(**fields: Any) -> Router:
    return Router(name="desk", routes=[prompt("bills"), agent("bugs")], **fields)


def _ended(result: Result) -> tuple[Status, Any, str]:
    return result.status, result.output, result.reason


async def test_a_model_that_decides_sees_the_routes_and_may_only_name_one(play: Play) -> None:
    cast = Cast({"judge": [_said("nonsense"), _said("bugs")]})
    routes = [
        Route(prompt("bills"), description="Money.", examples=["my bill"]),
        Route(agent("bugs"), description="Faults."),
    ]
    outcome = await play(Router(name="desk", routes=routes, model="scripted/judge"), cast, "it broke")
    assert _ended(outcome.result) == (Status.COMPLETED, "bugs<it broke>", "")
    # What the classifier cost counts, its answer that was wrong too.
    assert outcome.result.turns == 3
    asked = cast.asked("judge")[0]
    assert '- bills: Money. Such as: ["my bill"]\n- bugs: Faults.' in asked.instructions
    assert asked.output
    assert asked.output.json_schema["properties"]["route"] == {"enum": ["bills", "bugs"]}


@pytest.mark.parametrize(
    ("fields", "judge", "ended"),
    [
        ({"threshold": 0.95, "default": "bills"}, _said("bugs"), (Status.COMPLETED, "bills<go>", "")),
        ({"threshold": 0.5, "default": "bills"}, _said("bugs"), (Status.COMPLETED, "bugs<go>", "")),
        ({"default": "bills"}, {"error": "QuotaExceeded"}, (Status.COMPLETED, "bills<go>", "")),
        ({"default": "bills"}, "no JSON, ever", (Status.COMPLETED, "bills<go>", "")),
        ({}, {"error": "QuotaExceeded"}, (Status.FAILED, None, "QuotaExceeded: scripted/judge")),
    ],
    ids=["not sure", "sure enough", "classifier fails", "classifier makes no sense", "and no default"],
)
async def test_an_unclear_decision(play: Play, fields: Any, judge: Any, ended: tuple[Status, Any, str]) -> None:
    outcome = await play(_desk(model="scripted/judge", **fields), {"judge": judge})
    status, output, reason = ended
    assert _ended(outcome.result)[:2] == (status, output)
    assert reason in outcome.result.reason
    assert outcome.history.failed_tasks == []


RULES = [
    Route(prompt("vip"), when=Rule(metadata={"tier": "gold"})),
    Route(prompt("long"), when=Rule(min_chars=40)),
    Route(prompt("money"), when=Rule(pattern=r"\bbill\b")),
]


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ({"tier": "gold", "q": "the bill"}, "vip"),
        ("a bill" + "." * 40, "long"),
        ("the BILL please", "money"),
        ("billing", ""),
    ],
)
async def test_the_first_rule_that_holds(play: Play, message: Any, route: str) -> None:
    outcome = await play(Router(name="desk", strategy="rules", routes=RULES), {}, message)
    if route:
        assert list(outcome.result.steps) == [route]
    else:
        assert outcome.failed
        assert outcome.result.reason.startswith("no route was chosen: ")
        assert outcome.result.reason.endswith("and there is no default")


class Words:
    """Embeds a text as the words that it has."""

    KNOWN = ("bill", "money", "crash", "error")

    async def embed(self, texts: Sequence[str]) -> Any:
        """One row per text."""
        rows = np.array([[float(word in text) for word in self.KNOWN] for text in texts], dtype=np.float32)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)


async def test_the_closest_in_meaning(serve: Serve) -> None:
    routes = [
        Route(prompt("bills"), examples=["bill money"]),
        Route(agent("bugs"), description="crash", examples=["error"]),
    ]
    router = Router(name="desk", strategy="embedding", routes=routes, threshold=0.6, default="bills")
    async with serve(App(), {}, services=Services(embedder=Words())) as stage:
        clear = await stage.ask(router, "an error and a crash")
        unclear = await stage.ask(router, "hello")
    assert clear.result.output == "bugs<an error and a crash>"
    assert unclear.result.output == "bills<hello>"
    async with serve(App(), {}) as stage:
        without = await stage.ask(router, "an error")
    assert without.result.reason.startswith("no route was chosen: ")
    assert "this worker has no embedder" in without.result.reason


async def test_the_cheapest_that_is_good_enough(play: Play) -> None:
    routes = [
        Route(prompt("small"), max_difficulty=0.3, max_tokens=500),
        Route(prompt("large"), max_difficulty=1.0),
    ]
    router = Router(name="desk", strategy="complexity", routes=routes)
    easy = await play(router, {}, "Hi!")
    hard = await play(
        router, {}, "Prove why the algorithm converges, then compare it with two others; justify each step. Why?"
    )
    long = await play(router, {}, "word " * 2000)
    assert [list(outcome.result.steps) for outcome in (easy, hard, long)] == [["small"], ["large"], ["large"]]


async def test_what_the_route_came_to_is_told_with_its_name(play: Play) -> None:
    router = Router(name="desk", strategy="rules", routes=[Route(agent("bugs"), name="b", when=Rule())])
    outcome = await play(router, {"bugs": {"error": "QuotaExceeded"}})
    assert outcome.result.reason.startswith("route 'b': QuotaExceeded")
    assert outcome.result.steps["b"].status is Status.FAILED
