"""Writes structured answers: chooses what it can, the model writes the rest.

The model writes under a grammar.
"""

from __future__ import annotations

import json
from dataclasses import replace

from ....contracts.control.usage import Usage
from ....contracts.model import OutputSchema
from ...model_adapter import Completion, ModelAdapter, ModelRequest, OnDelta
from ..embeddings.minilm import MiniLmEmbedder
from .answers import completion_of
from .choice import choose_values
from .entries import choose_entries
from .schema import bounded_output, properties


class StructureWriter:
    """Writes answers that have a schema.

    Args:
        server: Adapter of the server that the model runs on.
        embedder: Chooses among values.
    """

    def __init__(self, server: ModelAdapter, embedder: MiniLmEmbedder) -> None:
        self._server = server
        self._embedder = embedder

    async def answer(self, request: ModelRequest, output: OutputSchema, on_delta: OnDelta | None) -> Completion:
        """Return the answer: choices made by meaning, the rest by the model.

        Args:
            request: Whose last message is the question.
            output: The schema as it was asked for, without the bounds that the model needs.
            on_delta: Receives the answer in pieces.

        Raises:
            ModelError: The server failed.
        """
        known = await choose_values(output, request.instructions, request.messages, self._embedder)
        known = known or await choose_entries(
            output, request.instructions, request.messages[-1].text if request.messages else "", self._embedder
        )
        fields = properties(output.json_schema)
        if not known or known.keys() != fields.keys():
            fixed = fields | {name: {"const": value} for name, value in known.items()}
            narrowed = output.model_copy(update={"json_schema": output.json_schema | {"properties": fixed}})
            return await self._server.complete(replace(request, output=bounded_output(narrowed)), on_delta)
        return completion_of(request, json.dumps(known, ensure_ascii=False), Usage(), on_delta)
