"""The adapter of the embedded model, which is too small to call tools by itself.

It judges badly too: tools are chosen by embedding, and the model fills in the rest.

Speaks to llama.cpp's server through its sibling for Chat Completions. Must not know any tool, page or question.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

import httpx2
import openai
from pydantic import JsonValue

from ....contracts.control.usage import Usage
from ....contracts.errors import InvalidRequest, ModelError, SetupError
from ....contracts.message import Message, Role, ToolCallPart
from ....contracts.model import Model, OutputSchema
from ....contracts.names import LOCAL_PROVIDER
from ....contracts.wire.model_call import StopReason
from ...model_adapter import Completion, Delta, ModelRequest, OnDelta
from ..embeddings.minilm import MiniLmEmbedder
from ..providers.asking.hosted_tools import refuse_tools
from ..providers.compatible.adapter import CompatibleAdapter
from ..providers.deadline import deadline
from .answers import AnswerWriter, completion_of
from .argument_writer import ArgumentWriter
from .citing.cited import NO_ANSWER, CitedWriter
from .digest import digest
from .exchange import Exchange, read_exchange
from .schema import bounded_output
from .structure import StructureWriter
from .tool_choice import Choice, choose_tools

MAX_OUTPUT_TOKENS: Final = 256
"""Longest answer where the model's settings name none. What is longer repeats itself."""

_INSTRUCTIONS: Final = "Answer the question."
_MOST_HISTORY: Final = 6_000


