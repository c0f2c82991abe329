"""A model that answers with what it was asked, word by word."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sostenuto import Message, Role, TextPart, Usage
from sostenuto.activities.model_adapter import Completion, Delta, ModelRequest, OnDelta
from sostenuto.contracts.wire.model_call import StopReason


class Echo:
    """Answers `N: …` to the N-th question of a transcript.

    Args:
        seconds_per_word: How long each word of an answer takes.
        says: What it answers in place of that.
        hangs_at: Questions whose answers stop after two words, and never end.
    """

    provider = "scripted"

    def __init__(self, seconds_per_word: float = 0.0, hangs_at: Sequence[str] = (), says: str = "") -> None:
        self.says = says
        self.seconds_per_word = seconds_per_word
        self.hangs_at = hangs_at
        self.asked: list[ModelRequest] = []
        self.is_hanging = asyncio.Event()

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        self.asked.append(request)
        questions = [message.text for message in request.messages if message.role is Role.USER]
        text = self.says or f"{len(questions)}: {questions[-1]}"
        for number, word in enumerate(text.split(" ")):
            if number == 2 and questions[-1] in self.hangs_at:
                self.is_hanging.set()
                await asyncio.Event().wait()
            await asyncio.sleep(self.seconds_per_word)
            if on_delta:
                on_delta(Delta("text", f" {word}" if number else word))
        message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
        return Completion(message, "m", StopReason.END, Usage(input_tokens=10, output_tokens=5))

    async def close(self) -> None:
        """Nothing to close."""

    @property
    def told(self) -> list[list[str]]:
        """The texts of each prompt."""
        return [[message.text for message in request.messages] for request in self.asked]
