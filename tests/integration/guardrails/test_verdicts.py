"""What becomes of what does not pass."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sostenuto import Agent, App, Custom, Pii, Prompt, Rules, Schema, Secrets, SpecError, Status, tool
from sostenuto.contracts.guardrails.guardrail import Guardrail
from tests.integration.agent.stage import calls
from tests.integration.guardrails.conftest import Serve

ANNA = "anna.berg@example.com"
CALLED: list[str] = []


@tool(effect="read")
async def find(name: str) -> str:
    """Find somebody."""
    CALLED.append(name)
    return f"{name}: {ANNA}"


def no_prices(text: str) -> str | None:
    """Say whether a text names a price."""
    return "it names a price" if "$" in text else None


async def no_prices_either(text: str) -> bool:
    """Say whether a text names none."""
    await asyncio.sleep(0)
    return "$" not in text


def broken(text: str) -> str:
    """Fail."""
    raise RuntimeError(text)


def odd(text: str) -> Any:
    """Return something odd."""
    return 7


def agent(*guardrails: Guardrail, **fields: Any) -> Agent:
    return Agent(**{"name": "desk", "model": "scripted/model", "guardrails": guardrails, **fields})


async def decisions(run: Any) -> list[tuple[str, str, str, str]]:
    """What guardrails decided in a run, but where something passed."""
    events = [event async for event in run.events()]
    decided = [event for event in events if event.type == "guardrail.decided" and event.verdict != "passed"]
    return [(one.guardrail, one.stage, one.verdict, one.reason) for one in decided]


async def test_an_answer_that_is_blocked_is_refused_and_withheld(serve: Serve) -> None:
    desk = agent(Custom(no_prices))
    async with serve(App(desk), ["It is $ 5."]) as stage:
        run = await stage.start(desk)
        result, found = await run.result(), await decisions(run)
    assert result.status is Status.REFUSED
    assert result.reason == "the guardrail no_prices blocked the output: it names a price"
    assert result.output == "[withheld by the guardrail no_prices: it names a price]"
    assert found == [("no_prices", "output", "blocked", "it names a price")]


@pytest.mark.parametrize("check", [no_prices, no_prices_either])
async def test_an_answer_that_is_rejected_is_asked_for_again(serve: Serve, check: Any) -> None:
    desk = agent(Custom(check, on_failure="retry"))
    async with serve(App(desk), ["It is $ 5.", "It is cheap."]) as stage:
        run = await stage.start(desk)
        result, found = await run.result(), await decisions(run)
    assert (result.status, result.output) == (Status.COMPLETED, "It is cheap.")
    assert [one.reasons[0] for one in result.rejected] == [f"{check.__name__}: {found[0][3]}"]
    assert len(found) == 1


async def test_answers_that_are_rejected_again_and_again_are_refused(serve: Serve) -> None:
    guardrails = [Custom(no_prices, on_failure="retry")]
    desk = Prompt(name="desk", template="{input}", model="scripted/model", guardrails=guardrails)
    async with serve(App(desk), ["$ 5", "$ 6", "$ 7"]) as stage:
        result = await (await stage.start(desk)).result()
    assert result.status is Status.REFUSED
    assert "the guardrail no_prices let no answer pass" in result.reason


async def test_a_flag_changes_nothing(serve: Serve) -> None:
    desk = agent(Custom(no_prices, on_failure="flag"), Pii(on_failure="flag", at=["output"]))
    async with serve(App(desk), [f"$ 5 to {ANNA}"]) as stage:
        run = await stage.start(desk)
        result, found = await run.result(), await decisions(run)
    assert result.output == f"$ 5 to {ANNA}"
    assert found == [("no_prices", "output", "flagged", "it names a price"), ("pii", "output", "flagged", "1 email")]


@pytest.mark.parametrize("on_failure", ["block", "retry"])
async def test_a_call_whose_arguments_do_not_pass_is_not_made(serve: Serve, on_failure: Any) -> None:
    CALLED.clear()
    desk = agent(Custom(no_prices, at=["tool_call"], on_failure=on_failure), tools=[find])
    script = [calls(("find", {"name": "Anna for $ 5"}), ("find", {"name": "Ben"})), "Done."]
    async with serve(App(desk), script) as stage:
        outcome = await stage.ask(desk)
    assert CALLED == ["Ben"]
    assert outcome.result.output == "Done."
    assert outcome.tool_results == [
        ("find was not run: the guardrail no_prices: it names a price", True),
        (f"Ben: {ANNA}", False),
    ]


async def test_a_result_that_is_blocked_is_withheld(serve: Serve) -> None:
    desk = agent(Pii(at=["tool_result"], on_failure="block"), tools=[find])
    async with serve(App(desk), [calls(("find", {"name": "Anna"})), "Done."]) as stage:
        outcome = await stage.ask(desk)
        found = await decisions(outcome.run)
    assert outcome.tool_results == [("[withheld by the guardrail pii: 1 email]", False)]
    assert found == [("pii", "tool_result", "blocked", "1 email")]


async def test_an_input_that_is_blocked_never_leaves(serve: Serve) -> None:
    desk = agent(Secrets(on_failure="block"))
    async with serve(App(desk), ["Never."]) as stage:
        result = await (await stage.start(desk, "password: hunter2hunter2")).result()
    assert (result.status, result.turns) == (Status.REFUSED, 0)
    assert result.reason.startswith("the guardrail secrets blocked the input: 1 ")


@pytest.mark.parametrize("check", [broken, odd])
@pytest.mark.parametrize(
    ("fields", "status", "output"),
    [
        ({}, "refused", "[withheld by the guardrail {name}: it failed: {error}]"),
        ({"on_error": "open"}, "completed", "Hello."),
    ],
)
async def test_a_guardrail_that_fails(
    serve: Serve, check: Any, fields: dict[str, Any], status: str, output: str
) -> None:
    desk = agent(Custom(check, **fields))
    async with serve(App(desk), ["Hello."]) as stage:
        run = await stage.start(desk)
        result = await run.result()
        failed = [event.failed async for event in run.events() if event.type == "guardrail.decided"]
    error = "RuntimeError" if check is broken else "TypeError"
    assert (result.status, result.output) == (status, output.format(name=check.__name__, error=error))
    assert failed == [True]


async def test_a_tool_has_guardrails_of_its_own(serve: Serve) -> None:
    @tool(effect="read", guardrails=[Pii()])
    async def own(name: str) -> str:
        """Find somebody."""
        return f"{name}: {ANNA}"

    desk = agent(tools=[own])
    async with serve(App(desk), [calls(("own", {"name": "Anna"})), "Done."]) as stage:
        outcome = await stage.ask(desk)
    assert outcome.tool_results[0][0].startswith("Anna: <EMAIL_")


@pytest.mark.parametrize(
    ("rules", "said", "status", "output"),
    [
        (Rules(deny=[r"\bguarantee"]), "We guarantee it.", "refused", None),
        (Rules(deny=[r"\bguarantee"]), "We hope so.", "completed", "We hope so."),
        (Rules(deny=[r"guarantee"], on_failure="redact"), "We guarantee it.", "completed", "We <DENIED"),
        (Rules(urls=["example.com"], on_failure="redact"), "See https://evil.test/x now.", "completed", "See <DENIED"),
        (Rules(max_chars=5, on_failure="redact"), "Too long.", "refused", None),
        (Rules(languages=["de"]), "This is an English sentence, as anybody can see.", "refused", None),
    ],
)
async def test_rules(serve: Serve, rules: Rules, said: str, status: str, output: str | None) -> None:
    desk = agent(rules)
    async with serve(App(desk), [said]) as stage:
        result = await (await stage.start(desk)).result()
    assert result.status == status
    assert output is None or str(result.output).startswith(output)
    assert status == "completed" or result.reason.startswith("the guardrail rules blocked the output: ")


async def test_arguments_fit_a_schema_and_calls_without_words_are_no_answers(serve: Serve) -> None:
    CALLED.clear()
    short = Schema(schema={"type": "object", "properties": {"name": {"maxLength": 4}}}, at="tool_call")
    desk = agent(short, Rules(min_chars=3), tools=[find])
    script = [calls(("find", {"name": "Annabella"}), ("find", {"name": "Ben"})), "Done."]
    async with serve(App(desk), script) as stage:
        outcome = await stage.ask(desk)
    assert (outcome.result.output, CALLED) == ("Done.", ["Ben"])
    assert "the guardrail schema" in outcome.tool_results[0][0]
    assert "Annabella" not in outcome.tool_results[0][0]


async def test_a_pattern_that_is_none_is_refused_where_the_app_is_served(serve: Serve) -> None:
    with pytest.raises(SpecError, match=r"the guardrail rules: .*deny"):
        async with serve(App(agent(Rules(deny=["(unclosed"]))), ["Hello."]):
            pass
