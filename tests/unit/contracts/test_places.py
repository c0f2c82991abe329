"""Places and the ids made of them: taken apart they are what they were made of, and what stands in histories stays."""

from __future__ import annotations

import random

import pytest

from sostenuto.contracts.wire.places import (
    ActivityId,
    EventId,
    Place,
    direct_call_id,
    numbered,
    score_id,
    scores_prefix,
)

_NAMES = "abzAZ019_.-"


def _name(chance: random.Random) -> str:
    name = chance.choice("abAB01") + "".join(chance.choices(_NAMES, k=chance.randint(0, 63)))
    return name + chance.choice(["", "", f"[{chance.randint(0, 999)}]"])


def _place(chance: random.Random) -> Place:
    place = Place(_name(chance))
    for _ in range(chance.randint(0, 5)):
        place = place / _name(chance)
        place = place.numbered(chance.choice([1, 1, 2, 30]))
    return place


FROZEN = {
    "desk": Place("desk"),
    "desk/billing": Place("desk") / "billing",
    "desk/billing#2": (Place("desk") / "billing").numbered(2),
    "map/item[3]": Place("map") / "item[3]",
    "desk:turn-1": Place("desk").model_call(1),
    "desk:turn-7-2": Place("desk").model_call(7, 2),
    "desk/billing#2:turn-12": (Place("desk") / "billing").numbered(2).model_call(12),
    "desk:route": Place("desk").route_decision(),
    "desk:transcript": Place("desk").continued_conversation(),
    "desk:mcp-github": Place("desk").mcp_catalogue("github"),
    "desk:call_7": Place("desk").tool_call("call_7"),
    "Flow:call": Place("Flow").tool_call(direct_call_id(1)),
    "Flow:call_2": Place("Flow").tool_call(direct_call_id(2)),
    "run-9/billing#2": (Place("desk") / "billing").numbered(2).nested_run_id("run-9", "desk"),
    "0199:desk/billing": (Place("desk") / "billing").before_first_reply("0199"),
    "judge#2": numbered("judge", 2),
    "judge": numbered("judge", 1),
    "0199-ab/17/0": EventId("0199-ab", 17, 0),
    "17/3": EventId("", 17, 3),
}
"""Strings of this form stand in histories, cursors and people's test code. Add to them; never change one."""


@pytest.mark.parametrize("text", FROZEN)
def test_the_strings_that_stand_in_histories(text: str) -> None:
    assert str(FROZEN[text]) == text


def test_the_ids_of_scores() -> None:
    """They are the same for all that take the place of one another, and of no other, whatever the names are."""
    assert score_id("0c", "", "helpful", "anna") == "score-0c-24236a96968ebf427a49e0e4c2d0dfb5"
    ids = [score_id("0c", *parts) for parts in (("a", "b", ""), ("", "a", "b"), ("a", "", "b"), ("", "ab", ""))]
    assert len(set(ids)) == 4
    assert all(one.startswith(scores_prefix("0c")) for one in ids)


@pytest.mark.parametrize("seed", range(300))
def test_what_is_made_is_read_back(seed: int) -> None:
    chance = random.Random(seed)
    place, turn, fallback = _place(chance), chance.randint(1, 10_000), chance.randint(0, 9)
    server, call_id = _name(chance), f"call_{chance.randint(0, 10**9)}"
    made = {
        place.model_call(turn, fallback): f"turn-{turn}" + (f"-{fallback}" if fallback else ""),
        place.tool_call(call_id): call_id,
        place.route_decision(): "route",
        place.continued_conversation(): "transcript",
        place.mcp_catalogue(server): f"mcp-{server}",
    }
    assert {ActivityId.parse(text): text for text in made} == {
        ActivityId(place, step): text for text, step in made.items()
    }
    event = EventId(chance.choice(["", "0199-ab"]), chance.randint(1, 10**6), chance.randint(0, 99))
    assert EventId.parse(str(event)) == event


@pytest.mark.parametrize("seed", range(300))
def test_the_parts_of_a_place_make_it_again(seed: int) -> None:
    chance = random.Random(seed)
    place = _place(chance)
    child = place / _name(chance)
    again = child.numbered(2)
    assert (child.parent, child.parent / child.name, again.unnumbered_name) == (place, child, child.name)
    assert list(child.with_parents()) == [*place.with_parents(), child]
    assert (child.root, child.depth) == (place.root, place.depth + 1)
    assert (child.below(place), place.below(place), child.below("")) == (child.name, "", child)
    assert child.is_within(place)
    assert place.is_within(place)
    assert not place.is_within(child)
    assert not again.is_within(child)
    assert child.nested_run_id("run", place.root) == f"run{child.removeprefix(place.root)}"


def test_the_calls_of_a_workflow_without_a_model() -> None:
    calls = [Place("Flow").tool_call(direct_call_id(number)) for number in (1, 2, 10)]
    assert all(ActivityId.parse(call).is_direct_call for call in calls)
    others = ("Flow:turn-1", "Flow:calling", "Flow:call_x", "Flow:route")
    assert not any(ActivityId.parse(other).is_direct_call for other in others)


def test_what_is_no_id_of_ours() -> None:
    assert ActivityId.parse("something") == ActivityId(Place(""), "something")
    with pytest.raises(ValueError, match="invalid literal"):
        EventId.parse("a/b/c")
