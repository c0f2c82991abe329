"""What runs may spend: held before each call, charged after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sostenuto import (
    Agent,
    App,
    Budget,
    Chain,
    Client,
    Degrade,
    Model,
    Parallel,
    Price,
    Prompt,
    SpecError,
    Status,
    Stop,
    tool,
)
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.message import Message, Role, TextPart
from sostenuto.contracts.wire.model_call import StopReason
from tests.integration.agent.stage import calls

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Play, Serve

PRICE = Price(input=1, output=10)
MODEL = Model("scripted/model", price=PRICE, max_output_tokens=1_000)


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    return f"a {at}"


def looks(count: int, **used: int) -> list[Any]:
    """Turns that each look at something."""
    return [{**calls(("look", {"at": str(n)}), text=f"Turn {n}."), "usage": used} for n in range(count)]


async def test_an_agent_answers_once_more_and_spends_no_more_than_it_may(play: Play) -> None:
    last = {"text": "At last.", "usage": {"input_tokens": 1_500, "output_tokens": 100}}
    script = [*looks(2, input_tokens=1_000, output_tokens=500), last]
    outcome = await play(script, tools=[look], model=MODEL, budget=Budget(usd=0.02))
    result = outcome.result
    assert (result.status, result.output, result.exhausted, result.turns) == (
        Status.EXHAUSTED,
        "At last.",
        "usd",
        3,
    )
    assert result.reason.startswith(
        "the budget of 'tester' is not enough: $0.0120 of $0.0200 is spent, $0.0020 is kept for a last answer, and"
    )
    assert result.cost_usd == pytest.approx(0.0145)
    assert not outcome.failed


async def test_it_stops_where_it_is_to(play: Play) -> None:
    script = looks(3, input_tokens=1_000, output_tokens=500)
    outcome = await play(script, tools=[look], model=MODEL, budget=Budget(usd=0.02, on_exhausted=Stop()))
    assert (outcome.result.status, outcome.result.output, outcome.result.turns) == (Status.EXHAUSTED, "Turn 1.", 2)


async def test_it_goes_on_with_a_cheaper_model(serve: Serve) -> None:
    cheap = Model("scripted/cheap", price=Price(input=0.01, output=0.1), max_output_tokens=1_000)
    looking = looks(2, input_tokens=1_000, output_tokens=500)
    agent = Agent(name="tester", model=MODEL, tools=[look], budget=Budget(usd=0.02, on_exhausted=Degrade(cheap)))
    async with serve(App(agent), {"model": looking, "cheap": [*looking, "Cheaply."]}) as stage:
        outcome = await stage.ask(agent)
    assert (outcome.result.status, outcome.result.output, outcome.result.turns) == (Status.COMPLETED, "Cheaply.", 3)


async def test_no_model_is_gone_on_with_twice(play: Play) -> None:
    dear = [Degrade(Model(f"scripted/{name}", price=PRICE, max_output_tokens=9_000)) for name in ("b", "c")]
    budget = Budget(usd=0.02, on_exhausted=[*dear, Stop()])
    outcome = await play(["unused"], model=Model("scripted/a", price=PRICE, max_output_tokens=8_000), budget=budget)
    assert (outcome.result.status, outcome.result.turns) == (Status.EXHAUSTED, 0)
    assert "the next call of scripted/c may cost up to" in outcome.result.reason


@pytest.mark.parametrize(
    ("budget", "limit"),
    [(Budget(tokens=6_000), "tokens"), (Budget(turns=3), "turns"), (Budget(seconds=0.001), "seconds")],
)
async def test_each_limit_holds(play: Play, budget: Budget, limit: str) -> None:
    script = [*looks(2, input_tokens=1_000, output_tokens=500), "At last."]
    outcome = await play(script, tools=[look], model=MODEL, budget=budget)
    assert (outcome.result.status, outcome.result.exhausted) == (Status.EXHAUSTED, limit)
    assert outcome.result.output == {"tokens": "At last.", "turns": "At last.", "seconds": "Turn 0."}[limit]


async def test_an_attempt_that_broke_off_is_charged_as_if_it_had_cost_all_that_was_held(play: Play) -> None:
    dies = {"text": "half of it", "dies": True, "faulty_attempts": 1}
    outcome = await play([dies], model=MODEL, budget=Budget(usd=0.1))
    result = outcome.result
    assert (result.status, result.output, result.turns) == (Status.COMPLETED, "half of it", 1)
    assert result.unsettled is not None
    assert (result.unsettled.calls, result.unsettled.usd > 0.01) == (1, True)


async def test_a_call_that_is_given_up_before_it_began_holds_nothing_on(serve: Serve) -> None:
    def asks(name: str, model: str, most: int = 1_000) -> Prompt:
        return Prompt(name=name, model=Model(model, price=PRICE, max_output_tokens=most), template="{input}")

    race = Parallel(name="race", branches=[asks("fast", "scripted/fast"), asks("slow", "nobody/slow")], join="first")
    chain = Chain(name="chain", steps=[race, asks("next", "scripted/next", 1_500)], budget=Budget(usd=0.027))
    script = {"fast": [{"text": "Fast.", "delay_seconds": 0.5}], "next": ["Done."]}
    async with serve(App(chain), script) as stage:
        result = (await stage.ask(chain)).result
    assert (result.status, result.output, result.unsettled) == (Status.COMPLETED, "Done.", None)


class Silent:
    """Answers, and tells nothing of what that took."""

    provider = "scripted"

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        message = Message(role=Role.ASSISTANT, parts=(TextPart(text="Yes."),))
        return Completion(message, request.model.model, StopReason.END, Usage(), usage_known=False)

    async def close(self) -> None:
        """It holds nothing."""


async def test_an_answer_that_tells_no_usage_is_charged_as_if_it_had_taken_all_that_was_held(serve: Serve) -> None:
    agent = Agent(name="tester", model=MODEL, budget=Budget(usd=0.1))
    async with serve(App(agent), Silent()) as stage:
        result = (await stage.ask(agent)).result
    assert (result.status, result.output, result.turns, result.cost_usd) == (Status.COMPLETED, "Yes.", 1, 0.0)
    assert result.unsettled is not None
    assert (result.unsettled.calls, result.unsettled.usd > 0.01) == (0, True)


async def test_an_attempt_that_was_refused_costs_nothing(play: Play) -> None:
    refused = {"text": "Yes.", "error": "RateLimited", "faulty_attempts": 2, "retry_after_seconds": 0.01}
    outcome = await play([refused], model=MODEL, budget=Budget(usd=0.02))
    assert (outcome.result.status, outcome.result.unsettled) == (Status.COMPLETED, None)


async def test_branches_that_run_at_once_share_what_there_is(serve: Serve) -> None:
    """Each waits for what the others give back, and what is nested has a part of its own."""
    prompts = [Prompt(name=f"p{n}", model=MODEL, template="{input}") for n in range(4)]
    agents = [Agent(name=f"a{n}", model=MODEL) for n in range(2)]
    both = Parallel(name="both", branches=[*prompts, *agents], budget=Budget(usd=0.03))
    async with serve(App(both), [{"text": "Yes.", "usage": {"input_tokens": 100, "output_tokens": 100}}]) as stage:
        outcome = await stage.ask(both)
    assert outcome.result.status is Status.COMPLETED
    assert outcome.result.cost_usd == pytest.approx(6 * 0.0011)


async def test_one_that_waits_for_more_tells_of_what_is_spent_meanwhile(serve: Serve) -> None:
    """Else what is two levels above would wait for it for ever."""
    quick = Agent(name="quick", model=Model("scripted/quick", price=PRICE), tools=[look])
    slow = Agent(name="slow", model=Model("scripted/slow", price=PRICE))
    both = Parallel(name="both", branches=[quick, slow])
    desk = Agent(name="desk", model="scripted/desk", tools=[both], budget=Budget(turns=3, on_exhausted=Stop()))
    script = {
        "desk": [calls(("both", {"task": "Go."}))],
        "quick": looks(9),
        # While it is out, the other one asks for a call more, and waits for what this one may give back.
        "slow": [{"text": "Yes.", "delay_seconds": 1}],
    }
    async with serve(App(desk), script) as stage:
        outcome = await stage.ask(desk)
    assert (outcome.result.status, outcome.result.turns) == (Status.EXHAUSTED, 3)
    assert outcome.result.reason == "the budget of 'desk' is not enough: 3 of 3 model calls are made"


async def test_the_tightest_on_the_way_up_decides(serve: Serve) -> None:
    steps = [Prompt(name=f"s{n}", model=MODEL, template="{input}", budget=Budget(usd=5)) for n in range(3)]
    chain = Chain(name="chain", steps=steps, budget=Budget(usd=0.02, on_exhausted=Stop()))
    async with serve(App(chain), [{"text": "Yes.", "usage": {"input_tokens": 1_000, "output_tokens": 500}}]) as stage:
        outcome = await stage.ask(chain)
        assert (outcome.result.status, outcome.result.turns) == (Status.EXHAUSTED, 2)
        assert "the budget of 'chain' is not enough" in outcome.result.reason


async def test_a_model_without_a_price_is_refused_at_the_start(serve: Serve) -> None:
    agent = Agent(name="tester", model="scripted/model")
    async with serve(App(agent), ["Yes."]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue)
        with pytest.raises(
            SpecError, match=r"scripted/model: a budget counts US dollars, and the price .* is not known"
        ):
            await client.start(agent, "Go.", budget=Budget(usd=1))
        run = await client.start(agent, "Go.", budget=Budget(tokens=100_000))
        assert (await run.result()).status is Status.COMPLETED