class LocalAdapter:
    """The model that llama.cpp's server on this machine has loaded.

    Args:
        base_url: Address of the server, without `/v1`.
        embedder: Chooses tools, values and passages.
        connect_seconds: Longest wait for a connection.
    """

    def __init__(self, *, base_url: str, embedder: MiniLmEmbedder, connect_seconds: float = 10.0) -> None:
        self.provider = LOCAL_PROVIDER
        self._server = _LlamaServer(
            provider=LOCAL_PROVIDER, base_url=f"{base_url.rstrip('/')}/v1", connect_seconds=connect_seconds
        )
        self._embedder = embedder
        self._arguments = ArgumentWriter(self._server, embedder)
        self._answers = AnswerWriter(self._server, embedder)
        self._structures = StructureWriter(self._server, embedder)
        self._cited = CitedWriter(self._answers, self._structures, embedder)

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Return tool calls where the question needs some, else the answer.

        Raises:
            ModelError: The call failed; its class says what to do about it.
        """
        completion = await self._completed(request, on_delta)
        own_limit = request.model.max_output_tokens is None
        return replace(completion, more_room=own_limit and completion.stop is StopReason.LENGTH)

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def _completed(self, request: ModelRequest, on_delta: OnDelta | None) -> Completion:
        wanted = request.output
        request = _to_request(request)
        exchange = read_exchange(request.messages)
        try:
            async with deadline(request.model):
                choices = await choose_tools(exchange.question, request.tools, exchange.calls, self._embedder)
                calls = await self._call(request.model, choices, exchange, on_delta) if choices else None
                if calls:
                    return calls
                if wanted and wanted.cited:
                    return await self._cite(request, wanted, exchange, on_delta)
                if exchange.calls:
                    return await self._answers.answer(request, exchange, on_delta)
                asked = _conversation(request, exchange)
                if wanted:
                    return await self._structures.answer(asked, wanted, on_delta)
                if quoted := await digest(request.instructions, exchange.question, self._embedder):
                    return completion_of(request, quoted, Usage(), on_delta)
                return await self._server.complete(asked, on_delta)
        except SetupError as error:
            raise _map_error(error) from error

    async def _cite(
        self, request: ModelRequest, wanted: OutputSchema, exchange: Exchange, on_delta: OnDelta | None
    ) -> Completion:
        if exchange.calls or exchange.given:
            return await self._cited.answer(request, wanted, exchange, on_delta)
        asked = _conversation(request, exchange)
        if not request.tools:
            # Nor can anything be: what stood beside the question was nothing.
            nothing: dict[str, JsonValue] = {"answer": NO_ANSWER, "claims": []}
            return await self._cited.completed(asked, wanted, nothing, Usage(), on_delta)
        # Nothing was looked up, as for a greeting: there is nothing to cite.
        said = await self._server.complete(replace(asked, output=None))
        known: dict[str, JsonValue] = {"answer": said.message.text, "claims": []}
        done = await self._cited.completed(asked, wanted, known, said.usage, on_delta)
        return done if said.stop is StopReason.END else replace(done, stop=said.stop)

    async def _call(
        self, model: Model, choices: list[Choice], exchange: Exchange, on_delta: OnDelta | None
    ) -> Completion | None:
        """Return a message that calls the chosen tools.

        None where each of these calls was made before.
        """
        parts: list[ToolCallPart] = []
        usage = Usage()
        for choice in choices:
            written = await self._arguments.write(model, choice, exchange)
            usage += written.usage
            parts += (
                ToolCallPart(id=f"call_{len(parts) + i}", name=choice.tool.name, arguments=arguments)
                for i, arguments in enumerate(written.arguments)
            )
        if not parts:
            return None
        if on_delta:
            for part in parts:
                on_delta(Delta("tool_call", json.dumps(part.arguments)))
        message = Message(role=Role.ASSISTANT, parts=tuple(parts))
        return Completion(message, model.model, StopReason.TOOL_CALLS, usage)


class _LlamaServer(CompatibleAdapter):
    """The model's server on this machine.

    Each call has a new connection, never through a proxy.

    It closes some connections right after an answer while its headers promise to keep them; to use one again then
    fails (2 of 10 calls in a row on busy cores).
    """

    def _connected(self) -> openai.AsyncOpenAI:
        if self._client is None:
            http_client = openai.DefaultAsyncHttpxClient(
                limits=httpx2.Limits(max_keepalive_connections=0), trust_env=False
            )
            self._client = openai.AsyncOpenAI(
                api_key="none", base_url=self._base_url, max_retries=0, http_client=http_client
            )
        return self._client


def _most_tokens(request: ModelRequest) -> int:
    own = request.model.max_output_tokens or MAX_OUTPUT_TOKENS * request.room
    return own if request.output_tokens is None else min(own, request.output_tokens)


def _to_request(request: ModelRequest) -> ModelRequest:
    """Return the request with the settings that this model needs where it has none."""
    model = request.model
    if model.reasoning not in (None, "off"):
        raise InvalidRequest(f"the local model does not reason: take reasoning={model.reasoning!r} out of {model.name}")
    refuse_tools(request.wanted_provider_tools)
    settings = {
        "temperature": 0.0 if model.temperature is None else model.temperature,
        "max_output_tokens": _most_tokens(request),
        "reasoning": None,
        # Prose repeats itself without it; JSON has to repeat itself.
        "options": {"repeat_penalty": 1.0 if request.output else 1.1, **model.options},
    }
    return ModelRequest(
        model=model.model_copy(update=settings),
        instructions=request.instructions,
        messages=request.messages,
        tools=request.tools,
        output=bounded_output(request.output),
    )


def _conversation(request: ModelRequest, exchange: Exchange) -> ModelRequest:
    """Return the request without tools, short enough to be read quickly.

    It holds the last question, and as much of what went before as fits.
    """
    kept: list[Message] = []
    room = _MOST_HISTORY
    for message in reversed(exchange.history):
        room -= len(message.text)
        if kept and room < 0:
            break
        kept.insert(0, message)
    return ModelRequest(
        model=request.model,
        instructions=request.instructions or _INSTRUCTIONS,
        messages=tuple(kept),
        output=request.output,
    )


def _map_error(error: SetupError) -> ModelError:
    # Not retried: neither weights nor packages appear by themselves.
    return InvalidRequest(f"the local model cannot work on this worker: {error}")
