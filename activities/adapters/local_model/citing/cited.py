"""Writes answers that cite: what each sentence rests on is found, not asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from pydantic import JsonValue

from .....contracts.collection.citation import Attribution
from .....contracts.control.usage import Usage
from .....contracts.model import OutputSchema
from .....contracts.wire.model_call import StopReason
from ....model_adapter import Completion, ModelRequest, OnDelta
from ...embeddings.minilm import MiniLmEmbedder
from ..answers import AnswerWriter, asked_of_text, completion_of
from ..exchange import Exchange
from ..schema import properties
from ..structure import StructureWriter
from .attribution import attributed

NO_ANSWER: Final = "The passages that were found do not answer this."

# Set by `benchmarks/attribution.py`: of 47 questions whose answer the best sentence does not have 25 were below, and 5
# of 43 whose answer it has.
ENOUGH_TO_ANSWER: Final = 0.5
_OWN: Final = ("answer", "claims")


class CitedWriter:
    """Writes answers of the form of `Cited`.

    Args:
        answers: Writes what is answered.
        structures: Fills in the fields that a class has more.
        embedder: Compares the answer with the passages.
    """

    def __init__(self, answers: AnswerWriter, structures: StructureWriter, embedder: MiniLmEmbedder) -> None:
        self._answers = answers
        self._structures = structures
        self._embedder = embedder

    async def answer(
        self, request: ModelRequest, output: OutputSchema, exchange: Exchange, on_delta: OnDelta | None
    ) -> Completion:
        """Answer from the passages that were found, and say which ones.

        Where they do not answer, that is the answer, and it claims nothing.

        Args:
            request: What is asked.
            output: The form as it was asked for, without the bounds that the model needs.
            exchange: The question, and the searches that were made for it.
            on_delta: Receives the answer.

        Raises:
            ModelError: The server failed.
        """
        written = await self._answers.written(replace(request, output=None), exchange)
        is_found = any(sentence.passage for sentence in written.sentences)
        is_answer = is_found and written.relevance >= ENOUGH_TO_ANSWER
        text = written.text if is_answer else NO_ANSWER
        claims = await attributed(text, written.sentences, self._embedder) if is_answer else []
        known: dict[str, JsonValue] = {
            "answer": text,
            "claims": [{"text": claim.text, "passages": list(claim.passages)} for claim in claims],
        }
        return await self.completed(
            asked_of_text(request, exchange.question, written.selected), output, known, written.usage, on_delta
        )

    async def completed(
        self,
        request: ModelRequest,
        output: OutputSchema,
        known: dict[str, JsonValue],
        usage: Usage,
        on_delta: OnDelta | None,
    ) -> Completion:
        """Return an answer with the fields that the form has besides.

        Args:
            request: What those are written from.
            output: The form.
            known: The answer and its claims.
            usage: What they took.
            on_delta: Receives the whole.

        Raises:
            ModelError: The server failed.
        """
        stop = StopReason.END
        rest = _without(output, _OWN)
        if properties(rest.json_schema):
            more = await self._structures.answer(replace(request, output=rest), rest, None)
            usage += more.usage
            stop = more.stop
            try:
                known |= json.loads(more.message.text)
            except ValueError:
                # Cut in the middle: it is told what is wrong with it as any other answer.
                return replace(more, usage=usage)
        whole = {name: known[name] for name in properties(output.json_schema) if name in known}
        done = completion_of(request, json.dumps(whole, ensure_ascii=False), usage, on_delta)
        return replace(done, stop=stop, attribution=Attribution.SIMILARITY)


def _without(output: OutputSchema, names: tuple[str, ...]) -> OutputSchema:
    schema: dict[str, Any] = dict(output.json_schema)
    schema["properties"] = {name: field for name, field in properties(schema).items() if name not in names}
    schema["required"] = [name for name in schema.get("required", ()) if name not in names]
    return output.model_copy(update={"json_schema": schema, "cited": False})
