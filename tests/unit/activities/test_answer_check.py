"""Answers held to an agent's output type: by the type itself where the worker knows it, else by its schema."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, field_validator

from sostenuto import Agent
from sostenuto.activities.answer.answer_check import OutputValidator
from sostenuto.activities.call.given.run_context import RunContext
from sostenuto.activities.not_served import NotServedError
from sostenuto.contracts.errors import InvalidRequest
from sostenuto.contracts.head import Head
from sostenuto.contracts.model import Model, OutputSchema
from sostenuto.contracts.specs.app import App
from sostenuto.contracts.specs.chain import Chain
from sostenuto.contracts.specs.output import Validator, output_schema
from sostenuto.contracts.specs.prompt import Prompt
from sostenuto.contracts.specs.team import Team
from tests.patience import PATIENCE_SECONDS


class City(BaseModel):
    """A city."""

    name: str
    people: int = Field(ge=0)

    @field_validator("name")
    @classmethod
    def _is_written_large(cls, name: str) -> str:
        if not name.istitle():
            raise ValueError("write it large")
        return name


@dataclass
class Pair:
    """Two numbers."""

    a: int
    b: int


def agent(output: type) -> Agent:
    """An agent with that output."""
    return Agent(name="a", model="a/b", output=output)


def schema(output: type) -> OutputSchema:
    """The schema that such an agent sends."""
    found = agent(output).output
    assert found is not None
    return found


async def problems(
    validator: OutputValidator,
    name: str,
    output: OutputSchema | None,
    text: str,
    *checks: str,
    seconds: float = PATIENCE_SECONDS,
) -> tuple[str, ...]:
    """What is wrong with an answer of that runnable."""
    head = Head(agent=name, model=Model("a/b"), output=output, validators=checks)
    return await validator.problems(head, text, limit=timedelta(seconds=seconds))


KNOWN = OutputValidator([agent(City), agent(Pair), Agent(name="plain", model="a/b")])
UNKNOWN = OutputValidator()


@pytest.mark.parametrize("validator", [KNOWN, UNKNOWN], ids=["type", "schema"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"name": "Oslo", "people": 7}', []),
        ('{"name": "Oslo", "people": -1}', ["people"]),
        ('{"name": "Oslo"}', ["people"]),
        ('{"name": 1, "people": "x"}', ["name", "people"]),
        ("Oslo", ["JSON"]),
        ("", ["JSON"]),
        ("[" * 100_000, ["answer"]),
        ('```json\n{"name": "Oslo", "people": 7}\n```', ["JSON"]),
        ('{"name": "\\ud83d", "people": 7}', ["JSON"]),
    ],
)
async def test_both_find_the_same(validator: OutputValidator, text: str, words: list[str]) -> None:
    found = await problems(validator, "a", schema(City), text)
    assert len(found) == len(words)
    assert all(word in problem for word, problem in zip(words, sorted(found), strict=True))


async def test_only_the_type_has_its_validators() -> None:
    text = '{"name": "oslo", "people": 7}'
    assert await problems(KNOWN, "a", schema(City), text) == ("name: Value error, write it large",)
    assert await problems(UNKNOWN, "a", schema(City), text) == ()


async def test_a_dataclass() -> None:
    assert await problems(KNOWN, "a", schema(Pair), '{"a": 1, "b": 2}') == ()
    assert "b" in (await problems(KNOWN, "a", schema(Pair), '{"a": 1}'))[0]


async def test_another_schema_of_the_same_name_is_another_type() -> None:
    other = OutputSchema(name="City", json_schema={"type": "object", "required": ["mayor"]})
    assert await problems(KNOWN, "a", other, '{"mayor": "x"}') == ()
    assert "mayor" in (await problems(KNOWN, "a", other, '{"name": "Oslo", "people": 7}'))[0]


async def test_agents_of_one_schema_keep_their_own_validators() -> None:
    class Town(BaseModel):
        """A city."""

        name: str
        people: int = Field(ge=0)

    Town.__name__ = "City"
    lax, strict = Agent(name="lax", model="a/b", output=Town), agent(City)
    assert lax.output is not None
    both = OutputValidator([strict, lax])
    small = '{"name": "oslo", "people": 7}'
    assert await problems(both, "a", schema(City), small) == ("name: Value error, write it large",)
    assert await problems(both, "lax", lax.output, small) == ()


CHOICE = Literal["good", "bad"]
WRAPPED = output_schema(CHOICE, "")
ANSWERED = Prompt(name="p", template="{input}", model="a/b", output=CHOICE)


@pytest.mark.parametrize("validator", [OutputValidator([ANSWERED]), UNKNOWN], ids=["type", "schema"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"value": "good"}', []),
        ('{"value": "ugly"}', ["value"]),
        ("{}", ["value"]),
        ('"good"', ["object"]),
        ("good", ["JSON"]),
        ("[" * 100_000, ["JSON"]),
        ('{"value": "\\ud83d"}', ["JSON"]),
    ],
)
async def test_a_wrapped_answer_is_held_to_its_value(validator: OutputValidator, text: str, words: list[str]) -> None:
    found = await problems(validator, "p", WRAPPED, text)
    assert len(found) == len(words)
    assert all(word in problem for word, problem in zip(words, found, strict=True))


async def test_every_nested_runnable_has_its_type() -> None:
    nested = Prompt(name="deep", template="{input}", model="a/b", output=City)
    team = Team(name="team", members=[Agent(name="m", model="a/b")], model="a/b", output=City)
    app = App(Chain(name="c", steps=[nested, Agent(name="caller", model="a/b", tools=[agent(Pair)])]), team)
    validator = OutputValidator(app.walk(), app.validators)
    for name in ("deep", "team"):
        found = await problems(validator, name, schema(City), '{"name": "oslo", "people": 7}')
        assert found == ("name: Value error, write it large",)
    assert "b" in (await problems(validator, "a", schema(Pair), '{"a": 1}'))[0]


SEEN: list[Any] = []


def is_short(answer: Any) -> str | None:
    """Says what is wrong."""
    SEEN.append((answer, threading.current_thread() is threading.main_thread()))
    return "make it shorter" if len(str(answer)) > 20 else None


async def is_polite(answer: Any) -> list[str]:
    """Says several things."""
    await asyncio.sleep(0)
    return [] if "please" in str(answer) else ["say please", "and thank you"]


def raises_value(answer: Any) -> None:
    """Raises what is wrong."""
    raise ValueError("it is wrong")


def raises_nothing_said(answer: Any) -> None:
    """Asserts."""
    raise AssertionError


def is_a_city(answer: Any) -> None:
    """Raises a ValueError of several lines."""
    City.model_validate({"name": "Oslo", "people": -1})


def stops(answer: Any) -> None:
    """Raises what no future takes."""
    raise StopIteration


def exits(answer: Any) -> None:
    """Would end the worker."""
    raise SystemExit(3)


async def is_cancelled(answer: Any) -> None:
    """Looks like a cancel of the whole call."""
    raise asyncio.CancelledError


def returns_a_bool(answer: Any) -> bool:
    """Returns what says nothing."""
    return False


def yields(answer: Any) -> Iterator[str]:
    """Never ends."""
    while True:
        yield "again"


def half_an_emoji(answer: Any) -> str:
    """Says what cannot be written, and too much of it."""
    return "\ud83d" * 10_000


async def sleeps(answer: Any) -> None:
    """Takes longer than it may."""
    await asyncio.sleep(60)


def blocks(answer: Any) -> None:
    """The same, in a thread."""
    time.sleep(2)


CHECKS: tuple[Validator, ...] = (
    *(is_short, is_polite, raises_value, raises_nothing_said, is_a_city, stops, exits, is_cancelled),
    *(returns_a_bool, yields, half_an_emoji, sleeps, blocks),
)
SERVED = OutputValidator([agent(Pair), ANSWERED], {check.__name__: check for check in CHECKS})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("is_short", ("make it shorter",)),
        ("is_polite", ("say please", "and thank you")),
        ("raises_value", ("it is wrong",)),
        ("raises_nothing_said", ("answer: it does not pass raises_nothing_said",)),
        ("is_a_city", ("people: Input should be greater than or equal to 0",)),
        ("stops", ("answer: its validator stops ended by StopIteration",)),
        ("exits", ("answer: its validator exits ended by SystemExit: 3",)),
        ("is_cancelled", ("answer: its validator is_cancelled ended by CancelledError",)),
        (
            "returns_a_bool",
            ("answer: its validator returns_a_bool returned a bool, in place of None, a text or several texts",),
        ),
        ("yields", ("again",) * 20),
        ("half_an_emoji", ("?" * 2000 + "… (cut)",)),
        ("sleeps", ("answer: its validator sleeps did not end within 0.2 s",)),
        ("blocks", ("answer: its validator blocks did not end within 0.2 s",)),
    ],
)
async def test_whatever_a_validator_does_is_an_objection(name: str, said: tuple[str, ...]) -> None:
    seconds = 0.2 if name in ("sleeps", "blocks") else PATIENCE_SECONDS
    assert await problems(SERVED, "x", None, "a text of many characters", name, seconds=seconds) == said


async def test_validators_pass_what_is_good_and_are_all_heard_on_what_is_not() -> None:
    assert await problems(SERVED, "x", None, "please", "is_short", "is_polite") == ()
    found = await problems(SERVED, "x", None, "x" * 30, "is_polite", "is_short")
    assert found == ("say please", "and thank you", "make it shorter")


async def test_validators_get_the_text_or_the_value_and_a_thread() -> None:
    SEEN.clear()
    await problems(SERVED, "x", None, "text", "is_short")
    await problems(SERVED, "a", schema(Pair), '{"a": 1, "b": 2}', "is_short")
    await problems(SERVED, "unknown", schema(Pair), '{"a": 1, "b": 2}', "is_short")
    await problems(SERVED, "p", WRAPPED, '{"value": "good"}', "is_short")
    await problems(SERVED, "unknown", WRAPPED, '{"value": "good"}', "is_short")
    assert [(value, False) for value in ("text", Pair(1, 2), {"a": 1, "b": 2}, "good", "good")] == SEEN


async def test_validators_are_not_asked_about_an_answer_of_the_wrong_form_or_a_refusal() -> None:
    SEEN.clear()
    assert await problems(SERVED, "a", schema(Pair), '{"a": 1}', "is_short") == ("b: Field required",)
    head = Head(agent="x", model=Model("a/b"), validators=("is_short",))
    assert await SERVED.problems(head, "x" * 30, limit=timedelta(seconds=5), refused=True) == ()
    assert SEEN == []


async def test_a_cancel_of_the_call_passes() -> None:
    task = asyncio.create_task(problems(SERVED, "x", None, "text", "sleeps", "is_short"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_validator_that_is_not_served_is_named() -> None:
    head = Head(agent="x", model=Model("a/b"), validators=("is_short", "is_long"))
    with pytest.raises(NotServedError, match=r"x: this worker has no validator 'is_long' .*App\(.*is_long"):
        SERVED.check(head)
    SERVED.check(head.model_copy(update={"validators": ("is_short",)}))


def of_context(answer: str, context: City) -> str | None:
    """Wants the run's context."""
    return None if context.name in answer else f"say {context.name}"


def of_any_context(answer: str, context: City | None) -> str | None:
    """Can do without."""
    return None


def test_a_context_that_a_validator_cannot_read_is_no_wrong_answer() -> None:
    """The model could mend nothing: the call fails before it is paid for."""
    served = OutputValidator(validators={"of_context": of_context, "of_any_context": of_any_context})
    head = Head(agent="x", model=Model("a/b"), validators=("of_context", "of_any_context"))
    served.check(head, RunContext({"name": "Bern", "people": 1}))
    with pytest.raises(
        InvalidRequest, match=r"^validator of_context: context: people: Input should be a valid integer"
    ):
        served.check(head, RunContext({"name": "Bern", "people": "many"}))
    with pytest.raises(InvalidRequest, match="validator of_context: it wants a context, and the run has none"):
        served.check(head)
