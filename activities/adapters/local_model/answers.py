"""Writes answers from tool results.

They quote the results word for word, for the model would make up the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ....contracts.message import Message, Role, TextPart
from ....contracts.usage import Usage
from ....contracts.wire.model_call import StopReason
from ...model_adapter import Completion, Delta, ModelAdapter, ModelRequest, OnDelta
from ..embeddings.minilm import MiniLmEmbedder
from .exchange import Exchange, PastCall
from .passages import is_grounded, joined, select, split

_INSTRUCTIONS: Final = "Answer the question from the text."
# A longer sentence is not one: the passage is told as it stands.
_MAX_SENTENCE_TOKENS: Final = 48


class AnswerWriter:
    """Writes answers that rest on tool results.

    Args:
        server: Adapter of the server that the model runs on.
        embedder: Finds the passages.
    """

    def __init__(self, server: ModelAdapter, embedder: MiniLmEmbedder) -> None:
        self._server = server
        self._embedder = embedder

    async def answer(self, request: ModelRequest, exchange: Exchange, on_delta: OnDelta | None) -> Completion:
        """Answer the question of the exchange from the results of its calls.

        Raises:
            ModelError: The server failed.
        """
        telling = _telling(exchange)
        contents = [_labelled(call, telling) for call in telling]
        selection = await select(exchange.question, contents, self._embedder)
        if not selection.text:
            return completion_of(request, _nothing_found(exchange.calls), Usage(), on_delta)
        if request.output:
            return await self._server.complete(_asked(request, exchange.question, selection.text), on_delta)
        sentence = await self._server.complete(_asked(request, exchange.question, selection.extract))
        text = sentence.message.text
        known = f"{selection.extract} {exchange.question}"
        true = sentence.stop is StopReason.END and is_grounded(text, known)
        return completion_of(request, text if true else selection.extract, sentence.usage, on_delta)


def _asked(request: ModelRequest, question: str, text: str) -> ModelRequest:
    sentence = {} if request.output else {"max_output_tokens": _MAX_SENTENCE_TOKENS}
    return ModelRequest(
        model=request.model.model_copy(update=sentence),
        instructions=_INSTRUCTIONS,
        messages=(Message.user(f"Text:\n{text}\n\nQuestion: {question}"),),
        output=request.output,
    )


def _telling(exchange: Exchange) -> list[PastCall]:
    """Return the calls that worked and that led to no later call."""
    worked = [call for call in exchange.calls if not call.is_error]
    return [
        call
        for index, call in enumerate(worked)
        if not any(_led_to(call, later, exchange.question) for later in worked[index + 1 :])
    ]


def _labelled(call: PastCall, telling: Sequence[PastCall]) -> str:
    """Return the result, labelled where there are several of one tool."""
    if sum(other.tool == call.tool for other in telling) == 1:
        return call.content
    about = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in call.arguments.items())
    return f"{about}: {joined(split(call.content))}"


def _led_to(call: PastCall, later: PastCall, question: str) -> bool:
    values = [value for value in later.arguments.values() if isinstance(value, str) and value not in question]
    return any(value in call.content for value in values)


def _nothing_found(calls: Sequence[PastCall]) -> str:
    said = "; ".join(f"{call.tool}: {call.content or 'nothing'}" for call in calls)
    return f"I found no answer. The tools said: {said}"


def completion_of(request: ModelRequest, text: str, usage: Usage, on_delta: OnDelta | None) -> Completion:
    """Wrap a text that was found as the model's answer."""
    if on_delta:
        on_delta(Delta("text", text))
    message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
    return Completion(message, request.model.model, StopReason.END, usage)
