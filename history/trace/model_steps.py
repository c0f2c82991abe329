"""What each model call of a run was told, said once, and answered. Does no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ...contracts.head import Head
from ...contracts.message import Message
from ...contracts.wire.event import ModelRequested, ModelResponded
from ...contracts.wire.places import Place
from ..events.projection import Projection
from ..events.transcript import SentPrompt


class ToldPrompts:
    """Says of each prompt what is new in it."""

    def __init__(self) -> None:
        self._heads: dict[str, Head] = {}

    def fields(self, event: ModelRequested, projection: Projection) -> dict[str, Any]:
        """Return the fields of a model call's step that tell its prompt.

        There are none where the history does not tell it.
        """
        # A summary is asked for with messages that its agent was told.
        agent = Place(event.path).parent if event.summary else event.path
        try:
            sent = projection.prompt(event.turn, event.path)
        except KeyError:
            return {}
        before = _before(agent, event, projection)
        told = sent.beyond(before) if before else sent.messages
        head = None if self._heads.get(agent) == sent.head else sent.head
        self._heads[agent] = sent.head
        order = _order(sent.messages, before.messages) if before else ()
        return {"messages": len(sent.messages), "told": told, "order": order, "head": head}


def _before(agent: str, event: ModelRequested, projection: Projection) -> SentPrompt | None:
    with suppress(KeyError):
        return projection.prompt(event.turn - 1, agent)
    return None


def _order(messages: Sequence[Message], before: Sequence[Message]) -> tuple[int, ...]:
    """Return where each message stood before, -1 of one that did not.

    Nothing where all that did come first, in their order.
    """
    known = {id(message): place for place, message in enumerate(before)}
    order = tuple(known.get(id(message), -1) for message in messages)
    kept = len(order) - order.count(-1)
    return () if order[:kept] == tuple(range(kept)) else order


def answer_fields(event: ModelResponded) -> dict[str, Any]:
    """Return the fields of a model call's step that tell its answer."""
    return {
        "name": event.model,
        "waited_seconds": event.waited_seconds,
        "attempt": event.attempt,
        "answered": event.message.text,
        "usage": event.usage,
        "cost_usd": event.cost_usd,
        "prompt_hash": event.prompt_hash,
        "turns": 1,
        "stop": event.stop,
    }
