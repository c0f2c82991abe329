"""Fills in the arguments of a chosen tool.

By embedding where values were found, else by the model under a grammar.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import JsonValue

from ....contracts.control.usage import Usage
from ....contracts.message import Message, Role, TextPart
from ....contracts.model import Model, OutputSchema
from ...model_adapter import ModelAdapter, ModelRequest
from ..embeddings.minilm import MiniLmEmbedder
from .argument_values import Option, Slot, Source
from .exchange import Exchange, PastCall
from .schema import bounded_schema
from .tool_choice import Choice

_MAX_TOKENS: Final = 200
_MOST_CALLS: Final = 4
_INSTRUCTIONS: Final = "Write the arguments of the tool call as JSON. Take the values from the request."
_SHOTS: Final = (
    Message.user(
        "Tool: book_table: Book a table in a restaurant.\nArguments: restaurant, people\n"
        "Request: A table for 4 at Luigi's, please."
    ),
    Message(role=Role.ASSISTANT, parts=(TextPart(text='{"restaurant": "Luigi\'s", "people": 4}'),)),
    Message.user(
        "Tool: find_songs: Find songs about something.\nArguments: query\nRequest: Which songs are about falling rain?"
    ),
    Message(role=Role.ASSISTANT, parts=(TextPart(text='{"query": "falling rain"}'),)),
)


@dataclass(frozen=True, slots=True)
class Written:
    """Arguments of one or more calls of a tool."""

    arguments: tuple[dict[str, JsonValue], ...]
    """Without those that an earlier call had."""
    usage: Usage


class ArgumentWriter:
    """Writes the arguments of chosen tools.

    Args:
        server: Adapter of the server that the model runs on.
        embedder: Chooses among values.
    """

    def __init__(self, server: ModelAdapter, embedder: MiniLmEmbedder) -> None:
        self._server = server
        self._embedder = embedder

    async def write(self, model: Model, choice: Choice, exchange: Exchange) -> Written:
        """Write the arguments of the calls to make.

        There is more than one call where the question names several things to look up.

        Raises:
            ModelError: The server failed.
        """
        past = [call for call in exchange.calls if call.tool == choice.tool.name]
        slots = [_untried(slot, past) for slot in choice.slots]
        if len(slots) == 1 and slots[0].reference and slots[0].source is Source.QUESTION:
            several = tuple({slots[0].name: option.value} for option in slots[0].options[:_MOST_CALLS])
            return Written(several, Usage())
        known = {slot.name: await self._known(slot, choice.request, exchange.question) for slot in slots}
        open_slots = [slot for slot in slots if known[slot.name] is None]
        filled, usage = await self._ask(model, choice, open_slots) if open_slots else ({}, Usage())
        arguments = {name: filled.get(name, option.value if option else None) for name, option in known.items()}
        made = any(call.arguments == arguments for call in past)
        return Written(() if made else (arguments,), usage)

    async def _known(self, slot: Slot, request: str, question: str) -> Option | None:
        """Return the slot's value where no model is needed to find it.

        It is looked for in the request first, then in the whole question.
        """
        if len(slot.options) == 1:
            return slot.options[0]
        if slot.source is Source.RESULTS:
            return await self._closest(slot.options, request)
        if slot.source is Source.SCHEMA:
            said = _said(slot.options, request) or _said(slot.options, question)
            return said[0] if len(said) == 1 else await self._closest(slot.options, request)
        return None

    async def _closest(self, options: Sequence[Option], request: str) -> Option:
        asked, *rows = await self._embedder.embed([request, *(option.context for option in options)])
        scores = [float(asked @ row) for row in rows]
        return options[scores.index(max(scores))]

    async def _ask(self, model: Model, choice: Choice, slots: Sequence[Slot]) -> tuple[dict[str, JsonValue], Usage]:
        schema = {
            "type": "object",
            "properties": {slot.name: _grammar(slot) for slot in slots},
            "required": [slot.name for slot in slots],
            "additionalProperties": False,
            **({"$defs": choice.tool.parameters["$defs"]} if "$defs" in choice.tool.parameters else {}),
        }
        description = choice.tool.description.partition("\n\n")[0]
        asked = Message.user(
            f"Tool: {choice.tool.name}: {description}\nArguments: {', '.join(slot.name for slot in slots)}\n"
            f"Request: {choice.request}"
        )
        settings = {"temperature": 0.0, "max_output_tokens": _MAX_TOKENS, "options": {"repeat_penalty": 1.0}}
        completion = await self._server.complete(
            ModelRequest(
                model=model.model_copy(update=settings),
                instructions=_INSTRUCTIONS,
                messages=(*_SHOTS, asked),
                output=OutputSchema(name="arguments", json_schema=schema),
            )
        )
        return _parsed(completion.message.text), completion.usage


def _said(options: Sequence[Option], text: str) -> list[Option]:
    return [option for option in options if str(option.value).lower() in text.lower()]


def _untried(slot: Slot, past: Sequence[PastCall]) -> Slot:
    """Return the slot without the values that earlier calls had."""
    if not slot.reference:
        return slot
    tried = [call.arguments.get(slot.name) for call in past]
    left = tuple(option for option in slot.options if option.value not in tried)
    return replace(slot, options=left or slot.options)


def _grammar(slot: Slot) -> dict[str, Any]:
    if slot.options:
        return {"enum": [option.value for option in slot.options]}
    schema: dict[str, Any] = bounded_schema(slot.schema)
    return schema


def _parsed(text: str) -> dict[str, JsonValue]:
    # Cut at the token limit it is not JSON; what is missing then is told by the tool's own validation.
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
