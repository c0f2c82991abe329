from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from sostenuto import tool
from sostenuto.activities.adapters.local_model.argument_values import Slot, Source, find_slots
from sostenuto.activities.adapters.local_model.exchange import PastCall


@tool
async def read_page(path: str) -> str:
    """Read a page."""
    raise NotImplementedError


@tool
async def refund(order_id: str, amount: float) -> str:
    """Refund an order."""
    raise NotImplementedError


@tool
async def book(city: str, day: Annotated[str, Field(pattern=r"^\d{4}-\d\d$")], kind: Literal["bed", "room"]) -> str:
    """Book a place."""
    raise NotImplementedError


@tool
async def search(query: str, limit: int = 10, order: Literal["new", "old"] = "new") -> str:
    """Search."""
    raise NotImplementedError


def slots(of: Any, question: str, *results: str) -> dict[str, Slot] | None:
    calls = tuple(PastCall("earlier", {}, result, is_error=False) for result in results)
    found = find_slots(of.spec.definition, question, calls)
    return None if found is None else {slot.name: slot for slot in found}


def values(slot: Slot) -> list[Any]:
    return [option.value for option in slot.options]


def one(of: Any, name: str, question: str, *results: str) -> Slot:
    found = slots(of, question, *results)
    assert found is not None
    return found[name]


@pytest.mark.parametrize(
    ("result", "paths"),
    [
        ('[{"path": "a.md", "title": "A"}, {"path": "b.md", "title": "B"}]', ["a.md", "b.md"]),
        ('{"pages": [{"file_path": "a.md"}]}', ["a.md"]),
        ('["a.md", "b.md"]', ["a.md", "b.md"]),
        ("see docs/a.md, or b.md.\nNot 14 degrees", ["docs/a.md", "b.md"]),
    ],
)
def test_a_reference_is_found_in_results(result: str, paths: list[str]) -> None:
    slot = one(read_page, "path", "What is it?", result)
    assert slot.source is Source.RESULTS
    assert values(slot) == paths


def test_the_context_of_a_value_is_what_stands_with_it() -> None:
    slot = one(read_page, "path", "What?", '[{"path": "a.md", "title": "All about A"}]')
    assert "All about A" in slot.options[0].context


def test_a_reference_that_nothing_names_is_not_known_yet() -> None:
    assert slots(read_page, "What is it?") is None
    assert slots(read_page, "What is it?", "14 degrees") is None


def test_failed_calls_tell_no_values() -> None:
    failed = PastCall("find", {}, '["a.md"]', is_error=True)
    assert find_slots(read_page.spec.definition, "What is it?", (failed,)) is None


def test_the_question_comes_before_the_results() -> None:
    slot = one(read_page, "path", "Read docs/c.md please.", '["a.md"]')
    assert slot.source is Source.QUESTION
    assert values(slot) == ["docs/c.md"]


def test_a_number_behind_the_parameters_word_is_meant() -> None:
    found = slots(refund, "Refund 15 dollars of order 7.")
    assert found is not None
    assert {name: values(slot) for name, slot in found.items()} == {"order_id": ["7"], "amount": [15]}


def test_values_of_a_form_have_it_or_stand_in_the_question() -> None:
    assert values(one(book, "day", "A bed in Rome in 2027-01.")) == ["2027-01"]
    assert "next month" in values(one(book, "day", "A bed in Rome next month."))


def test_pieces_of_the_question_begin_and_end_with_telling_words() -> None:
    pieces = values(one(book, "city", "Is there a bed in New York for us?"))
    assert "New York" in pieces
    assert not [p for p in pieces if p.split()[0].lower() in ("is", "a", "in", "for") or p.endswith(("in", "for", "?"))]


def test_optional_arguments_keep_their_defaults_unless_said() -> None:
    quiet, said = slots(search, "Find 3 red cars"), slots(search, "Find old cars")
    assert quiet is not None
    assert said is not None
    assert list(quiet) == ["query"]
    assert values(said["order"]) == ["old"]


def test_a_query_is_an_end_of_the_question() -> None:
    assert values(one(search, "query", "What is the price of a red bicycle?"))[0] == "price of a red bicycle"
