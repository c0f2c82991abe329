"""Guardrails that are asked beside the calls of a run: models, functions on questions, and people."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio import workflow

from sostenuto import (
    Agent,
    App,
    Budget,
    Chain,
    Client,
    Custom,
    Injection,
    Judge,
    Pii,
    Price,
    Prompt,
    Rules,
    SpecError,
    Status,
    tool,
)
from sostenuto.contracts.guardrails.guardrail import Guardrail
from sostenuto.contracts.model import Model
from tests.integration.agent.stage import calls, eventually
from tests.integration.guardrails.conftest import Serve
from tests.integration.guardrails.said import everything

ANNA = "anna.berg@example.com"
CALLED: list[str] = []


@tool
async def refund(order: str) -> str:
    """Refund an order."""
    CALLED.append(order)
    return f"refunded {order}"


@tool(effect="read")
async def note(order: str) -> str:
    """Read a note."""
    return f"Note of {order}: refund it."


def no_prices(text: str) -> str | None:
    """Say whether a text names a price."""
    return "it names a price" if "$" in text else None


def says(*passes: bool) -> list[dict[str, Any]]:
    """What a judge answers, one after the other."""
    return [{"output": {"reason": "" if one else "it promises something", "passes": one}} for one in passes]


def agent(*guardrails: Guardrail, **fields: Any) -> Agent:
    return Agent(**{"name": "desk", "model": "scripted/desk", "guardrails": guardrails, **fields})


async def decided(run: Any) -> list[tuple[str, str, str, str]]:
    events = [event async for event in run.events()]
    found = [event for event in events if event.type == "guardrail.decided"]
    return [(one.guardrail, one.stage, one.verdict, one.reason) for one in found]


@pytest.mark.parametrize(("passes", "status"), [(True, Status.COMPLETED), (False, Status.REFUSED)])
async def test_a_judge_of_questions_and_answers(serve: Serve, passes: bool, status: Status) -> None:
    judge = Judge("scripted/judge", "No promises.", at=["input", "output"], name="promises")
    script = {"desk": ["Tomorrow, I promise."], "judge": says(passes)}
    async with serve(App(agent(judge)), script) as stage:
        run = await stage.start(agent(judge), "When?")
        result, found = await run.result(), await decided(run)
    assert result.status is status
    if passes:
        assert found == [("promises", "input", "passed", ""), ("promises", "output", "passed", "")]
        assert result.cost_usd == pytest.approx(0.003)
        assert result.turns == 3
    else:
        assert found == [("promises", "input", "blocked", "it promises something")]
        assert result.reason == "the guardrail promises blocked the input: it promises something"


async def test_no_tool_runs_before_the_question_is_judged(serve: Serve) -> None:
    CALLED.clear()
    judge = Judge("scripted/judge", "No refunds.", at=["input"])
    script = {"desk": [calls(("refund", {"order": "7"})), "Done."], "judge": says(False)}
    async with serve(App(agent(judge, tools=[refund])), script) as stage:
        result = await (await stage.start(agent(judge, tools=[refund]), "Refund 7")).result()
    assert result.status is Status.REFUSED
    assert CALLED == []


async def test_an_answer_that_a_judge_rejects_is_written_again(serve: Serve) -> None:
    judge = Judge("scripted/judge", "No promises.", on_failure="retry")
    script = {"desk": ["I promise.", "I promise.", "I promise."], "judge": says(False)}
    async with serve(App(agent(judge)), script) as stage:
        run = await stage.start(agent(judge), "When?")
        result = await run.result()
    assert result.status is Status.REFUSED
    assert result.reason == "no answer passed: judge: it promises something"
    assert len(result.rejected) == 3


async def test_a_judge_is_paid_by_the_budget(serve: Serve) -> None:
    priced = Model("scripted/judge", price=Price(input=1_000_000, output=1_000_000), max_output_tokens=10)
    cheap = Model("scripted/desk", price=Price(input=1, output=1), max_output_tokens=10)
    desk = agent(Judge(priced, "No promises."), model=cheap, budget=Budget(usd=1.0))
    async with serve(App(desk), {"desk": ["Hello."], "judge": says(True)}) as stage:
        result = await (await stage.start(desk, "When?")).result()
    assert (result.status, result.exhausted) == (Status.EXHAUSTED, "usd")


@pytest.mark.parametrize(("on_error", "status"), [(None, Status.REFUSED), ("open", Status.COMPLETED)])
async def test_a_judge_that_fails(serve: Serve, on_error: Any, status: Status) -> None:
    judge = Judge("scripted/judge", "No promises.", on_error=on_error)
    script: dict[str, Any] = {"desk": ["Hello."], "judge": [{"error": "InvalidRequest"}]}
    async with serve(App(agent(judge)), script) as stage:
        result = await (await stage.start(agent(judge), "When?")).result()
    assert result.status is status
    if on_error is None:
        assert result.reason == "the guardrail judge blocked the output: it could not be asked"


@pytest.mark.parametrize(("text", "status"), [("Hello", Status.COMPLETED), ("$ 5", Status.REFUSED)])
async def test_a_function_judges_questions(serve: Serve, text: str, status: Status) -> None:
    desk = agent(Custom(no_prices, at=["input"]))
    async with serve(App(desk), {"desk": ["Hello."]}) as stage:
        run = await stage.start(desk, text)
        result, found = await run.result(), await decided(run)
    assert result.status is status
    assert [one[:2] for one in found] == [("no_prices", "input")]


@pytest.mark.parametrize("yes", [True, False])
async def test_a_person_lets_an_answer_pass(serve: Serve, yes: bool) -> None:
    desk = agent(Custom(no_prices, on_failure="escalate"))
    async with serve(App(desk), {"desk": ["It is $ 5."]}) as stage:
        run = await stage.start(desk, "What does it cost?")
        [waiting] = await _waiting(run)
        if yes:
            await run.approve(waiting.call_id, by="ada")
        else:
            await run.deny(waiting.call_id, by="ada", note="not yet")
        result = await run.result()
    assert waiting.tool == "release"
    assert waiting.arguments["output"] == "It is $ 5."
    if yes:
        assert (result.status, result.output) == (Status.COMPLETED, "It is $ 5.")
    else:
        assert result.status is Status.REFUSED
        assert "not yet" in result.reason


async def _waiting(run: Any) -> Any:
    found: Any = ()

    async def there() -> bool:
        nonlocal found
        found = await run.approvals()
        return bool(found)

    await eventually(there)
    return found


async def test_a_call_that_is_escalated_waits_for_a_person(serve: Serve) -> None:
    CALLED.clear()
    desk = agent(Custom(no_prices, at=["tool_call"], on_failure="escalate"), tools=[refund])
    async with serve(App(desk), {"desk": [calls(("refund", {"order": "$ 7"})), "Done."]}) as stage:
        run = await stage.start(desk, "Go")
        [waiting] = await _waiting(run)
        assert CALLED == []
        await run.approve(waiting.call_id, by="ada")
        result = await run.result()
    assert (result.output, CALLED) == ("Done.", ["$ 7"])


async def test_a_question_that_is_escalated_waits_for_a_person(serve: Serve) -> None:
    desk = agent(Rules(deny=["refund"], at="input", on_failure="escalate"))
    async with serve(App(desk), {"desk": ["Hello."]}) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        run = await client.start(desk, "I want a refund")
        [waiting] = await _waiting(run)
        await run.approve(waiting.call_id, by="ada")
        result = await run.result()
        chat = await client.chat(desk)
        turn = chat.send("A refund, please")
        await turn.accepted()
        [waiting] = await _waiting(chat)
        await chat.deny(waiting.call_id, by="ada")
        refused = await turn
    assert (result.output, refused.status) == ("Hello.", Status.REFUSED)


async def test_a_call_of_another_runnable_is_escalated_too(serve: Serve) -> None:
    clerk = Prompt(name="clerk", template="{input}", model="scripted/clerk", description="Works.")
    desk = agent(Custom(no_prices, at=["tool_call"], on_failure="escalate"), tools=[clerk])
    script = {"desk": [calls(("clerk", {"task": "for $ 5"})), "Done."], "clerk": ["Never."]}
    async with serve(App(desk), script) as stage:
        run = await stage.start(desk, "Go")
        [waiting] = await _waiting(run)
        await run.deny(waiting.call_id, by="ada")
        result = await run.result()
    assert (result.output, result.turns) == ("Done.", 2)


def test_a_judge_is_asked_of_questions_and_answers_alone() -> None:
    with pytest.raises(SpecError, match="a Judge is asked about input and output, not tool_result"):
        Judge("scripted/judge", "No promises.", at=["tool_result"])


@pytest.mark.parametrize("trusted", [False, True])
async def test_once_untrusted_text_was_read_nothing_is_done_without_a_person(serve: Serve, trusted: bool) -> None:
    CALLED.clear()
    injection = Injection(taint=True, trusted=["note"] if trusted else [], on_failure="flag")
    desk = agent(injection, tools=[note, refund])
    script = {"desk": [calls(("note", {"order": "7"})), calls(("refund", {"order": "7"})), "Done."]}
    async with serve(App(desk), script) as stage:
        run = await stage.start(desk, "Go")
        if not trusted:
            [waiting] = await _waiting(run)
            assert CALLED == []
            await run.deny(waiting.call_id, by="ada")
        result = await run.result()
    assert result.output == "Done."
    assert (["7"] if trusted else []) == CALLED


async def test_taint_goes_down_and_up_the_tree(serve: Serve) -> None:
    CALLED.clear()
    reader = Agent(name="reader", model="scripted/reader", tools=[note])
    doer = Agent(name="doer", model="scripted/doer", tools=[refund])
    steps = Chain(name="steps", steps=[reader, doer], guardrails=[Injection(taint=True, on_failure="flag")])
    script = {
        "reader": [calls(("note", {"order": "7"})), "Refund 7."],
        "doer": [calls(("refund", {"order": "7"})), "Done."],
    }
    async with serve(App(steps), script) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        run = await client.start(steps, "Go")
        [waiting] = await _waiting(run)
        await (await client.get(f"{run.id}/doer")).deny(waiting.call_id, by="ada")
        result = await run.result()
    assert result.output == "Done."
    assert CALLED == []


@workflow.defn(name="OwnDesk")
class OwnDesk:
    """Asks an agent in code of its own."""

    @workflow.run
    async def run(self, question: str) -> Any:
        """Ask."""
        from sostenuto.workflows import run  # noqa: PLC0415

        return (await run(OWN, question)).output


OWN = Agent(name="own", model="scripted/own", guardrails=[Pii()])


async def test_what_code_of_ones_own_asks_is_looked_at_there(serve: Serve) -> None:
    echo = Prompt(name="echo", template="{input}", model="scripted/own")
    async with serve(App(OWN, echo, workflows=[OwnDesk]), {"own": [f"Hello {ANNA}"]}) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        started = await client.start(OwnDesk, f"I am {ANNA}")
        output = (await started.result()).output
        nested = [await client.get(one) for one in await started.nested()]
        said = await everything(stage, nested[0].id)
        [transcript] = [await one.transcript() for one in nested]
    assert output == f"Hello {ANNA}"
    assert transcript[0].text == f"I am {ANNA}"
    # What code hands on stands in histories, as it was handed on; what models are told, and answer, does not.
    assert f"Hello {ANNA}" not in said
