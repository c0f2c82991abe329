"""A router's decision: every strategy, the threshold and the default, and failures that say what to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from sostenuto.activities.routing.complexity import difficulty, estimated_tokens
from sostenuto.activities.routing.embedding import probabilities
from sostenuto.activities.routing.route import RouteActivities
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.specs.router import Rule
from sostenuto.contracts.wire.route_call import RouteCall, RouteChoice, RouteOption
from sostenuto.workers.providers import build_embedder
from sostenuto.workers.settings import Settings
from tests.unit.activities.routing.difficulty_cases import CASES

BILLING = RouteOption(name="billing", description="invoice payment money", examples=("refund money",))
TECHNICAL = RouteOption(name="technical", description="crash error login")


class WordEmbedder:
    """Texts that share words are close; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._places: dict[str, int] = {}

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row per text with a 1 for each of its words, brought to length 1."""
        self.asked += texts
        rows = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[self._places.setdefault(word, len(self._places))] = 1
        unit: NDArray[np.float32] = rows / np.maximum(1, np.linalg.norm(rows, axis=1, keepdims=True))
        return unit


PRICES = {("a", "small"): 1.0, ("a", "large"): 20.0, ("local", "m"): 0.0}
"""US dollars for a million tokens in and a million out."""


def _price(provider: str, model: str, usage: Usage) -> float | None:
    price = PRICES.get((provider, model))
    return None if price is None else price * usage.input_tokens / 1_000_000


async def decide(activities: RouteActivities | None = None, **call: Any) -> RouteChoice:
    """The decision, made as an activity."""
    activities = activities or RouteActivities(WordEmbedder(), _price)
    call.setdefault("options", (BILLING, TECHNICAL))
    return await ActivityEnvironment().run(activities.decide, RouteCall(**call))


async def failure(activities: RouteActivities | None = None, **call: Any) -> ApplicationError:
    """What the decision fails by."""
    with pytest.raises(ApplicationError) as caught:
        await decide(activities, **call)
    assert caught.value.non_retryable
    return caught.value


async def test_the_model_is_taken_at_its_word() -> None:
    answer: JsonValue = {"route": "technical", "confidence": 0.8, "reason": "it crashes"}
    choice = await decide(strategy="model", text="x", answer=answer)
    assert choice == RouteChoice(route="technical", confidence=0.8, reason="it crashes", strategy="model")


async def test_why_the_model_said_nothing_is_told_beside_the_default() -> None:
    choice = await decide(
        strategy="model", text="x", unanswered="failed: AuthenticationFailed: no key", default="billing"
    )
    assert choice.route == "billing"
    assert "it gave no answer (failed: AuthenticationFailed: no key): the default" in choice.reason


@pytest.mark.parametrize(
    "answer",
    [None, "technical", [], {}, {"route": "nowhere", "confidence": 1}, {"route": None}, {"route": ["technical"]}],
)
async def test_an_answer_without_a_route_takes_the_default(answer: JsonValue) -> None:
    choice = await decide(strategy="model", text="x", answer=answer, default="billing")
    assert choice.route == "billing"
    assert "billing, technical" in choice.reason
    assert choice.reason.endswith("the default")
    nowhere = await decide(strategy="model", text="x", answer=answer)
    assert nowhere.route == ""
    assert "no default" in nowhere.reason


@pytest.mark.parametrize("confidence", [None, True, -0.1, 1.5, "high", float("nan")])
async def test_a_confidence_that_is_none_is_zero(confidence: JsonValue) -> None:
    answer: JsonValue = {"route": "technical", "confidence": confidence, "reason": "it crashes"}
    choice = await decide(strategy="model", text="x", answer=answer)
    assert (choice.route, choice.confidence) == ("technical", 0.0)
    assert "no confidence" in choice.reason
    unsure = await decide(strategy="model", text="x", answer=answer, threshold=0.1, default="billing")
    assert unsure.route == "billing"


async def test_below_the_threshold_the_default_is_taken_and_it_says_so() -> None:
    answer: JsonValue = {"route": "technical", "confidence": 0.31, "reason": "perhaps"}
    choice = await decide(strategy="model", text="x", answer=answer, threshold=0.5, default="billing")
    assert (choice.route, choice.confidence) == ("billing", 0.31)
    assert choice.reason == "0.31 for 'technical' is below the threshold 0.5 (perhaps): the default"
    assert (await decide(strategy="model", text="x", answer=answer, threshold=0.31)).route == "technical"


async def test_the_closest_meaning_wins() -> None:
    choice = await decide(strategy="embedding", text="payment refund")
    assert choice.route == "billing"
    assert choice.confidence > 0.9
    assert "'technical'" in choice.reason
    assert (await decide(strategy="embedding", text="login crash")).route == "technical"


async def test_an_input_that_is_close_to_nothing_has_little_confidence() -> None:
    choice = await decide(strategy="embedding", text="tomato soup", threshold=0.5, default="technical")
    assert choice.route == "technical"
    assert choice.confidence < 0.05


async def test_routes_are_embedded_once() -> None:
    embedder = WordEmbedder()
    activities = RouteActivities(embedder, lambda *_: None)
    for text in ("one", "two"):
        await decide(activities, strategy="embedding", text=text)
    assert embedder.asked == ["invoice payment money", "refund money", "crash error login", "one", "two"]


async def test_a_route_without_words_is_known_by_its_name() -> None:
    options = (RouteOption(name="soup"), RouteOption(name="salad"))
    assert (await decide(strategy="embedding", text="salad", options=options)).route == "salad"


def test_what_is_left_of_the_probabilities_belongs_nowhere() -> None:
    near, far, two = probabilities([0.5, 0.1]), probabilities([0.05, 0.0]), probabilities([0.5, 0.5])
    assert near[0] > 0.99
    assert sum(far) < 0.1
    assert two == [pytest.approx(0.5, abs=0.01)] * 2


async def test_no_embedder_is_said() -> None:
    error = await failure(RouteActivities(None, lambda *_: None), strategy="embedding", text="x")
    assert error.type == "SetupError"
    assert "no embedder" in error.message


async def test_missing_weights_are_said_and_how_to_get_them(tmp_path: Any) -> None:
    embedder = build_embedder(Settings(state_dir=tmp_path))
    error = await failure(RouteActivities(embedder, lambda *_: None), strategy="embedding", text="x")
    assert error.type == "SetupError"
    assert "sostenuto pull" in error.message


def ruled(**rules: Rule | None) -> tuple[RouteOption, ...]:
    """An option for each rule."""
    return tuple(RouteOption(name=name, when=rule) for name, rule in rules.items())


@pytest.mark.parametrize(
    ("text", "route", "words"),
    [
        ("please REFUND me", "refunds", "'REFUND'"),
        ('{"tier": "gold", "vip": true}', "gold", "tier is gold, vip is true"),
        ('{"tier": "gold", "vip": 1}', "short", "at most 40"),
        ("hi", "short", "2 characters are at most 40"),
        ("x" * 41, "long", "41 characters are at least 41"),
    ],
)
async def test_the_first_rule_that_holds_wins(text: str, route: str, words: str) -> None:
    options = ruled(
        refunds=Rule(pattern=r"\brefund\b"),
        gold=Rule(metadata={"tier": "gold", "vip": True}),
        other=None,
        short=Rule(max_chars=40),
        long=Rule(min_chars=41, max_chars=50),
    )
    choice = await decide(strategy="rules", text=text, options=options)
    assert (choice.route, choice.confidence) == (route, 1.0)
    assert words in choice.reason
    assert repr(route) in choice.reason


async def test_everything_in_a_rule_must_hold() -> None:
    options = ruled(both=Rule(pattern="refund", max_chars=10), other=None)
    choice = await decide(strategy="rules", text="refund, please", options=options, default="other")
    assert choice.route == "other"
    assert choice.reason == "no rule holds: the default"


async def test_a_pattern_that_would_never_end_stops_nothing() -> None:
    """While it is searched for, the event loop goes on; then the failure names the route and what to do."""
    options = ruled(trap=Rule(pattern=r"(a|aa)+$"))
    beats: list[float] = []

    async def beat() -> None:
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.01)

    task = asyncio.create_task(beat())
    error = await failure(strategy="rules", text="a" * 60 + "!", options=options)
    task.cancel()
    assert error.type == "SpecError"
    assert "route 'trap': when.pattern" in error.message
    assert "took more than" in error.message
    assert len(beats) > 10


def priced(**models: tuple[str, float, int | None]) -> tuple[RouteOption, ...]:
    """Options by model, greatest difficulty and most tokens."""
    return tuple(
        RouteOption(name=name, model=model, max_difficulty=hard, max_tokens=tokens)
        for name, (model, hard, tokens) in models.items()
    )


LADDER = priced(large=("a/large", 1.0, None), unknown=("b/x", 1.0, None), small=("a/small", 0.5, 20))


@pytest.mark.parametrize(
    ("text", "route", "words"),
    [
        ("What is the capital of France?", "small", "$1 per million"),
        ("What is the capital of France? " * 3, "large", "$20 per million"),
        (CASES[24][1], "large", "the cheapest of 2 adequate (a/large"),
    ],
)
async def test_the_cheapest_adequate_model_is_taken(text: str, route: str, words: str) -> None:
    choice = await decide(strategy="complexity", text=text, options=LADDER)
    assert (choice.route, choice.confidence) == (route, 1.0)
    assert words in choice.reason
    assert "difficulty 0." in choice.reason


async def test_unknown_prices_come_last_in_the_order_given() -> None:
    options = priced(one=("b/x", 1.0, None), two=("", 1.0, None), three=("a/large", 1.0, None))
    assert (await decide(strategy="complexity", text="x", options=options)).route == "three"
    choice = await decide(strategy="complexity", text="x", options=options[:2])
    assert choice.route == "one"
    assert "its price is unknown" in choice.reason


async def test_what_no_route_is_good_for_takes_the_default() -> None:
    options = priced(small=("a/small", 0.1, None), local=("local/m", 1.0, 10))
    choice = await decide(strategy="complexity", text=CASES[24][1], options=options, default="local")
    assert choice.route == "local"
    assert "no route is good for that: the default" in choice.reason


@pytest.mark.parametrize("half", [0, 1])
def test_difficulty_orders_inputs_as_people_do(half: int) -> None:
    rows = [(hard, difficulty(text)[0]) for index, (hard, text) in enumerate(CASES) if index % 2 == half]
    pairs = [(easier, harder) for level, easier in rows for other, harder in rows if level < other]
    assert sum(easier < harder for easier, harder in pairs) / len(pairs) > 0.95
    assert max(value for level, value in rows if level == 0) < 0.2
    assert min(value for level, value in rows if level == 2) > 0.5


@pytest.mark.parametrize("piece", ["\n", " ", "?", "{ ", "a ", "1 ", "- ", "\n \t", "a^", "\\frac", "explain ", "漢"])
def test_no_input_is_hard_to_look_at(piece: str) -> None:
    started = time.process_time()
    assert 0 <= difficulty(piece * (100_000 // len(piece)))[0] <= 1
    assert time.process_time() - started < 1


def test_tokens_are_rather_too_many() -> None:
    assert estimated_tokens("") == 0
    assert estimated_tokens("The quick brown fox jumps over the lazy dog.") >= 10
    assert estimated_tokens("漢字は難しい") >= 6
    assert estimated_tokens("\ud83d broken") > 0
