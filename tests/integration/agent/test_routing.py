"""Routers and validators on a real server: what is decided stands in the history, and nothing that fails hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sostenuto import App, Event, Prompt, Route, Router, Rule, Status
from sostenuto.contracts.wire.event import RouteChosen
from tests.integration.agent.stage import PRICE_USD

if TYPE_CHECKING:
    from sostenuto.contracts.specs.router import Strategy
    from tests.integration.agent.conftest import Serve

SCRIPT = {
    "small": ["from small"],
    "large": ["from large"],
    "classifier": [{"output": {"reason": "it crashes", "route": "large", "confidence": 0.4}}],
    "long": ["far too long an answer", "short"],
}


def prompt(name: str) -> Prompt:
    return Prompt(name=name, template="{input}", model=f"scripted/{name}")


def router(strategy: Strategy, small: dict[str, Any] | None = None, **fields: Any) -> Router:
    routes = [Route(prompt("small"), **small or {}), Route(prompt("large"))]
    return Router(name="desk", routes=routes, strategy=strategy, default="large", **fields)


@pytest.mark.parametrize(
    ("desk", "asked", "route", "why"),
    [
        (router("rules", {"when": Rule(pattern="refund")}), "a refund", "small", "/refund/ finds 'refund'"),
        (router("rules", {"when": Rule(pattern="refund")}), "hello", "large", "no rule holds: the default"),
        (router("complexity", {"max_difficulty": 0.2}), "Thanks!", "small", "difficulty 0.01"),
        # The price that the worker bills by is the one that routes are compared by.
        (router("complexity", {"max_difficulty": 0.2}), "Hi!", "small", f"${PRICE_USD * 1_000:g} per million tokens"),
        (router("complexity", {"max_difficulty": 0.2}), "Prove that 2 ^ n > n, and why.", "large", "mathematics"),
        (router("model", model="scripted/classifier"), "It crashes.", "large", "it crashes"),
        (router("model", model="scripted/classifier", threshold=0.5), "It crashes.", "large", "is below the threshold"),
    ],
)
async def test_the_choice_is_an_event_with_its_reason(
    serve: Serve, desk: Router, asked: str, route: str, why: str
) -> None:
    async with serve(App(desk), SCRIPT) as stage:
        outcome = await stage.ask(desk, asked)
        events: list[Event] = [event async for event in outcome.run.events()]
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, f"from {route}")
    (chosen,) = [event for event in events if isinstance(event, RouteChosen)]
    assert chosen.route == route
    assert why in chosen.reason


async def test_what_cannot_be_decided_fails_once_and_says_why(serve: Serve) -> None:
    """A retried local activity would hang the run."""
    trap = router("rules", {"when": Rule(pattern=r"(a|aa)+$")})
    without = router("embedding")
    async with serve(App(trap), SCRIPT) as stage:
        hung, blind = await stage.ask(trap, "a" * 60 + "!"), await stage.ask(without, "hello")
    assert (hung.result.status, blind.result.status) == (Status.FAILED, Status.FAILED)
    assert "route 'small': when.pattern: '(a|aa)+$' took more than 0.5 s" in hung.result.reason
    assert "no embedder" in blind.result.reason


def is_short(answer: Any) -> str | None:
    """Says what is wrong."""
    return "make it shorter" if len(answer) > 10 else None


async def test_an_answer_that_a_validator_objects_to_is_asked_for_again(serve: Serve) -> None:
    asked = Prompt(name="title", template="{input}", model="scripted/long", validators=[is_short])
    async with serve(App(asked), SCRIPT) as stage:
        outcome = await stage.ask(asked)
        (rejected,) = (await outcome.run.result()).rejected
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "short")
    assert (rejected.text, rejected.reasons) == ("far too long an answer", ("make it shorter",))


async def test_a_validator_that_is_not_served_costs_nothing(serve: Serve) -> None:
    asked = Prompt(name="title", template="{input}", model="scripted/long", validators=["is_polite"])
    async with serve(App(asked), SCRIPT) as stage:
        outcome = await stage.ask(asked)
    assert (outcome.result.status, outcome.result.cost_usd) == (Status.FAILED, 0)
    assert "this worker has no validator 'is_polite'" in outcome.result.reason
