"""Keeps what a model has said where its call is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from temporalio import activity

from ...contracts.control.usage import Usage
from ...contracts.message import Message, Role, TextPart
from ...contracts.model import Model
from ...contracts.wire.model_call import StopReason
from ..model_adapter import Completion, Delta, OnDelta

Complete = Callable[[OnDelta | None], Awaitable[tuple[Completion, tuple[str, ...]]]]
"""Asks a model, and tells the pieces of its answer."""


async def or_interrupted(ask: Complete, on_delta: OnDelta | None, model: Model) -> tuple[Completion, tuple[str, ...]]:
    """Return what a model answers.

    Where the call is cancelled: the text that had come until then. What that has cost no provider tells.

    Args:
        ask: Asks the model.
        on_delta: Told the pieces of its answer, too.
        model: Who is asked.

    Raises:
        asyncio.CancelledError: The call was cancelled before there was any text, or its worker is being stopped.
    """
    said: list[str] = []

    def take(delta: Delta) -> None:
        if delta.kind == "text":
            said.append(delta.text)
        if on_delta:
            on_delta(delta)

    try:
        return await ask(take)
    except asyncio.CancelledError:
        text, details = "".join(said), activity.cancellation_details()
        if not text.strip() or details is None or not details.cancel_requested:
            raise
        message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
        name = model.name.partition("/")[2]
        return Completion(message, name, StopReason.INTERRUPTED, Usage(), usage_known=False), ()
