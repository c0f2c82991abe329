"""What goes otherwise than wanted: prompts that are refused, summaries that fail, windows that hold too little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sostenuto import Agent, App, Budget, Memory, Model, Price, Role, Shorten, Status, tool
from sostenuto.contracts.errors import ContextOverflow, ProviderUnavailable
from sostenuto.contracts.message import ToolResultPart
from tests.fakes.counting_model import CountingModel, Sent
from tests.integration.memory.steps import compactions, look, prove, told, walks

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

STEPS = 30


def walker(memory: Memory | None, model: str | Model = "scripted/m", **fields: Any) -> Agent:
    given: dict[str, Any] = {"instructions": "Walk.", "tools": [look], "max_turns": STEPS + 1, **fields}
    return Agent(name="walker", model=model, memory=memory, **given)


async def test_a_part_of_the_models_own_window(serve: Serve) -> None:
    model = CountingModel(walks(STEPS), windows={"m": 4_000})
    async with serve(App(agent := walker(Memory(window="75%"))), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
        steps = compactions(await told(outcome.run))
        calls = outcome.history.model_calls
    assert outcome.result.status is Status.COMPLETED
    assert max(sent.tokens for sent in model.sent) <= 3_000
    assert len(steps) >= 2
    assert [call.windows for call in calls if not call.summary] == [True] + [False] * STEPS, "it is asked for once"


async def test_a_prompt_that_is_refused_is_shortened_and_asked_again(serve: Serve) -> None:
    """Nothing is known of the model's window but what it refuses."""
    model = CountingModel(walks(STEPS), windows={"m": 4_000}, tells_windows=False)
    async with serve(App(agent := walker(Memory(strategy="summary"))), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
        events = await told(outcome.run)
        proven = await prove(outcome.run)
    assert outcome.result.status is Status.COMPLETED
    refused = [sent for sent in model.sent if sent.tokens > 4_000]
    assert len(refused) == 1, "once it has refused one, more is known of it"
    assert proven == len(model.sent) - 1
    first = compactions(events)[0]
    assert first.reason == "scripted/m refused the prompt as too long"
    assert first.after < 4_000


async def test_without_a_memory_it_fails_and_says_what_would_help(serve: Serve) -> None:
    model = CountingModel(walks(STEPS), windows={"m": 4_000})
    async with serve(App(agent := walker(None)), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
    assert outcome.result.status is Status.FAILED
    assert "ContextOverflow" in outcome.result.reason
    assert "memory=Memory()" in outcome.result.reason


async def test_a_prompt_is_shortened_once_for_one_refusal(serve: Serve) -> None:
    model = CountingModel(lambda _: ContextOverflow("prompt is too long"))
    async with serve(App(agent := walker(Memory(strategy="window"))), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
    assert outcome.result.status is Status.FAILED
    assert len(model.sent) == 1, "there was nothing that could leave it"


async def test_a_fallback_with_a_smaller_window_is_asked_less(serve: Serve) -> None:
    def answer(sent: Sent) -> object:
        walked = walks(STEPS)(sent)
        if sent.request.model.model == "large" and "step 12:" in sent.text:
            return ContextOverflow("it is out of order")
        return walked

    model = CountingModel(answer, windows={"large": 100_000, "small": 2_500})  # type: ignore[arg-type]
    memory = Memory(window="80%", strategy="window")
    agent = walker(memory, Model("scripted/large", fallbacks=["scripted/small"]))
    async with serve(App(agent), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
        proven = await prove(outcome.run)
    assert outcome.result.status is Status.COMPLETED
    small = [sent for sent in model.sent if sent.request.model.model == "small"]
    assert small
    assert max(sent.tokens for sent in small) <= 2_000
    assert proven >= STEPS


async def test_an_outage_of_who_sums_up_is_not_waited_out(serve: Serve) -> None:
    memory = Memory(window=4_000, strategy="summary", model="scripted/scribe")
    model = CountingModel(walks(STEPS), summary=lambda _: ProviderUnavailable("not now"))
    async with serve(App(agent := walker(memory)), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
        steps = compactions(await told(outcome.run))
    assert outcome.result.status is Status.COMPLETED
    assert {step.note for step in steps} == {"there is no summary: ProviderUnavailable: scripted/scribe: not now"}
    assert len(model.summaries) == 4 * len(steps)


async def test_a_summary_that_fails_is_done_without(serve: Serve) -> None:
    model = CountingModel(walks(STEPS), summary=lambda _: ContextOverflow("not today"))
    async with serve(App(agent := walker(Memory(window=4_000, strategy="summary"))), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
        steps = compactions(await told(outcome.run))
    assert outcome.result.status is Status.COMPLETED
    assert {step.strategy for step in steps} == {"window"}
    assert steps[0].note == "there is no summary: ContextOverflow: scripted/m: not today"
    assert "came before and left what you see" in model.turns[-1].text


@pytest.mark.parametrize("said", ["", ("look", {"number": 1})])
async def test_a_summary_that_says_nothing_is_none(serve: Serve, said: object) -> None:
    model = CountingModel(walks(STEPS), summary=lambda _: said)  # type: ignore[arg-type, return-value]
    async with serve(App(agent := walker(Memory(window=4_000, strategy="summary"))), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
        steps = compactions(await told(outcome.run))
    assert outcome.result.status is Status.COMPLETED
    assert steps[0].note == "there is no summary: scripted/m wrote none"


async def test_another_model_writes_the_summaries(serve: Serve) -> None:
    memory = Memory(window=4_000, strategy="summary", model="scripted/scribe")
    model = CountingModel(walks(STEPS))
    async with serve(App(agent := walker(memory)), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
        proven = await prove(outcome.run)
    assert outcome.result.status is Status.COMPLETED
    assert {sent.request.model.model for sent in model.summaries} == {"scribe"}
    assert {sent.request.model.model for sent in model.turns} == {"m"}
    assert proven == len(model.sent)


async def test_a_window_smaller_than_the_instructions(serve: Serve) -> None:
    agent = walker(Memory(window=1_000), instructions="Walk slowly. " * 500)
    async with serve(App(agent), CountingModel(walks(STEPS))) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
    assert outcome.result.status is Status.FAILED
    assert "does not fit its window of 1,000 tokens" in outcome.result.reason
    assert "instructions and tools have about 1,7" in outcome.result.reason
    assert "give Memory a larger window=" in outcome.result.reason
    assert "the arguments of a call" not in outcome.result.reason


async def test_a_result_that_is_larger_than_the_window_is_told_in_part(serve: Serve) -> None:
    @tool(effect="read")
    async def dump() -> str:
        """Return very much."""
        return "begin " + "x" * 60_000 + " end"

    model = CountingModel(lambda sent: "I have it." if "begin" in sent.text else ("dump", {}))
    agent = walker(Memory(window=4_000), tools=[dump])
    async with serve(App(agent), model) as stage:
        outcome = await stage.ask(agent, "Dump it.")
        whole = await outcome.run.result()
        proven = await prove(outcome.run)
    assert outcome.result.output == "I have it."
    assert max(sent.tokens for sent in model.sent) <= 4_000
    assert "characters are left out here" in model.turns[-1].text
    assert proven == 2
    parts = [part for message in whole.messages for part in message.parts if part.kind == "tool_result"]
    assert [len(part.content) for part in parts] == [60_010], "the history has all of it"


@pytest.mark.parametrize("letter", ["字", "😀", "\x01"])
async def test_a_result_of_any_writing_is_told_in_part(serve: Serve, letter: str) -> None:
    """Of each character there are many bytes."""

    @tool(effect="read")
    async def dump() -> str:
        """Return very much."""
        return "begin " + letter * 6_000 + " end"

    model = CountingModel(lambda sent: "I have it." if sent.messages[-1].role is Role.TOOL else ("dump", {}))
    agent = walker(Memory(window=4_000), tools=[dump])
    async with serve(App(agent), model) as stage:
        outcome = await stage.ask(agent, "Dump it.")
        assert await prove(outcome.run) == 2
    assert outcome.result.output == "I have it."
    assert 2_500 < model.sent[-1].tokens <= 4_000, "as much is told as fits"
    (result,) = model.sent[-1].messages[-1].parts
    assert isinstance(result, ToolResultPart)
    assert result.content.startswith(f"begin {letter}")
    assert result.content.endswith(f"{letter} end")


async def test_shorten_goes_on_where_a_budget_is_not_enough(serve: Serve) -> None:
    price = Price(input=1, output=1)
    budget = Budget(usd=0.0516, on_exhausted=[Shorten()])
    agent = walker(None, Model("scripted/m", price=price, max_output_tokens=100), budget=budget)
    model = CountingModel(walks(STEPS))
    async with serve(App(agent), model) as stage:
        outcome = await stage.ask(agent, "Walk to the end.")
        events = await told(outcome.run)
        proven = await prove(outcome.run)
    steps = compactions(events)
    assert steps, outcome.result
    assert {step.reason for step in steps} == {"a budget is not enough for the whole prompt"}
    assert outcome.result.cost_usd <= 0.0516
    assert outcome.result.status is Status.EXHAUSTED
    assert proven == len(model.sent)


async def test_many_short_results_that_do_not_fit_together_are_told_in_part(serve: Serve) -> None:
    calls = [("note", {"number": number}) for number in range(40)]
    model = CountingModel(lambda sent: "I have them." if "noted" in sent.text else calls)
    agent = walker(Memory(window=4_000), tools=[note])
    async with serve(App(agent), model) as stage:
        outcome = await stage.ask(agent, "Note all.")
        whole = await outcome.run.result()
        assert await prove(outcome.run) == 2
    assert outcome.result.output == "I have them."
    assert max(sent.tokens for sent in model.sent) <= 4_000
    parts = [part for message in whole.messages for part in message.parts if part.kind == "tool_result"]
    assert [len(part.content) for part in parts] == [960] * 40


@tool(effect="read")
async def note(number: int) -> str:
    """Note one."""
    return f"noted {number:04}".ljust(960, ".")
