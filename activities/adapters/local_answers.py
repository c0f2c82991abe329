"""Answers from tool results. What is told stands in a result word for word, for the model would make up the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ...contracts.message import Message, Role, TextPart
from ...contracts.model import StopReason
from ...contracts.usage import Usage
from ..provider import Completion, Delta, ModelAdapter, ModelRequest, OnDelta
from .embedder import Embedder
from .local_exchange import Exchange, PastCall
from .local_passages import SHORT_CHARACTERS, Selection, is_grounded, select, split

_INSTRUCTIONS: Final = "Answer the question from the text."
_MAX_SENTENCE_TOKENS: Final = 48


class AnswerWriter:
    """Writes answers that rest on tool results.

    Args:
        server: Adapter of the server that the model runs on.
        embedder: Finds the passages.
    """

    def __init__(self, server: ModelAdapter, embedder: Embedder) -> None:
        self._server = server
        self._embedder = embedder

    async def answer(self, request: ModelRequest, exchange: Exchange, on_delta: OnDelta | None) -> Completion:
        """The answer to the question of the exchange from the results of its calls.

        Raises:
            ModelError: The server failed.
        """
        telling = _telling(exchange)
        contents = [_labelled(call, telling) for call in telling]
        selection = await select(exchange.question, contents, self._embedder)
        if not selection.text:
            return _told(request, _nothing_found(exchange.calls), Usage(), on_delta)
        asked = _asked(request, exchange.question, selection.text)
        if request.output:
            return await self._server.complete(asked, on_delta)
        usage = Usage()
        if len(selection.text) <= SHORT_CHARACTERS:
            # Of a short text the model can make a sentence that is true; of a longer one it makes up its own.
            short = request.model.model_copy(update={"max_output_tokens": _MAX_SENTENCE_TOKENS})
            sentence = await self._server.complete(replace(asked, model=short))
            usage = sentence.usage
            known = f"{selection.text} {exchange.question}"
            if sentence.stop is StopReason.END and is_grounded(sentence.message.text, known):
                return _told(request, sentence.message.text, usage, on_delta)
        quoted = await self._quote(asked, selection, on_delta)
        return replace(quoted, usage=usage + quoted.usage)

    async def _quote(self, asked: ModelRequest, selection: Selection, on_delta: OnDelta | None) -> Completion:
        """The passage that the model says under a grammar that has only the best ones."""
        grammar = "root ::= " + " | ".join(_literal(extract) for extract in selection.extracts)
        options = {**asked.model.options, "grammar": grammar, "repeat_penalty": 1.0}
        room = 2 * max(len(extract) for extract in selection.extracts)
        model = asked.model.model_copy(update={"options": options, "max_output_tokens": room})
        return await self._server.complete(replace(asked, model=model), on_delta)


def _asked(request: ModelRequest, question: str, text: str) -> ModelRequest:
    return ModelRequest(
        model=request.model,
        instructions=_INSTRUCTIONS,
        messages=(Message.user(f"Text:\n{text}\n\nQuestion: {question}"),),
        output=request.output,
    )


def _telling(exchange: Exchange) -> list[PastCall]:
    """The calls that worked, without those whose result only led to a later call."""
    told = [call for call in exchange.calls if not call.is_error]
    return [
        call
        for index, call in enumerate(told)
        if not any(_led_to(call, later, exchange.question) for later in told[index + 1 :])
    ]


def _labelled(call: PastCall, telling: Sequence[PastCall]) -> str:
    """The result, with what it is about where there are several of one tool."""
    if sum(other.tool == call.tool for other in telling) == 1:
        return call.content
    about = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in call.arguments.items())
    return f"{about}: {'; '.join(sentence.text for sentence in split(call.content))}"


def _led_to(call: PastCall, later: PastCall, question: str) -> bool:
    values = [value for value in later.arguments.values() if isinstance(value, str) and value not in question]
    return any(value in call.content for value in values)


def _nothing_found(calls: Sequence[PastCall]) -> str:
    said = "; ".join(f"{call.tool}: {call.content or 'nothing'}" for call in calls)
    return f"I found no answer. The tools said: {said}"


def _told(request: ModelRequest, text: str, usage: Usage, on_delta: OnDelta | None) -> Completion:
    if on_delta:
        on_delta(Delta("text", text))
    message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
    return Completion(message, request.model.model, StopReason.END, usage)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "")
    return f'"{escaped}"'
