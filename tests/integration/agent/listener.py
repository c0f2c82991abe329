"""A scripted model that remembers what it was sent: the prompt as a provider would see it."""

from __future__ import annotations

from collections.abc import Iterable

from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts.message import Message, Part, TextPart, ToolCallPart, ToolResultPart


class Listener(ScriptedAdapter):
    """Answers from a script; `requests` holds every request."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.requests: list[ModelRequest] = []

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """The step of the script, after the request was noted."""
        self.requests.append(request)
        return await super().complete(request, on_delta)

    @property
    def prompts(self) -> list[list[Message]]:
        """The messages of each request."""
        return [list(request.messages) for request in self.requests]


def contents(messages: Iterable[Message]) -> list[str]:
    """What the tools' results in the messages say."""
    parts = (part for message in messages for part in message.parts)
    return [part.content for part in parts if isinstance(part, ToolResultPart)]


def said(messages: Iterable[Message]) -> list[str]:
    """Each part of the messages in a word or two: role, and text, call or result."""
    return [f"{message.role.value} {_word(part)}" for message in messages for part in message.parts]


def _word(part: Part) -> str:
    match part:
        case TextPart():
            return part.text
        case ToolCallPart():
            return f"{part.id}={part.name}"
        case ToolResultPart():
            return f"{part.call_id}:{part.content}"
        case _:
            return part.kind
