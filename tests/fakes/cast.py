"""Models that each play a part: an answer made of what they are asked. Must not reach a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter, ScriptedStep
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts.message import Role, ToolResultPart

Answer = ScriptedStep | str | dict[str, Any]
Part = Answer | Sequence[Answer] | Callable[[ModelRequest], Answer]
"""What a model always says, says in turn (the last answer again and again), or makes of the request."""


class Cast:
    """An adapter whose models each have a part. One that has none says its own name and what it was last told.

    Args:
        parts: By model, without the provider.
    """

    provider = "scripted"

    def __init__(self, parts: Mapping[str, Part] | None = None) -> None:
        self._parts = parts or {}
        self.requests: list[ModelRequest] = []
        """Every request, in the order of their arrival."""
        self.most_at_once = 0
        """Most requests that were answered at the same time."""
        self._now = 0

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """The answer that the model's part has for this request."""
        self.requests.append(request)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await asyncio.sleep(0)
            script = ScriptedAdapter([self._answer(request)])
            # The scripted adapter takes the turn from the messages, and its script has only this one.
            return await script.complete(replace(request, messages=(), replies_left=0), on_delta)
        finally:
            self._now -= 1

    async def close(self) -> None:
        """Nothing: there is nothing to give back."""

    def asked(self, model: str) -> list[ModelRequest]:
        """The requests to one model."""
        return [request for request in self.requests if request.model.model == model]

    def _answer(self, request: ModelRequest) -> Answer:
        name = request.model.model
        part = self._parts.get(name)
        if part is None:
            return f"{name}<{last_told(request)}>"
        if isinstance(part, ScriptedStep | str | dict):
            return part
        if callable(part):
            return part(request)
        return part[min(turn(request), len(part) - 1)]


def turn(request: ModelRequest) -> int:
    """How often a model has spoken in the conversation."""
    return sum(message.role is Role.ASSISTANT for message in request.messages)


def last_told(request: ModelRequest) -> str:
    """The last thing that the model was told: text, or what a tool returned."""
    message = request.messages[-1]
    results = (part.content for part in message.parts if isinstance(part, ToolResultPart))
    return message.text or " ".join(results)
