"""Writes the input items of the Responses API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from .....contracts.message import (
    CitationPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from ..asking.blob import blob_url, unsupported
from ..asking.conversation import answered, is_blank
from ..asking.wire_tools import WireTools
from ..profiles.profile import Profile
from ..tool_exchange import NOTHING, result_text


def response_items(
    messages: Iterable[Message], provider: str, profile: Profile, tools: WireTools
) -> list[dict[str, Any]]:
    """Return the input items of a request.

    A user message is one item; so is each thing that the model did.

    Raises:
        InvalidRequest: A part cannot be sent.
    """
    writer = _Writer(provider, profile, tools)
    sent: list[dict[str, Any]] = []
    for message in answered(messages):
        sent += writer.user(message) if message.role is Role.USER else writer.done(message)
    # What the model did last is never what it is asked.
    if not sent or sent[-1].get("role") == "assistant":
        sent.append({"role": "user", "content": [{"type": "input_text", "text": NOTHING}]})
    return sent


def _forget_thoughts(sent: list[dict[str, Any]]) -> None:
    """Take out a thought that led to nothing: the API wants what came of it."""
    while sent and sent[-1].get("type") == "reasoning":
        sent.pop()


def _say_of(message: dict[str, Any], part: CitationPart | OpaquePart) -> None:
    """Add to a text what the API said of it.

    A message that is told of needs no id: nothing is kept by which the API could find it.
    """
    if isinstance(part, OpaquePart):
        message |= {key: part.data[key] for key in ("phase",) if key in part.data}
        return
    if isinstance(message["content"], str):
        text = {"type": "output_text", "text": message["content"], "annotations": []}
        message |= {"type": "message", "content": [text]}
    message["content"][0]["annotations"].append(part.data)


class _Writer:
    def __init__(self, provider: str, profile: Profile, tools: WireTools) -> None:
        self._provider = provider
        self._profile = profile
        self._tools = tools

    def user(self, message: Message) -> list[dict[str, Any]]:
        content = [self._content(part) for part in message.parts if not is_blank(part)]
        return [{"role": "user", "content": content or [{"type": "input_text", "text": NOTHING}]}]

    def done(self, message: Message) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        for part in message.parts:
            if isinstance(part, CitationPart) or (isinstance(part, OpaquePart) and part.data.get("type") == "message"):
                if part.provider == self._provider and sent and sent[-1].get("role") == "assistant":
                    _say_of(sent[-1], part)
            elif isinstance(part, OpaquePart) and part.data.get("container_id") and not self._profile.containers:
                _forget_thoughts(sent)
            else:
                sent += self._item(part)
        _forget_thoughts(sent)
        return sent

    def _item(self, part: Part) -> Iterator[dict[str, Any]]:
        match part:
            case TextPart():
                if not is_blank(part):
                    yield {"role": "assistant", "content": part.text}
            case ToolCallPart():
                name, arguments = self._tools.sent(part)
                call = {"type": "function_call", "call_id": part.id, "name": name}
                yield call | {"arguments": json.dumps(arguments)}
            case ToolResultPart():
                yield {"type": "function_call_output", "call_id": part.call_id, "output": self._output(part)}
            case ReasoningPart():
                # Without its encrypted content the API would look it up by its id, and find nothing.
                ours = part.provider == self._provider and self._profile.reasons and self._profile.thoughts
                if ours and part.data.get("encrypted_content"):
                    yield {key: value for key, value in part.data.items() if key not in ("content", "status")}
            case OpaquePart():
                if part.provider == self._provider:
                    yield dict(part.data)
            case _:
                raise unsupported(part, self._provider, "an assistant has text, tool calls and reasoning only")

    def _output(self, result: ToolResultPart) -> str | list[dict[str, Any]]:
        text = result_text(result)
        if not result.attachments:
            return text
        return [{"type": "input_text", "text": text}, *(self._content(blob) for blob in result.attachments)]

    def _content(self, part: Part) -> dict[str, Any]:
        match part:
            case TextPart():
                return {"type": "input_text", "text": part.text}
            case ImagePart() if self._profile.images == "none":
                raise unsupported(part, self._provider, "this model takes no pictures")
            case ImagePart():
                return {"type": "input_image", "image_url": blob_url(part), "detail": "auto"}
            case FilePart():
                name = {"filename": part.name or "file"}
                source = {"file_url": part.url} if part.url else name | {"file_data": blob_url(part)}
                return {"type": "input_file"} | source
            case _:
                raise unsupported(part, self._provider, "a user message has text, images and files only")
