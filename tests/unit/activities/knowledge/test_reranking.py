"""What a reranker says becomes an order: what it did not judge comes behind, as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from sostenuto.activities.knowledge.reranking import (
    NO_HURRY,
    AskedQuery,
    Candidate,
    Judgement,
    MaxSim,
    Urgency,
    reranked,
)
from sostenuto.activities.knowledge.search import Knowledge
from sostenuto.activities.knowledge.store.vector_store import Hit
from sostenuto.activities.not_served import NotServedError
from sostenuto.activities.prices.price import OnCharge
from sostenuto.contracts.errors import AuthenticationFailed, ModelError, Overloaded
from sostenuto.contracts.wire.retrieval import Scores
from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True)
class Query:
    """A query that is close to the passages as their codes say."""

    dense: str = ""

    def closeness(self, codes: Sequence[str]) -> Sequence[float]:
        """The codes, as numbers."""
        return [float(code or 0) for code in codes]


@dataclass(frozen=True)
class Fixed:
    """A reranker that says what it is given."""

    judgement: Judgement

    async def judged(self, query: AskedQuery, candidates: Sequence[Candidate], charge: OnCharge) -> Judgement:
        """What it was given."""
        return self.judgement


QUERY = AskedQuery("x", (Query(),))


def candidates(*codes: str) -> list[Candidate]:
    return [
        Candidate(Hit(id=f"p{number}", score=0.5, payload={"codes": code}), Scores(dense=0.4, fused=0.5))
        for number, code in enumerate(codes)
    ]


@pytest.mark.parametrize(
    ("judgement", "order"),
    [
        ([0.1, 0.9, 0.5], ["p1", "p2", "p0"]),
        ([None, 0.1, None], ["p1", "p0", "p2"]),
        ([0.5, 0.5, 0.5], ["p0", "p1", "p2"]),
        ([-3.0, None, -1.0], ["p2", "p0", "p1"]),
        ([None, None, None], ["p0", "p1", "p2"]),
    ],
)
async def test_the_order(judgement: Judgement, order: list[str]) -> None:
    found, note = await reranked(Fixed(judgement), QUERY, candidates("", "", ""), lambda _: None)
    assert ([one.hit.id for one in found], note) == (order, "")


async def test_words_are_compared_where_passages_have_vectors_of_them() -> None:
    found, _ = await reranked(MaxSim(), QUERY, candidates("0.2", "0.8", ""), lambda _: None)
    assert [one.hit.id for one in found] == ["p1", "p0", "p2"]
    assert [one.scores.rerank for one in found] == pytest.approx([0.9, 0.3, 0.1])
    found, _ = await reranked(MaxSim(), QUERY, candidates("", ""), lambda _: None)
    assert [(one.hit.id, one.scores.rerank) for one in found] == [("p0", None), ("p1", None)]


def test_a_reranker_is_known_by_its_name() -> None:
    knowledge = Knowledge(None, {}, None)  # type: ignore[arg-type]
    assert isinstance(knowledge.reranker("maxsim"), MaxSim)
    assert knowledge.reranker("none") is None
    with pytest.raises(NotServedError, match=r"no reranker 'model:a/b' \(it has: maxsim\)"):
        knowledge.reranker("model:a/b")


@dataclass(frozen=True)
class Failing:
    """A reranker that fails, or never answers."""

    error: ModelError | None = None

    async def judged(self, query: AskedQuery, candidates: Sequence[Candidate], charge: OnCharge) -> Judgement:
        """What it was given."""
        if self.error:
            raise self.error
        await asyncio.Event().wait()
        raise AssertionError


async def test_what_is_not_tried_again_keeps_the_order_that_there_is() -> None:
    busy, wrong = Failing(Overloaded("full")), Failing(AuthenticationFailed("a wrong key"))
    with pytest.raises(Overloaded):
        await reranked(busy, QUERY, candidates("", ""), lambda _: None)
    last = Urgency(is_last=lambda _: True)
    for failing, urgency, words in ((busy, last, "full"), (wrong, NO_HURRY, "a wrong key")):
        found, note = await reranked(failing, QUERY, candidates("", ""), lambda _: None, urgency)
        assert ([one.hit.id for one in found], note) == (["p0", "p1"], f"not reranked: {words}")


async def test_a_reranker_is_waited_for_as_long_as_the_search_has() -> None:
    ends = Urgency(asyncio.get_running_loop().time() + 0.1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        found, note = await reranked(Failing(), QUERY, candidates("", ""), lambda _: None, ends)
    assert ([one.hit.id for one in found], note[:32]) == (["p0", "p1"], "not reranked: there was no order")
