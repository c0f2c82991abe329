"""Prompts and chains: templates, forms of answers, questions asked again, and what is kept of a chain that stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel

from sostenuto import App, Chain, ImagePart, Parallel, Prompt, Route, Router, Rule, Status, Step, Team
from sostenuto.contracts.specs.runnable import Runnable
from tests.fakes.cast import Cast, last_told
from tests.integration.patterns.conftest import agent, prompt

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Play, Serve


class Invoice(BaseModel):
    """What is on an invoice."""

    total: float
    lines: list[str]


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def not_short(text: str) -> str | None:
    """An objection to few words."""
    return "it is too short" if len(text) < 4 else None


def adds_up(invoice: Invoice) -> None:
    """An objection to an empty invoice."""
    if not invoice.lines:
        raise ValueError("it has no lines")


@pytest.mark.parametrize(
    ("form", "answers", "output", "rejected"),
    [
        (None, ["any text"], "any text", 0),
        (SCHEMA, ['{"n": "x"}', '{"n": 3}'], {"n": 3}, 1),
        (Invoice, ["no JSON", '{"total": "x", "lines": []}', '{"total": 2.5, "lines": ["a"]}'], None, 2),
        (Literal["yes", "no"], ['{"value": "perhaps"}', '{"value": "no"}'], "no", 1),
        (list[int], ['{"value": [1, "x"]}', '{"value": [1, 2]}'], [1, 2], 1),
    ],
    ids=["text", "schema", "model", "choice", "list"],
)
async def test_forms_of_answers(play: Play, form: Any, answers: list[str], output: Any, rejected: int) -> None:
    outcome = await play(prompt("p", output=form), {"p": answers})
    result = outcome.result
    assert (result.status, result.turns, len(result.rejected)) == (Status.COMPLETED, len(answers), rejected)
    assert result.output == (output or {"total": 2.5, "lines": ["a"]})
    assert [one.text for one in result.rejected] == answers[:-1]


async def test_the_model_is_told_why_it_is_asked_again(play: Play) -> None:
    cast = Cast({"p": ["no", "Yes, because."]})
    outcome = await play(prompt("p", "Is {input} so?", validators=[not_short]), cast, "it")
    assert outcome.result.output == "Yes, because."
    first, again = cast.requests
    assert [message.text for message in first.messages] == ["Is it so?"]
    assert [message.text for message in again.messages[:2]] == ["Is it so?", "no"]
    assert "it is too short" in again.messages[2].text
    assert [(one.text, one.reasons) for one in outcome.result.rejected] == [("no", ("it is too short",))]


async def test_a_type_and_a_validator_both_hold(play: Play) -> None:
    answers = ['{"total": 1, "lines": []}', '{"total": 1, "lines": ["a"]}']
    outcome = await play(prompt("p", output=Invoice, validators=[adds_up]), {"p": answers})
    assert [one.reasons for one in outcome.result.rejected] == [("it has no lines",)]


async def test_answers_that_never_fit_are_all_kept(play: Play) -> None:
    outcome = await play(prompt("p", validators=[not_short], max_repairs=1), {"p": ["no", "NO", "unused"]})
    assert outcome.failed
    assert [one.text for one in outcome.result.rejected] == ["no", "NO"]
    assert outcome.result.reason == "the answer does not pass its validators: it is too short"
    assert (outcome.result.output, outcome.result.turns) == ("NO", 2)


async def test_fields_of_the_input_and_pictures_reach_the_prompt(play: Play) -> None:
    cast = Cast()
    await play(prompt("p", "{a} {b} {{c}}"), cast, {"a": "x", "b": [1, {"d": None}]})
    assert cast.requests[0].messages[0].text == 'x [1, {"d": null}] {c}'
    picture = ImagePart(media_type="image/png", data="aGk=")
    chain = Chain(name="c", steps=[prompt("first", "See {input}"), Step(agent("last"), input="{first}")])
    await play(chain, cast, ["what?", picture])
    seen, later = cast.asked("first")[0].messages[0], cast.asked("last")[0].messages[0]
    assert (seen.text, seen.parts[1]) == ("See what?", picture)
    assert later.parts[1] == picture


async def test_braces_in_what_was_said_stay_as_they_are(play: Play) -> None:
    """What a model or a user writes is never a template itself."""
    chain = Chain(name="c", steps=[prompt("p"), prompt("q", "{p} of {input}")])
    outcome = await play(chain, {"p": "{input} {q} {{", "q": last_told}, "{p}")
    assert outcome.result.output == "{input} {q} {{ of {p}"


ANY = prompt("any", "{input}")
KINDS: dict[str, tuple[Runnable, Any]] = {
    "prompt": (ANY, "any<go>"),
    "agent": (agent("ag"), "ag<any<go>>"),
    "chain": (Chain(name="ch", steps=[prompt("in")]), "in<any<go>>"),
    "router": (Router(name="ro", strategy="rules", routes=[Route(prompt("in"), when=Rule())]), "in<any<go>>"),
    "parallel": (Parallel(name="pa", branches=[prompt("in")]), {"in": "in<any<go>>"}),
    "team": (Team(name="te", members=[agent("in")], style="handoff"), "in<any<go>>"),
}


@pytest.mark.parametrize(("step", "output"), KINDS.values(), ids=KINDS)
async def test_every_kind_is_a_step(play: Play, step: Runnable, output: Any) -> None:
    """A prompt's `{input}` is what the chain was asked; anything else is asked what the step before it came to."""
    chain = Chain(name="c", steps=[prompt("first", model="scripted/any"), Step(step, name="x"), prompt("end", "{x}!")])
    outcome = await play(chain, {"end": last_told})
    assert outcome.result.steps["x"].output == output
    assert outcome.result.output == (output if isinstance(output, str) else '{"in": "in<any<go>>"}') + "!"


