"""Writes answers from tool results.

They quote the results word for word, for the model would make up the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ....contracts.control.usage import Usage
from ....contracts.message import Message, Role, TextPart
from ....contracts.wire.model_call import StopReason
from ...model_adapter import Completion, Delta, ModelAdapter, ModelRequest, OnDelta
from ..embeddings.minilm import MiniLmEmbedder
from .citing.search_result import FoundPassage
from .exchange import Exchange, PastCall
from .passages import MOST_SENTENCES, Sentence, is_grounded, joined, select, split, split_passage

_INSTRUCTIONS: Final = "Answer the question from the text."
# A longer sentence is not one: the passage is told as it stands.
_MAX_SENTENCE_TOKENS: Final = 48


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """An answer, and what it was made from."""

    text: str
    usage: Usage
    sentences: tuple[Sentence, ...]
    """All that the tools told."""
    selected: str
    """What of it bears on the question."""
    relevance: float
    """How close the best of it is to the question, see `scores`."""


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
        if request.output:
            selection = await select(exchange.question, _sentences(exchange), self._embedder)
            if selection.text:
                return await self._server.complete(asked_of_text(request, exchange.question, selection.text), on_delta)
        written = await self.written(request, exchange)
        return completion_of(request, written.text, written.usage, on_delta)

    async def written(self, request: ModelRequest, exchange: Exchange) -> WrittenAnswer:
        """Answer in words, and return what the answer was made from.

        Raises:
            ModelError: The server failed.
        """
        sentences = _sentences(exchange)
        selection = await select(exchange.question, sentences, self._embedder)
        if not selection.text:
            return WrittenAnswer(_nothing_found(exchange.calls), Usage(), (), "", 0.0)
        sentence = await self._server.complete(asked_of_text(request, exchange.question, selection.extract))
        text = sentence.message.text
        known = f"{selection.extract} {exchange.question}"
        true = sentence.stop is StopReason.END and is_grounded(text, known)
        text = text if true else selection.extract
        return WrittenAnswer(text, sentence.usage, tuple(sentences), selection.text, selection.relevance)


def asked_of_text(request: ModelRequest, question: str, text: str) -> ModelRequest:
    """Return the request that puts a question about a text."""
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


def _sentences(exchange: Exchange) -> list[Sentence]:
    """Return what the tools told, at most as much as is looked at."""
    telling = _telling(exchange)
    found = _new(exchange.given, ())
    for call in telling:
        if call.passages:
            found += _new(call.passages, found)
        else:
            found += split(_labelled(call, telling))
    return found[:MOST_SENTENCES]


def _new(passages: Sequence[FoundPassage], found: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences of the passages that were not found before."""
    said = {sentence.passage for sentence in found if sentence.passage}
    sentences: list[Sentence] = []
    for passage in passages:
        if passage.id not in said:
            said |= {passage.id} - {""}
            sentences += split_passage(passage.text, passage.heading, passage.id)
    return sentences


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
    return f"I found no answer. The tools said: {said}" if said else "I found no answer."


def completion_of(request: ModelRequest, text: str, usage: Usage, on_delta: OnDelta | None) -> Completion:
    """Wrap a text that was found as the model's answer."""
    if on_delta:
        on_delta(Delta("text", text))
    message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
    return Completion(message, request.model.model, StopReason.END, usage)
