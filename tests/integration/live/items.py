"""What every stream of a run must hold."""

from __future__ import annotations

from collections.abc import Sequence

from sostenuto import Run
from sostenuto.contracts.wire.event import Event, ModelRequested, ModelResponded
from sostenuto.contracts.wire.live import Partial, Progress, Retract, StreamItem, Token


async def items_of(run: Run, after: str | None = None) -> list[StreamItem]:
    return [item async for item in run.stream(after)]


def events_in(items: Sequence[StreamItem]) -> list[Event]:
    """The events among them, as `Run.events` gives them."""
    return [
        item.model_copy(update={"cursor": item.cursor.partition("~")[0] if ";" in item.cursor else ""})
        for item in items
        if not isinstance(item, Token | Retract | Partial | Progress)
    ]


def assert_tokens_join(items: Sequence[StreamItem]) -> None:
    """By the time of each answer, the tokens of its path join to its text."""
    said: dict[str, str] = {}
    for item in items:
        match item:
            case ModelRequested() | Retract():
                said[item.path] = ""
            case Token(kind="text"):
                said[item.path] += item.text
            case ModelResponded():
                assert said[item.path] == item.message.text
            case _:
                pass


def tokens_before_answer(items: Sequence[StreamItem], path: str) -> int:
    """How many tokens of a path came before its first answer's."""
    answers = [n for n, item in enumerate(items) if isinstance(item, ModelResponded) and item.path == path]
    return sum(isinstance(item, Token) and item.path == path for item in items[: answers[0]])
