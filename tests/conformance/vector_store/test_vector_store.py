"""Every vector store does the same, so that collections need not know which one they have."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from sostenuto.activities.knowledge.store.vector_store import (
    Layout,
    Leg,
    Point,
    SparseVector,
    StoreError,
    VectorStore,
    Where,
)
from sostenuto.activities.knowledge.store.vectors import vector_text
from tests.conformance.vector_store.stores import STORES, opened

# Its client's local mode has no indexes, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

LAYOUT = Layout(
    dimensions=2,
    indexes={"uri": "text", "year": "integer", "size": "number", "on": "date", "team": "text"},
)


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorStore]:
    async with opened(request.param, tmp_path) as store:
        yield store


def an_id(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def point(number: int, x: float = 1, y: float = 0, **payload: object) -> Point:
    sparse = SparseVector(indices=(number, 1_000), values=(1.0, 0.5))
    return Point(id=an_id(number), dense=vector_text([x, y]), sparse=sparse, payload=payload)


async def filled(store: VectorStore, *points: Point) -> None:
    await store.create("s", LAYOUT)
    await store.upsert("s", points)


async def found(store: VectorStore, *where: Where) -> list[int]:
    records = await store.scroll("s", where, limit=100)
    return [uuid.UUID(record.id).int - 1 for record in records]


async def test_sets_are_made_listed_and_dropped(store: VectorStore) -> None:
    assert list(await store.sets()) == []
    await store.create("b.1", LAYOUT)
    await store.create("a.1", Layout(dimensions=0))
    await store.create("a.1", Layout(dimensions=0))
    assert list(await store.sets()) == ["a.1", "b.1"]
    await store.drop("a.1")
    await store.drop("a.1")
    assert list(await store.sets()) == ["b.1"]
    await store.create("a.1", LAYOUT)
    assert await store.count("a.1", ()) == 0


async def test_points_without_vectors_are_read_back_whole(store: VectorStore) -> None:
    await store.create("s", Layout(dimensions=0))
    payload = {"text": "ü\n𝄞", "deep": {"list": [1, 2.5, None, True]}, "none": None}
    await store.upsert("s", [Point(id=an_id(1), payload=payload)])
    (record,) = await store.read("s", [an_id(1), an_id(2)])
    assert (record.id, record.payload) == (an_id(1), payload)


async def test_a_point_takes_the_place_of_one_with_its_id(store: VectorStore) -> None:
    await filled(store, point(1, uri="a"), point(2, uri="a"))
    await store.upsert("s", [point(1, uri="b")])
    assert await store.count("s", ()) == 2
    assert await found(store, Where(key="uri", any_of=("b",))) == [1]


CONDITIONS: Sequence[tuple[Where, list[int]]] = [
    (Where(key="team", any_of=("core",)), [1]),
    (Where(key="team", any_of=("core", "ops")), [1, 2]),
    (Where(key="team", any_of=("nobody",)), []),
    (Where(key="year", any_of=(2024,)), [2]),
    (Where(key="year", any_of=(2023, 2024)), [1, 2]),
    (Where(key="year", at_least=2024), [2, 3]),
    (Where(key="year", at_most=2024), [1, 2]),
    (Where(key="year", above=2024), [3]),
    (Where(key="year", at_least=2024, at_most=2024), [2]),
    (Where(key="size", any_of=(1.5,)), [1]),
    (Where(key="size", any_of=(1.5, 2.5)), [1, 2]),
    (Where(key="size", at_least=2.5), [2, 3]),
    (Where(key="on", any_of=("2026-01-31",)), [1]),
    (Where(key="on", at_least="2026-02-01"), [2, 3]),
    (Where(key="on", at_most="2026-02-01"), [1, 2]),
    (Where(key="year", any_of=(9_007_199_254_740_991,)), [4]),
    (Where(key="year", above=9_007_199_254_740_990), [4]),
]


@pytest.mark.parametrize(("where", "expected"), CONDITIONS, ids=lambda value: str(value)[:60])
async def test_conditions_hold_for_the_same_points(store: VectorStore, where: Where, expected: list[int]) -> None:
    await filled(
        store,
        point(1, team="core", year=2023, size=1.5, on="2026-01-31"),
        point(2, team="ops", year=2024, size=2.5, on="2026-02-01"),
        point(3, team="sales", year=2025, size=3.5, on="2026-03-01"),
        point(4),
    )
    await store.set_payload("s", [Where(key="uri", any_of=("nowhere",))], {"year": 1})
    await store.upsert("s", [point(4, year=9_007_199_254_740_991)])
    wanted = [one for one in expected if one != 4 or where.any_of or where.above]
    if where.at_least == 2024 and where.at_most is None:
        wanted = [*expected, 4]
    if where.above == 2024:
        wanted = [*expected, 4]
    assert await found(store, where) == wanted
    assert await store.count("s", [where]) == len(wanted)


async def test_several_conditions_hold_together(store: VectorStore) -> None:
    await filled(store, point(1, uri="a", year=1), point(2, uri="a", year=2), point(3, uri="b", year=2))
    assert await found(store, Where(key="uri", any_of=("a",)), Where(key="year", at_least=2)) == [2]


async def test_payload_is_set_and_points_deleted_by_condition(store: VectorStore) -> None:
    await filled(store, *(point(number, uri="ab"[number % 2], keep=[number]) for number in range(6)))
    await store.set_payload("s", [Where(key="uri", any_of=("a",))], {"year": 7, "team": "core"})
    assert await found(store, Where(key="year", at_least=7)) == [0, 2, 4]
    (record,) = await store.read("s", [an_id(2)])
    assert record.payload == {"uri": "a", "keep": [2], "year": 7, "team": "core"}
    await store.delete("s", [Where(key="year", at_least=7)])
    assert await found(store) == [1, 3, 5]


async def test_scrolling_goes_on_after_the_last_one_that_is_known(store: VectorStore) -> None:
    await filled(store, *(point(number, uri="a", text="x") for number in range(7)))
    seen: list[str] = []
    while page := await store.scroll("s", (), limit=3, after=seen[-1] if seen else "", keys=["uri"]):
        assert all(record.payload == {"uri": "a"} for record in page)
        seen += [record.id for record in page]
    assert seen == [an_id(number) for number in range(7)]
    await store.delete("s", [Where(key="uri", any_of=("a",))])
    assert await store.scroll("s", (), limit=3, after=seen[2]) == []


async def test_both_legs_find_the_nearest_that_the_conditions_hold_for(store: VectorStore) -> None:
    await filled(
        store,
        point(1, 1, 0, uri="a"),
        point(2, 0.8, 0.6, uri="a"),
        point(3, 0, 1, uri="a"),
        point(4, 1, 0, uri="b"),
    )
    legs = [
        Leg(dense=vector_text([1, 0]), limit=2),
        Leg(sparse=SparseVector(indices=(3,), values=(1.0,)), limit=10),
        Leg(sparse=SparseVector(indices=(99,), values=(1.0,)), limit=10),
    ]
    dense, sparse, nothing = await store.search("s", legs, [Where(key="uri", any_of=("a",))])
    assert [hit.id for hit in dense] == [an_id(1), an_id(2)]
    assert [hit.score for hit in dense] == pytest.approx([1.0, 0.8], abs=1e-5)
    assert dense[0].payload == {"uri": "a"}
    assert [hit.id for hit in sparse] == [an_id(3)]
    assert sparse[0].score > 0
    assert list(nothing) == []


async def test_rare_words_weigh_more(store: VectorStore) -> None:
    common = [
        Point(id=an_id(n), dense=vector_text([1, 0]), sparse=SparseVector(indices=(5,), values=(1.0,)))
        for n in range(9)
    ]
    rare = Point(id=an_id(9), dense=vector_text([1, 0]), sparse=SparseVector(indices=(6,), values=(1.0,)))
    await filled(store, *common, rare)
    asked = SparseVector(indices=(5, 6), values=(1.0, 1.0))
    (hits,) = await store.search("s", [Leg(sparse=asked, limit=3)], ())
    assert hits[0].id == an_id(9)
    assert hits[0].score > 2 * hits[1].score


async def test_what_is_not_there_is_refused_by_name(store: VectorStore) -> None:
    with pytest.raises(StoreError, match="nothing"):
        await store.count("nothing", ())
    with pytest.raises(StoreError, match="nothing"):
        await store.upsert("nothing", [point(1)])


async def test_a_vector_of_another_length_is_refused(store: VectorStore) -> None:
    await store.create("s", LAYOUT)
    wrong = Point(id=an_id(1), dense=vector_text([1, 0, 0]))
    with pytest.raises(StoreError, match=r"(?i)dim"):
        await store.upsert("s", [wrong])
    with pytest.raises(StoreError, match=r"(?i)dim"):
        await store.search("s", [Leg(dense=wrong.dense, limit=1)], ())


async def test_a_search_is_bounded(store: VectorStore) -> None:
    await filled(store, *(point(number, uri="a") for number in range(20)))
    (hits,) = await store.search("s", [Leg(dense=vector_text([1, 0]), limit=5)], ())
    assert len(hits) == 5
