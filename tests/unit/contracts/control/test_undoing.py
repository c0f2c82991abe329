"""What undoes a tool is checked when the tool and the app are made: names, types, effects."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from sostenuto import App, SpecError, Tool, ToolContext, tool


class Booking(BaseModel):
    """A booking."""

    number: int


@tool(effect="idempotent")
async def cancel(ctx: ToolContext, hotel: str, result: Booking | None, note: str = "") -> None:
    """Undo it."""


@tool(effect="read")
async def look(hotel: str) -> None:
    """Look."""


@tool
async def of_another_hotel(hotel: int) -> None:
    """Take another type."""


@tool
async def of_more(hotel: str, price: float) -> None:
    """Take more."""


@tool
async def of_a_text(result: str) -> None:
    """Take another result."""


def _book(undoing: Any) -> Tool[..., Any]:
    @tool(compensate=undoing)
    async def book(hotel: str, night: int = 1) -> Booking:
        """Book."""
        return Booking(number=night)

    return book


def test_an_app_serves_what_undoes_its_tools() -> None:
    book = _book(cancel)
    assert (book.spec.compensate, book.compensate) == ("cancel", cancel)
    assert App(tools=[book]).tools == {"book": book, "cancel": cancel}
    named = _book("cancel")
    assert App(tools=[named, cancel]).tools == {"book": named, "cancel": cancel}


@pytest.mark.parametrize(
    ("undoing", "told"),
    [
        (5, "tool book: compensate: 5 is no tool: pass a function under @tool, or its name"),
        ("", "tool book: compensate: '' is no tool"),
        (print, "is no tool: pass a function under @tool, or its name"),
        (look, "tool book: compensate: look only reads: give it effect='idempotent', or 'once'"),
        (of_another_hotel, "of_another_hotel takes hotel: int, and is given str, as book has it: write the same type"),
        (of_more, "of_more takes 'price', and is given the arguments of book by their names, and what that returned"),
        (of_a_text, "of_a_text takes result: str, and is given Booking, what book returns: write the same type"),
        ("nobody", "App: tool 'book': compensate: the app has no tool 'nobody' (it has: book): put it into App(tools="),
        ("book", "App: tool 'book': compensate: it is to undo itself: name another tool"),
    ],
)
def test_what_cannot_undo_it(undoing: Any, told: str) -> None:
    with pytest.raises(SpecError) as found:
        App(tools=[_book(undoing)])
    assert told in str(found.value)


def test_what_only_reads_has_nothing_to_undo() -> None:
    with pytest.raises(SpecError, match="find only reads: there is nothing to undo"):

        @tool(effect="read", compensate=cancel)
        async def find(hotel: str) -> Booking:
            """Find."""
            return Booking(number=1)
