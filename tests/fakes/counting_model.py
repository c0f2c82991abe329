"""A model that counts the tokens of what it is sent, as a provider does, and keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.errors import ContextOverflow, ModelError
from sostenuto.contracts.message import Message, Part, Role, TextPart, ToolCallPart
from sostenuto.contracts.model import Model
from sostenuto.contracts.wire.model_call import StopReason

ASKS_FOR_SUMMARY = "[Write a summary"

ToolCall = tuple[str, Mapping[str, object]]
Answer = str | ToolCall | Sequence[ToolCall] | ModelError
"""A text, tool calls by name and arguments, or what is raised."""


@dataclass(frozen=True)
class Sent:
    """A prompt that was sent."""

    request: ModelRequest
    tokens: int

    @property
    def messages(self) -> tuple[Message, ...]:
        """Its messages."""
        return self.request.messages

    @property
    def text(self) -> str:
        """All of them, as JSON."""
        return "\n".join(message.model_dump_json() for message in self.request.messages)

    @property
    def is_summary(self) -> bool:
        """Whether it asks for a summary."""
        return self.request.messages[-1].text.startswith(ASKS_FOR_SUMMARY)


class CountingModel:
    """Answers by a function, and counts four bytes as a token.

    Args:
        answer: What it says to a prompt.
        summary: What it says where it is asked for a summary.
        windows: Most tokens that it takes, by the name of the model: it refuses more.
    """

    provider = "scripted"

    def __init__(
        self,
        answer: Callable[[Sent], Answer],
        *,
        summary: Callable[[Sent], Answer] = lambda sent: f"So far {len(sent.messages) - 1} messages.",
        windows: Mapping[str, int] | None = None,
        tells_windows: bool = True,
    ) -> None:
        self._answer = answer
        self._summary = summary
        self._windows = windows or {}
        self._tells_windows = tells_windows
        self.sent: list[Sent] = []

    def window(self, model: Model) -> int:
        """Most tokens that it takes."""
        return self._windows.get(model.model, 0) if self._tells_windows else 0

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Answer."""
        size = len(request.instructions.encode()) + sum(len(tool.model_dump_json()) for tool in request.tools)
        sent = Sent(request, (size + sum(len(one.model_dump_json().encode()) for one in request.messages)) // 4)
        self.sent.append(sent)
        most = self._windows.get(request.model.model)
        if most and sent.tokens > most:
            raise ContextOverflow(f"prompt is too long: {sent.tokens} tokens > {most} maximum")
        answer = self._summary(sent) if sent.is_summary else self._answer(sent)
        if isinstance(answer, ModelError):
            raise answer
        parts = _parts(answer)
        stop = StopReason.END if isinstance(answer, str) else StopReason.TOOL_CALLS
        usage = Usage(input_tokens=sent.tokens, output_tokens=sum(len(part.model_dump_json()) for part in parts) // 4)
        return Completion(Message(role=Role.ASSISTANT, parts=parts), request.model.model, stop, usage)

    async def close(self) -> None:
        """Do nothing."""

    @property
    def turns(self) -> list[Sent]:
        """The prompts that ask for no summary."""
        return [sent for sent in self.sent if not sent.is_summary]

    @property
    def summaries(self) -> list[Sent]:
        """Those that do."""
        return [sent for sent in self.sent if sent.is_summary]


def _parts(answer: str | ToolCall | Sequence[ToolCall]) -> tuple[Part, ...]:
    if isinstance(answer, str):
        return (TextPart(text=answer),)
    calls = [answer] if isinstance(answer, tuple) else answer
    return tuple(
        ToolCallPart.model_validate({"id": "call", "name": name, "arguments": dict(arguments)})
        for name, arguments in calls
    )