async def test_names_reach_nested_chains_as_far_as_they_declare_them(play: Play) -> None:
    nested = Chain(name="n", inputs=["p", "word"], steps=[prompt("q", "{p}|{word}|{input}")])
    chain = Chain(name="c", inputs=["word"], steps=[prompt("p", "p"), Step(nested, input="told {word}")])
    outcome = await play(chain, {"q": last_told}, {"word": "hi"})
    assert outcome.result.output == "p<p>|hi|told hi"


LOOP = agent("loop", max_turns=1, tools=[agent("other")])
STOPS: dict[str, tuple[Runnable, dict[str, Any], Status, str, int]] = {
    "failed validation": (
        prompt("bad", validators=[not_short], max_repairs=0),
        {"bad": "no"},
        Status.FAILED,
        "step 'x': the answer does not pass its validators: it is too short",
        1,
    ),
    "failed model": (
        agent("bad"),
        {"bad": {"error": "QuotaExceeded"}},
        Status.FAILED,
        "step 'x': QuotaExceeded: scripted/bad: scripted QuotaExceeded: the script says so",
        0,
    ),
    "refused": (
        agent("bad"),
        {"bad": {"text": "never", "stop": "refusal"}},
        Status.REFUSED,
        "step 'x': never",
        1,
    ),
    "exhausted": (
        LOOP,
        {"loop": {"text": "so far", "tool_calls": [{"name": "other", "arguments": {"task": "a"}}]}},
        Status.EXHAUSTED,
        "step 'x': the agent used all of its 1 turn",
        2,
    ),
}


@pytest.mark.parametrize(("step", "parts", "status", "reason", "turns"), STOPS.values(), ids=STOPS)
async def test_what_came_before_a_step_that_stops_is_kept(
    play: Play, step: Runnable, parts: dict[str, Any], status: Status, reason: str, turns: int
) -> None:
    chain = Chain(name="c", steps=[prompt("one"), agent("two"), Step(step, name="x"), prompt("never")])
    outcome = await play(chain, parts)
    result = outcome.result
    assert (result.status, result.reason, result.turns) == (status, reason, 2 + turns)
    assert list(result.steps) == ["one", "two", "x"]
    assert result.steps["two"].output == "two<one<go>>"
    assert result.steps["x"].status is status
    assert outcome.failed == (status is Status.FAILED)
    if status is Status.FAILED and turns:
        assert [one.text for one in result.steps["x"].rejected] == ["no"]


@pytest.mark.parametrize(
    ("each", "place"),
    [
        (prompt("p", "{who}"), "template"),
        (Chain(name="c", inputs=["who"], steps=[prompt("p", "{who}")]), "step 'p': template"),
        (Chain(name="c", inputs=["who"], steps=[prompt("q"), Step(agent("a"), input="{who}")]), "step 'a': input"),
    ],
    ids=["prompt", "prompt of a chain", "input of a step"],
)
async def test_an_item_that_lacks_a_field_says_so(play: Play, each: Prompt | Chain, place: str) -> None:
    outcome = await play(Parallel(name="m", each=each, min_completed=1), {}, '[{"who": "x"}, {"whom": "y"}]')
    result = outcome.result
    assert result.status is Status.COMPLETED
    assert result.output[1] is None
    assert result.steps["1"].reason == f"{place}: {{who}} is unknown: it is not a field of what was asked"
    if "step 'a'" in place:
        assert result.turns == 3


async def test_a_long_output_goes_whole_through_a_chain(serve: Serve) -> None:
    """100 KB and more: a prompt's text is not in the history before, so it is sent as it is."""
    long = "ä" * 100_000
    cast = Cast({"p": long})
    chain = Chain(name="c", steps=[prompt("p"), prompt("q", "{p}"), Step(agent("a"), input="{p}")])
    async with serve(App(), cast) as stage:
        outcome = await stage.ask(chain)
    assert [cast.asked(name)[0].messages[0].text == long for name in ("q", "a")] == [True, True]
    assert "part_ref" not in outcome.history.history.to_json()
    kinds = [part.kind for call in outcome.history.model_calls for message in call.tail for part in message.parts]
    assert kinds == ["text", "text"]
